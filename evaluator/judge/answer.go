package judge

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/asgood-dev/asgood/internal/quality"
)

const (
	maxAnswer = 64 << 10 // bytes that are looked at
	maxWords  = 2000     // bytes of an explanation that are kept
)

// answer is what the model says.
type answer struct {
	Score       number `json:"score"`
	Better      string `json:"better"`
	Label       string `json:"label"`
	Explanation string `json:"explanation"`
	Addressed   bool   `json:"addressed_judge"`
	Check       string `json:"check"`
}

// number is a number, or a text that holds one.
type number struct {
	v   float64
	set bool
}

// UnmarshalJSON reads either.
func (n *number) UnmarshalJSON(data []byte) error {
	v, err := strconv.ParseFloat(strings.Trim(strings.TrimSpace(string(data)), `"`), 64)
	if err == nil {
		n.v, n.set = v, true
	}
	return nil // what is no number is missing, which is said with its name
}

// read reads an answer, repaired where it is nearly JSON. The error says what is wrong, in our words.
func (j *Judge) read(text string, c *content) (a answer, err error) {
	if len(text) > maxAnswer {
		return a, fmt.Errorf("the answer has more than %d KiB", maxAnswer>>10)
	}
	object := outermost(text)
	if object == "" {
		return a, fmt.Errorf("the answer holds no JSON object")
	}
	if json.Unmarshal([]byte(object), &a) != nil {
		a = answer{}
		if json.Unmarshal([]byte(repair(object)), &a) != nil {
			return a, fmt.Errorf("the answer is not JSON of the expected form")
		}
	}
	a.Label, a.Explanation = clip(quality.Visible(a.Label), 100), clip(quality.Visible(a.Explanation), maxWords)
	return a, j.usable(&a, c)
}

func (j *Judge) usable(a *answer, c *content) error {
	if !j.o.Naive {
		switch {
		case strings.Contains(a.Explanation+a.Label, c.check):
			return fmt.Errorf("the check word stands in the explanation")
		case strings.TrimSpace(a.Check) != c.check:
			return fmt.Errorf("the check word is missing, so that the answer may not be the judge's own")
		}
	}
	if j.spec.Mode == quality.JudgePairwise {
		switch a.Better = strings.ToLower(strings.TrimSpace(a.Better)); a.Better {
		case "first", "second", "tie":
			return nil
		}
		return fmt.Errorf(`field "better": want first, second or tie`)
	}
	if !a.Score.set || !(a.Score.v >= j.lo && a.Score.v <= j.hi) {
		return fmt.Errorf(`field "score": want a number from %g to %g`, j.lo, j.hi)
	}
	return nil
}

// outermost returns the first object in a text, to its end or to the end of the text.
func outermost(text string) string {
	start := strings.IndexByte(text, '{')
	if start < 0 {
		return ""
	}
	depth, inString := 0, false
	for i := start; i < len(text); i++ {
		switch c := text[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{':
			depth++
		case c == '}':
			if depth--; depth == 0 {
				return text[start : i+1]
			}
		}
	}
	return text[start:]
}

var (
	trailing = regexp.MustCompile(`,\s*([}\]])`)
	bareKey  = regexp.MustCompile(`([{,]\s*)'?([A-Za-z_]+)'?\s*:`)
	single   = regexp.MustCompile(`:\s*'([^'"\n]*)'`)
)

// repair mends what models do to JSON: commas too many, names without quotes, single quotes, an end that is
// missing, words of Python, raw line breaks.
func repair(s string) string {
	s = trailing.ReplaceAllString(s, "$1")
	s = bareKey.ReplaceAllString(s, `$1"$2":`)
	s = single.ReplaceAllString(s, `: "$1"`)
	s = strings.NewReplacer(": True", ": true", ": False", ": false", ": None", ": null", "\n", " ", "\t", " ").Replace(s)
	if strings.Count(s, `"`)%2 == 1 {
		s += `"`
	}
	return s + strings.Repeat("}", max(0, min(8, strings.Count(s, "{")-strings.Count(s, "}"))))
}

func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

package score

import (
	"fmt"
	"slices"
	"strings"

	"github.com/asgood-dev/asgood/internal/expression"
	"github.com/asgood-dev/asgood/internal/quality"
)

// Kinds of claims, and where they are looked for.
const (
	claimNumbers     = "numbers"
	claimQuotes      = "quotes"
	claimDates       = "dates"
	claimURLs        = "urls"
	claimIdentifiers = "identifiers"

	sourceContext = "context"
	sourceTools   = "tools"
	sourceInput   = "input"
)

// Bounds of what is checked. Beyond them a score says what it left out.
const (
	maxClaims      = 500
	maxClaimBytes  = 1 << 17 // of the output
	maxSourceBytes = 1 << 18 // of all sources
)

func claimsOf(spec quality.ScorerSpec) []string {
	if len(spec.Claims) > 0 {
		return spec.Claims
	}
	return []string{claimNumbers, claimQuotes, claimDates}
}

func sourcesOf(spec quality.ScorerSpec) []string {
	if len(spec.Sources) > 0 {
		return spec.Sources
	}
	return []string{sourceContext, sourceTools, sourceInput}
}

// newGrounded is the share of the claims in the output that its sources bear out: figures, quotes and the
// like that stand there too. An output without a claim, and a sample that had nothing to draw on, is not
// scored. It says nothing of claims in plain words.
func newGrounded(spec quality.ScorerSpec) (rule, error) {
	kinds, from := claimsOf(spec), sourcesOf(spec)
	for _, k := range kinds {
		if !slices.Contains([]string{claimNumbers, claimQuotes, claimDates, claimURLs, claimIdentifiers}, k) {
			return nil, quality.Errorf(quality.KindInvalid, `field "claims": want numbers, quotes, dates, urls or identifiers, got %q`, k)
		}
	}
	for _, k := range from {
		if !slices.Contains([]string{sourceContext, sourceTools, sourceInput}, k) {
			return nil, quality.Errorf(quality.KindInvalid, `field "sources": want context, tools or input, got %q`, k)
		}
	}
	r := newReader()
	return func(text string, s *quality.Sample) (verdict, bool) {
		source, whole := gather(from, s)
		if source == "" {
			return verdict{}, true
		}
		claims := r.claims(prefix(text, maxClaimBytes), kinds)
		if len(claims) == 0 {
			return verdict{}, true
		}
		v := r.check(claims, source)
		if !whole || len(text) > maxClaimBytes || len(claims) == maxClaims {
			v.explanation = clipTo("looked at the beginning of a long sample; "+v.explanation, maxExplanation)
		}
		return v, false
	}, nil
}

// gather joins what the output could draw on. Without documents and results of tools there was nothing, whatever
// the input says, unless the input is the only source that is asked for.
func gather(from []string, s *quality.Sample) (text string, whole bool) {
	var b strings.Builder
	whole = true
	add := func(part string) {
		room := maxSourceBytes - b.Len()
		whole = whole && len(part) < room
		if room > 1 {
			b.WriteString(prefix(part, room-1))
			b.WriteByte('\n')
		}
	}
	if slices.Contains(from, sourceContext) {
		for _, d := range s.Context {
			add(d.Text)
		}
	}
	if slices.Contains(from, sourceTools) {
		for _, t := range s.Tools {
			add(resultText(t))
		}
	}
	if only := len(from) == 1; slices.Contains(from, sourceInput) && (only || strings.TrimSpace(b.String()) != "") {
		add(s.Input.All())
	}
	if strings.TrimSpace(b.String()) == "" {
		return "", whole
	}
	return b.String(), whole
}

// resultText is what a tool gave: a text as it is, anything else as JSON.
func resultText(t quality.ToolCall) string {
	if len(t.Result) > 0 && t.Result[0] == '"' {
		if text, ok := expression.Decode(t.Result).(string); ok {
			return text
		}
	}
	return string(t.Result)
}

// claim is something in the output that its sources must bear out. Any one of the keys will do.
type claim struct {
	kind string
	text string // as it stands in the output
	keys []string
	unit string // of a number
	all  bool   // every key must be found
}

// check looks every claim up.
func (r *claimReader) check(claims []claim, source string) verdict {
	known := knowledge{reader: r, text: source}
	found := 0
	var missing []string
	first := ""
	for _, c := range claims {
		if known.has(c) {
			found++
			continue
		}
		first = or(first, c.kind)
		if len(missing) < 10 {
			missing = append(missing, fmt.Sprintf("%q", clip(c.text)))
		}
	}
	v := verdict{value: float64(found) / float64(len(claims)), label: first}
	v.explanation = fmt.Sprintf("%d of %d found", found, len(claims))
	if len(missing) > 0 {
		v.explanation = clipTo(v.explanation+"; not found: "+strings.Join(missing, ", "), maxExplanation)
	}
	return v
}

// knowledge is what the sources hold, made as it is asked for.
type knowledge struct {
	reader  *claimReader
	text    string
	numbers map[string][]string // units by value
	dates   map[string]bool
	words   string
	small   string
}

func (k *knowledge) has(c claim) bool {
	var holds func(key string) bool
	switch c.kind {
	case claimNumbers:
		holds = func(key string) bool { return k.number(key, c.unit) }
	case claimDates:
		holds = k.date
	case claimQuotes:
		holds = k.quote
	default:
		holds = k.name
	}
	if c.all {
		return !slices.ContainsFunc(c.keys, func(key string) bool { return !holds(key) })
	}
	return slices.ContainsFunc(c.keys, holds)
}

// number reports whether a value stands there, with the same unit or where one of the two has none.
func (k *knowledge) number(value, unit string) bool {
	if k.numbers == nil {
		k.numbers = map[string][]string{}
		for n := range scanNumbers(k.text) {
			for _, v := range n.values {
				if !slices.Contains(k.numbers[v], n.unit) {
					k.numbers[v] = append(k.numbers[v], n.unit)
				}
			}
		}
	}
	return slices.ContainsFunc(k.numbers[value], func(u string) bool { return u == unit || u == "" || unit == "" })
}

func (k *knowledge) date(day string) bool {
	if k.dates == nil {
		k.dates = map[string]bool{}
		for _, d := range k.reader.dates(k.text) {
			for _, key := range d.keys {
				k.dates[key] = true
			}
		}
	}
	return k.dates[day]
}

func (k *knowledge) quote(text string) bool {
	if k.words == "" {
		k.words = " " + plainWords(k.text) + " "
	}
	return strings.Contains(k.words, " "+text+" ")
}

func (k *knowledge) name(text string) bool {
	if k.small == "" {
		k.small = folded(k.text)
	}
	return containsWord(k.small, text)
}

// containsWord reports whether a text stands somewhere with no letter or digit around it.
func containsWord(text, word string) bool {
	for at := 0; ; {
		i := strings.Index(text[at:], word)
		if i < 0 {
			return false
		}
		i += at
		if !wordBefore(text[:i]) && !wordAfter(text[i+len(word):]) {
			return true
		}
		at = i + len(word)
	}
}

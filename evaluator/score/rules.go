package score

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/asgood-dev/asgood/internal/quality"
)

func compile(field, pattern string, ignoreCase bool) (*regexp.Regexp, error) {
	if pattern == "" {
		return nil, quality.Errorf(quality.KindInvalid, "field %q: required", field)
	}
	if ignoreCase {
		pattern = "(?i)" + pattern
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, quality.Errorf(quality.KindInvalid, "field %q: %w", field, err)
	}
	return re, nil
}

func oneIf(ok bool) float64 {
	if ok {
		return 1
	}
	return 0
}

func newRegex(spec quality.ScorerSpec) (rule, error) {
	re, err := compile("pattern", spec.Pattern, spec.IgnoreCase)
	if err != nil {
		return nil, err
	}
	return func(text string, _ *quality.Sample) (verdict, bool) {
		v := verdict{value: oneIf(re.MatchString(prefix(text, maxPatternBytes)))}
		if v.value == 0 && len(text) > maxPatternBytes {
			v.explanation = fmt.Sprintf("looked at the first %d KiB only", maxPatternBytes>>10)
		}
		return v, false
	}, nil
}

// newReference compares what is extracted from the output with the reference. Without a pattern the
// whole texts are compared, trimmed.
func newReference(spec quality.ScorerSpec) (rule, error) {
	if spec.Match != "" && spec.Match != "first" && spec.Match != "last" {
		return nil, quality.Errorf(quality.KindInvalid, `field "match": want first or last, got %q`, spec.Match)
	}
	equal := func(a, b string) bool { return a == b }
	if spec.IgnoreCase {
		equal = strings.EqualFold
	}
	if spec.Extract == "" {
		return func(text string, s *quality.Sample) (verdict, bool) {
			if s.Reference == nil {
				return verdict{}, true
			}
			return verdict{value: oneIf(equal(strings.TrimSpace(text), strings.TrimSpace(*s.Reference)))}, false
		}, nil
	}
	re, err := compile("extract", spec.Extract, spec.IgnoreCase)
	if err != nil {
		return nil, err
	}
	x := extractor{re: re, last: spec.Match == "last"}
	return func(text string, s *quality.Sample) (verdict, bool) {
		if s.Reference == nil {
			return verdict{}, true
		}
		got, ok := x.find(text)
		if !ok {
			return verdict{explanation: "the output does not match the pattern" + x.part(text)}, false
		}
		want, ok := x.find(*s.Reference)
		if !ok {
			want = strings.TrimSpace(*s.Reference)
		}
		return verdict{value: oneIf(equal(got, want)), label: clip(got)}, false
	}, nil
}

// maxPatternBytes bounds what a pattern looks at: most take 40 ns for each byte, one of nested counts a microsecond.
const maxPatternBytes = 1 << 18

// extractor finds what a pattern is after: its group 1 when it has one that took part in the match.
type extractor struct {
	re   *regexp.Regexp
	last bool
}

// part says which part of a text was looked at, when it was not all.
func (x extractor) part(text string) string {
	switch {
	case len(text) <= maxPatternBytes:
		return ""
	case x.last:
		return fmt.Sprintf(" in its last %d KiB", maxPatternBytes>>10)
	default:
		return fmt.Sprintf(" in its first %d KiB", maxPatternBytes>>10)
	}
}

func (x extractor) find(text string) (string, bool) {
	var loc []int
	if x.last {
		text = suffix(text, maxPatternBytes)
	} else {
		text = prefix(text, maxPatternBytes)
	}
	if !x.last {
		loc = x.re.FindStringSubmatchIndex(text)
	} else if all := x.re.FindAllStringSubmatchIndex(text, -1); len(all) > 0 {
		loc = all[len(all)-1]
	}
	switch {
	case loc == nil:
		return "", false
	case len(loc) >= 4 && loc[2] >= 0:
		return text[loc[2]:loc[3]], true
	default:
		return text[loc[0]:loc[1]], true
	}
}

// Bounds of what a score says in words.
const (
	maxLabel       = 128 // bytes: a label becomes a value to group by, and an output may be megabytes
	maxExplanation = 400
)

// clip bounds a label.
func clip(s string) string { return clipTo(s, maxLabel) }

func clipTo(s string, most int) string {
	if len(s) <= most {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

func newContains(spec quality.ScorerSpec) (rule, error) {
	if (len(spec.Any) == 0) == (len(spec.All) == 0) {
		return nil, quality.Errorf(quality.KindInvalid, `contains takes one of the fields "any" and "all"`)
	}
	words, all := spec.Any, len(spec.All) > 0
	if all {
		words = spec.All
	}
	fold := func(s string) string { return s }
	if spec.IgnoreCase {
		fold = strings.ToLower
	}
	folded := make([]string, len(words))
	for i, w := range words {
		folded[i] = fold(w)
	}
	return func(text string, _ *quality.Sample) (verdict, bool) {
		text = fold(text)
		for _, w := range folded {
			if strings.Contains(text, w) != all {
				return verdict{value: oneIf(!all)}, false
			}
		}
		return verdict{value: oneIf(all)}, false
	}, nil
}

func newLength(quality.ScorerSpec) (rule, error) {
	return func(text string, _ *quality.Sample) (verdict, bool) {
		return verdict{value: float64(utf8.RuneCountInString(text))}, false
	}, nil
}

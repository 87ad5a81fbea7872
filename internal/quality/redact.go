package quality

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
)

// RedactRule says what is replaced by a pseudonym in the samples of a feature before they are stored.
// Exactly one of Kind, Pattern and Field is set.
type RedactRule struct {
	Kind    string `yaml:"-"`       // one of RedactKinds; the file holds it as plain text
	Pattern string `yaml:"pattern"` // an own regular expression (RE2); group 1 alone is replaced when it has one
	Name    string `yaml:"name"`    // of what the pattern finds; it stands in the pseudonym
	Field   string `yaml:"field"`   // a key whose whole value is replaced, at any depth and in any case
}

// What the rules with a plain name find.
const (
	RedactEmail      = "email"
	RedactPhone      = "phone"
	RedactCreditCard = "credit_card"
	RedactIBAN       = "iban"
	RedactIP         = "ip"
	RedactSecret     = "secret"
)

// RedactField is the word that stands in the pseudonym of a field's value.
const RedactField = "field"

// Limits on the rules of one feature. Every pattern is a pass of its own over every text.
const (
	MaxRedactPatterns   = 16
	MaxRedactFields     = 64
	MaxRedactPatternLen = 1000
	MaxRedactNameLen    = 32
)

// RedactKinds returns the plain names.
func RedactKinds() []string {
	return []string{RedactEmail, RedactPhone, RedactCreditCard, RedactIBAN, RedactIP, RedactSecret}
}

// DefaultRedact returns the rules of a feature that says nothing: every kind.
func DefaultRedact() []RedactRule {
	kinds := RedactKinds()
	rules := make([]RedactRule, len(kinds))
	for i, k := range kinds {
		rules[i].Kind = k
	}
	return rules
}

var redactName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// CheckRedactName says what is wrong with the name of an own pattern: it must be fit to stand in a
// pseudonym and differ from the words that stand there already.
func CheckRedactName(name string) error {
	switch {
	case name == "":
		return Errorf(KindInvalid, "required: it stands in place of what the pattern finds, as in [ticket:1f3a9c2e]")
	case len(name) > MaxRedactNameLen:
		return Errorf(KindInvalid, "%d bytes, at most %d", len(name), MaxRedactNameLen)
	case !redactName.MatchString(name):
		return Errorf(KindInvalid, "want small letters, digits and underscores, a letter first")
	case name == RedactField || slices.Contains(RedactKinds(), name):
		return Errorf(KindInvalid, "%s is taken by what is built in", name)
	}
	return nil
}

// CompileRedactPattern reads an own pattern. One that can match nothing is refused: it would put a
// pseudonym between any two characters.
func CompileRedactPattern(pattern string) (*regexp.Regexp, error) {
	if len(pattern) > MaxRedactPatternLen {
		return nil, Errorf(KindInvalid, "%d bytes, at most %d", len(pattern), MaxRedactPatternLen)
	}
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil, Errorf(KindInvalid, "not a regular expression: %w", err)
	}
	if shortest(tree) == 0 {
		return nil, Errorf(KindInvalid, "can match the empty text")
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, fmt.Errorf("compiling a parsed pattern: %w", err)
	}
	return re, nil
}

// shortest returns 0 when the expression can match the empty text, and else a number above 0.
func shortest(re *syntax.Regexp) int {
	switch re.Op {
	case syntax.OpLiteral:
		return len(re.Rune)
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL, syntax.OpNoMatch:
		return 1
	case syntax.OpCapture, syntax.OpPlus:
		return shortest(re.Sub[0])
	case syntax.OpRepeat:
		return min(re.Min, shortest(re.Sub[0]))
	case syntax.OpConcat:
		longest := 0
		for _, sub := range re.Sub {
			longest = max(longest, shortest(sub))
		}
		return longest
	case syntax.OpAlternate:
		least := shortest(re.Sub[0])
		for _, sub := range re.Sub[1:] {
			least = min(least, shortest(sub))
		}
		return least
	default: // what stands between characters, and what may be left out
		return 0
	}
}

// Validate checks a rule by itself. The error says what is wrong without repeating the pattern.
func (r RedactRule) Validate() error {
	switch {
	case r.Kind != "" && (r.Pattern != "" || r.Field != "") || r.Pattern != "" && r.Field != "":
		return Errorf(KindInvalid, "want one of kind, pattern and field")
	case r.Kind != "":
		if !slices.Contains(RedactKinds(), r.Kind) {
			return Errorf(KindInvalid, "%.40q is not a kind (known: %v)", r.Kind, RedactKinds())
		}
	case r.Pattern != "":
		if _, err := CompileRedactPattern(r.Pattern); err != nil {
			return fmt.Errorf("pattern: %w", err)
		}
		if err := CheckRedactName(r.Name); err != nil {
			return fmt.Errorf("name: %w", err)
		}
	case r.Field == "" || len(r.Field) > MaxNameLen:
		return Errorf(KindInvalid, "field: want 1 to %d bytes, got %d", MaxNameLen, len(r.Field))
	}
	return nil
}

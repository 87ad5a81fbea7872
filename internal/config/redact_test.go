package config_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/asgood-dev/asgood/internal/config"
	"github.com/asgood-dev/asgood/internal/quality"
)

func parseRedact(rules string) ([]quality.RedactRule, error) {
	env := func(string) (string, bool) { return "tck[", true }
	c, err := config.Parse("asgood.yaml", []byte("features:\n  - name: bot\n"+rules), env)
	if err != nil {
		return nil, err
	}
	return c.Features[0].Redact, nil
}

func TestRedact(t *testing.T) {
	for _, tt := range []struct {
		name, rules string
		want        []quality.RedactRule
	}{
		{"absent", "", quality.DefaultRedact()},
		{"no value", "    redact:\n", quality.DefaultRedact()},
		{"none", "    redact: []\n", []quality.RedactRule{}},
		{"some", "    redact: [email, {pattern: 'T-(\\d+)', name: ticket}, {field: SSN}]\n",
			[]quality.RedactRule{{Kind: "email"}, {Pattern: `T-(\d+)`, Name: "ticket"}, {Field: "SSN"}}},
		{"lines", "    redact:\n      - email\n      - field: ssn\n", []quality.RedactRule{{Kind: "email"}, {Field: "ssn"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseRedact(tt.rules)
			if err != nil || got == nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, %v, want %+v", got, err, tt.want)
			}
		})
	}
}

func TestRedactProblems(t *testing.T) {
	long := strings.Repeat("x", 1001)
	for _, tt := range []struct{ name, rules, want string }{
		{"misspelt", "[emial]", `asgood.yaml:3:14: features[0].redact[0] "emial": not a kind that is known (did you mean email?)`},
		{"unknown", "[zodiac]", `(known: email, phone, credit_card, iban, ip, secret)`},
		{"number", "[7]", `features[0].redact[0] "7": not a kind`},
		{"not a list", "email", `3:13: features[0].redact: want a list, got text`},
		{"list in list", "[[email]]", `features[0].redact[0]: want a kind such as email, {pattern: REGEX, name: NAME} or {field: NAME}, got a list`},
		{"empty mapping", "[{}]", "features[0].redact[0]: want a kind such as email"},
		{"empty text", `[""]`, "features[0].redact[0]: want a kind such as email"},
		{"nothing", `[email, ]`, ""},
		{"twice", "[email, email]", `3:21: features[0].redact[1] "email": stands twice, first as entry 1`},
		{"unknown key", "[{pattrn: x}]", `unknown field "pattrn" (did you mean "pattern"?)`},
		{"not a pattern", "[{pattern: 'a(', name: x}]", `features[0].redact[0].pattern "a(": not a regular expression: missing closing ) at character 1: a(`},
		{"matches nothing", "[{pattern: 'a*', name: x}]", `features[0].redact[0].pattern "a*": can match the empty text`},
		{"matches between", `[{pattern: '\b|a', name: x}]`, `can match the empty text`},
		{"long pattern", "[{pattern: " + long + ", name: x}]", "1001 bytes, at most 1000"},
		{"empty pattern", "[{pattern: '', name: x}]", "features[0].redact[0].pattern: required"},
		{"no name", "[{pattern: abc}]", "features[0].redact[0].name: required"},
		{"bad name", "[{pattern: abc, name: A b}]", `features[0].redact[0].name "A b": want small letters, digits and underscores, a letter first`},
		{"taken name", "[{pattern: abc, name: email}]", `features[0].redact[0].name "email": email is taken by what is built in`},
		{"name alone", "[{name: abc}]", `features[0].redact[0].name "abc": has an effect only beside pattern`},
		{"both", "[{pattern: abc, name: x, field: y}]", `features[0].redact[0]: has pattern and field`},
		{"empty field", "[{field: ''}]", `features[0].redact[0].field: want the name of a key`},
		{"field twice", "[{field: ssn}, {field: SSN}]", `features[0].redact[1]: stands twice, first as entry 1`},
		{"from a variable", "[{pattern: '${P}', name: x}]", `features[0].redact[0].pattern "${P}": not a regular expression: missing closing ]`},
		{"many", "[" + strings.Repeat("{pattern: 'a', name: x}, ", 1) + manyPatterns(17) + "]", "18 patterns, at most 16"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parseRedact("    redact: " + tt.rules + "\n")
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("got %v, want no error", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v, want it to hold %s", err, tt.want)
			case tt.want != "" && strings.Contains(err.Error(), "\n"):
				t.Errorf("got more than one problem: %v", err)
			}
		})
	}
}

func manyPatterns(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("{pattern: '" + strings.Repeat("b", i+1) + "', name: x}, ")
	}
	return b.String()
}

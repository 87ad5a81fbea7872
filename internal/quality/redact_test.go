package quality_test

import (
	"strings"
	"testing"

	"github.com/asgood-dev/asgood/internal/quality"
)

func TestCompileRedactPattern(t *testing.T) {
	for pattern, want := range map[string]string{
		"a": "", "a+": "", "a{2,}": "", "[ab]": "", ".": "", `\bTCK-\d+\b`: "", "(a|bc)": "", "x?y*z": "", "(?i)(?:a)": "", `\pL`: "", "^a": "", "(?s).": "",
		"": "can match the empty text", "a*": "can match the empty text", "a?": "can match the empty text", "a{0,3}": "can match the empty text",
		"a|": "can match the empty text", "(a|b*)": "can match the empty text", "^": "can match the empty text", `\b`: "can match the empty text",
		"a?b*": "can match the empty text", "(a?)+": "can match the empty text", "(?:a*){3}": "can match the empty text", "$|a": "can match the empty text",
		"a(": "not a regular expression", "(?=a)": "not a regular expression", `(a)\1`: "not a regular expression", "a{1001}": "not a regular expression",
		strings.Repeat("a", 1001): "1001 bytes, at most 1000",
	} {
		re, err := quality.CompileRedactPattern(pattern)
		switch {
		case want == "" && (err != nil || re == nil):
			t.Errorf("%.40q: got %v, want no error", pattern, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want) || quality.KindOf(err) != quality.KindInvalid):
			t.Errorf("%.40q: got %v, want %s", pattern, err, want)
		}
	}
}

func TestRedactRuleValidate(t *testing.T) {
	for _, r := range append(quality.DefaultRedact(), quality.RedactRule{Pattern: "a", Name: "ticket_2"}, quality.RedactRule{Field: "ssn"}) {
		if err := r.Validate(); err != nil {
			t.Errorf("%+v: got %v", r, err)
		}
	}
	for name, r := range map[string]quality.RedactRule{
		"nothing":           {},
		"name alone":        {Name: "x"},
		"unknown kind":      {Kind: "mail"},
		"kind and field":    {Kind: "email", Field: "x"},
		"pattern and field": {Pattern: "a", Name: "x", Field: "x"},
		"no name":           {Pattern: "a"},
		"taken name":        {Pattern: "a", Name: "field"},
		"long name":         {Pattern: "a", Name: strings.Repeat("a", 33)},
		"capital":           {Pattern: "a", Name: "Ticket"},
		"long field":        {Field: strings.Repeat("a", 257)},
	} {
		if err := r.Validate(); quality.KindOf(err) != quality.KindInvalid {
			t.Errorf("%s: got %v, want an invalid error", name, err)
		}
	}
}

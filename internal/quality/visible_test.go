package quality_test

import (
	"testing"

	"github.com/asgood-dev/asgood/internal/quality"
)

func TestVisible(t *testing.T) {
	for text, want := range map[string]string{
		"plain\n\tétude 営業 🏴‍☠️":              "plain\n\tétude 営業 🏴‍☠️",
		"\x1b[31mred\x1b[0m\x07\r":            "[31mred[0m",
		"\u202eevil\u202c \u2066x\u2069":      "evil x",
		"a\u200bb\u00adc\ufeffd\u2060e\u200f": "abcde",
		"\U000e0069\U000e0067x\u009by":        "xy",
		"one\u2028two\u0085three":             "one\ntwo\nthree",
		"broken \xff byte\x00":                "broken \uFFFD byte",
	} {
		if got := quality.Visible(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

package ledger_test

import (
	"testing"
	"time"

	"github.com/asgood-dev/asgood/collector/ledger"
	"github.com/asgood-dev/asgood/internal/quality"
)

func TestNames(t *testing.T) {
	for _, c := range []struct {
		wrote, seen string
		want        bool
	}{
		{"gpt-4.1", "gpt-4.1", true},
		{"GPT-4.1 in all regions", "gpt-4.1", true},
		{"gpt-4.1", "gpt-4.1-mini", false},
		{"gpt-4.1-mini", "gpt-4.1", false},
		{"0.7", "temperature 0.7", true},
		{"temperature=0.7", "temperature 0.7", true},
		{"temperature: 0.75", "temperature 0.7", false},
		{"support@v13", "support@v13; You are kind. (fingerprint 0123456789ab)", false}, // says nothing of the text
		{"support@v13, fingerprint 0123456789ab", "support@v13; You are kind. (fingerprint 0123456789ab)", true},
		{"You are kind and answer shortly. Never guess.", "You are kind and answer shortly.… (fingerprint 0123456789ab)", true},
		{"You", "You… (fingerprint 0123456789ab)", false},
		{"", "m", false}, {" ", "m", false}, {"m", "", false},
	} {
		declared := quality.Change{Layer: quality.LayerModel, At: begin.Add(24 * time.Hour), After: c.wrote}
		seen := quality.Change{Layer: quality.LayerModel, FirstSeen: begin, After: c.seen, Features: []string{"chat"}, Undeclared: true}
		if got := ledger.Explains(spec().Undeclared, declared, seen); got != c.want {
			t.Errorf("%q names %q: got %t", c.wrote, c.seen, got)
		}
	}
}

func TestFailedDeploymentExplainsNothing(t *testing.T) {
	declared := quality.Change{Layer: quality.LayerModel, At: begin, Flags: []string{quality.FlagFailed}}
	seen := quality.Change{Layer: quality.LayerModel, FirstSeen: begin, Features: []string{"chat"}, Undeclared: true}
	if ledger.Explains(spec().Undeclared, declared, seen) {
		t.Error("it does")
	}
}

package explain

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/asgood-dev/asgood/internal/quality"
)

// whole is a store of samples that knows nothing else.
type whole struct {
	Store
	samples []quality.Sample
}

func (w whole) SamplesOf(context.Context, string, []quality.ScoredSample) ([]quality.Sample, error) {
	return w.samples, nil
}

// TestWhoRefusesIsNoEvidence: whatever a score says of its customer, and however the name is written.
func TestWhoRefusesIsNoEvidence(t *testing.T) {
	huge := strings.Repeat("<script>\x1b[31m\u202e", 1<<20)
	w := whole{samples: []quality.Sample{{ID: "1", Customer: "acme", Input: quality.Text("secret")}, {ID: "2", Customer: "other", Input: quality.Text(huge), Output: quality.Text(huge)}}}
	x := &Explainer{o: ExplainerOptions{Store: w}, consent: map[string]bool{"acme": false}, refuse: map[string]bool{"acme": true}}
	for name, want := range map[string]bool{"acme": true, "ACME": true, " Acme ": true, "ac\u200bme": true, "acme2": false, "": false} {
		if got := x.refuses(name); got != want {
			t.Errorf("%q: refuses %v", name, got)
		}
	}
	out := quality.Evidence{Examples: []quality.Example{}}
	// The score of the first sample carries no customer.
	if err := x.fetch(t.Context(), quality.ScoreQuery{Feature: "bot"}, &out, []quality.ScoredSample{{ID: "1"}, {ID: "2", Customer: "other"}}, nil); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(out)
	if err != nil || len(out.Examples) != 1 || out.Left != 1 || strings.Contains(string(data), "secret") || strings.Contains(string(data), "<script>") || len(data) > maxEvidence {
		t.Errorf("got %d examples, %d left out, %d bytes, %v", len(out.Examples), out.Left, len(data), err)
	}
	if !out.Examples[0].Cut {
		t.Error("a text of megabytes is not cut")
	}
}

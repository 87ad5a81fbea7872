package app_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/asgood-dev/asgood/evaluator/score"
	"github.com/asgood-dev/asgood/internal/config"
	"github.com/asgood-dev/asgood/internal/quality"
)

// choice finds the words of which a field wants one.
var choice = regexp.MustCompile(`(?:want|known:|has) (?:one of )?((?:[a-z_]+, )*[a-z_]+(?:,? or [a-z_]+)?)`)

func wordsOf(t *testing.T, err error) []string {
	t.Helper()
	if err == nil {
		t.Fatal("a word that nobody knows is taken")
	}
	found := choice.FindStringSubmatch(err.Error())
	if found == nil {
		t.Fatalf("no words in %q", err)
	}
	words := strings.Split(strings.ReplaceAll(found[1], " or ", ", "), ", ")
	slices.Sort(words)
	return words
}

// TestTheCheckAndTheScorersKnowTheSameWords asks both for a word that none knows, on which each tells its own.
func TestTheCheckAndTheScorersKnowTheSameWords(t *testing.T) {
	const none = "qqqqqqqqqqqq"
	for _, tt := range []struct {
		field string
		spec  quality.ScorerSpec
	}{
		{"type: refusal, languages: [" + none + "]", quality.ScorerSpec{Type: "refusal", Languages: []string{none}}},
		{"type: grounded, claims: [" + none + "]", quality.ScorerSpec{Type: "grounded", Claims: []string{none}}},
		{"type: grounded, sources: [" + none + "]", quality.ScorerSpec{Type: "grounded", Sources: []string{none}}},
		{"type: readability, formula: " + none, quality.ScorerSpec{Type: "readability", Formula: none}},
		{"type: tokens, count: " + none, quality.ScorerSpec{Type: "tokens", Count: none}},
	} {
		text := fmt.Sprintf("features: [{name: a, scorers: [{name: x, %s}]}]", tt.field)
		_, checked := config.Parse("asgood.yaml", []byte(text), func(string) (string, bool) { return "", false })
		tt.spec.Name = "x"
		_, built := score.New(tt.spec)
		if a, b := wordsOf(t, checked), wordsOf(t, built); !slices.Equal(a, b) || len(a) < 3 {
			t.Errorf("%s: the check knows %v, the scorer %v (%v; %v)", tt.field, a, b, checked, built)
		}
	}
}

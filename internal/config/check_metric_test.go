package config_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestMonitorsOfSeveralMetrics watches metrics that a scorer makes beside its own.
func TestMonitorsOfSeveralMetrics(t *testing.T) {
	const scorers = `[{name: toxic, type: http, url: "https://scores.example.com/"}, {name: house, type: command, command: [score]}, {name: plain, type: length}]`
	for name, good := range map[string]bool{
		"toxic": true, "toxic.insult": true, "house.tone": true, "house.tone.formal": true,
		"toxic.": false, "toxicity": false, "plain.words": false, "other.x": false, "toxic." + strings.Repeat("x", 300): false,
	} {
		ps := problemsOf(t, fmt.Sprintf("features: [{name: a, scorers: %s, monitors: [{metric: %s, baseline: {first: 50}}]}]", scorers, name))
		if good != (len(ps) == 0) {
			t.Errorf("%q: got %v", name, ps)
		}
	}
}

// TestMaterialKnowsTheScale takes what is material in the unit of the scorer.
func TestMaterialKnowsTheScale(t *testing.T) {
	const judge = "{name: m, type: judge, model: x, base_url: 'https://api.example.com/v1', rubric: rubrics/faithful.md"
	for _, tt := range []struct {
		scorer, material string
		good             bool
	}{
		{judge + "}", "3.9", true}, {judge + "}", "4", false}, {judge + ", scale: [10, 0]}", "0.5", false}, // refused for its scale
		{judge + ", scale: [0, 10]}", "9", true}, {judge + ", scale: [0, 10]}", "10", false},
		{judge + ", mode: pairwise}", "0.5", true}, {judge + ", mode: pairwise}", "1", false},
		{"{name: m, type: embedding, model: x, base_url: 'https://api.example.com/v1'}", "1.5", true},
		{"{name: m, type: regex, pattern: x}", "1", false}, {"{name: m, type: length}", "1", true},
	} {
		ps := problemsOf(t, fmt.Sprintf("features: [{name: a, scorers: [%s], monitors: [{metric: m, material: %s, baseline: {first: 50}}]}]", tt.scorer, tt.material))
		if tt.good != (len(ps) == 0) {
			t.Errorf("%s, material %s: got %v", tt.scorer, tt.material, ps)
		}
	}
}

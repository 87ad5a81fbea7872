package app_test

import (
	"fmt"
	"testing"

	"github.com/asgood-dev/asgood/evaluator"
	"github.com/asgood-dev/asgood/internal/config"
)

// TestTheCheckAndTheEvaluatorAgree asks both about the same monitors: what passes the check starts.
func TestTheCheckAndTheEvaluatorAgree(t *testing.T) {
	var monitors []string
	for _, n := range []string{"49", "50", "100_000", "100_001"} {
		monitors = append(monitors, "baseline: {first: "+n+"}")
	}
	for _, n := range []string{"99", "100", "1e12", "1e13"} {
		monitors = append(monitors, "baseline: {first: 50}, false_alarms: {samples: "+n+"}")
	}
	for _, a := range []string{"language", "model", "Model", "PROMPT", "retrieval_index", "Gen_AI.response.model", "models"} {
		monitors = append(monitors, "baseline: {first: 50}, adjust: ["+a+"]")
	}
	good := 0
	for _, m := range monitors {
		text := fmt.Sprintf("features: [{name: a, scorers: [{name: x, type: length}], monitors: [{metric: x, %s}]}]", m)
		cfg, err := config.Parse("asgood.yaml", []byte(text), func(string) (string, bool) { return "", false })
		if err != nil {
			continue
		}
		good++
		if _, err := evaluator.NewEngine(evaluator.EngineOptions{Features: cfg.Features, FalseAlarms: cfg.FalseAlarms}); err != nil {
			t.Errorf("%s: passes the check, and does not start: %v", m, err)
		}
	}
	if good != 6 {
		t.Errorf("%d of the monitors pass the check, want 6", good)
	}
}

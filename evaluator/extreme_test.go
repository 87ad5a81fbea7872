package evaluator_test

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/evaluator"
	"github.com/asgood-dev/asgood/internal/quality"
)

// TestExtremeScores feeds values, weights, times and attributes that nobody has: what the engine then tells is
// JSON, and an attribute with a value for each sample takes no more streams than its cap.
func TestExtremeScores(t *testing.T) {
	e, err := evaluator.NewEngine(evaluator.EngineOptions{
		FalseAlarms: quality.FalseAlarms{Samples: 1000},
		Features: []quality.Feature{{Name: "bot", Scorers: []quality.ScorerSpec{{Type: "external"}}, Monitors: []quality.MonitorSpec{
			{Metric: "good", Slices: []string{"id"}, Baseline: quality.BaselineSpec{First: 60}},
			{Metric: "long", Unbounded: true, Baseline: quality.BaselineSpec{First: 60}},
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	values := []float64{0, 1, math.SmallestNonzeroFloat64, math.MaxFloat64, -math.MaxFloat64, math.NaN(), math.Inf(1), math.Copysign(0, -1), 1e15, 0.5}
	weights := []float64{0, 1, 1e9, 1e12, math.SmallestNonzeroFloat64, 1e300, -5}
	for i := range 20_000 {
		when := at.Add(time.Duration(i) * time.Second)
		switch i % 97 {
		case 1:
			when = time.Time{}
		case 2:
			when = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
		}
		for _, metric := range []string{"good", "long"} {
			e.ObserveScore(quality.Score{Feature: "bot", Metric: metric, SampleID: fmt.Sprint(i), Time: when, Value: values[i%len(values)],
				Weight: weights[i%len(weights)], Attributes: map[string]string{"id": fmt.Sprint(i)}}, uint64(i+1))
		}
	}
	if n := e.Streams(); n > 110 {
		t.Errorf("%d streams", n)
	}
	if _, err := json.Marshal(e.Statuses(at.Add(20_000 * time.Second))); err != nil {
		t.Error(err)
	}
	if _, err := json.Marshal(e.Regressions()); err != nil {
		t.Error(err)
	}
}

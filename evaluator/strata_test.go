package evaluator_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/evaluator"
	"github.com/asgood-dev/asgood/internal/quality"
)

// A value of an adjusted attribute that was never seen raises nothing by itself, however bad it is, and is
// watched when it has enough scores of its own.
func TestNewStratumIsWatchedOnceItIsKnown(t *testing.T) {
	known, fresh := map[string]float64{"de": .5, "en": .5}, map[string]float64{"de": .4, "en": .4, "fr": .2}
	o := evaluator.BacktestOptions{Features: bot(quality.MonitorSpec{Adjust: []string{"language"}}), FalseAlarms: perSample}
	samples := traffic(51, stage{n: 2000, pass: .95, mix: known}, stage{n: 4000, pass: .95, in: map[string]float64{"fr": .3}, mix: fresh})
	if got := backtest(t, o, samples).Regressions; len(got) != 0 {
		t.Errorf("a new language that was bad from the beginning: got %s", asJSON(t, got))
	}
	samples = traffic(52, stage{n: 2000, pass: .95, mix: known}, stage{n: 3000, pass: .95, mix: fresh},
		stage{n: 2000, pass: .95, in: map[string]float64{"fr": .4}, mix: fresh})
	if got := backtest(t, o, samples).Regressions; len(got) != 1 || got[0].StartedSample < 4800 {
		t.Errorf("a new language that got worse later: got %s, want a regression that began about 5001", asJSON(t, got))
	}
}

func TestProductChoicesAreNoStrata(t *testing.T) {
	for _, a := range []string{"model", "prompt", "tool", "index"} {
		_, err := evaluator.NewEngine(evaluator.EngineOptions{Features: bot(quality.MonitorSpec{Adjust: []string{a}})})
		if quality.KindOf(err) != quality.KindInvalid || !strings.Contains(err.Error(), "would hide in a stratum of its own") {
			t.Errorf("adjust by %s: got %v, want it refused with the reason", a, err)
		}
	}
}

// Marks of 1 to 5 are compared as they are, in either direction.
func TestOrdinalMarks(t *testing.T) {
	for _, worse := range []quality.Direction{quality.WorseLower, quality.WorseHigher} {
		rng := rand.New(rand.NewPCG(53, 4))
		var samples []quality.Sample
		for i := range 3000 {
			mark := float64(1 + rng.IntN(5))
			if i >= 2000 && rng.Float64() < .5 { // half of them become the worst
				if mark = 1; worse == quality.WorseHigher {
					mark = 5
				}
			}
			samples = append(samples, quality.Sample{ID: fmt.Sprint(i), Feature: "bot", Time: monday.Add(time.Duration(i) * time.Minute),
				Output: quality.Text("x"), Scores: map[string]float64{"mark": mark}})
		}
		o := evaluator.BacktestOptions{Features: bot(quality.MonitorSpec{Metric: "mark", Worse: worse, Range: &[2]float64{1, 5}}), FalseAlarms: perSample}
		got := backtest(t, o, samples).Regressions
		if len(got) != 1 || math.Abs(*got[0].Change) < .7 || math.Abs(*got[0].Change) > 1.3 || (*got[0].Change > 0) != (worse == quality.WorseHigher) || got[0].DetectedSample <= 2000 {
			t.Errorf("worse %s: got %s, want a change of about one mark", worse, asJSON(t, got))
		}
	}
}

// A heap of samples at once, and one that comes days late, are what they would be one by one and in time.
func TestLateSamplesRaiseNothing(t *testing.T) {
	samples := traffic(54, stage{n: 3000, pass: .9})
	for i := range samples {
		if i > 1000 && i%20 == 0 {
			samples[i].Time = samples[i].Time.Add(-10 * time.Hour)
		}
	}
	e := engine(t, evaluator.EngineOptions{Features: bot(quality.MonitorSpec{}), FalseAlarms: perSample})
	for i, s := range samples {
		if _, events := e.Observe(s, uint64(i+1)); len(events) != 0 {
			t.Fatalf("sample %d: got %+v", i, events)
		}
	}
	if got := e.MonitorEvents(); len(got) != 0 {
		t.Errorf("got %+v", got)
	}
}

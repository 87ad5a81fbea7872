package evaluator_test

import (
	"testing"
	"time"

	"github.com/asgood-dev/asgood/evaluator"
	"github.com/asgood-dev/asgood/internal/quality"
)

// A slice that a stored baseline, or a period that is over, holds too little of is compared with the first
// scores that come of it, and the status tells how many such slices there are.
func TestSliceWithoutEnoughOfTheBaseline(t *testing.T) {
	old := map[string]float64{"en": 1}
	now := map[string]float64{"de": .5, "en": .5}
	before := traffic(71, stage{n: 600, pass: .95, mix: old}, stage{n: 20, pass: .95, mix: map[string]float64{"de": 1}})
	after := later(traffic(72, stage{n: 1600, pass: .95, mix: now},
		stage{n: 600, pass: .95, in: map[string]float64{"de": .4}, mix: now}), before)
	var stored []quality.Score
	for _, s := range before {
		sc := quality.Score{Feature: "bot", Metric: "good", Weight: 1, Time: s.Time, Attributes: s.Attributes}
		if s.Output.Text == "good" {
			sc.Value = 1
		}
		stored = append(stored, sc)
	}
	window := &quality.BaselineWindow{From: monday, To: monday.Add(620 * time.Minute)}
	for name, tt := range map[string]struct {
		baseline quality.BaselineSpec
		stored   bool
	}{
		"pinned": {quality.BaselineSpec{Pinned: "june"}, true}, "stored window": {quality.BaselineSpec{Window: window}, true},
		"observed window": {quality.BaselineSpec{Window: window}, false},
	} {
		o := evaluator.EngineOptions{Features: bot(quality.MonitorSpec{Slices: []string{"language"}, Baseline: tt.baseline}), FalseAlarms: perSample}
		samples := after
		if tt.stored {
			o.Baselines = func(string, string, quality.BaselineSpec) ([]quality.Score, error) { return stored, nil }
		} else {
			samples = append(append([]quality.Sample{}, before...), after...)
		}
		e := engine(t, o)
		for i, s := range samples {
			e.Observe(s, uint64(i+1))
		}
		if got := e.Statuses(samples[len(samples)-1].Time)[0]; got.OwnBaselines != 1 {
			t.Errorf("%s: got %d slices with a baseline of their own, want that of de", name, got.OwnBaselines)
		}
		var de *quality.RegressionSlice
		for _, r := range e.Regressions() {
			for i := range r.Slices {
				if r.Slices[i].Slice.Key() == "language=de" {
					de = &r.Slices[i]
				}
			}
		}
		if de == nil || de.Baseline.N != evaluator.DefaultFirst {
			t.Errorf("%s: got %s, want the fall of de found against its own %d", name, asJSON(t, e.Regressions()), evaluator.DefaultFirst)
		}
		if want := run(t, o, samples, func(int) bool { return false }); want != run(t, o, samples, func(i int) bool { return i%173 == 0 }) {
			t.Errorf("%s: a restart made a difference", name)
		}
	}
}

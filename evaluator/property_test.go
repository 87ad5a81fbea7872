package evaluator_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/asgood-dev/asgood/evaluator"
	"github.com/asgood-dev/asgood/internal/quality"
)

// delivery is one thing that an engine may be given.
type delivery struct {
	sample *quality.Sample
	score  *quality.Score
}

// deliveries draws some traffic in stages of their own quality, with what goes wrong: scores that are missing,
// fail, come later, again, or of another version.
func deliveries(t *rapid.T) []delivery {
	var out []delivery
	n := 0
	for range rapid.IntRange(2, 5).Draw(t, "stages") {
		pass := rapid.SampledFrom([]float64{.2, .6, .9, 1}).Draw(t, "pass")
		missing := rapid.SampledFrom([]int{0, 0, 3}).Draw(t, "missing")
		version := rapid.SampledFrom([]string{"v1", "v1", "v2", ""}).Draw(t, "version")
		seed := rapid.Uint32().Draw(t, "seed")
		for i := range rapid.IntRange(20, 400).Draw(t, "samples") {
			seed = seed*1664525 + 1013904223
			x := float64(seed>>8) / (1 << 24)
			lang, customer := []string{"de", "en", "fr"}[seed>>20%3], fmt.Sprint("c", seed>>12%4)
			s := quality.Sample{ID: fmt.Sprint(n), Feature: "bot", Time: monday.Add(time.Duration(n) * time.Minute), Customer: customer, Output: quality.Text("bad"),
				Attributes: map[string]string{"language": lang}}
			if x < pass {
				s.Output = quality.Text("good")
			}
			if missing == 0 || i%missing != 0 {
				s.Scores = map[string]float64{"latency": x * 100}
			}
			if i%37 == 5 {
				s.Scores = map[string]float64{"mark": 77} // out of its range
			}
			out = append(out, delivery{sample: &s})
			late := quality.Score{Feature: "bot", SampleID: s.ID, Time: s.Time, Metric: "mark", Value: 1 + float64(int(4.9*x)), Late: true, Scorer: "judge",
				Version: version, Customer: customer, Attributes: s.Attributes}
			if seed>>16%3 > 0 {
				out = append(out, delivery{score: &late})
			}
			n++
		}
	}
	return out
}

func propertyOptions(order []string) evaluator.EngineOptions {
	first := quality.BaselineSpec{First: 60}
	return evaluator.EngineOptions{FalseAlarms: quality.FalseAlarms{Period: 24 * time.Hour}, Features: []quality.Feature{{Name: "bot",
		Scorers: []quality.ScorerSpec{{Name: "good", Type: "regex", Pattern: "^good$"}, {Name: "given", Type: "external"}},
		Monitors: []quality.MonitorSpec{
			{Metric: "good", Slices: order, MaxSlices: 2, Baseline: first},
			{Metric: "mark", Range: &[2]float64{1, 5}, Slices: order, Adjust: []string{"language"}, Baseline: first},
			{Metric: "latency", Unbounded: true, Worse: quality.WorseHigher, Baseline: quality.BaselineSpec{Window: &quality.BaselineWindow{Last: 2 * time.Hour}}},
		}}}}
}

// history gives deliveries to an engine, which a restart replaces before some of them, and writes down all
// that comes of it.
func history(t *rapid.T, o evaluator.EngineOptions, list []delivery, restart func(i int) bool) string {
	e, err := evaluator.NewEngine(o)
	if err != nil {
		t.Fatal(err)
	}
	out := ""
	for i, d := range list {
		if restart(i) {
			chunks, err := e.Snapshot()
			if err != nil {
				t.Fatal(err)
			}
			if e, err = evaluator.NewEngine(o); err != nil {
				t.Fatal(err)
			}
			if err := e.Restore(maps.Clone(chunks)); err != nil {
				t.Fatal(err)
			}
		}
		var scores []quality.Score
		var events []quality.RegressionEvent
		if d.sample != nil {
			scores, events = e.Observe(*d.sample, uint64(i))
		} else {
			scores, events = e.ObserveScore(*d.score, uint64(i))
		}
		out += text(t, len(scores), events, e.MonitorEvents())
	}
	return out + text(t, e.Regressions(), e.Statuses(monday.Add(100*time.Hour)))
}

func text(t *rapid.T, values ...any) string {
	data, err := json.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	return string(data) + "\n"
}

func never(int) bool { return false }

func TestRestartAnywhereChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := deliveries(t)
		at := rapid.SliceOfN(rapid.IntRange(0, len(list)-1), 1, 6).Draw(t, "restarts")
		o := propertyOptions([]string{"language", "customer"})
		want := history(t, o, list, never)
		if got := history(t, o, list, func(i int) bool { return slices.Contains(at, i) }); got != want {
			t.Fatalf("restarted at %v: got\n%s\nwant\n%s", at, got, want)
		}
	})
}

func TestOrderOfSlicesChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := deliveries(t)
		want := history(t, propertyOptions([]string{"language", "customer"}), list, never)
		if got := history(t, propertyOptions([]string{"customer", "language"}), list, never); got != want {
			t.Fatalf("got\n%s\nwant\n%s", got, want)
		}
	})
}

func TestDuplicatesAnywhereChangeNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := deliveries(t)
		o := propertyOptions([]string{"language", "customer"})
		e, err := evaluator.NewEngine(o)
		if err != nil {
			t.Fatal(err)
		}
		var out string
		for i, d := range list {
			back := rapid.IntRange(0, min(i, 300)).Draw(t, "back")
			for j, d := range []delivery{d, list[i-back]} { // the second is one of before, or the same again
				var scores []quality.Score
				var events []quality.RegressionEvent
				if d.sample != nil {
					scores, events = e.Observe(*d.sample, uint64(i))
				} else {
					scores, events = e.ObserveScore(*d.score, uint64(i))
				}
				sights := e.MonitorEvents()
				if j == 0 {
					out += text(t, len(scores), events, sights)
				} else if len(scores)+len(events)+len(sights) > 0 {
					t.Fatalf("delivery %d again: got %v, %v, %v", i-back, scores, events, sights)
				}
			}
		}
		out += text(t, e.Regressions(), e.Statuses(monday.Add(100*time.Hour)))
		if want := history(t, o, list, never); out != want {
			t.Fatalf("got\n%s\nwant\n%s", out, want)
		}
	})
}

func TestWeightsOfOneAreNoWeights(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := deliveries(t)
		o := propertyOptions([]string{"language"})
		want := history(t, o, list, never)
		weighed := make([]delivery, len(list))
		for i, d := range list {
			if d.sample != nil {
				s := *d.sample
				s.Weight = 1
				weighed[i].sample = &s
			} else {
				s := *d.score
				s.Weight = 1
				weighed[i].score = &s
			}
		}
		if got := history(t, o, weighed, never); got != want {
			t.Fatalf("got\n%s\nwant\n%s", got, want)
		}
	})
}

package evaluator_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/asgood-dev/asgood/evaluator"
	"github.com/asgood-dev/asgood/internal/quality"
)

// Whatever comes, an interval holds what it is of: the change lies in that of the change, the start in that
// of the start. The change is that of the two means, and material where the regression was just opened.
func TestIntervalsHoldWhatTheyAreOf(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := propertyOptions([]string{"language"})
		e, err := evaluator.NewEngine(o)
		if err != nil {
			t.Fatal(err)
		}
		for i, d := range deliveries(t) {
			var events []quality.RegressionEvent
			if d.sample != nil {
				_, events = e.Observe(*d.sample, uint64(i))
			} else {
				_, events = e.ObserveScore(*d.score, uint64(i))
			}
			for _, ev := range events {
				r := ev.Regression
				for _, s := range r.Slices {
					holds(t, ev.Type, r.Metric, s)
				}
				if ev.Type == quality.RegressionOpened && r.Metric != "latency" && math.Abs(*r.Change) < r.Material*(1-1e-9) {
					t.Fatalf("%s: opened with a change of %v, less than the material %v", r.Metric, *r.Change, r.Material)
				}
			}
		}
	})
}

func holds(t *rapid.T, typ quality.RegressionEventType, metric string, s quality.RegressionSlice) {
	const rounding = 1e-6
	if s.Change == nil || s.Interval == nil || s.StartedAt == nil || s.StartedBetween == nil {
		t.Fatalf("%s %s: got %+v, want all figures", typ, metric, s)
	}
	if i, c := *s.Interval, *s.Change; i[0]-rounding > c || c > i[1]+rounding {
		t.Fatalf("%s %s %v: got change %v outside its interval %v", typ, metric, s.Slice, c, i)
	}
	if c := *s.Current.Mean - *s.Baseline.Mean; math.Abs(c-*s.Change) > rounding*max(1, math.Abs(c)) {
		t.Fatalf("%s %s: got change %v between %v and %v", typ, metric, *s.Change, *s.Baseline.Mean, *s.Current.Mean)
	}
	if b := *s.StartedBetween; b[0].After(*s.StartedAt) || b[1].Before(*s.StartedAt) {
		t.Fatalf("%s %s: got the start %v outside of %v", typ, metric, s.StartedAt, b)
	}
}

// The interval of a regression may be looked at after every score: in most runs it holds the true change at
// the alarm and at all times after it.
func TestIntervalOfAChangeAtAllTimes(t *testing.T) {
	const drop, n = .25, 60
	held := 0
	for seed := range uint64(n) {
		samples := traffic(seed+900, stage{n: 3000, pass: .9}, stage{n: 1500, pass: .9 - drop})
		e := engine(t, evaluator.EngineOptions{Features: bot(quality.MonitorSpec{Baseline: quality.BaselineSpec{First: 2000}}), FalseAlarms: perSample})
		always := true
		for i, s := range samples {
			e.Observe(s, uint64(i+1))
			if i < 3000 || i%10 > 0 {
				continue
			}
			if all := e.Regressions(); len(all) == 1 {
				in := *all[0].Interval
				always = always && in[0] <= -drop && -drop <= in[1]
			}
		}
		if always {
			held++
		}
	}
	t.Logf("held at all times in %d of %d runs", held, n)
	if held < n*88/100 {
		t.Errorf("the interval held at all times in %d of %d runs, want 95 %%", held, n)
	}
}

// Streams that fall together help each other, for a day of a budget of 30: afterwards one that falls alone
// needs what it would have needed alone.
func TestOpenRegressionsCountForADay(t *testing.T) {
	features := make([]quality.Feature, 0, 40)
	for i := range cap(features) {
		f := bot(quality.MonitorSpec{Baseline: quality.BaselineSpec{First: 200}})[0]
		f.Name = string(rune('a'+i/26)) + string(rune('a'+i%26))
		features = append(features, f)
	}
	// detected returns how many samples after its fall the last feature is found.
	detected := func(first, last int) int {
		e := engine(t, evaluator.EngineOptions{Features: features, FalseAlarms: quality.FalseAlarms{Period: 30 * 24 * time.Hour}})
		for i := range 40_000 {
			for k, f := range features {
				bad := k < 10 && i >= first || k == 39 && i >= last
				s := quality.Sample{ID: f.Name + time.Duration(i).String(), Feature: f.Name, Time: monday.Add(time.Duration(i) * time.Minute), Output: quality.Text("good")}
				if i%10 == 0 || bad && i%10 < 4 {
					s.Output = quality.Text("bad")
				}
				_, events := e.Observe(s, uint64(i))
				for _, ev := range events {
					if ev.Type == quality.RegressionOpened && k == 39 {
						return i - last
					}
				}
			}
		}
		return -1
	}
	alone, soon, later := detected(1<<30, 1000), detected(900, 1000), detected(900, 900+24*60+200)
	t.Logf("found after %d samples alone, %d beside others, %d a day after them", alone, soon, later)
	if alone < 0 || soon >= alone || later <= soon {
		t.Errorf("found after %d samples alone, %d beside others, %d a day after them: want it sooner only beside them", alone, soon, later)
	}
}

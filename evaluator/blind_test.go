package evaluator_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/evaluator"
	"github.com/asgood-dev/asgood/internal/quality"
)

// feed gives samples to an engine and returns what it tells of its monitors, in short.
func feed(e *evaluator.Engine, samples []quality.Sample) (told []string) {
	for i, s := range samples {
		e.Observe(s, uint64(i+1))
		for _, ev := range e.MonitorEvents() {
			told = append(told, fmt.Sprintf("%s %s %s", ev.Metric, ev.Type, ev.Cause))
		}
	}
	return told
}

// scored makes samples whose score is given by their number; a missing one has none.
func scored(n int, score func(i int) (float64, bool)) []quality.Sample {
	out := make([]quality.Sample, n)
	for i := range out {
		out[i] = quality.Sample{ID: fmt.Sprint(i), Feature: "bot", Time: monday.Add(time.Duration(i) * time.Minute), Output: quality.Text("x")}
		if v, ok := score(i); ok {
			out[i].Scores = map[string]float64{"given": v}
		}
	}
	return out
}

// mixed is nine good scores in ten, in an order that has no rows.
func mixed(i int) float64 {
	if i*7%10 == 0 {
		return 0
	}
	return 1
}

func TestWhyAMonitorIsBlind(t *testing.T) {
	tests := []struct {
		name    string
		samples []quality.Sample
		told    string
		reason  string
	}{
		{"all is well", scored(3000, func(i int) (float64, bool) { return mixed(i), true }), "", ""},
		{"never scored", scored(1200, func(int) (float64, bool) { return 0, false }), "given blind no_data", "1200 samples of 1200 outputs came, and none has a score"},
		{"scored at last", scored(1500, func(i int) (float64, bool) { return 1, i > 1100 }), "given blind no_data, given sees no_data", ""},
		{"scores stop", scored(1000, func(i int) (float64, bool) { return mixed(i), i < 600 }), "given blind scorer_silent", "400 samples came since the last score, and none of them has one"},
		{"scores come back", scored(1000, func(i int) (float64, bool) { return mixed(i), i < 600 || i > 800 }), "given blind scorer_silent, given sees scorer_silent", ""},
		{"one sample in thirty is scored", scored(6000, func(i int) (float64, bool) { return mixed(i), i%30 == 0 }), "", ""},
		{"out of range", scored(1000, func(i int) (float64, bool) { return mixed(i) + float64(7*(i/900)), true }), "given blind scores_fail", "64 of the last 64 scores failed: value"},
		{"constant", scored(1500, func(i int) (float64, bool) {
			if i < 800 {
				return mixed(i), true
			}
			return 1, true
		}), "given blind constant", "scores are all 1, which they were not before"},
		{"always the same", scored(3000, func(int) (float64, bool) { return 1, true }), "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := engine(t, evaluator.EngineOptions{Features: bot(quality.MonitorSpec{Metric: "given", Baseline: quality.BaselineSpec{First: 100}})})
			if got := strings.Join(feed(e, tt.samples), ", "); got != tt.told {
				t.Errorf("told %q, want %q", got, tt.told)
			}
			st := e.Statuses(tt.samples[len(tt.samples)-1].Time)[0]
			if blind := tt.reason != ""; blind != (st.Blind != "") || !strings.Contains(st.Reason, tt.reason) || blind && st.State != quality.MonitorBlind {
				t.Errorf("got state %q, cause %q, reason %q, want %q", st.State, st.Blind, st.Reason, tt.reason)
			}
		})
	}
}

// Outputs that are counted and not kept are traffic without a score too.
func TestTrafficWithoutSamples(t *testing.T) {
	e := engine(t, evaluator.EngineOptions{Features: bot(quality.MonitorSpec{Metric: "given"})})
	for range 20 {
		e.ObserveTraffic(quality.Traffic{Feature: "bot", Minute: monday, Total: 600})
	}
	st := e.Statuses(monday)[0]
	if told := e.MonitorEvents(); len(told) != 1 || st.Blind != quality.BlindNoData || st.Reason != "0 samples of 12000 outputs came, and none has a score" {
		t.Errorf("got %q: %q, told %+v", st.Blind, st.Reason, told)
	}
}

func TestFailuresDoNotFlicker(t *testing.T) {
	e := engine(t, evaluator.EngineOptions{Features: bot(quality.MonitorSpec{Metric: "given", Baseline: quality.BaselineSpec{First: 100}})})
	told := feed(e, scored(4000, func(i int) (float64, bool) {
		switch {
		case i < 1000 || i > 3000:
			return mixed(i), true
		case i%100 < 50: // half of them, in blocks
			return 9, true
		default:
			return mixed(i), true
		}
	}))
	if len(told) > 2*25 || len(told)%2 != 0 {
		t.Errorf("told %d times: %q", len(told), told)
	}
	again := feed(e, scored(0, nil))
	if len(again) != 0 {
		t.Errorf("told without a sample: %q", again)
	}
	e = engine(t, evaluator.EngineOptions{Features: bot(quality.MonitorSpec{Metric: "given", Baseline: quality.BaselineSpec{First: 100}})})
	told = feed(e, scored(4000, func(i int) (float64, bool) {
		if i > 1000 && i%2 == 0 { // every second one fails, so that the share stays at its bound
			return 9, true
		}
		return mixed(i), true
	}))
	if len(told) != 1 {
		t.Errorf("told %q, want to be told once", told)
	}
}

// Later scores come in heaps, which is no silence.
func TestHeapsOfLaterScoresAreNoSilence(t *testing.T) {
	e := engine(t, evaluator.EngineOptions{Features: bot(quality.MonitorSpec{Metric: "given", Baseline: quality.BaselineSpec{First: 100}})})
	samples := scored(8000, func(int) (float64, bool) { return 0, false })
	var told []quality.MonitorEvent
	for i, s := range samples {
		e.Observe(s, uint64(i))
		if i%800 != 799 {
			continue
		}
		for j := i - 799; j <= i; j++ {
			e.ObserveScore(quality.Score{Feature: "bot", SampleID: samples[j].ID, Time: samples[j].Time, Metric: "given", Value: mixed(j), Late: true, Scorer: "judge", Version: "v1"}, uint64(i))
		}
	}
	if told = append(told, e.MonitorEvents()...); len(told) != 0 {
		t.Errorf("told %+v", told)
	}
}

func TestSilenceIsLearned(t *testing.T) {
	e := engine(t, evaluator.EngineOptions{Features: bot(quality.MonitorSpec{Metric: "given", Baseline: quality.BaselineSpec{First: 100}})})
	at := monday
	blind := func(at time.Time) quality.BlindCause { return e.Statuses(at)[0].Blind }
	if got := blind(at.Add(1000 * time.Hour)); got != quality.BlindNone {
		t.Errorf("nothing came yet: got %q", got)
	}
	for range 3 { // three days with a silent night
		for range 100 {
			e.Observe(quality.Sample{Feature: "bot", Time: at, Scores: map[string]float64{"given": 1}}, 1)
			at = at.Add(time.Minute)
		}
		at = at.Add(12 * time.Hour)
	}
	if got := blind(at); got != quality.BlindNone {
		t.Errorf("after a night like the others: got %q", got)
	}
	if got := blind(at.Add(72 * time.Hour)); got != quality.BlindStopped {
		t.Errorf("after three days: got %q", got)
	}
}

// What a regression was made of is over with it: a monitor that says that all is well shows no figure of the drop.
func TestPresentFiguresBeginAtTheRecovery(t *testing.T) {
	e := engine(t, evaluator.EngineOptions{Features: bot(quality.MonitorSpec{}), FalseAlarms: perSample})
	samples := traffic(1, stage{n: 2000, pass: .92}, stage{n: 1500, pass: .60}, stage{n: 250, pass: .92})
	feed(e, samples)
	st := e.Statuses(samples[len(samples)-1].Time)[0]
	if st.State != quality.MonitorWatching || st.Current.N > 350 || *st.Current.Mean < .86 {
		t.Errorf("got %s with %d scores of mean %v, want watching, of those since the recovery", st.State, st.Current.N, *st.Current.Mean)
	}
}

package evaluator_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/evaluator"
	"github.com/asgood-dev/asgood/internal/quality"
)

// judged is a later score of a judge, of the i-th sample.
func judged(i int, version string, value float64) quality.Score {
	return quality.Score{Feature: "bot", SampleID: fmt.Sprint(i), Time: monday.Add(time.Duration(i) * time.Minute), Metric: "given",
		Value: value, Weight: 1, Late: true, Scorer: "judge", Version: version}
}

func judgedBot() evaluator.EngineOptions {
	return evaluator.EngineOptions{FalseAlarms: perSample,
		Features: bot(quality.MonitorSpec{Metric: "given", Slices: []string{"language"}, Baseline: quality.BaselineSpec{First: 100}}),
		Steps: func(_, _, from, to string) (quality.VersionStep, bool) {
			return quality.VersionStep{From: from, To: to, Step: -.4, N: 80}, from == "v1"
		}}
}

func TestVersionsDoNotMix(t *testing.T) {
	tests := []struct {
		name    string
		version func(i int) string
		want    string
		other   uint64
		n       uint64 // of the baseline
	}{
		{"one version", func(int) string { return "v1" }, "v1", 0, 100},
		{"a new one", func(i int) string { return fmt.Sprintf("v%d", 1+i/500) }, "v2", 50, 100},
		{"tried on half of the traffic", func(i int) string { return fmt.Sprintf("v%d", 1+i%2) }, "v1", 500, 100},
		{"one that is not known", func(i int) string { return []string{"v1", "", "external"}[i%3] }, "v1", 0, 100},
		{"a new one with stragglers", func(i int) string {
			if i < 500 || i%40 == 0 {
				return "v1"
			}
			return "v2"
		}, "v2", 79, 100},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := engine(t, judgedBot())
			for i := range 1000 {
				v := tt.version(i)
				value := mixed(i)
				if v == "v2" {
					value = .5 // nothing that the first version says
				}
				before := e.Counts().Other
				scores, events := e.ObserveScore(judged(i, v, value), uint64(i))
				if left := e.Counts().Other > before; len(events) != 0 || len(scores) != 1 || scores[0].Aside != left {
					t.Fatalf("score %d: got %+v, %+v", i, scores, events)
				}
			}
			st := e.Statuses(monday.Add(1000 * time.Minute))[0]
			if st.Version != tt.want || st.Baseline.N != tt.n || st.OtherVersion < tt.other || st.OtherVersion > tt.other+20 {
				t.Errorf("got version %q with %d left out and a baseline of %d, want %q, %d and %d", st.Version, st.OtherVersion, st.Baseline.N, tt.want, tt.other, tt.n)
			}
			if moved := tt.want == "v2"; moved != (st.VersionStep != nil) || st.VersionSince == nil || moved && !st.VersionSince.After(monday.Add(500*time.Minute)) {
				t.Errorf("got step %+v since %v", st.VersionStep, st.VersionSince)
			}
		})
	}
}

// What is still told of the old version ends with it, and old samples that are scored again move nothing.
func TestMoveWithdrawsTheRegression(t *testing.T) {
	e := engine(t, judgedBot())
	var events []quality.RegressionEvent
	give := func(s quality.Score) {
		_, ev := e.ObserveScore(s, uint64(len(events)))
		events = append(events, ev...)
	}
	for i := range 600 {
		value := mixed(i)
		if i > 400 {
			value = 0
		}
		give(judged(i, "v1", value))
	}
	if len(events) == 0 || events[0].Type != quality.RegressionOpened {
		t.Fatalf("got %+v, want a regression", events)
	}
	for i := range 300 {
		give(judged(i, "v2", 1)) // samples that are older than the last one
	}
	if st := e.Statuses(monday.Add(600 * time.Minute))[0]; st.Version != "v1" || st.OtherVersion != 300 || st.Blind != quality.BlindOtherVersion || !strings.Contains(st.Reason, "v1") {
		t.Errorf("old samples scored again: got %+v", st)
	}
	before := len(events)
	for i := range 200 {
		give(judged(600+i, "v2", mixed(i)))
	}
	if len(events) != before+1 || events[before].Type != quality.RegressionWithdrawn || events[before].Regression.WithdrawnAt == nil {
		t.Fatalf("got %+v, want the regression withdrawn", events[before:])
	}
	st := e.Statuses(monday.Add(800 * time.Minute))[0]
	if st.Version != "v2" || st.State != quality.MonitorWatching || st.Regression != "" || st.OtherVersion != 350 || st.Blind != "" {
		t.Errorf("got %+v", st)
	}
	if got := e.Regressions(); len(got) != 1 || got[0].Open() {
		t.Errorf("got %+v", got)
	}
}

// A stored baseline of another version is not compared with what comes.
func TestStoredBaselineIsOfOneVersion(t *testing.T) {
	var stored []quality.Score
	for i := range 200 {
		stored = append(stored, judged(i, fmt.Sprintf("v%d", 1+i/120), mixed(i)))
	}
	o := judgedBot()
	o.Features[0].Monitors[0].Baseline = quality.BaselineSpec{Pinned: "june"}
	o.Baselines = func(string, string, quality.BaselineSpec) ([]quality.Score, error) { return stored, nil }
	if st := engine(t, o).Statuses(monday)[0]; st.Version != "v2" || st.Baseline.N != 80 {
		t.Errorf("got version %q and a baseline of %d, want the 80 of v2", st.Version, st.Baseline.N)
	}
	stored = stored[:130]
	if st := engine(t, o).Statuses(monday)[0]; st.State != quality.MonitorLearning || !strings.Contains(st.Reason, `version "v2"`) {
		t.Errorf("10 scores of the latest version: got %q, %q", st.State, st.Reason)
	}
}

func TestLaterScoresCountOnce(t *testing.T) {
	e := engine(t, judgedBot())
	for i := range 300 {
		for range 3 {
			e.ObserveScore(judged(i, "v1", mixed(i)), uint64(i))
		}
	}
	if st := e.Statuses(monday.Add(300 * time.Minute))[0]; st.Baseline.N != 100 || st.Current.N != 200 {
		t.Errorf("got %d and %d scores, want each once", st.Baseline.N, st.Current.N)
	}
	if got := e.Counts(); got.Duplicates != 600 || got.Scores != 300 {
		t.Errorf("got %+v", got)
	}
}

// A scorer that runs outside the engine keeps its metric to itself.
func TestScorerOutside(t *testing.T) {
	o := evaluator.EngineOptions{Features: []quality.Feature{{
		Name: "bot", Scorers: []quality.ScorerSpec{{Name: "given", Type: "judge"}, {Name: "rest", Type: "external"}},
		Monitors: []quality.MonitorSpec{{Metric: "given", Baseline: quality.BaselineSpec{First: 100}}}}}}
	e := engine(t, o)
	person := judged(1, "anna", 0)
	person.Scorer = "human"
	if scores, _ := e.ObserveScore(person, 1); len(scores) != 1 || !scores[0].Aside {
		t.Errorf("a person's score of the judge's metric: got %+v", scores)
	}
	if scores, _ := e.ObserveScore(judged(1, "v1", 1), 1); len(scores) != 1 || scores[0].Aside {
		t.Errorf("the judge's own: got %+v", scores)
	}
	scores, _ := e.Observe(quality.Sample{ID: "1", Feature: "bot", Scores: map[string]float64{"given": 1, "other": 1}}, 1)
	if len(scores) != 1 || scores[0].Metric != "other" {
		t.Errorf("a score of the judge's metric that came with the sample: got %+v", scores)
	}
}

// A rule whose settings changed is a new version: the monitor learns anew, tells the step where one is known,
// and ends the blindness that it told.
func TestChangedRuleIsANewVersion(t *testing.T) {
	o := evaluator.EngineOptions{Features: bot(quality.MonitorSpec{Baseline: quality.BaselineSpec{First: 100}}),
		Steps: func(_, _, from, to string) (quality.VersionStep, bool) {
			return quality.VersionStep{From: from, To: to, Step: .1, N: 60}, true
		}}
	e := engine(t, o)
	told := feed(e, append(traffic(61, stage{n: 600, pass: .9}), later(traffic(62, stage{n: 400, pass: 1}), traffic(61, stage{n: 600}))...))
	before := e.Statuses(monday)[0]
	if len(told) != 1 || before.Blind != quality.BlindConstant || before.Version == "" || before.VersionStep != nil {
		t.Fatalf("told %q, got %+v", told, before)
	}
	chunks, err := e.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	o.Features[0].Scorers[0].IgnoreCase = true
	e = engine(t, o)
	if err := e.Restore(chunks); err != nil {
		t.Fatal(err)
	}
	after := e.Statuses(monday)[0]
	if after.Version == before.Version || after.Baseline.N != 0 || after.VersionStep == nil || after.VersionStep.From != before.Version || after.VersionStep.To != after.Version {
		t.Errorf("got %+v after %+v", after, before)
	}
	again := traffic(63, stage{n: 10, pass: .9})
	for i := range again {
		again[i].ID = fmt.Sprint("again", i)
	}
	if told := feed(e, again); len(told) != 1 || told[0] != "good sees constant" {
		t.Errorf("told %q, want the end of the blindness", told)
	}
}

package evaluator_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/evaluator"
	"github.com/asgood-dev/asgood/internal/quality"
)

var monday = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

func backtest(t *testing.T, o evaluator.BacktestOptions, samples []quality.Sample) evaluator.BacktestResult {
	t.Helper()
	r, err := evaluator.Backtest(t.Context(), o, func(yield func(quality.Sample, error) bool) {
		for _, s := range samples {
			if !yield(s, nil) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// stage is a stretch of made-up traffic.
type stage struct {
	n       int
	pass    float64            // share of good outputs
	in      map[string]float64 // the share in one language, where it differs
	mix     map[string]float64 // share of each language; nil means no language
	model   string
	spacing time.Duration
}

// traffic makes samples of feature "bot", whose output is "good" or "bad".
func traffic(seed uint64, stages ...stage) []quality.Sample {
	rng := rand.New(rand.NewPCG(seed, 7))
	at := monday
	var out []quality.Sample
	for _, st := range stages {
		for range st.n {
			s := quality.Sample{ID: fmt.Sprintf("s%d", len(out)), Feature: "bot", Time: at, Model: st.model}
			pass := st.pass
			if lang := pick(rng, st.mix); lang != "" {
				s.Attributes = map[string]string{"language": lang}
				if p, ok := st.in[lang]; ok {
					pass = p
				}
			}
			s.Output = quality.Text("bad")
			if rng.Float64() < pass {
				s.Output = quality.Text("good")
			}
			out = append(out, s)
			at = at.Add(max(st.spacing, time.Minute))
		}
	}
	return out
}

func pick(rng *rand.Rand, mix map[string]float64) string {
	x := rng.Float64()
	for _, lang := range []string{"de", "en", "fr"} {
		if x -= mix[lang]; x < 0 && mix[lang] > 0 {
			return lang
		}
	}
	return ""
}

func bot(m quality.MonitorSpec) []quality.Feature {
	if m.Metric == "" {
		m.Metric = "good"
	}
	if m.Baseline == (quality.BaselineSpec{}) {
		m.Baseline.First = 500
	}
	return []quality.Feature{{Name: "bot", Monitors: []quality.MonitorSpec{m}, Scorers: []quality.ScorerSpec{
		{Name: "good", Type: "regex", Pattern: "^good$"}, {Name: "size", Type: "length"}, {Name: "given", Type: "external"}}}}
}

var perSample = quality.FalseAlarms{Samples: 100_000}

func TestDropAndRecovery(t *testing.T) {
	samples := traffic(1, stage{n: 2000, pass: .92}, stage{n: 1500, pass: .70}, stage{n: 4000, pass: .92})
	r := backtest(t, evaluator.BacktestOptions{Features: bot(quality.MonitorSpec{}), FalseAlarms: perSample}, samples)
	if len(r.Regressions) != 1 {
		t.Fatalf("got %d regressions, want 1: %+v", len(r.Regressions), r.Regressions)
	}
	g := r.Regressions[0]
	if g.StartedSample < 1960 || g.StartedSample > 2040 || g.DetectedSample < 2001 || g.DetectedSample > 2200 {
		t.Errorf("got start %d and detection %d, want about 2001 and soon after", g.StartedSample, g.DetectedSample)
	}
	if want := samples[g.StartedSample-1].Time; !g.StartedAt.Equal(want) {
		t.Errorf("got started_at %v, want the time of sample %d, %v", g.StartedAt, g.StartedSample, want)
	}
	if want := samples[g.DetectedSample-1].Time; !g.DetectedAt.Equal(want) {
		t.Errorf("got detected_at %v, want %v", g.DetectedAt, want)
	}
	fixed := samples[3500].Time
	if g.RecoveredAt == nil || g.RecoveredAt.Before(fixed.Add(-3*time.Hour)) || g.RecoveredAt.After(fixed.Add(6*time.Hour)) {
		t.Errorf("got recovered_at %v, want about %v", g.RecoveredAt, fixed)
	}
	if g.Baseline.N != 500 || g.Current.N < 1300 || g.Current.N > 1900 {
		t.Errorf("got %d in the baseline and %d since the start, want 500 and about 1500", g.Baseline.N, g.Current.N)
	}
	if m := *g.Current.Mean; m < .66 || m > .74 {
		t.Errorf("got mean %.3f, want .70: it must end with the recovery", m)
	}
}

func TestBacktestJSON(t *testing.T) {
	samples := traffic(1, stage{n: 1000, pass: .92}, stage{n: 400, pass: .60})
	r := backtest(t, evaluator.BacktestOptions{Features: bot(quality.MonitorSpec{}), FalseAlarms: perSample}, samples)
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`{"samples":1400,"streams":1,"regressions":[{"feature":"bot","metric":"good","slice":{},"baseline":{"n":500,"mean":`,
		`"interval":[-`, `"recovered_at":null,"started_between":["2026-03-02T`} {
		if !bytes.Contains(data, []byte(want)) {
			t.Errorf("got %s, want it to hold %s", data, want)
		}
	}
	none := backtest(t, evaluator.BacktestOptions{Features: bot(quality.MonitorSpec{})}, nil)
	if data, _ := json.Marshal(none); string(data) != `{"samples":0,"streams":1,"regressions":[]}` {
		t.Errorf("nothing read: got %s", data)
	}
}

func TestDuplicatesChangeNothing(t *testing.T) {
	samples := traffic(3, stage{n: 1500, pass: .92}, stage{n: 800, pass: .7})
	o := evaluator.BacktestOptions{Features: bot(quality.MonitorSpec{}), FalseAlarms: perSample}
	once := backtest(t, o, samples).Regressions
	again := append(append([]quality.Sample{}, samples...), samples...)
	twice := backtest(t, o, again).Regressions
	if len(once) != 1 || asJSON(t, once) != asJSON(t, twice) {
		t.Errorf("got %s with every sample twice, want %s", asJSON(t, twice), asJSON(t, once))
	}
}

func TestFileOrderIsKept(t *testing.T) {
	samples := traffic(1, stage{n: 1000, pass: .92}, stage{n: 400, pass: .60})
	back := make([]quality.Sample, len(samples))
	for i, s := range samples {
		back[len(samples)-1-i] = s
	}
	o := evaluator.BacktestOptions{Features: bot(quality.MonitorSpec{}), FalseAlarms: perSample}
	a, b := backtest(t, o, samples).Regressions[0], backtest(t, o, back).Regressions[0]
	if a.DetectedSample+b.DetectedSample != 1401 || !a.DetectedAt.Equal(b.DetectedAt) {
		t.Errorf("got positions %d and %d of the same sample in a file and its reverse", a.DetectedSample, b.DetectedSample)
	}
}

func TestDropInOneLanguage(t *testing.T) {
	mix := map[string]float64{"de": .2, "en": .8}
	samples := traffic(5, stage{n: 4000, pass: .95, mix: mix}, stage{n: 600, pass: .95, in: map[string]float64{"de": .5}, mix: mix})
	o := evaluator.BacktestOptions{Features: bot(quality.MonitorSpec{Slices: []string{"language"}, Baseline: quality.BaselineSpec{First: 300}}), FalseAlarms: perSample}
	r := backtest(t, o, samples)
	if r.Streams != 3 || len(r.Regressions) != 1 {
		t.Fatalf("got %d streams and %d regressions, want 3 and 1", r.Streams, len(r.Regressions))
	}
	e := engine(t, evaluator.EngineOptions{Features: o.Features, FalseAlarms: perSample})
	var first *quality.RegressionEvent
	for i, s := range samples {
		_, events := e.Observe(s, uint64(i+1))
		if len(events) > 0 && first == nil {
			first = &events[0]
		}
	}
	if first == nil || first.Type != quality.RegressionOpened || first.Regression.Slice.Key() != "language=de" {
		t.Fatalf("got first event %+v, want one opened in language=de", first)
	}
	all := e.Regressions()
	last := all[len(all)-1]
	if last.ID != first.Regression.ID || last.Slices[0].Slice.Key() != "language=de" {
		t.Errorf("got %+v, want the same regression with the slice kept", last)
	}
	if last.Share == 0 || last.Slice.Key() == "language=en" {
		t.Errorf("got slice %q with share %v", last.Slice.Key(), last.Share)
	}
}

func TestWholeFeatureJoinsASlice(t *testing.T) {
	mix := map[string]float64{"de": .5, "en": .5}
	samples := traffic(6, stage{n: 3000, pass: .95, mix: mix},
		stage{n: 150, pass: .95, in: map[string]float64{"de": .3}, mix: mix}, stage{n: 1000, pass: .3, mix: mix})
	e := engine(t, evaluator.EngineOptions{Features: bot(quality.MonitorSpec{Slices: []string{"language"}, Baseline: quality.BaselineSpec{First: 300}}), FalseAlarms: perSample})
	ids := make(map[string]bool)
	for i, s := range samples {
		_, events := e.Observe(s, uint64(i+1))
		for _, ev := range events {
			if ids[ev.ID] {
				t.Errorf("event id %q came twice", ev.ID)
			}
			ids[ev.ID] = true
		}
	}
	got := e.Regressions()
	if len(got) != 1 || len(got[0].Slice) != 0 || got[0].Slice == nil || len(got[0].Slices) != 3 {
		t.Fatalf("got %s, want one regression of the whole feature with three slices", asJSON(t, got))
	}
	if got[0].StartedSample > got[0].DetectedSample {
		t.Errorf("got start %d after detection %d", got[0].StartedSample, got[0].DetectedSample)
	}
}

func TestMixShiftNeedsAdjustment(t *testing.T) {
	pass := map[string]float64{"de": .70, "en": .96}
	samples := traffic(8, stage{n: 3000, in: pass, mix: map[string]float64{"de": .15, "en": .85}},
		stage{n: 4000, in: pass, mix: map[string]float64{"de": .6, "en": .4}})
	plain := evaluator.BacktestOptions{Features: bot(quality.MonitorSpec{}), FalseAlarms: perSample}
	if got := len(backtest(t, plain, samples).Regressions); got == 0 {
		t.Error("without adjust: got no regression, so the shift would show nothing")
	}
	adjusted := evaluator.BacktestOptions{Features: bot(quality.MonitorSpec{Adjust: []string{"language"}}), FalseAlarms: perSample}
	if got := backtest(t, adjusted, samples).Regressions; len(got) != 0 {
		t.Errorf("with adjust: got %s, want none", asJSON(t, got))
	}
	worse := append(samples, later(traffic(9, stage{n: 1500, in: map[string]float64{"de": .5, "en": .8}, mix: map[string]float64{"de": .6, "en": .4}}), samples)...)
	if got := backtest(t, adjusted, worse).Regressions; len(got) != 1 || got[0].DetectedSample <= 7000 || *got[0].Change > -.1 || *got[0].Change < -.25 {
		t.Errorf("with adjust and a real drop of about .18: got %s", asJSON(t, got))
	}
}

// later moves samples behind others, with ids of their own.
func later(samples, than []quality.Sample) []quality.Sample {
	shift := than[len(than)-1].Time.Sub(samples[0].Time) + time.Minute
	for i := range samples {
		samples[i].Time = samples[i].Time.Add(shift)
		samples[i].ID = fmt.Sprintf("later%d", i)
	}
	return samples
}

func TestSeasonAdjustment(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	var samples []quality.Sample
	for i := range 30_000 {
		at := monday.Add(time.Duration(i) * time.Minute)
		pass := .95
		if h := at.Hour(); h >= 18 {
			pass = .75
		}
		out := "bad"
		if rng.Float64() < pass {
			out = "good"
		}
		samples = append(samples, quality.Sample{ID: fmt.Sprint(i), Feature: "bot", Time: at, Output: quality.Text(out)})
	}
	o := func(season string) evaluator.BacktestOptions {
		// 30,000 samples would raise one false alarm in four runs at one in 100,000.
		return evaluator.BacktestOptions{Features: bot(quality.MonitorSpec{Season: season, Baseline: quality.BaselineSpec{First: 2880}}),
			FalseAlarms: quality.FalseAlarms{Samples: 1_000_000}}
	}
	if got := len(backtest(t, o(""), samples).Regressions); got == 0 {
		t.Error("without season: got no regression, so the evenings would show nothing")
	}
	if got := backtest(t, o("hour"), samples).Regressions; len(got) != 0 {
		t.Errorf("with season: got %s, want none", asJSON(t, got))
	}
}

func TestHigherIsWorseAndRange(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 4))
	var samples []quality.Sample
	for i := range 2500 {
		v := 2 + rng.Float64()
		if i >= 1500 {
			v += 1.5
		}
		samples = append(samples, quality.Sample{ID: fmt.Sprint(i), Feature: "bot", Time: monday.Add(time.Duration(i) * time.Minute),
			Output: quality.Text("x"), Scores: map[string]float64{"toxicity": v}})
	}
	o := evaluator.BacktestOptions{Features: bot(quality.MonitorSpec{Metric: "toxicity", Worse: quality.WorseHigher, Range: &[2]float64{0, 10}}), FalseAlarms: perSample}
	got := backtest(t, o, samples).Regressions
	if len(got) != 1 || *got[0].Change < 1.4 || *got[0].Change > 1.6 || got[0].Interval[0] < 1.3 || *got[0].Baseline.Mean > 2.6 {
		t.Errorf("got %s, want a change of +1.5 from 2.5", asJSON(t, got))
	}
	o.Features = bot(quality.MonitorSpec{Metric: "toxicity", Worse: quality.WorseLower, Range: &[2]float64{0, 10}})
	if got := backtest(t, o, samples).Regressions; len(got) != 0 {
		t.Errorf("where lower is worse: got %s, want none", asJSON(t, got))
	}
}

func TestUnboundedMetric(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 4))
	var samples []quality.Sample
	for i := range 3000 {
		n := 100 + rng.IntN(100)
		if i >= 2000 {
			n /= 2
		}
		samples = append(samples, quality.Sample{ID: fmt.Sprint(i), Feature: "bot", Time: monday.Add(time.Duration(i) * time.Minute),
			Output: quality.Text(string(bytes.Repeat([]byte("x"), n)))})
	}
	spec := quality.MonitorSpec{Metric: "size"}
	got := backtest(t, evaluator.BacktestOptions{Features: bot(spec), FalseAlarms: perSample}, samples).Regressions
	if len(got) != 1 || got[0].DetectedSample < 2001 || got[0].DetectedSample > 2100 || *got[0].Change > -70 || *got[0].Change < -80 {
		t.Errorf("got %s, want a change of about -75 characters", asJSON(t, got))
	}
	material := 200.
	spec.Material = &material
	if got := backtest(t, evaluator.BacktestOptions{Features: bot(spec), FalseAlarms: perSample}, samples).Regressions; len(got) != 0 {
		t.Errorf("with material 200 characters: got %s, want none", asJSON(t, got))
	}
}

func TestMaterial(t *testing.T) {
	samples := traffic(13, stage{n: 3000, pass: .95}, stage{n: 6000, pass: .85})
	material := .3
	o := evaluator.BacktestOptions{Features: bot(quality.MonitorSpec{Material: &material}), FalseAlarms: perSample}
	if got := backtest(t, o, samples).Regressions; len(got) != 0 {
		t.Errorf("a drop of .10 with material .3: got %s, want none", asJSON(t, got))
	}
	material = .05
	if got := backtest(t, o, samples).Regressions; len(got) != 1 {
		t.Errorf("a drop of .10 with material .05: got %s, want one", asJSON(t, got))
	}
}

func TestWindowBaseline(t *testing.T) {
	samples := traffic(14, stage{n: 600, pass: .5}, stage{n: 2000, pass: .95}, stage{n: 800, pass: .8})
	window := quality.BaselineWindow{From: samples[600].Time, To: samples[1600].Time}
	o := evaluator.BacktestOptions{Features: bot(quality.MonitorSpec{Baseline: quality.BaselineSpec{Window: &window}}), FalseAlarms: perSample}
	got := backtest(t, o, samples).Regressions
	if len(got) != 1 || got[0].Baseline.N != 1000 || *got[0].Baseline.Mean < .92 || got[0].DetectedSample <= 2600 {
		t.Errorf("got %s, want a baseline of the window's 1000 samples", asJSON(t, got))
	}
}

func TestRelativeWindowOpensWithTheFile(t *testing.T) {
	samples := traffic(15, stage{n: 2000, pass: .95}, stage{n: 800, pass: .75})
	window := quality.BaselineWindow{Last: 1000 * time.Minute}
	o := evaluator.BacktestOptions{Features: bot(quality.MonitorSpec{Baseline: quality.BaselineSpec{Window: &window}}), FalseAlarms: perSample}
	got := backtest(t, o, samples).Regressions
	if len(got) != 1 || got[0].Baseline.N != 1000 || got[0].DetectedSample <= 2000 {
		t.Errorf("got %s, want a baseline of the first 1000 samples", asJSON(t, got))
	}
}

func TestPinnedBaseline(t *testing.T) {
	var pinned []quality.Score
	for i := range 800 {
		lang, v := "en", 1.
		if i%4 == 0 {
			lang = "de"
		}
		if i%10 == 0 {
			v = 0
		}
		pinned = append(pinned, quality.Score{Feature: "bot", Metric: "good", Value: v, Weight: 1, Time: monday.Add(time.Duration(i) * time.Minute),
			Attributes: map[string]string{"language": lang}})
	}
	asked := ""
	o := evaluator.BacktestOptions{
		Features:    bot(quality.MonitorSpec{Slices: []string{"language"}, Baseline: quality.BaselineSpec{Pinned: "june"}}),
		FalseAlarms: perSample,
		Baselines: func(f, m string, b quality.BaselineSpec) ([]quality.Score, error) {
			asked = f + "/" + m + "/" + b.Pinned
			return pinned, nil
		},
	}
	samples := traffic(16, stage{n: 500, pass: .6, mix: map[string]float64{"de": .25, "en": .75}})
	got := backtest(t, o, samples).Regressions
	if asked != "bot/good/june" || len(got) != 1 || len(got[0].Slice) != 0 || got[0].Baseline.N != 800 || got[0].StartedSample > 30 {
		t.Errorf("asked %q, got %s, want a regression from the first sample on against 800", asked, asJSON(t, got))
	}
	o.Baselines = nil
	if _, err := evaluator.Backtest(t.Context(), o, func(func(quality.Sample, error) bool) {}); quality.KindOf(err) != quality.KindNotFound {
		t.Errorf("without a store: got %v, want an error of kind not found", err)
	}
}

func engine(t *testing.T, o evaluator.EngineOptions) *evaluator.Engine {
	t.Helper()
	e, err := evaluator.NewEngine(o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// Scores that come apart from their samples are watched like those that came with them.
func TestLateScores(t *testing.T) {
	o := evaluator.EngineOptions{Features: []quality.Feature{{
		Name:     "bot",
		Scorers:  []quality.ScorerSpec{{Name: "answered", Type: "regex", Pattern: "yes"}, {Name: "feedback", Type: "external"}},
		Monitors: []quality.MonitorSpec{{Metric: "thumbs", Baseline: quality.BaselineSpec{First: 100}}, {Metric: "answered"}},
	}}, FalseAlarms: quality.FalseAlarms{Samples: 1e4}}
	e, err := evaluator.NewEngine(o)
	if err != nil {
		t.Fatal(err)
	}
	var opened int
	for i := range 400 {
		value := float64(1 - i%10/9) // 90 % up, then all down
		if i >= 300 {
			value = 0
		}
		late := quality.Score{Feature: "bot", SampleID: fmt.Sprint(i), Metric: "thumbs", Value: value, Weight: 1, Late: true, Scorer: "user"}
		scores, events := e.ObserveScore(late, uint64(i))
		if len(scores) != 1 || scores[0].Aside {
			t.Fatalf("got %+v", scores)
		}
		opened += len(events)
	}
	if opened == 0 {
		t.Error("no regression of late scores")
	}
	// What a rule measures stays the rule's: a person's label stands beside it.
	label := quality.Score{Feature: "bot", SampleID: "1", Metric: "answered", Value: 0, Weight: 1, Late: true, Scorer: "human", By: "anna"}
	if scores, events := e.ObserveScore(label, 1); len(scores) != 1 || !scores[0].Aside || len(events) != 0 {
		t.Errorf("got %+v, %v", scores, events)
	}
	if scores, _ := e.ObserveScore(quality.Score{Feature: "other"}, 1); len(scores) != 0 {
		t.Errorf("got %+v of a feature that is not configured", scores)
	}
}

// Canaries have a stream of their own: neither side moves the other.
func TestCanariesAreWatchedApart(t *testing.T) {
	o := evaluator.EngineOptions{Features: []quality.Feature{{
		Name: "bot", Scorers: []quality.ScorerSpec{{Name: "answered", Type: "regex", Pattern: "yes"}},
		Monitors: []quality.MonitorSpec{{Metric: "answered", Slices: []string{"customer"}, Baseline: quality.BaselineSpec{First: 100}}},
	}}, FalseAlarms: quality.FalseAlarms{Samples: 1e4}}
	e, err := evaluator.NewEngine(o)
	if err != nil {
		t.Fatal(err)
	}
	var slices []string
	for i := range 600 {
		canary := quality.Sample{ID: fmt.Sprint("c", i), Feature: "bot", Source: quality.SourceCanary, Output: quality.Text("yes")}
		if i >= 400 {
			canary.Output = quality.Text("no")
		}
		real := quality.Sample{ID: fmt.Sprint("r", i), Feature: "bot", Customer: "acme", Output: quality.Text("yes")}
		for _, s := range []quality.Sample{canary, real} {
			_, events := e.Observe(s, uint64(i))
			for _, ev := range events {
				slices = append(slices, string(ev.Type)+" "+ev.Regression.Slice.Key())
			}
		}
	}
	if len(slices) == 0 || slices[0] != "opened source=canary" {
		t.Errorf("got %q, want a regression of the canaries alone", slices)
	}
	if e.Streams() != 3 { // the whole, customer=acme, source=canary
		t.Errorf("got %d streams, want 3", e.Streams())
	}
}

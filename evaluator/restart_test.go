package evaluator_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/asgood-dev/asgood/evaluator"
	"github.com/asgood-dev/asgood/internal/quality"
)

// run observes samples and writes down all that comes of them; at each of the given samples the engine
// is replaced by one restored from its snapshot.
func run(t *testing.T, o evaluator.EngineOptions, samples []quality.Sample, restart func(i int) bool) string {
	t.Helper()
	e := engine(t, o)
	out := ""
	for i, s := range samples {
		if restart(i) {
			chunks, err := e.Snapshot()
			if err != nil {
				t.Fatal(err)
			}
			e = engine(t, o)
			if err := e.Restore(maps.Clone(chunks)); err != nil {
				t.Fatal(err)
			}
		}
		_, events := e.Observe(s, uint64(i+1))
		for _, ev := range events {
			out += fmt.Sprintln(i, asJSON(t, ev))
		}
	}
	return out + asJSON(t, e.Regressions()) + asJSON(t, e.Statuses(samples[len(samples)-1].Time))
}

func eventful(seed uint64) []quality.Sample {
	mix := map[string]float64{"de": .3, "en": .6, "fr": .1}
	samples := traffic(seed, stage{n: 900, pass: .95, mix: mix}, stage{n: 300, pass: .95, in: map[string]float64{"de": .3}, mix: mix},
		stage{n: 300, pass: .5, mix: mix}, stage{n: 1500, pass: .97, mix: mix})
	for i := range samples {
		samples[i].Scores = map[string]float64{"latency": float64(i % 97)}
		if i%11 == 0 && i > 0 {
			samples[i].ID = samples[i-1].ID
		}
		samples[i].Weight = float64(1 + i%3)
	}
	return samples
}

func restartOptions() evaluator.EngineOptions {
	features := bot(quality.MonitorSpec{Slices: []string{"language"}, MaxSlices: 2, Baseline: quality.BaselineSpec{First: 100}})
	features[0].Monitors = append(features[0].Monitors,
		quality.MonitorSpec{Metric: "size", Adjust: []string{"language"}, Season: "hour", Baseline: quality.BaselineSpec{First: 200}},
		quality.MonitorSpec{Metric: "latency", Unbounded: true, Worse: quality.WorseHigher, Baseline: quality.BaselineSpec{Window: &quality.BaselineWindow{Last: 300 * 60e9}}})
	return evaluator.EngineOptions{Features: features, FalseAlarms: quality.FalseAlarms{Samples: 1000}}
}

func TestRestartAtAnySample(t *testing.T) {
	samples := eventful(21)
	o := restartOptions()
	want := run(t, o, samples, func(int) bool { return false })
	for _, every := range []int{1, 7, 331} {
		if every == 1 && testing.Short() {
			continue
		}
		if got := run(t, o, samples, func(i int) bool { return i%every == 0 && (every > 1 || i%3 == 0 || i < 400) }); got != want {
			t.Errorf("restarted every %d samples: got\n%s\nwant\n%s", every, got, want)
		}
	}
}

func TestSnapshotIsTheSameForTheSameState(t *testing.T) {
	samples := eventful(22)
	e := engine(t, restartOptions())
	for i, s := range samples {
		e.Observe(s, uint64(i+1))
	}
	a, err := e.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	f := engine(t, restartOptions())
	if err := f.Restore(a); err != nil {
		t.Fatal(err)
	}
	b, err := f.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if len(a) != len(b) {
		t.Fatalf("got %d chunks, want %d", len(b), len(a))
	}
	for name := range a {
		if string(a[name]) != string(b[name]) {
			t.Errorf("chunk %q differs after a restore", name)
		}
	}
}

func TestChangedMonitorStartsAnew(t *testing.T) {
	o := restartOptions()
	e := engine(t, o)
	for i, s := range eventful(23)[:800] {
		e.Observe(s, uint64(i+1))
	}
	chunks, err := e.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	o.Features[0].Monitors[0].Baseline.First = 150
	material := .2
	o.Features[0].Monitors[1].Material = &material // steers decisions only
	f := engine(t, o)
	if err := f.Restore(chunks); err != nil {
		t.Fatal(err)
	}
	got := f.Statuses(monday)
	if got[0].State != quality.MonitorLearning || got[0].Baseline.N != 0 {
		t.Errorf("changed monitor: got %+v, want it to learn anew", got[0])
	}
	if got[1].State != quality.MonitorWatching || got[1].Baseline.N != 200 {
		t.Errorf("unchanged monitor: got %+v, want it to go on", got[1])
	}
}

func TestDamagedSnapshotIsRefused(t *testing.T) {
	e := engine(t, restartOptions())
	for i, s := range eventful(24)[:300] {
		e.Observe(s, uint64(i+1))
	}
	chunks, err := e.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	for name := range chunks {
		bad := maps.Clone(chunks)
		bad[name] = bad[name][:len(bad[name])/2+1]
		if err := engine(t, restartOptions()).Restore(bad); err == nil {
			t.Errorf("chunk %q cut in half: got no error", name)
		}
	}
}

// Whatever is in a saved state, reading it ends with an error or with an engine that works.
func TestScrambledSnapshotDoesNoHarm(t *testing.T) {
	e := engine(t, restartOptions())
	samples := eventful(25)
	for i, s := range samples[:1200] {
		e.Observe(s, uint64(i+1))
	}
	chunks, err := e.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(7, 8))
	for _, name := range slices.Sorted(maps.Keys(chunks)) {
		for range 60 {
			bad := maps.Clone(chunks)
			bad[name] = slices.Clone(bad[name])
			for range 1 + rng.IntN(3) {
				bad[name][rng.IntN(len(bad[name]))] ^= byte(1 << rng.IntN(8))
			}
			f := engine(t, restartOptions())
			if f.Restore(bad) != nil {
				continue
			}
			for i, s := range samples[1200:1260] {
				f.Observe(s, uint64(1200+i))
			}
			f.Statuses(monday)
			f.Regressions()
		}
	}
}

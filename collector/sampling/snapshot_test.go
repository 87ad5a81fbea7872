package sampling_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/asgood-dev/asgood/collector/sampling"
	"github.com/asgood-dev/asgood/internal/quality"
)

func quotas() *rapid.Generator[quality.Quota] {
	return rapid.Custom(func(t *rapid.T) quality.Quota {
		return quality.Quota{
			N:   rapid.IntRange(1, 40).Draw(t, "n"),
			Per: rapid.SampledFrom([]time.Duration{time.Minute, time.Hour, 24 * time.Hour}).Draw(t, "per"),
		}
	})
}

func specs() *rapid.Generator[quality.SamplingSpec] {
	return rapid.Custom(func(t *rapid.T) quality.SamplingSpec {
		spec := quality.SamplingSpec{
			Rate:       rapid.Float64Range(0.001, 1).Draw(t, "rate"),
			Min:        rapid.MapOfN(rapid.SampledFrom([]string{"customer", "language"}), quotas(), 0, 2).Draw(t, "min"),
			Always:     rapid.SliceOfDistinct(rapid.SampledFrom([]string{"error", "slow", "low_feedback"}), rapid.ID).Draw(t, "always"),
			SlowerThan: time.Second,
		}
		if rapid.Bool().Draw(t, "has budget") {
			spec.Budget = quotas().Draw(t, "budget")
		}
		return spec
	})
}

// step is one question to a sampler.
type step struct {
	at     time.Time
	unit   sampling.Unit
	settle bool
}

func (s step) ask(to *sampling.Sampler) sampling.Decision {
	if s.settle {
		return to.Settle(s.at, s.unit)
	}
	return to.Decide(s.at, s.unit)
}

func steps() *rapid.Generator[step] {
	return rapid.Custom(func(t *rapid.T) step {
		return step{
			at: hour0.Add(time.Duration(rapid.IntRange(0, 3*3600).Draw(t, "second")) * time.Second),
			unit: sampling.Unit{
				Trace:      rapid.OneOf(rapid.StringMatching(`[0-9a-f]{32}`), rapid.String()).Draw(t, "trace"),
				TraceState: rapid.SampledFrom([]string{"", "ot=th:8", "ot=th:ff;rv:ffffffffffffff", "x=y"}).Draw(t, "state"),
				ID:         rapid.String().Draw(t, "id"),
				Customer:   rapid.SampledFrom([]string{"", "acme", "globex", "tiny"}).Draw(t, "customer"),
				Values:     &output{language: rapid.SampledFrom([]string{"en", "de"}).Draw(t, "language")},
				Error:      rapid.Bool().Draw(t, "error"),
				Latency:    time.Duration(rapid.IntRange(0, 2000).Draw(t, "ms")) * time.Millisecond,
				Reception:  quality.Reception(rapid.IntRange(0, 2).Draw(t, "feedback")),
				Weight:     rapid.SampledFrom([]float64{0, 1, 2.5, 1e11, math.Inf(1), -1}).Draw(t, "weight"),
			},
			settle: rapid.Bool().Draw(t, "settle"),
		}
	})
}

// TestProperties holds for whatever rules, traffic and clocks that jump; and a sampler that was restored
// goes on as the one it was taken from.
func TestProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec := specs().Draw(t, "spec")
		all := rapid.SliceOfN(steps(), 1, 60).Draw(t, "steps")
		cut := rapid.IntRange(0, len(all)).Draw(t, "cut")
		a, b := newSamplerFor(t, spec), newSamplerFor(t, spec)
		for i, st := range all {
			if st.unit.Trace+st.unit.ID == "" {
				st.unit.ID = "x" // what nothing names draws numbers of its own
			}
			if i == cut {
				data, err := a.Snapshot()
				if err != nil {
					t.Fatal(err)
				}
				b = newSamplerFor(t, spec)
				if err := b.Restore(data); err != nil {
					t.Fatal(err)
				}
			}
			d := st.ask(a)
			checkDecision(t, spec, st, d)
			if e := st.ask(b); e != d {
				t.Fatalf("step %d: got %+v, restored %+v", i, d, e)
			}
		}
	})
}

func newSamplerFor(t *rapid.T, spec quality.SamplingSpec) *sampling.Sampler {
	s, err := sampling.New(sampling.Options{Spec: spec, Key: 7, MaxValues: 2})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func checkDecision(t *rapid.T, spec quality.SamplingSpec, st step, d sampling.Decision) {
	always := spec.Keeps("error") && st.unit.Error && !st.settle
	switch {
	case d.Keep != (d.Weight != 0), d.Keep && !(d.Weight >= 1 && d.Weight < sampling.MaxWeight):
		t.Fatalf("%+v: weight out of range: %+v", st, d)
	case d.Undecided && (d.Keep || st.settle || !spec.Keeps("low_feedback") || st.unit.Reception != quality.ReceptionUnknown || always):
		t.Fatalf("%+v: must not be undecided: %+v", st, d)
	case always && spec.Budget.IsZero() && !d.Keep:
		t.Fatalf("%+v: an error was not kept: %+v", st, d)
	case d.Reason == sampling.Budget && spec.Budget.IsZero():
		t.Fatalf("%+v: there is no budget: %+v", st, d)
	}
}

// TestRestart in the middle of an hour, many times, must not open minimum and budget again.
func TestRestart(t *testing.T) {
	spec := quality.SamplingSpec{Rate: 0.001, PerCustomerMin: perHour(20), Always: []string{"error"}, Budget: perHour(200)}
	s := newSampler(t, spec, 1)
	r := rand.New(rand.NewPCG(8, 8))
	minimum, kept := 0, 0
	for i := range 20_000 {
		if i%100 == 99 {
			data, err := s.Snapshot()
			if err != nil {
				t.Fatal(err)
			}
			s = newSampler(t, spec, 1)
			if err := s.Restore(data); err != nil {
				t.Fatal(err)
			}
		}
		d := s.Decide(hour0.Add(time.Duration(i)*time.Hour/20_000), sampling.Unit{Trace: traceID(r), Customer: "acme", Error: i > 2000})
		if d.Keep {
			kept++
		}
		if d.Reason == sampling.Minimum {
			minimum++
		}
	}
	if minimum != 20 || kept > 210 {
		t.Errorf("the minimum named %d and %d were kept in an hour, want 20 and at most about 200", minimum, kept)
	}
}

func TestRestoreRefuses(t *testing.T) {
	for name, data := range map[string]string{
		"no JSON":        `{`,
		"version":        `{"version":2}`,
		"negative count": `{"version":1,"minimums":[{"attribute":"customer","per":3600000000000,"counts":{"a":-1}}]}`,
		"far period":     `{"version":1,"minimums":[{"attribute":"customer","per":3600000000000,"period":9223372036854775807}]}`,
		"budget":         `{"version":1,"budget":{"guard":0}}`,
		"share":          `{"version":1,"budget":{"guard":1,"shares":{"a":{"planned":-1}}}}`,
	} {
		s := newSampler(t, everything(), 1)
		before, _ := s.Snapshot()
		err := s.Restore([]byte(data))
		if err == nil || quality.KindOf(err) != quality.KindInvalid {
			t.Errorf("%s: got %v, want an error of kind invalid", name, err)
		}
		if after, _ := s.Snapshot(); !bytes.Equal(before, after) {
			t.Errorf("%s: changed the sampler", name)
		}
	}
}

// TestRestoreUnderOtherRules takes over what still has a meaning, and leaves out the rest.
func TestRestoreUnderOtherRules(t *testing.T) {
	a := newSampler(t, everything(), 1)
	for i := range 100 {
		a.Decide(hour0, sampling.Unit{ID: fmt.Sprint(i), Customer: "acme", Error: true})
	}
	data, err := a.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	b := newSampler(t, quality.SamplingSpec{Rate: 1e-6, Min: map[string]quality.Quota{"customer": {N: 20, Per: time.Hour}, "language": {N: 9, Per: time.Minute}}, Budget: quality.Quota{N: 5, Per: time.Minute}}, 1)
	if err := b.Restore(data); err != nil {
		t.Fatal(err)
	}
	if d := b.Decide(hour0, sampling.Unit{ID: "x", Customer: "acme", Values: &output{language: "en"}}); d.Reason != sampling.Minimum {
		t.Errorf("the minimum of languages is new: got %+v", d)
	}
	got, _ := b.Snapshot()
	var st struct {
		Minimums []struct {
			Attribute string
			Counts    map[string]int
		}
	}
	if err := json.Unmarshal(got, &st); err != nil || len(st.Minimums) != 2 || st.Minimums[0].Counts["acme"] != 20 || st.Minimums[1].Counts["en"] != 1 {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestConcurrent(t *testing.T) {
	s := newSampler(t, quality.SamplingSpec{Rate: 1e-6, PerCustomerMin: perHour(100), Budget: perHour(1000)}, 1)
	var wg sync.WaitGroup
	kept := make([]int, 8)
	for g := range kept {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(g), 0))
			for range 2000 {
				if s.Decide(hour0, sampling.Unit{Trace: traceID(r), Customer: "acme"}).Keep {
					kept[g]++
				}
				if r.IntN(500) == 0 {
					if _, err := s.Snapshot(); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	sum := 0
	for _, k := range kept {
		sum += k
	}
	if sum < 95 || sum > 105 {
		t.Errorf("kept %d, want the minimum of 100", sum)
	}
}

func FuzzRestore(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		s := newSampler(t, everything(), 1)
		if s.Restore(data) != nil {
			return
		}
		for i := range 100 {
			d := s.Decide(hour0.Add(time.Duration(i)*time.Minute), sampling.Unit{ID: fmt.Sprint(i), Error: i%2 == 0, Reception: quality.ReceptionFine})
			if d.Keep && !(d.Weight >= 1 && d.Weight < sampling.MaxWeight) {
				t.Fatalf("weight %v", d.Weight)
			}
		}
		again, err := s.Snapshot()
		if err != nil {
			t.Fatalf("after restoring %q: %v", data, err)
		}
		if err := s.Restore(again); err != nil {
			t.Fatalf("own snapshot %q: %v", again, err)
		}
	})
}

func FuzzTraceState(f *testing.F) {
	f.Fuzz(func(t *testing.T, trace, state string) {
		s := newSampler(t, quality.SamplingSpec{Rate: 0.5}, 1)
		d := s.Decide(hour0, sampling.Unit{Trace: trace, ID: "x", TraceState: state})
		if d.Keep && !(d.Weight >= 2 && d.Weight < sampling.MaxWeight) {
			t.Errorf("trace %q, state %q: %+v", trace, state, d)
		}
		if !strings.Contains(state, "ot=") && d.Keep && d.Weight != 2 {
			t.Errorf("state %q holds no threshold: %+v", state, d)
		}
	})
}

func BenchmarkDecide(b *testing.B) {
	values := &output{language: "de"}
	for _, bb := range []struct {
		name string
		spec quality.SamplingSpec
	}{
		{"rate", quality.SamplingSpec{Rate: 0.2}},
		{"minimum", quality.SamplingSpec{Rate: 0.2, PerCustomerMin: perHour(50)}},
		{"budget", quality.SamplingSpec{Rate: 0.2, Budget: perHour(20_000)}},
		{"all", func() quality.SamplingSpec {
			spec := everything()
			spec.Always = []string{"error", "slow"}
			return spec
		}()},
	} {
		b.Run(bb.name, func(b *testing.B) {
			s := newSampler(b, bb.spec, 1)
			r := rand.New(rand.NewPCG(1, 1))
			units := make([]sampling.Unit, 1024)
			for i := range units {
				units[i] = sampling.Unit{Trace: traceID(r), Customer: fmt.Sprintf("customer-%d", i%100), Values: values}
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				s.Decide(hour0.Add(time.Duration(i)*time.Millisecond), units[i%len(units)])
				i++
			}
		})
	}
}

// BenchmarkStep is the work at the turn of a minute with as many customers as are told apart.
func BenchmarkStep(b *testing.B) {
	s := newSampler(b, quality.SamplingSpec{Budget: perHour(20_000)}, 1)
	for i := range 10_000 {
		for range 4 {
			s.Decide(hour0, sampling.Unit{ID: fmt.Sprint(i), Customer: fmt.Sprint(i)})
		}
	}
	data, err := s.Snapshot()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(len(data)), "snapshot-bytes")
	for b.Loop() {
		b.StopTimer()
		if err := s.Restore(data); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		s.Decide(hour0.Add(time.Minute), sampling.Unit{ID: "x"})
	}
}

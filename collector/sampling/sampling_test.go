package sampling_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/collector/sampling"
	"github.com/asgood-dev/asgood/internal/quality"
)

func newSampler(t testing.TB, spec quality.SamplingSpec, key uint64) *sampling.Sampler {
	t.Helper()
	s, err := sampling.New(sampling.Options{Spec: spec, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func traceID(r *rand.Rand) string { return fmt.Sprintf("%016x%016x", r.Uint64(), r.Uint64()) }

func TestRules(t *testing.T) {
	below := 3.0
	spec := quality.SamplingSpec{
		Rate: 0.25, PerCustomerMin: perHour(1), Always: []string{"error", "slow", "low_feedback"}, SlowerThan: 10 * time.Second,
		LowFeedback: quality.LowFeedbackSpec{Metric: "stars", Below: &below},
	}
	const unlucky, lucky = "00000000000000000000000000000001", "00000000000000ffffffffffffffffff"
	known := sampling.Unit{Trace: unlucky, Customer: "known", Reception: quality.ReceptionFine}
	with := func(change func(*sampling.Unit)) sampling.Unit {
		u := known
		change(&u)
		return u
	}
	tests := []struct {
		name string
		unit sampling.Unit
		want sampling.Decision
	}{
		{"unlucky", known, sampling.Decision{Reason: sampling.Uniform}},
		{"lucky", with(func(u *sampling.Unit) { u.Trace = lucky }), sampling.Decision{Keep: true, Weight: 4, Reason: sampling.Uniform}},
		{"first of a customer", with(func(u *sampling.Unit) { u.Customer = "new" }), sampling.Decision{Keep: true, Weight: 1, Reason: sampling.Minimum}},
		{"error", with(func(u *sampling.Unit) { u.Error = true }), sampling.Decision{Keep: true, Weight: 1, Reason: sampling.Always}},
		{"slow", with(func(u *sampling.Unit) { u.Latency = 10*time.Second + 1 }), sampling.Decision{Keep: true, Weight: 1, Reason: sampling.Always}},
		{"not slow", with(func(u *sampling.Unit) { u.Latency = 10 * time.Second }), sampling.Decision{Reason: sampling.Uniform}},
		{"low feedback", with(func(u *sampling.Unit) { u.Reception = quality.ReceptionLow }), sampling.Decision{Keep: true, Weight: 1, Reason: sampling.Always}},
		{"no feedback yet", with(func(u *sampling.Unit) { u.Reception = quality.ReceptionUnknown }), sampling.Decision{Undecided: true, Reason: sampling.Uniform}},
		{"sender kept fewer", with(func(u *sampling.Unit) { u.Trace, u.TraceState, u.Reception = lucky, "ot=th:e", 0 }), sampling.Decision{Keep: true, Weight: 8, Reason: sampling.Uniform}},
		{"sender kept more", with(func(u *sampling.Unit) { u.Trace, u.TraceState = lucky, "ot=th:8" }), sampling.Decision{Keep: true, Weight: 4, Reason: sampling.Uniform}},
		{"sender cannot have kept this", with(func(u *sampling.Unit) { u.Error, u.TraceState = true, "ot=th:8" }), sampling.Decision{Keep: true, Weight: 1, Reason: sampling.Always}},
		{"error after a sender", with(func(u *sampling.Unit) { u.Trace, u.TraceState, u.Error = lucky, "ot=th:8", true }), sampling.Decision{Keep: true, Weight: 2, Reason: sampling.Always}},
		{"sender and id of another form", with(func(u *sampling.Unit) { u.Trace, u.TraceState, u.Error = "of another form", "ot=th:8", true }), sampling.Decision{Keep: true, Weight: 2, Reason: sampling.Always}},
		{"own randomness", with(func(u *sampling.Unit) { u.TraceState = "a=b,ot=rv:ffffffffffffff;th:8" }), sampling.Decision{Keep: true, Weight: 4, Reason: sampling.Uniform}},
		{"weight", with(func(u *sampling.Unit) { u.Trace, u.Weight = lucky, 5 }), sampling.Decision{Keep: true, Weight: 20, Reason: sampling.Uniform}},
		{"weight that is no number", with(func(u *sampling.Unit) { u.Trace, u.Weight = lucky, math.NaN() }), sampling.Decision{Keep: true, Weight: 4, Reason: sampling.Uniform}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSampler(t, spec, 1)
			s.Decide(hour0, known)
			if got := s.Decide(hour0.Add(time.Second), tt.unit); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestSettle(t *testing.T) {
	s := newSampler(t, quality.SamplingSpec{Rate: 0.25, Always: []string{"low_feedback"}}, 1)
	u := sampling.Unit{Trace: "00000000000000ffffffffffffffffff"}
	if d := s.Decide(hour0, u); !d.Undecided || d.Keep {
		t.Fatalf("a lucky one without feedback: got %+v, want undecided: its weight is open", d)
	}
	if s.Hold() != 10*time.Minute {
		t.Errorf("hold: got %s, want 10m", s.Hold())
	}
	later := hour0.Add(s.Hold())
	if d, want := s.Settle(later, u), (sampling.Decision{Keep: true, Weight: 4, Reason: sampling.Uniform}); d != want {
		t.Errorf("without feedback: got %+v, want %+v", d, want)
	}
	u.Reception = quality.ReceptionLow
	if d, want := s.Settle(later, u), (sampling.Decision{Keep: true, Weight: 1, Reason: sampling.Always}); d != want {
		t.Errorf("with low feedback: got %+v, want %+v", d, want)
	}
}

func TestMinimumPeriods(t *testing.T) {
	s := newSampler(t, quality.SamplingSpec{Rate: 1e-6, Min: map[string]quality.Quota{"language": {N: 2, Per: time.Hour}}}, 1)
	r := rand.New(rand.NewPCG(1, 1))
	keeps := func(at time.Time, language string) bool {
		return s.Decide(at, sampling.Unit{Trace: traceID(r), Values: &output{language: language}}).Keep
	}
	for i, step := range []struct {
		minute   int
		language string
		want     bool
	}{
		{58, "en", true}, {58, "en", true}, {59, "en", false}, {59, "de", true},
		{60, "en", true}, {59, "en", true}, {61, "en", false}, // the clock goes back into the hour before: not again
		{300, "", true}, {300, "en", true}, {0, "en", true}, // a clock that was wrong by hours begins anew
	} {
		if got := keeps(hour0.Add(time.Duration(step.minute)*time.Minute), step.language); got != step.want {
			t.Errorf("step %d, minute %d, %q: kept %v, want %v", i, step.minute, step.language, got, step.want)
		}
	}
}

func TestMinimumIsBounded(t *testing.T) {
	s, err := sampling.New(sampling.Options{Spec: quality.SamplingSpec{Rate: 1e-6, PerCustomerMin: perHour(2)}, MaxValues: 10})
	if err != nil {
		t.Fatal(err)
	}
	kept := 0
	for i := range 1000 {
		if s.Decide(hour0, sampling.Unit{ID: strconv.Itoa(i), Customer: strconv.Itoa(i)}).Keep {
			kept++
		}
	}
	if kept != 12 {
		t.Errorf("kept %d of 1000 customers, want 10 and the 2 of all others", kept)
	}
}

// TestNested is what consistent by trace means: a lower rate keeps a subset, in every feature and collector.
func TestNested(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	rates := []float64{1, 0.5, 0.2, 0.2, 0.01}
	var ss []*sampling.Sampler
	for i, rate := range rates {
		ss = append(ss, newSampler(t, quality.SamplingSpec{Rate: rate}, uint64(i)))
	}
	counts := make([]int, len(rates))
	const n = 20000
	for i := range n {
		u := sampling.Unit{Trace: traceID(r)}
		if i%3 == 0 {
			u = sampling.Unit{ID: "conversation " + strconv.Itoa(i)}
		}
		before := true
		for k, s := range ss {
			keep := s.Decide(hour0, u).Keep
			if keep && !before || rates[k] == rates[max(k-1, 0)] && keep != before {
				t.Fatalf("%+v: kept %v at rate %v and %v at the one before", u, keep, rates[k], before)
			}
			if before = keep; keep {
				counts[k]++
			}
		}
	}
	for k, rate := range rates {
		if want := rate * n; math.Abs(float64(counts[k])-want) > 5*math.Sqrt(want) {
			t.Errorf("rate %v: kept %d, want about %v", rate, counts[k], want)
		}
	}
}

// TestOpenTelemetry checks against the rule of the specification: kept if and only if R >= T.
func TestOpenTelemetry(t *testing.T) {
	for _, tt := range []struct {
		rate      float64
		threshold uint64
	}{{0.5, 0x80000000000000}, {0.25, 0xc0000000000000}, {1.0 / 16, 0xf0000000000000}, {1, 0}} {
		s := newSampler(t, quality.SamplingSpec{Rate: tt.rate}, 1)
		for _, r := range []uint64{0, 1, tt.threshold - 1, tt.threshold, tt.threshold + 1, 1<<56 - 1} {
			r &= 1<<56 - 1
			want := r >= tt.threshold
			for name, u := range map[string]sampling.Unit{
				"trace": {Trace: fmt.Sprintf("4bf92f3577b34da6a3%014x", r)},
				"upper": {Trace: fmt.Sprintf("4BF92F3577B34DA6A3%014X", r)},
				"rv":    {Trace: "4bf92f3577b34da6a3ce929d0e0e4736", TraceState: fmt.Sprintf("ot=rv:%014x", r)},
			} {
				if got := s.Decide(hour0, u).Keep; got != want {
					t.Errorf("%s, R = %x, T = %x: kept %v, want %v", name, r, tt.threshold, got, want)
				}
			}
		}
	}
}

// TestSamplersWithOneKeyAgree: under pressure too, what the tighter budget keeps the other keeps, given
// the same traffic.
func TestSamplersWithOneKeyAgree(t *testing.T) {
	tight := newSampler(t, quality.SamplingSpec{Rate: 0.5, Budget: perHour(600)}, 42)
	loose := newSampler(t, quality.SamplingSpec{Rate: 0.8, Budget: perHour(4000)}, 42)
	r := rand.New(rand.NewPCG(5, 5))
	both, only := 0, 0
	for i := range 60000 {
		u := sampling.Unit{Trace: traceID(r), Customer: "acme"}
		now := hour0.Add(time.Duration(i) * time.Hour / 60000)
		inLoose := loose.Decide(now, u).Keep
		switch inTight := tight.Decide(now, u).Keep; {
		case inTight && inLoose:
			both++
		case inTight:
			only++
		}
	}
	if both < 300 || only > both/50 {
		t.Errorf("of what the tight sampler kept, the loose one kept %d and missed %d", both, only)
	}
}

func TestNameless(t *testing.T) {
	s := newSampler(t, quality.SamplingSpec{Rate: 0.5}, 9)
	kept := 0
	for range 1000 {
		if s.Decide(hour0, sampling.Unit{}).Keep {
			kept++
		}
	}
	if kept < 400 || kept > 600 {
		t.Errorf("kept %d of 1000 without any id, want about half", kept)
	}
}

func TestUnitOf(t *testing.T) {
	s := newSampler(t, quality.SamplingSpec{Always: []string{"low_feedback"}}, 1)
	q := quality.Sample{
		ID: "1", Trace: "t", Conversation: "c", Customer: "acme", LatencyMS: 1500, Error: "boom", Weight: 3,
		Scores: map[string]float64{"thumbs": 0}, Attributes: map[string]string{"language": "de"},
	}
	u := s.UnitOf(&q, "ot=th:8")
	if u.Trace != "t" || u.ID != "c" || u.Latency != 1500*time.Millisecond || !u.Error || u.Weight != 3 ||
		u.Reception != quality.ReceptionLow || u.Values.Attribute("language") != "de" || u.TraceState != "ot=th:8" {
		t.Errorf("got %+v", u)
	}
	q.Scores = nil
	if u := s.UnitOf(&q, ""); u.Reception != quality.ReceptionUnknown {
		t.Errorf("without scores: feedback %s, want unknown", u.Reception)
	}
}

func TestNewRefuses(t *testing.T) {
	for name, spec := range map[string]quality.SamplingSpec{
		"negative rate": {Rate: -1}, "rate above 1": {Rate: 2}, "no number": {Rate: math.NaN()},
		"period": {Budget: quality.Quota{N: 1, Per: time.Second}}, "none": {PerCustomerMin: quality.Quota{Per: time.Hour}},
	} {
		if _, err := sampling.New(sampling.Options{Spec: spec}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func ExampleSampler() {
	s, err := sampling.New(sampling.Options{Spec: quality.SamplingSpec{Rate: 0.5, Always: []string{quality.AlwaysError}}})
	if err != nil {
		panic(err)
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	q := quality.Sample{Feature: "support-assistant", Trace: "4bf92f3577b34da6a3ce929d0e0e4736"}
	fmt.Printf("%+v\n", s.Decide(now, s.UnitOf(&q, "")))
	q.Error = "timeout"
	fmt.Printf("%+v\n", s.Decide(now, s.UnitOf(&q, "")))
	// Output:
	// {Keep:true Weight:2 Reason:uniform Undecided:false}
	// {Keep:true Weight:1 Reason:always Undecided:false}
}

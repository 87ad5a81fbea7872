package sampling_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/collector/sampling"
	"github.com/asgood-dev/asgood/internal/quality"
)

var hour0 = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func perHour(n int) quality.Quota { return quality.Quota{N: n, Per: time.Hour} }

// output is one output of simulated traffic. What is random in a run is its trace id alone.
type output struct {
	at       time.Time
	trace    int // outputs of one number share a trace
	customer string
	language string
	failed   bool
	latency  time.Duration
	feedback quality.Reception // what will be known when it is settled
	y        float64           // quality, depending on all of the above
}

func (o *output) Attribute(name string) string {
	if name == "language" {
		return o.language
	}
	return ""
}

// group is the part of traffic for which a total is estimated.
func (o *output) group() string {
	return fmt.Sprintf("%s in quarter %d", o.customer, int(o.at.Sub(hour0)/(15*time.Minute)))
}

// traffic is two hours of three customers, with a flood of one of them from minute 20 to 35. Quality
// depends on customer, error, latency, feedback and the minute of the hour. The part shared of
// the outputs belongs to the trace of an earlier one, over minutes and over the change of the hour.
func traffic(flood int, shared float64) []output {
	r := rand.New(rand.NewPCG(7, 7))
	var all []output
	for minute := range 120 {
		n := map[string]int{"acme": 6, "globex": 2, "tiny": (minute % 5) / 4}
		if minute >= 20 && minute < 35 {
			n["acme"] = flood
		}
		for _, customer := range []string{"acme", "globex", "tiny"} {
			for range n[customer] {
				o := output{
					at:    hour0.Add(time.Duration(minute)*time.Minute + time.Duration(r.IntN(60))*time.Second),
					trace: len(all), customer: customer, language: []string{"en", "en", "en", "de"}[r.IntN(4)],
					failed: r.Float64() < 0.05, latency: time.Duration(r.ExpFloat64() * float64(3*time.Second)),
				}
				if r.Float64() < 0.3 {
					o.feedback = quality.ReceptionFine + quality.Reception(r.IntN(2))
				}
				o.y = qualityOf(&o, minute)
				if len(all) > 50 && r.Float64() < shared {
					o.trace = all[len(all)-1-r.IntN(50)].trace
				}
				all = append(all, o)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b output) int { return a.at.Compare(b.at) })
	return all
}

func qualityOf(o *output, minute int) float64 {
	y := 1 + float64(len(o.customer)) + float64(minute%60)/20
	if o.failed {
		y -= 3
	}
	if o.feedback == quality.ReceptionLow {
		y -= 2
	}
	if o.latency > 10*time.Second {
		y -= 1
	}
	return y
}

// event is a moment of a run: an output comes, or one that was held is settled.
type event struct {
	at     time.Time
	o      *output
	unit   sampling.Unit
	settle bool
}

type sender func(r *rand.Rand, u *sampling.Unit) bool // reports whether the output comes at all

// run plays traffic through a sampler and calls kept for each kept output.
func run(t *testing.T, spec quality.SamplingSpec, all []output, seed uint64, send sender, kept func(*output, sampling.Decision)) {
	t.Helper()
	s, err := sampling.New(sampling.Options{Spec: spec, Key: seed})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(seed, 1))
	traces := map[int]string{}
	var held []event
	decide := func(e event) {
		var d sampling.Decision
		if e.settle {
			d = s.Settle(e.at, e.unit)
		} else {
			d = s.Decide(e.at, e.unit)
		}
		switch {
		case d.Undecided:
			e.at, e.settle, e.unit.Reception = e.at.Add(s.Hold()), true, max(e.o.feedback, quality.ReceptionFine)
			held = append(held, e)
		case d.Keep:
			kept(e.o, d)
		}
	}
	settle := func(until time.Time) {
		for len(held) > 0 && !held[0].at.After(until) {
			e := held[0]
			held = held[1:]
			decide(e)
		}
	}
	for i := range all {
		o := &all[i]
		if traces[o.trace] == "" {
			traces[o.trace] = fmt.Sprintf("%016x%016x", r.Uint64(), r.Uint64())
		}
		u := sampling.Unit{Trace: traces[o.trace], Customer: o.customer, Values: o, Error: o.failed, Latency: o.latency}
		settle(o.at)
		if send == nil || send(r, &u) {
			decide(event{at: o.at, o: o, unit: u})
		}
	}
	settle(hour0.Add(24 * time.Hour))
}

// estimate collects the estimates of one total over many runs.
type estimate struct{ truth, sum, squares float64 }

// z is how many standard errors the mean of the estimates is away from the truth.
func (e *estimate) z(runs float64) float64 {
	mean := e.sum / runs
	se := math.Sqrt(max(e.squares/runs-mean*mean, 0) / runs)
	return (mean - e.truth) / max(se, 1e-9*math.Abs(e.truth)+1e-12)
}

// simulate returns the estimates of the total of y and of the count, for all and for each group.
func simulate(t *testing.T, spec quality.SamplingSpec, all []output, runs int, send sender, weigh func(sampling.Decision) float64) map[string]*estimate {
	t.Helper()
	keys := func(o *output) [4]string {
		return [4]string{"total", "count", "total of " + o.group(), "count of " + o.group()}
	}
	out := map[string]*estimate{}
	for i := range all {
		for k, key := range keys(&all[i]) {
			if out[key] == nil {
				out[key] = &estimate{}
			}
			out[key].truth += []float64{all[i].y, 1}[k%2]
		}
	}
	for seed := range runs {
		sums := map[string]float64{}
		run(t, spec, all, uint64(seed), send, func(o *output, d sampling.Decision) {
			for k, key := range keys(o) {
				sums[key] += weigh(d) * []float64{o.y, 1}[k%2]
			}
		})
		for key, e := range out {
			e.sum += sums[key]
			e.squares += sums[key] * sums[key]
		}
	}
	return out
}

// consistentSender keeps half of the traces by the randomness of OpenTelemetry, and says so.
func consistentSender(_ *rand.Rand, u *sampling.Unit) bool {
	u.TraceState = "vendor=1,ot=th:8"
	return u.Trace[18] >= '8'
}

// plainSender keeps a quarter by numbers of its own.
func plainSender(r *rand.Rand, u *sampling.Unit) bool {
	u.Weight = 4
	return r.Float64() < 0.25
}

// hashedSender keeps half, says so as OpenTelemetry does, and has trace ids of its own form: what it drew
// has nothing to do with our hash of them.
func hashedSender(r *rand.Rand, u *sampling.Unit) bool {
	u.Trace, u.TraceState = "trace "+u.Trace, "ot=th:8"
	return r.Float64() < 0.5
}

// luckySender has only traces that a rate of half keeps, twice as many as the plan expects: so the guard
// has work all the time.
func luckySender(_ *rand.Rand, u *sampling.Unit) bool {
	u.TraceState = "ot=rv:ff" + u.Trace[20:]
	return true
}

var rules = []struct {
	name   string
	spec   quality.SamplingSpec
	flood  int
	send   sender
	shared float64
	part   float64 // of what the ids were chosen from; 0 means all
}{
	{name: "rate", spec: quality.SamplingSpec{Rate: 0.2}, flood: 20},
	{name: "minimum", spec: quality.SamplingSpec{Rate: 0.1, PerCustomerMin: perHour(30)}, flood: 20},
	{name: "two minimums", spec: quality.SamplingSpec{Rate: 0.1, Min: map[string]quality.Quota{"customer": perHour(30), "language": {N: 3, Per: time.Minute}}}, flood: 20},
	{name: "errors", spec: quality.SamplingSpec{Rate: 0.1, Always: []string{"error"}}, flood: 20},
	{name: "slow", spec: quality.SamplingSpec{Rate: 0.1, Always: []string{"slow"}, SlowerThan: 10 * time.Second}, flood: 20},
	{name: "low feedback", spec: quality.SamplingSpec{Rate: 0.1, Always: []string{"low_feedback"}}, flood: 20},
	{name: "budget", spec: quality.SamplingSpec{Budget: perHour(240)}, flood: 20},
	{name: "budget in a flood", spec: quality.SamplingSpec{Budget: perHour(240)}, flood: 200},
	{name: "small budget", spec: quality.SamplingSpec{Budget: perHour(40)}, flood: 20},
	{name: "small budget in a flood", spec: quality.SamplingSpec{Budget: perHour(40)}, flood: 200},
	{name: "budget and long traces", spec: quality.SamplingSpec{Rate: 0.5, Budget: perHour(240)}, flood: 60, shared: 0.8},
	{name: "sender consistent", spec: quality.SamplingSpec{Rate: 0.2, Budget: perHour(240)}, flood: 20, send: consistentSender},
	{name: "sender consistent and lower", spec: quality.SamplingSpec{Rate: 0.7, PerCustomerMin: perHour(30)}, flood: 20, send: consistentSender},
	{name: "sender with weights", spec: quality.SamplingSpec{Rate: 0.5, Budget: perHour(240)}, flood: 20, send: plainSender},
	{name: "sender with ids of its own", spec: quality.SamplingSpec{Rate: 0.5}, flood: 20, send: hashedSender},
	{name: "guard", spec: quality.SamplingSpec{Rate: 0.5, Budget: perHour(240)}, flood: 60, send: luckySender, part: 0.5},
	{name: "guard and long traces", spec: quality.SamplingSpec{Rate: 0.5, Budget: perHour(100)}, flood: 20, shared: 0.6, send: luckySender, part: 0.5},
	{name: "all", spec: everything(), flood: 60},
	{name: "all after a sender", spec: everything(), flood: 60, send: consistentSender},
}

func everything() quality.SamplingSpec {
	return quality.SamplingSpec{
		Rate: 0.2, Min: map[string]quality.Quota{"customer": perHour(20), "language": perHour(10)},
		Always: []string{"error", "low_feedback", "slow"}, SlowerThan: 10 * time.Second, Budget: perHour(200),
	}
}

// TestUnbiased is the proof by simulation that weights are exact: the mean of many estimates meets the
// true total of each customer and quarter of an hour, within what chance allows.
func TestUnbiased(t *testing.T) {
	runs := 400 // it was also run with 2000
	if testing.Short() {
		runs = 100
	}
	for _, tt := range rules {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			estimates := simulate(t, tt.spec, traffic(tt.flood, max(tt.shared, 0.3)), runs, tt.send, func(d sampling.Decision) float64 {
				if tt.part > 0 {
					return d.Weight * tt.part
				}
				return d.Weight
			})
			worst := 0.0
			for key, e := range estimates {
				z := e.z(float64(runs))
				worst = max(worst, math.Abs(z))
				if math.Abs(z) > 4.9 { // one in a million each
					t.Errorf("%s: mean estimate %.1f, true %.1f: %.1f standard errors away", key, e.sum/float64(runs), e.truth, z)
				}
			}
			total := estimates["total"]
			mean := total.sum / float64(runs)
			t.Logf("worst of %d: %.1f standard errors; one estimate of the total is within %.1f %% (one sigma)",
				len(estimates), worst, 100*math.Sqrt(total.squares/float64(runs)-mean*mean)/mean)
		})
	}
}

// TestSimulationSeesBias keeps the proof honest: without weights, or with a weight that leaves a rule
// out, the same check must fail.
func TestSimulationSeesBias(t *testing.T) {
	all := traffic(60, 0.3)
	worst := 0.0
	for _, e := range simulate(t, everything(), all, 150, nil, func(d sampling.Decision) float64 { return min(d.Weight, 6) }) {
		worst = max(worst, math.Abs(e.z(150)))
	}
	if worst < 8 {
		t.Errorf("weights cut at 6: worst total is %.1f standard errors away, want more than 8", worst)
	}
}

// TestWeightedMean is about the ratio that figures show. It is unbiased only in the limit, so it may be
// off by a small part of its own spread.
func TestWeightedMean(t *testing.T) {
	all := traffic(60, 0.3)
	truth := 0.0
	for i := range all {
		truth += all[i].y / float64(len(all))
	}
	var sum, squares, naive, runs float64 = 0, 0, 0, 200
	for seed := range int(runs) {
		var w, wy, n, y float64
		run(t, everything(), all, uint64(seed), nil, func(o *output, d sampling.Decision) {
			w, wy, n, y = w+d.Weight, wy+d.Weight*o.y, n+1, y+o.y
		})
		sum, squares, naive = sum+wy/w, squares+square(wy/w), naive+y/n
	}
	mean := sum / runs
	spread := math.Sqrt(squares/runs - mean*mean)
	t.Logf("true %.3f, weighted %.3f (spread %.3f), without weights %.3f", truth, mean, spread, naive/runs)
	if math.Abs(mean-truth) > spread/4 {
		t.Errorf("mean of weighted means is %.3f, want %.3f within %.3f", mean, truth, spread/4)
	}
	if math.Abs(naive/runs-truth) < 4*math.Abs(mean-truth) {
		t.Errorf("without weights the mean is %.3f, true %.3f: this traffic proves nothing", naive/runs, truth)
	}
}

func square(x float64) float64 { return x * x }

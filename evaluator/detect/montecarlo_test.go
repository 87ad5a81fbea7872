package detect_test

import (
	"cmp"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/asgood-dev/asgood/evaluator/detect"
)

// A law draws the observation of time t, at pass rates lowered by drop.
type law func(r *rand.Rand, t int, drop float64) detect.Observation

func passFail(p float64) law {
	return func(r *rand.Rand, _ int, drop float64) detect.Observation {
		return detect.Observation{Y: coin(r, p-drop)}
	}
}

func coin(r *rand.Rand, p float64) float64 {
	if r.Float64() < p {
		return 1
	}
	return 0
}

// hourly moves three points up and down every day of perDay samples; each hour is a stratum.
func hourly(p float64, perDay int) law {
	return func(r *rand.Rand, t int, drop float64) detect.Observation {
		hour := t % perDay * 24 / perDay
		swing := 0.03 * math.Sin(2*math.Pi*float64(hour)/24)
		return detect.Observation{Y: coin(r, p+swing-drop), Stratum: strconv.Itoa(hour)}
	}
}

// dependent draws pass and fail from a latent AR(1) of the given correlation.
func dependent(p, phi float64) law {
	cut := quantile(p)
	z := 0.0
	return func(r *rand.Rand, _ int, drop float64) detect.Observation {
		z = phi*z + math.Sqrt(1-phi*phi)*r.NormFloat64()
		c := cut
		if drop > 0 {
			c = quantile(p - drop)
		}
		if z < c {
			return detect.Observation{Y: 1}
		}
		return detect.Observation{}
	}
}

// quantile of the normal distribution.
func quantile(p float64) float64 { return math.Sqrt2 * math.Erfinv(2*p-1) }

func made(t testing.TB, o detect.Options, r *rand.Rand, n int, l law) *detect.Detector {
	t.Helper()
	base := make([]detect.Observation, n)
	for i := range base {
		base[i] = l(r, i, 0)
	}
	d, err := detect.New(o, base)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// falseAlarms counts alarms per 100,000 samples of healthy streams.
func falseAlarms(t testing.TB, o detect.Options, l func() law, n, runs, length int) float64 {
	alarms := 0
	for seed := range runs {
		r := rand.New(rand.NewPCG(uint64(seed), 1))
		l := l()
		d := made(t, o, r, n, l)
		for i := range length {
			if d.Update(l(r, n+i, 0)) >= o.Threshold {
				alarms++
				d.Reset()
			}
		}
	}
	return float64(alarms) / float64(runs) / float64(length) * 1e5
}

// delays returns the sorted delays of detecting a drop after live healthy samples; a drop that is not
// found in limit samples counts limit.
func delays(t testing.TB, o detect.Options, l func() law, n, live, limit, runs int, drop float64) []int {
	out := make([]int, runs)
	for seed := range out {
		r := rand.New(rand.NewPCG(uint64(seed), 2))
		l := l()
		d := made(t, o, r, n, l)
		for i := range live {
			if d.Update(l(r, n+i, 0)) >= o.Threshold {
				d.Reset()
			}
		}
		out[seed] = limit
		for i := range limit {
			if d.Update(l(r, n+live+i, drop)) >= o.Threshold {
				out[seed] = i + 1
				break
			}
		}
	}
	slices.Sort(out)
	return out
}

// runs scales a simulation: ASGOOD_MONTECARLO=10 makes it ten times as long and its gates as much tighter.
func runs(t testing.TB, n int) int {
	f, err := strconv.ParseFloat(cmp.Or(os.Getenv("ASGOOD_MONTECARLO"), "1"), 64)
	if err != nil || f <= 0 {
		t.Fatalf("ASGOOD_MONTECARLO is not a positive number")
	}
	return max(2, int(f*float64(n)))
}

// gate is what a rate of at most one in 100,000 may show in so many samples, with a chance of one in a thousand.
func gate(samples int) float64 {
	expected := float64(samples) / 1e5
	return 1 + 3.1/math.Sqrt(expected)
}

func TestFalseAlarms(t *testing.T) {
	plain, strata := detect.Options{Threshold: 1e5}, detect.Options{Strata: true, Threshold: 1e5}
	fixed := func(l law) func() law { return func() law { return l } }
	for _, tt := range []struct {
		name string
		o    detect.Options
		l    func() law
		n    int
	}{
		{"half, short baseline", plain, fixed(passFail(.5)), 50},
		{"good, short baseline", plain, fixed(passFail(.92)), 50},
		{"rarely fails, short baseline", plain, fixed(passFail(.995)), 50},
		{"good", plain, fixed(passFail(.92)), 2000},
		{"stars", plain, fixed(stars), 500},
		{"hours of the day", strata, fixed(hourly(.92, 2000)), 4000},
		{"mix moves", strata, fixed(moving), 2000},
		{"dependent", plain, func() law { return dependent(.92, .3) }, 2000},
		{"very dependent", plain, func() law { return dependent(.92, .7) }, 2000},
		{"sampled at unequal rates", plain, fixed(unequal), 2000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n := runs(t, 40)
			got := falseAlarms(t, tt.o, tt.l, tt.n, n, 40_000)
			t.Logf("%.2f per 100,000", got)
			if limit := gate(n * 40_000); got > limit {
				t.Errorf("got %.2f false alarms per 100,000 samples, want at most 1 (%.2f with chance)", got, limit)
			}
		})
	}
}

// stars are marks of one to five.
func stars(r *rand.Rand, _ int, drop float64) detect.Observation {
	u, p := r.Float64()-drop, []float64{.02, .07, .20, .55, 1}
	for i, c := range p {
		if u < c {
			return detect.Observation{Y: float64(i) / 4}
		}
	}
	return detect.Observation{Y: 1}
}

// moving shifts its traffic to a language that always was worse, after 20,000 samples.
func moving(r *rand.Rand, t int, drop float64) detect.Observation {
	share := .1
	if t > 20_000 {
		share = .4
	}
	if r.Float64() < share {
		return detect.Observation{Y: coin(r, .80-drop), Stratum: "de"}
	}
	return detect.Observation{Y: coin(r, .94-drop), Stratum: "en"}
}

// unequal keeps one of ten good-natured samples and all others; the weights make up for it.
func unequal(r *rand.Rand, t int, drop float64) detect.Observation {
	share := .5
	if t > 20_000 {
		share = .9 // of what is kept, after the rates changed; the traffic is the same
	}
	if r.Float64() < share {
		return detect.Observation{Y: coin(r, .8-drop), Weight: .5 / share * .1}
	}
	return detect.Observation{Y: coin(r, .95-drop), Weight: min(1, .5/(1-share)*.1)}
}

func TestMixShiftRaisesWithoutStrata(t *testing.T) {
	if got := falseAlarms(t, detect.Options{Threshold: 1e5}, func() law { return moving }, 2000, 4, 40_000); got < 2 {
		t.Errorf("got %.2f alarms per 100,000 without strata: the simulation is too tame to show what they are for", got)
	}
}

func TestDelays(t *testing.T) {
	plain := detect.Options{Threshold: 1e5}
	for _, tt := range []struct {
		name       string
		l          func() law
		live       int
		drop       float64
		wantMedian int
	}{
		{"five points", func() law { return passFail(.92) }, 2000, .05, 560},
		{"ten points", func() law { return passFail(.92) }, 2000, .10, 190},
		{"two points after long", func() law { return passFail(.92) }, 20_000, .02, 2400},
		{"at the first sample", func() law { return passFail(.92) }, 0, .05, 750},
		{"dependent", func() law { return dependent(.92, .3) }, 2000, .10, 390},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := delays(t, plain, tt.l, 2000, tt.live, 20_000, runs(t, 60), tt.drop)
			median := got[len(got)/2]
			t.Logf("median %d, 90 %% within %d", median, got[len(got)*9/10])
			if median > tt.wantMedian {
				t.Errorf("got a median delay of %d samples, want at most %d", median, tt.wantMedian)
			}
		})
	}
}

func TestRecovery(t *testing.T) {
	n := runs(t, 60)
	early, closings, starts, ends := 0, make([]int, 0, n), 0, 0
	for seed := range n {
		r := rand.New(rand.NewPCG(uint64(seed), 3))
		l := passFail(.92)
		d := made(t, detect.Options{Threshold: 1e5}, r, 2000, l)
		run := func(limit int, drop float64, stop func() bool) int {
			for i := range limit {
				d.Update(l(r, 0, drop))
				if stop() {
					return i + 1
				}
			}
			return limit
		}
		run(1000, 0, func() bool { return false })
		d.Reset()
		run(40_000, .10, func() bool { return d.E() >= 1e5 })
		if start := d.Start(); start+60 > 1000 && start < 1060 {
			starts++
		}
		d.Raise()
		if run(5000, .10, d.Recovered) < 5000 {
			early++
			continue
		}
		from := d.Live()
		closings = append(closings, run(20_000, 0, d.Recovered))
		if got := d.RecoveredFrom(); got+600 > from && got < from+600 {
			ends++
		}
		if drop, lo, hi := d.Drop(); drop < .05 || drop > .15 || lo > drop || hi < drop {
			t.Errorf("seed %d: got a drop of %.3f (%.3f to %.3f), want about 0.10", seed, drop, lo, hi)
		}
		d.Reset()
		if d.Raised() || d.Recovered() || d.E() != 0 {
			t.Fatal("reset left something behind")
		}
	}
	slices.Sort(closings)
	t.Logf("ended early in %d of %d, median %d samples to the end, start within 60 in %d, end within 600 in %d",
		early, n, closings[len(closings)/2], starts, ends)
	if float64(early) > .05*float64(n)+3 || closings[len(closings)/2] > 1500 || starts < n*3/4 || ends < n*2/3 {
		t.Errorf("got %d early ends of %d, a median of %d samples to the end, %d good starts and %d good ends",
			early, n, closings[len(closings)/2], starts, ends)
	}
}

func TestIntervalsHoldTheDrop(t *testing.T) {
	n, held := runs(t, 200), 0
	for seed := range n {
		r := rand.New(rand.NewPCG(uint64(seed), 4))
		l := hourly(.90, 2000)
		d := made(t, detect.Options{Strata: true, Threshold: 1e5}, r, 4000, l)
		for i := 0; d.E() < 1e5 && i < 5000; i++ {
			d.Update(l(r, i, .10))
		}
		d.Raise()
		for i := range 4000 { // what came up to the alarm was chosen by it; what comes after was not
			d.Update(l(r, i, .10))
		}
		if _, lo, hi := d.Drop(); lo <= .10 && .10 <= hi {
			held++
		}
	}
	if share := float64(held) / float64(n); share < .88 {
		t.Errorf("the 95 %% interval held the drop in %.0f %% of %d runs", 100*share, n)
	}
}

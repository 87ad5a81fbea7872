package detect_test

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/asgood-dev/asgood/evaluator/detect"
)

// This is the trial of the detector: every goal is a line with what was measured, by how much chance may
// have moved it, and the limit. `make bench-detect` runs its long form. docs/statistics.md tells what the
// goals are.

// A line is one measured goal.
type line struct {
	goal, what string
	value, err float64
	limit      float64
	least      bool // the limit is a lower one
	told       bool // without a limit
}

// slack is how many errors a value may be beyond its limit before that is no chance: one in a thousand.
const slack = 3.1

func (l line) verdict() string {
	beyond := l.value - l.limit
	if l.least {
		beyond = -beyond
	}
	switch {
	case l.told:
		return ""
	case beyond <= 0:
		return "ok"
	case beyond <= slack*l.err:
		return "ok within the error"
	default:
		return "BREACH"
	}
}

func (l line) String() string {
	limit := ""
	if !l.told {
		limit = fmt.Sprintf("%s %.4g", map[bool]string{true: "at least", false: "at most"}[l.least], l.limit)
	}
	return fmt.Sprintf("%-4s %-66s %9.4g +- %-7.2g %-14s %s", l.goal, l.what, l.value, l.err, limit, l.verdict())
}

// A goal measures one or more lines.
type goal struct {
	name    string
	measure func(t *testing.T) []line
	alone   bool // measures the machine, and nothing else may run
}

func TestGoals(t *testing.T) {
	goals := slices.Concat(falseAlarmGoals(), delayGoals(), lifeGoals(), beyondGoals(), sizeGoals(), shapeGoals())
	lines := make([][]line, len(goals))
	var all sync.Mutex
	t.Cleanup(func() {
		var b strings.Builder
		for _, l := range slices.Concat(lines...) {
			fmt.Fprintln(&b, l)
		}
		t.Logf("errors are one standard error\n%s", b.String())
	})
	for i, g := range goals {
		t.Run(g.name, func(t *testing.T) {
			if !g.alone {
				t.Parallel()
			}
			got := g.measure(t)
			all.Lock()
			defer all.Unlock()
			lines[i] = got
			for _, l := range got {
				if l.verdict() == "BREACH" {
					t.Error(l)
				}
			}
		})
	}
}

// runs scales a simulation: ASGOOD_MONTECARLO=10 makes it ten times as long and its gates as much tighter.
// With -short it is an eighth as long, for the race detector.
func runs(t testing.TB, n int) int {
	f, err := strconv.ParseFloat(cmp.Or(os.Getenv("ASGOOD_MONTECARLO"), "1"), 64)
	if err != nil || f <= 0 {
		t.Fatalf("ASGOOD_MONTECARLO is not a positive number")
	}
	if testing.Short() {
		f /= 8
	}
	return max(4, int(f*float64(n)))
}

// rate is the mean count per 100,000 samples of runs of a length, with its error: at least that of as
// many rare events as the limit allows.
func rate(counts []float64, length int, limit float64) (value, err float64) {
	m, sd := moments(counts)
	per := 1e5 / float64(length)
	return m * per, max(sd, math.Sqrt(limit/per)) * per / math.Sqrt(float64(len(counts)))
}

func moments(v []float64) (mean, sd float64) {
	for _, x := range v {
		mean += x / float64(len(v))
	}
	for _, x := range v {
		sd += (x - mean) * (x - mean) / float64(len(v)-1)
	}
	return mean, math.Sqrt(sd)
}

func meanOf(v []float64) (value, err float64) {
	m, sd := moments(v)
	return m, sd / math.Sqrt(float64(len(v)))
}

// medianOf sorts v. The error is that of a normal sample with the same quartiles.
func medianOf(v []float64) (value, err float64) {
	slices.Sort(v)
	n := len(v)
	return v[n/2], 1.253 * (v[n*3/4] - v[n/4]) / 1.349 / math.Sqrt(float64(n))
}

// share is how many of n there were.
func share(k, n int) (value, err float64) {
	p := float64(k) / float64(n)
	q := min(max(p, 1/float64(n)), 1-1/float64(n))
	return p, math.Sqrt(q * (1 - q) / float64(n))
}

// healthy counts the alarms of each of n streams that stay as they were.
func healthy(t testing.TB, o detect.Options, l func() law, base, n, length int) []float64 {
	alarms := make([]float64, n)
	for seed := range alarms {
		r := rand.New(rand.NewPCG(uint64(seed), 21))
		l := l()
		d := made(t, o, r, base, l)
		for i := range length {
			if d.Update(l(r, base+i, 0)) >= o.Threshold {
				alarms[seed]++
				d.Reset()
			}
		}
	}
	return alarms
}

// A fall is a stream that gets worse after some live samples.
type fall struct {
	o           detect.Options
	l           func() law
	base, live  int
	drop        float64
	limit, runs int
}

// run feeds a stream until it alarms after its fall, and returns how long that took.
func (f fall) run(t testing.TB, seed int) (d *detect.Detector, l law, r *rand.Rand, delay int) {
	r = rand.New(rand.NewPCG(uint64(seed), 22))
	l = f.l()
	d = made(t, f.o, r, f.base, l)
	for i := range f.live {
		if d.Update(l(r, f.base+i, 0)) >= f.o.Threshold {
			d.Reset()
		}
	}
	for i := range f.limit {
		if d.Update(l(r, f.base+f.live+i, f.drop)) >= f.o.Threshold {
			return d, l, r, i + 1
		}
	}
	return d, l, r, f.limit
}

// delays are those of all runs; what is not found counts the limit.
func (f fall) delays(t testing.TB) []float64 {
	out := make([]float64, f.runs)
	for seed := range out {
		_, _, _, delay := f.run(t, seed)
		out[seed] = float64(delay)
	}
	return out
}

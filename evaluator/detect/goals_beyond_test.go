package detect_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"unsafe"

	"github.com/asgood-dev/asgood/evaluator/detect"
)

// beyondGoals are of many streams, and of values that are new.
func beyondGoals() []goal {
	return []goal{{name: "G9", measure: fleetGoal("an open one counts for a thirtieth of the budget", fleetFresh)},
		{name: "G9 stay", measure: fleetGoal("open ones count", 2*fleetChange)}, {name: "G9 leave", measure: fleetGoal("open ones do not count", 0)},
		{name: "- sticky", measure: sticky}, {name: "+ new value", measure: newValue}}
}

// fleetGoal is 300 streams of which 15 fall by 5 points after 10,000 of 20,000 samples. An open stream
// is one of the discoveries that the rule counts, with the evidence of its alarm, for so many samples. The
// engine has the first rule; the others are told beside it.
func fleetGoal(rule string, fresh int) func(t *testing.T) []line {
	return func(t *testing.T) []line {
		var f fleetRun
		n := runs(t, 6)
		for seed := range n {
			f.run(t, seed, fresh)
		}
		told := fresh != fleetFresh
		v, e := share(f.wrong, max(1, f.wrong+f.right))
		found, ef := share(f.right, fleetBad*n)
		a, ea := medianOf(f.alone)
		b, eb := medianOf(f.together)
		return []line{{goal: "G9", what: "false share of alarms, " + rule, value: v, err: e, limit: .05, told: told},
			{goal: "G9", what: "found of 15 that fell, " + rule, value: found, err: ef, limit: 1, least: true, told: told},
			{goal: "G9", what: "delay over that of streams alone, " + rule, value: b / a, err: b / a * math.Hypot(ea/a, eb/b), limit: 2, told: told}}
	}
}

const fleetSize, fleetBad, fleetChange, fleetFresh = 300, 15, 10_000, int(1e5) / 30

// fleetRun gathers what came of some fleets: delays of the bad streams alone and by the rule, and alarms.
type fleetRun struct {
	alone, together []float64
	wrong, right    int
}

func (fr *fleetRun) run(t *testing.T, seed, fresh int) {
	r := rand.New(rand.NewPCG(uint64(seed), 30))
	l := passFail(.92)
	f, raised := fleetOf(fleetSize), make(map[int]int)
	ds, known := make([]*detect.Detector, fleetSize), make([]bool, fleetSize)
	for i := range ds {
		ds[i] = made(t, plain, r, 2000, l)
	}
	for step := range 2 * fleetChange {
		for i, d := range ds {
			bad := i < fleetBad && step >= fleetChange
			e := d.Update(l(r, 0, map[bool]float64{true: .05}[bad]))
			f.Set(i, e/budget)
			if bad && e >= budget && !known[i] {
				known[i] = true
				fr.alone = append(fr.alone, float64(step-fleetChange+1))
			}
		}
		if f.Candidates() > 0 {
			fr.take(ds, raised, step, f.Alarms(func(i int) bool { return !ds[i].Raised() || step-raised[i] <= fresh }))
		}
	}
}

// take raises what alarms rightly, and starts anew what does not.
func (fr *fleetRun) take(ds []*detect.Detector, raised map[int]int, step int, alarms []int) {
	for _, i := range alarms {
		switch {
		case ds[i].Raised():
		case i < fleetBad && step >= fleetChange:
			fr.right++
			fr.together = append(fr.together, float64(step-fleetChange+1))
			ds[i].Raise()
			raised[i] = step
		default:
			fr.wrong++
			ds[i].Reset()
		}
	}
}

// sticky is harm that hits the same 3 of 200 customers. One half of the budget is the whole's, one half
// the customers'; both are compared with one fleet of all.
func sticky(t *testing.T) []line {
	n := runs(t, 8)
	hit := func(customer int) float64 { return map[bool]float64{true: .5}[customer < 3] }
	all := func(int) float64 { return .05 }
	halves, one := budgets{2 * budget, 2 * budget, false}, budgets{budget, budget, true}
	var slice, whole, half, shared []float64
	for seed := range n {
		s := customers(t, seed, halves, hit)
		slice, whole = append(slice, s.slice), append(whole, s.whole)
		half = append(half, customers(t, seed, halves, all).whole)
		shared = append(shared, customers(t, seed, one, all).whole)
	}
	over := func(what string, v []float64, limit, by float64) line {
		m, e := medianOf(v)
		return line{goal: "-", what: what, value: m / by, err: e / by, limit: limit, told: limit == 0}
	}
	w, _ := medianOf(whole)
	s, _ := medianOf(shared)
	return []line{over("3 of 200 customers hit: delay of the slices over that of the whole", slice, .5, w),
		over("all customers hit: delay with half the budget over one fleet of all", half, 1, s),
		over("all customers hit: delay of the whole with half the budget", half, 0, 1)}
}

type budgets struct {
	whole, slices float64
	together      bool // the whole is one of the fleet
}

type found struct{ whole, slice float64 }

// customers runs 200 customers of equal traffic until both kinds of stream have alarmed.
func customers(t *testing.T, seed int, b budgets, drop func(int) float64) found {
	const n, most = 200, 150_000.0
	r := rand.New(rand.NewPCG(uint64(seed), 11))
	l := passFail(.92)
	whole := made(t, plain, r, 10_000, l)
	f := fleetOf(n)
	if b.together {
		f.Resize(n + 1)
	}
	ds := make([]*detect.Detector, n)
	for i := range ds {
		ds[i] = made(t, plain, r, 200, l)
	}
	out := found{most, most}
	for step := 1.0; step < most && (out.whole == most || !b.together && drop(n) == 0 && out.slice == most); step++ {
		i := r.IntN(n)
		x := l(r, 0, drop(i))
		e := whole.Update(x)
		f.Set(i, ds[i].Update(x)/b.slices)
		alarms := []int(nil)
		if b.together {
			f.Set(n, e/b.whole)
			alarms = f.Alarms(nil)
		} else if f.Candidates() > 0 {
			alarms = f.Alarms(nil)
		}
		if out.whole == most && (!b.together && e >= b.whole || b.together && slices.Contains(alarms, n)) {
			out.whole = step
		}
		if out.slice == most && slices.ContainsFunc(alarms, func(k int) bool { return k < n && drop(k) > 0 }) {
			out.slice = step
		}
	}
	return out
}

// newValue is a stratum without a baseline: bad from its beginning it raises nothing, and is watched when
// it has a reference of its own.
func newValue(t *testing.T) []line {
	n := runs(t, 100)
	raised, foundLater := 0, 0
	for seed := range n {
		r := rand.New(rand.NewPCG(uint64(seed), 12))
		d := made(t, strata, r, 1000, passFail(.92))
		for range 3000 {
			d.Update(detect.Observation{Y: coin(r, .92)})
			if d.Update(detect.Observation{Y: coin(r, .5), Stratum: "new"}) >= budget {
				raised++
				break
			}
		}
		d.Reset()
		for range 1000 {
			if d.Update(detect.Observation{Y: coin(r, .2), Stratum: "new"}) >= budget {
				foundLater++
				break
			}
		}
	}
	v, e := share(raised, n)
	w, ew := share(foundLater, n)
	return []line{{goal: "+", what: "a value of a stratum that is new and bad: share that alarmed", value: v, err: e, limit: .06},
		{goal: "+", what: "the same when it falls after it is known: share found", value: w, err: ew, limit: .98, least: true}}
}

// sizeGoals are of the cost of a stream. Times are told and never judged: they are those of the machine.
func sizeGoals() []goal {
	return []goal{{name: "G11", alone: true, measure: func(t *testing.T) []line {
		r := rand.New(rand.NewPCG(1, 13))
		d, s := made(t, plain, r, 2000, passFail(.92)), made(t, strata, r, 2000, hourly(.92, 2000))
		allocs := testing.AllocsPerRun(1000, func() {
			d.Update(detect.Observation{Y: 1})
			s.Update(detect.Observation{Y: 1, Stratum: strconv.Itoa(7)})
		})
		state, err := d.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		return []line{{goal: "G11", what: "allocations of an update", value: allocs, limit: 0},
			{goal: "G11", what: "bytes of a stream beside its strata", value: float64(unsafe.Sizeof(detect.Detector{})), limit: 400},
			{goal: "G11", what: "bytes on the heap of a stream without strata", value: heap(t), told: true},
			{goal: "G11", what: "bytes of its saved state", value: float64(len(state)), told: true},
			{goal: "G11", what: "nanoseconds of an update", value: nanoseconds(plain), told: true},
			{goal: "G11", what: "nanoseconds of an update with strata", value: nanoseconds(strata), told: true}}
	}}}
}

func heap(t *testing.T) float64 {
	const n = 2000
	ds := make([]*detect.Detector, n)
	r := rand.New(rand.NewPCG(1, 14))
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range ds {
		ds[i] = made(t, plain, r, 50, passFail(.92))
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(ds)
	return (float64(after.HeapAlloc) - float64(before.HeapAlloc)) / n
}

func nanoseconds(o detect.Options) float64 {
	return float64(testing.Benchmark(func(b *testing.B) { update(b, o, always(passFail(.92))) }).NsPerOp())
}

// update is a benchmark of fresh samples: the same few again and again would look dependent.
func update(b *testing.B, o detect.Options, l func() law) {
	r := rand.New(rand.NewPCG(1, 1))
	draw := l()
	d := made(b, o, r, 2000, draw)
	live := make([]detect.Observation, 1<<18)
	for i := range live {
		live[i] = draw(r, i, 0)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i&(len(live)-1) == 0 {
			b.StopTimer()
			r.Shuffle(len(live), func(i, j int) { live[i], live[j] = live[j], live[i] })
			b.StartTimer()
		}
		d.Update(live[i&(len(live)-1)])
	}
}

func ExampleDetector_Update() {
	base := make([]detect.Observation, 100)
	for i := range base {
		base[i].Y = 1
	}
	d, err := detect.New(detect.Options{Threshold: 1e5}, base)
	if err != nil {
		fmt.Println(err)
		return
	}
	for d.E() < 1e5 {
		d.Update(detect.Observation{Y: 0})
	}
	fmt.Println("alarm after", d.Live(), "bad samples; they began after", d.Start())
	// Output: alarm after 6 bad samples; they began after 0
}

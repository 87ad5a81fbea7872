package detect_test

import (
	"cmp"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/asgood-dev/asgood/evaluator/detect"
)

func TestNewRefuses(t *testing.T) {
	good := make([]detect.Observation, 50)
	for name, tt := range map[string]struct {
		o    detect.Options
		base []detect.Observation
	}{
		"short baseline": {detect.Options{Threshold: 1e5}, good[:49]},
		"no threshold":   {detect.Options{}, good},
		"not a number":   {detect.Options{Threshold: math.NaN()}, good},
		"y above 1":      {detect.Options{Threshold: 1e5}, append(slices.Clone(good), detect.Observation{Y: 1.1})},
		"y not a number": {detect.Options{Threshold: 1e5}, append(slices.Clone(good), detect.Observation{Y: math.NaN()})},
		"weight above 1": {detect.Options{Threshold: 1e5}, append(slices.Clone(good), detect.Observation{Weight: 2})},
	} {
		if _, err := detect.New(tt.o, tt.base); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

// Evidence must stay a number whatever comes, also at the edges: all good, all bad, then the opposite.
func TestExtremes(t *testing.T) {
	for _, first := range []float64{0, 0.5, 1} {
		for _, then := range []float64{0, 0.5, 1} {
			base := make([]detect.Observation, 60)
			for i := range base {
				base[i].Y = first
			}
			d, err := detect.New(detect.Options{Threshold: 1e6}, base)
			if err != nil {
				t.Fatal(err)
			}
			raised := false
			for range 100_000 {
				e := d.Update(detect.Observation{Y: then})
				if math.IsNaN(e) || e < 0 || math.IsInf(e, 0) {
					t.Fatalf("from %v to %v: evidence %v", first, then, e)
				}
				raised = raised || e >= 1e6
			}
			if raised != (then < first) {
				t.Errorf("from %v to %v: raised is %v", first, then, raised)
			}
			drop, lo, hi := d.Drop()
			if !(lo <= drop && drop <= hi) {
				t.Errorf("from %v to %v: drop %v outside %v to %v", first, then, drop, lo, hi)
			}
		}
	}
}

func TestUnusableObservationChangesNothing(t *testing.T) {
	d := made(t, detect.Options{Threshold: 1e5}, rand.New(rand.NewPCG(1, 1)), 100, passFail(.9))
	before := d.Update(detect.Observation{Y: 0})
	for _, y := range []float64{math.NaN(), -1, 2, math.Inf(1)} {
		if got := d.Update(detect.Observation{Y: y}); got != before {
			t.Errorf("y of %v: evidence %v became %v", y, before, got)
		}
	}
	if d.Live() != 5 {
		t.Errorf("got %d live samples, want all 5 counted", d.Live())
	}
}

func TestNewStratumIsWatchedWhenItIsKnown(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	d := made(t, detect.Options{Strata: true, Threshold: 1e5}, r, 500, passFail(.9))
	for range 200 {
		d.Update(detect.Observation{Y: coin(r, .4), Stratum: "new"})
	}
	if d.E() > 1e3 {
		t.Errorf("a new stratum that is bad from its beginning gave evidence %v against others", d.E())
	}
	for range 200 {
		d.Update(detect.Observation{Y: 0, Stratum: "new"})
	}
	if d.E() < 1e5 {
		t.Errorf("got evidence %v for a stratum that broke after it was known", d.E())
	}
}

func TestReferenceIsFrozenAtTheStart(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	d := made(t, detect.Options{Threshold: 1e5}, r, 1000, passFail(.9))
	for d.E() < 1e5 {
		d.Update(detect.Observation{Y: coin(r, .5)})
	}
	d.Raise()
	for range 2000 {
		d.Update(detect.Observation{Y: coin(r, .5)})
	}
	if drop, lo, hi := d.Drop(); drop < .35 || drop > .45 || lo > .4 || hi < .4 {
		t.Errorf("got a drop of %.3f (%.3f to %.3f), want 0.40", drop, lo, hi)
	}
	d.Reset()
	for i := 0; d.E() < 1e5; i++ {
		if i > 200 {
			t.Fatal("a stream that is still bad was not found again: the bad samples are in its reference")
		}
		d.Update(detect.Observation{Y: coin(r, .5)})
	}
}

func TestDetectable(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	last := math.Inf(1)
	for _, n := range []int{100, 1000, 10_000} {
		sure, possible := made(t, detect.Options{Threshold: 1e5}, r, n, passFail(.9)).Detectable()
		if !(possible < sure && sure < last) {
			t.Errorf("baseline of %d: sure %v, possible %v, with a shorter baseline %v", n, sure, possible, last)
		}
		last = sure
	}
	if last < .01 || last > .05 {
		t.Errorf("got %v for a baseline of 10,000, want a few points", last)
	}
	for _, p := range []float64{0, 1} {
		if sure, possible := made(t, detect.Options{Threshold: 1e5}, r, 100, passFail(p)).Detectable(); math.IsNaN(sure) || math.IsNaN(possible) {
			t.Errorf("pass rate %v: got %v and %v", p, sure, possible)
		}
	}
}

// fleetOf is a fleet of streams that are called by their numbers.
func fleetOf(streams int) *detect.Fleet[int] {
	f := detect.NewFleet(cmp.Compare[int])
	f.Resize(streams)
	return f
}

func TestFleetAlarms(t *testing.T) {
	for _, tt := range []struct {
		name string
		e, c []float64
		want []int
	}{
		{"none", nil, nil, nil},
		{"one alone needs its budget", []float64{99}, []float64{100}, nil},
		{"one alone has it", []float64{100}, []float64{100}, []int{0}},
		{"one of two needs twice", []float64{199, 1}, []float64{100, 100}, nil},
		{"one of two has it", []float64{1, 200}, []float64{100, 100}, []int{1}},
		{"two of two help each other", []float64{100, 101}, []float64{100, 100}, []int{1, 0}},
		{"own budgets", []float64{300, 3000}, []float64{100, 3000}, []int{0, 1}},
		{"strongest first", []float64{400, 900, 500, 0}, []float64{100, 100, 100, 100}, []int{1, 2, 0}},
		{"a weak one does not hold back a strong one", []float64{400, 100, 0, 0}, []float64{100, 100, 100, 100}, []int{0}},
	} {
		f := fleetOf(len(tt.e))
		for i := range tt.e {
			f.Set(i, tt.e[i]/tt.c[i])
		}
		if got := f.Alarms(nil); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
	f := fleetOf(2)
	f.Set(0, 1.5)
	f.Set(1, 1.1)
	if got := f.Alarms(func(i int) bool { return i != 1 }); len(got) > 0 || f.Candidates() != 2 {
		t.Errorf("one that does not count: got %v, want none: the other needs twice its budget", got)
	}
}

func FuzzUnmarshalBinary(f *testing.F) {
	for _, o := range []detect.Options{plain, strata} {
		d := made(f, o, rand.New(rand.NewPCG(9, 9)), 2000, hourly(.9, 500))
		for range 2 {
			data, err := d.MarshalBinary()
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
			f.Add(data[:len(data)/2])
			d.Raise()
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) { usable(t, data) })
}

// usable demands that a state is refused, or works and can be saved again.
func usable(t interface{ Fatalf(string, ...any) }, data []byte) {
	d := new(detect.Detector)
	if d.UnmarshalBinary(data) != nil {
		return
	}
	for range 3 {
		for _, y := range []float64{0, 1} {
			if e := d.Update(detect.Observation{Y: y, Stratum: "7"}); !(e >= 0) {
				t.Fatalf("evidence %v from a state that was taken", e)
			}
		}
		drop, lo, hi := d.Drop()
		from, to := d.StartInterval()
		if !(lo <= drop && drop <= hi) || from > to {
			t.Fatalf("drop %v (%v to %v), start %d to %d from a state that was taken", drop, lo, hi, from, to)
		}
		d.Detectable()
		d.Noticeable(1000, 0)
		d.Raise()
	}
	saved, err := d.MarshalBinary()
	if err != nil {
		t.Fatalf("saving: %v", err)
	}
	if err := new(detect.Detector).UnmarshalBinary(saved); err != nil {
		t.Fatalf("reading it back: %v", err)
	}
}

func BenchmarkUpdate(b *testing.B) {
	for name, o := range map[string]detect.Options{"plain": plain, "strata": strata} {
		b.Run(name, func(b *testing.B) { update(b, o, always(passFail(.92))) })
		b.Run(name+"/dependent", func(b *testing.B) { update(b, o, dependent(.92, .7)) })
	}
}

// BenchmarkState saves and restores one detector; a snapshot holds 100,000.
func BenchmarkState(b *testing.B) {
	d := made(b, plain, rand.New(rand.NewPCG(1, 1)), 2000, passFail(.92))
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if buf, err = d.AppendBinary(buf[:0]); err != nil {
			b.Fatal(err)
		}
		if err := new(detect.Detector).UnmarshalBinary(buf); err != nil {
			b.Fatal(err)
		}
	}
}

// States of version 1 were saved by the detector of that time, which also told the evidence that it would
// have after 40 more samples.
func TestStatesOfVersionOneGoOn(t *testing.T) {
	for _, tt := range []struct {
		file      string
		e         float64
		start     uint64
		drop      float64
		recovered bool
	}{
		{"first_strata_false_raised_false.bin", 3.753427157688448e+14, 500, 0.399001, false},
		{"first_strata_false_raised_true.bin", 1.213532627869305e+09, 500, 0.249001, false},
		{"first_strata_true_raised_false.bin", 5.992667152500665e+14, 500, 0.4, false},
		{"first_strata_true_raised_true.bin", 2.165391891686614e+09, 500, 0.25, false},
	} {
		data, err := os.ReadFile(filepath.Join("testdata", "state", tt.file))
		if err != nil {
			t.Fatal(err)
		}
		d := new(detect.Detector)
		if err := d.UnmarshalBinary(data); err != nil {
			t.Errorf("%s: %v", tt.file, err)
			continue
		}
		for i := range 40 {
			d.Update(detect.Observation{Y: float64(i % 2), Stratum: string(rune('a' + i/2%2))})
		}
		drop, _, _ := d.Drop()
		if math.Abs(d.E()/tt.e-1) > 1e-3 || d.Start() != tt.start || math.Abs(drop-tt.drop) > 1e-5 || d.Recovered() != tt.recovered {
			t.Errorf("%s: got evidence %v, start %d, drop %v, recovered %v, want %+v", tt.file, d.E(), d.Start(), drop, d.Recovered(), tt)
		}
	}
}

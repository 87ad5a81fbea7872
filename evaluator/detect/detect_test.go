package detect_test

import (
	"bytes"
	"math"
	"math/rand/v2"
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
		if got := detect.FleetAlarms(tt.e, tt.c); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

// A detector that is stored and read back at any moment goes on as if nothing had been.
func TestStateGoesOn(t *testing.T) {
	for _, strata := range []bool{false, true} {
		r := rand.New(rand.NewPCG(8, 8))
		d := made(t, detect.Options{Strata: strata, Threshold: 1e4}, r, 2000, hourly(.9, 500))
		again := d
		for i := range 20_000 {
			drop := 0.0
			if i/4000%2 == 1 {
				drop = .15
			}
			x := hourly(.9, 500)(r, i, drop)
			if a, b := d.Update(x), again.Update(x); again != d && (a != b || d.Start() != again.Start()) {
				t.Fatalf("sample %d: %v and %v after reading back", i, a, b)
			}
			step(d)
			if again != d {
				step(again)
			}
			if i%97 == 0 {
				again = reread(t, d)
			}
		}
	}
}

func step(d *detect.Detector) {
	switch {
	case d.Recovered():
		d.Reset()
	case d.E() >= 1e4:
		d.Raise()
	}
}

func reread(t testing.TB, d *detect.Detector) *detect.Detector {
	t.Helper()
	data, err := d.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	again := new(detect.Detector)
	if err := again.UnmarshalBinary(data); err != nil {
		t.Fatal(err)
	}
	if twice, err := again.MarshalBinary(); err != nil || !bytes.Equal(data, twice) {
		t.Fatalf("state differs after reading it back (%v)", err)
	}
	return again
}

func FuzzUnmarshalBinary(f *testing.F) {
	for _, o := range []detect.Options{{Threshold: 1e5}, {Threshold: 1e5, Strata: true}} {
		d := made(f, o, rand.New(rand.NewPCG(9, 9)), 200, hourly(.9, 50))
		data, err := d.MarshalBinary()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		f.Add(data[:len(data)/2])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d := new(detect.Detector)
		if d.UnmarshalBinary(data) != nil {
			return
		}
		d.Update(detect.Observation{Y: 1})
		d.Drop()
		d.Detectable()
		if _, err := d.MarshalBinary(); err != nil {
			t.Error(err)
		}
	})
}

func BenchmarkUpdate(b *testing.B) {
	for name, o := range map[string]detect.Options{"plain": {Threshold: 1e5}, "strata": {Threshold: 1e5, Strata: true}} {
		for _, phi := range []float64{0, .7} {
			b.Run(name+map[float64]string{0: "", .7: "/dependent"}[phi], func(b *testing.B) {
				r := rand.New(rand.NewPCG(1, 1))
				l := dependent(.92, phi)
				d := made(b, o, r, 2000, l)
				live := make([]detect.Observation, 4096)
				for i := range live {
					live[i] = l(r, i, 0)
				}
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					d.Update(live[i%len(live)])
				}
			})
		}
	}
}

func BenchmarkMarshal(b *testing.B) {
	d := made(b, detect.Options{Threshold: 1e5}, rand.New(rand.NewPCG(1, 1)), 2000, passFail(.92))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.MarshalBinary(); err != nil {
			b.Fatal(err)
		}
	}
}

package detect_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/asgood-dev/asgood/evaluator/detect"
)

// observations draws scores of a few kinds in a few strata, of a few weights.
func observations(t *rapid.T, name string, least int, weights ...float64) []detect.Observation {
	r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, name), 1))
	out := make([]detect.Observation, least+rapid.IntRange(0, 300).Draw(t, name+" length"))
	p := rapid.Float64Range(0, 1).Draw(t, name+" mean")
	for i := range out {
		out[i] = detect.Observation{Y: coin(r, p), Stratum: string(rune('a' + r.IntN(3))), Weight: weights[r.IntN(len(weights))]}
		if r.IntN(4) == 0 {
			out[i].Y = r.Float64()
		}
	}
	return out
}

func options(t *rapid.T) detect.Options {
	return detect.Options{Strata: rapid.Bool().Draw(t, "strata"), Threshold: rapid.SampledFrom([]float64{1e3, 1e5, 1e7}).Draw(t, "threshold")}
}

func newDetector(t *rapid.T, o detect.Options, base []detect.Observation) *detect.Detector {
	d, err := detect.New(o, base)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// same demands that two detectors say the same to the last bit.
func same(t *rapid.T, i int, a, b *detect.Detector) {
	al, ah := a.StartInterval()
	bl, bh := b.StartInterval()
	if a.E() != b.E() || a.Start() != b.Start() || al != bl || ah != bh || a.Recovered() != b.Recovered() || a.VIF() != b.VIF() {
		t.Fatalf("sample %d: evidence %v and %v, start %d (%d to %d) and %d (%d to %d)", i, a.E(), b.E(), a.Start(), al, ah, b.Start(), bl, bh)
	}
	x, xl, xh := a.Drop()
	y, yl, yh := b.Drop()
	if x != y || xl != yl || xh != yh {
		t.Fatalf("sample %d: drop %v (%v to %v) and %v (%v to %v)", i, x, xl, xh, y, yl, yh)
	}
	if math.IsNaN(a.E()) || math.IsNaN(x) || !(xl <= x && x <= xh) || al > ah {
		t.Fatalf("sample %d: evidence %v, drop %v (%v to %v), start %d to %d", i, a.E(), x, xl, xh, al, ah)
	}
}

// life takes an alarm when there is one, and resets when it is over.
func life(d *detect.Detector, threshold float64) {
	switch {
	case d.Recovered():
		d.Reset()
	case d.E() >= threshold:
		d.Raise()
	}
}

// A detector that is stored and read back after any sample goes on as if nothing had been.
func TestRestartAnywhere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := options(t)
		d := newDetector(t, o, observations(t, "baseline", 50, 1, .5, .1))
		live := observations(t, "live", 100, 1, .5, .1)
		again, every := d, rapid.IntRange(1, 50).Draw(t, "every")
		for i, x := range live {
			if d.Update(x); again != d {
				again.Update(x)
				life(again, o.Threshold)
			}
			life(d, o.Threshold)
			same(t, i, d, again)
			if i%every == 0 {
				data, err := d.MarshalBinary()
				if err != nil {
					t.Fatal(err)
				}
				if again = new(detect.Detector); again.UnmarshalBinary(data) != nil {
					t.Fatalf("sample %d: the state is refused", i)
				}
			}
		}
	})
}

// A detector knows no batches: whoever looks after one sample or after a thousand, and how often, gets the
// same in the end.
func TestBatchesDoNotExist(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := options(t)
		base, live := observations(t, "baseline", 50, 1, .5), observations(t, "live", 100, 1, .5)
		a, b := newDetector(t, o, base), newDetector(t, o, base)
		for from, to := 0, 0; from < len(live); from = to {
			to = min(len(live), from+rapid.IntRange(1, 1000).Draw(t, "batch"))
			for i, x := range live[from:to] {
				a.Update(x)
				b.Update(x)
				same(t, from+i, b, b) // looks at everything
				b.Detectable()
				b.Noticeable(1000, 0)
			}
			same(t, to, a, b)
		}
	})
}

// Weights of 1 are no weights, and names of strata are only names.
func TestWeightsOfOneAndNames(t *testing.T) {
	other := map[string]string{"a": "z", "b": "a", "c": ""}
	rapid.Check(t, func(t *rapid.T) {
		o := options(t)
		base, live := observations(t, "baseline", 50, 1), observations(t, "live", 100, 1)
		changed := func(in []detect.Observation) []detect.Observation {
			out := make([]detect.Observation, len(in))
			for i, x := range in {
				out[i] = detect.Observation{Y: x.Y, Stratum: other[x.Stratum]}
			}
			return out
		}
		a, b := newDetector(t, o, base), newDetector(t, o, changed(base))
		for i, y := range changed(live) {
			a.Update(live[i])
			b.Update(y)
			life(a, o.Threshold)
			life(b, o.Threshold)
			same(t, i, a, b)
		}
	})
}

// While the true mean is at or above the pinned half's bound, that half's evidence is at most t after t
// samples in the mean. The true mean is the bound itself, where that is hardest.
func TestPinnedHalfIsAnEDetector(t *testing.T) {
	const steps = 200
	for _, p := range []float64{.5, .92} {
		n := runs(t, 4000)
		sum, squares := 0.0, 0.0
		for seed := range n {
			r := rand.New(rand.NewPCG(uint64(seed), 16))
			d := made(t, plain, r, 2000, func(_ *rand.Rand, i int, _ float64) detect.Observation {
				return detect.Observation{Y: map[bool]float64{true: 1}[float64(i%100) < 100*p]}
			})
			mean := d.Pinned()
			for range steps {
				d.Update(detect.Observation{Y: coin(r, mean)})
			}
			m := d.PinnedEvidence()
			sum += m
			squares += m * m
		}
		m := sum / float64(n)
		if err := math.Sqrt((squares/float64(n) - m*m) / float64(n)); m > steps+slack*err {
			t.Errorf("pass rate %v: got a mean of %.1f after %d samples (error %.1f)", p, m, steps, err)
		}
	}
}

// A state that was damaged is refused, or is one that works.
func TestDecoderNeverBreaks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := newDetector(t, options(t), observations(t, "baseline", 50, 1, .5))
		data, err := d.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(1, 4).Draw(t, "changes") {
			data[rapid.IntRange(0, len(data)-1).Draw(t, "place")] = rapid.Byte().Draw(t, "byte")
		}
		usable(t, data)
	})
}

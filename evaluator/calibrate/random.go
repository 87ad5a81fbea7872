package calibrate

import (
	"math"
	"math/rand/v2"
)

// random draws the same numbers every time, so that the same labels give the same interval.
type random struct{ *rand.Rand }

func newRandom() random { return random{rand.New(rand.NewPCG(20260301, 4))} }

// gamma draws from the gamma distribution of a shape above 0 and scale 1 (Marsaglia and Tsang 2000; below 1
// by their boost).
func (r random) gamma(shape float64) float64 {
	if shape < 1 {
		return r.gamma(shape+1) * math.Pow(1-r.Float64(), 1/shape)
	}
	d := shape - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := r.NormFloat64()
		v := 1 + c*x
		if v <= 0 {
			continue
		}
		v = v * v * v
		if math.Log(1-r.Float64()) < x*x/2+d-d*v+d*math.Log(v) {
			return d * v
		}
	}
}

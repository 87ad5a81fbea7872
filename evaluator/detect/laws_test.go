package detect_test

import (
	"math"
	"math/rand/v2"
	"sort"
	"strconv"
	"testing"

	"github.com/asgood-dev/asgood/evaluator/detect"
)

// A law draws the observation of time t, at means lowered by drop.
type law func(r *rand.Rand, t int, drop float64) detect.Observation

// always makes a law that keeps nothing between samples usable by many streams.
func always(l law) func() law { return func() law { return l } }

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
		return detect.Observation{Y: coin(r, p+swing(hour)-drop), Stratum: strconv.Itoa(hour)}
	}
}

func swing(hour int) float64 { return 0.03 * math.Sin(2*math.Pi*float64(hour)/24) }

// latent is a Gaussian AR(1) of variance 1, as a uniform number.
func latent(phi float64) func(r *rand.Rand) float64 {
	z := 0.0
	return func(r *rand.Rand) float64 {
		z = phi*z + math.Sqrt(1-phi*phi)*r.NormFloat64()
		return math.Erfc(-z/math.Sqrt2) / 2
	}
}

// dependent draws pass and fail from a latent AR(1) of the given correlation.
func dependent(p, phi float64) func() law {
	return func() law {
		u := latent(phi)
		return func(r *rand.Rand, _ int, drop float64) detect.Observation {
			if u(r) < p-drop {
				return detect.Observation{Y: 1}
			}
			return detect.Observation{}
		}
	}
}

// judge draws marks between 0 and 1 of mean m: Beta(5m, 5-5m), from a latent AR(1).
func judge(m, phi float64) func() law {
	tables := map[float64][]float64{}
	for _, drop := range []float64{0, .02, .05, .10} {
		tables[drop] = betaQuantiles(5*(m-drop), 5*(1-m+drop))
	}
	return func() law {
		u := latent(phi)
		if phi == 0 {
			u = (*rand.Rand).Float64
		}
		return func(r *rand.Rand, _ int, drop float64) detect.Observation {
			return detect.Observation{Y: interpolate(tables[drop], u(r))}
		}
	}
}

func interpolate(q []float64, u float64) float64 {
	x := u * float64(len(q)-1)
	i := min(int(x), len(q)-2)
	return q[i] + (x-float64(i))*(q[i+1]-q[i])
}

// betaQuantiles is the quantile function of a beta distribution on a grid, from its density in small steps.
func betaQuantiles(a, b float64) []float64 {
	const steps, points = 1 << 16, 1 << 12
	cumulative := make([]float64, steps+1)
	for i := range steps {
		y := (float64(i) + .5) / steps
		cumulative[i+1] = cumulative[i] + math.Pow(y, a-1)*math.Pow(1-y, b-1)
	}
	q := make([]float64, points+1)
	for i := range q {
		q[i] = float64(sort.SearchFloat64s(cumulative, cumulative[steps]*float64(i)/points)) / steps
	}
	return q
}

// grades are the chances of one to five stars. ordinal tilts them until their mean is drop lower.
var grades = []float64{.02, .05, .13, .35, .45}

func tilted(drop float64) []float64 {
	lo, hi := -5.0, 5.0
	for {
		mid := (lo + hi) / 2
		p, total, mean := make([]float64, len(grades)), 0.0, 0.0
		for i, g := range grades {
			p[i] = g * math.Exp(mid*float64(i)/4)
			total += p[i]
		}
		for i := range p {
			p[i] /= total
			mean += p[i] * float64(i) / 4
		}
		switch {
		case hi-lo < 1e-12:
			return p
		case mean > .79-drop: // the mean of grades is .79
			hi = mid
		default:
			lo = mid
		}
	}
}

func ordinal() law {
	pmf := map[float64][]float64{}
	for _, drop := range []float64{0, .025, .05, .10} {
		pmf[drop] = tilted(drop)
	}
	return func(r *rand.Rand, _ int, drop float64) detect.Observation {
		u := r.Float64()
		for i, p := range pmf[drop] {
			if u -= p; u < 0 {
				return detect.Observation{Y: float64(i) / 4}
			}
		}
		return detect.Observation{Y: 1}
	}
}

// segments moves traffic onto the worst of three after `at` samples: the mean goes from .926 to .881.
func segments(at int) law {
	return func(r *rand.Rand, t int, drop float64) detect.Observation {
		good := .6
		if t >= at {
			good = .3
		}
		switch u := r.Float64(); {
		case u < good:
			return detect.Observation{Y: coin(r, .95-drop), Stratum: "a"}
		case u < good+.3:
			return detect.Observation{Y: coin(r, .92-drop), Stratum: "b"}
		default:
			return detect.Observation{Y: coin(r, .80-drop), Stratum: "c"}
		}
	}
}

// unequal keeps samples of two kinds at rates that change after `at`; the weights make up for it.
func unequal(at int) law {
	return func(r *rand.Rand, t int, drop float64) detect.Observation {
		share := .5
		if t >= at {
			share = .9 // of what is kept; the traffic is the same
		}
		if r.Float64() < share {
			return detect.Observation{Y: coin(r, .8-drop), Weight: .5 / share * .1}
		}
		return detect.Observation{Y: coin(r, .95-drop), Weight: min(1, .5/(1-share)*.1)}
	}
}

// everything is season, a mix that moves, rates that change, their weights, and dependence at one time:
// hours by two languages are the strata; in each some outputs are looked at more often than others.
func everything(at int) func() law {
	return func() law {
		u := latent(.3)
		return func(r *rand.Rand, t int, drop float64) detect.Observation {
			hour, german, often := t%2000*24/2000, .2, .5
			if t >= at {
				german, often = .5, .7
			}
			p, key := .93+swing(hour), "en"
			if r.Float64() < german {
				p, key = .85+swing(hour), "de"
			}
			// Half of the traffic is easy, the other half hard; a share of `often` of what is kept is hard.
			w := .5 / (1 - often) * .4
			if p += .03; r.Float64() < often {
				p, w = p-.06, .5/often*.4
			}
			o := detect.Observation{Stratum: key + strconv.Itoa(hour), Weight: min(1, w)}
			if u(r) < p-drop {
				o.Y = 1
			}
			return o
		}
	}
}

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

package sampling

// chance is a probability in units of 2^-56, the grain of OpenTelemetry's randomness. What is compared
// and what is written into a weight are the same whole number, so that the weight is exact.
type chance uint64

const (
	certain chance = 1 << 56
	least   chance = 1 << 20 // no rule's probability falls below 2^-36, and none to 0
)

// chanceOf rounds p down to the grain, and into the bounds.
func chanceOf(p float64) chance {
	switch {
	case p >= 1:
		return certain
	case !(p*float64(certain) > float64(least)): // also when p is not a number
		return least
	default:
		return chance(p * float64(certain))
	}
}

// takes reports whether a number drawn uniformly from 0 to 2^56 - 1 is a hit.
func (c chance) takes(draw uint64) bool { return draw < uint64(c) }

// probability is c as a number above 0, at most 1.
func (c chance) probability() float64 { return float64(c) * (1 / float64(certain)) }

// halved is c * 2^-times.
func (c chance) halved(times int) chance { return max(c>>min(times, 63), least) }

// weight is 1 / probability.
func (c chance) weight() float64 { return float64(certain) / float64(c) }

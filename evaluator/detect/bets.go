package detect

import "math"

const betCount = 8

// The drops that are bet on: a geometric grid. Up to a threshold of 1e5 it begins at one point; a larger
// budget waits longer, so that smaller drops come within reach and the grid begins lower.
const (
	largestDrop  = 0.30
	smallestDrop = 0.01
	leastDrop    = 0.001
	gridAt       = 1e5
)

// bets are the stakes, one for each drop.
type bets struct {
	stake   [betCount]float64
	largest float64
}

// newBets makes the stakes that grow evidence fastest at their drop: D/(s^2+D^2), bounded so that a
// single perfect score takes at most nine tenths.
func newBets(threshold, m0, s0 float64) bets {
	first := max(leastDrop, smallestDrop*math.Sqrt(min(1, gridAt/threshold)))
	ratio := math.Pow(largestDrop/first, 1.0/(betCount-1))
	var b bets
	for k, drop := 0, first; k < betCount; k, drop = k+1, drop*ratio {
		b.stake[k] = min(drop/(s0*s0+drop*drop), mostStaked/max(1-m0, 1e-6))
		b.largest = max(b.largest, b.stake[k])
	}
	return b
}

// mostStaked is the part of the evidence that one sample may take.
const mostStaked = 0.9

// factors returns what each stake makes of a surprise e = w(r-y), where r is the reference; room is the
// reference on the scale where the worst case is e = r-1. Dependence takes the edge off: a factor counts
// as its VIF-th root.
func (b *bets) factors(e, r, vif float64) [betCount]float64 {
	var f [betCount]float64
	if b.largest*(1-r) <= mostStaked {
		for k := range f {
			f[k] = 1 + b.stake[k]*e
		}
	} else {
		for k := range f {
			f[k] = 1 + min(b.stake[k], mostStaked/(1-r))*e
		}
	}
	if vif > 1 {
		for k := range f {
			f[k] = math.Exp(math.Log(f[k]) / vif)
		}
	}
	return f
}

// excursion tells for each stake since when its evidence has been growing: a CUSUM of its factors.
type excursion struct {
	value [betCount]float64
	start [betCount]uint64 // samples before the one at which it began
}

// begin restarts what has nothing gathered, at a sample with n before it.
func (x *excursion) begin(n uint64) {
	for k := range x.value {
		if x.value[k] <= 1 {
			x.value[k], x.start[k] = 1, n
		}
	}
}

func (x *excursion) grow(f *[betCount]float64) {
	for k := range f {
		x.value[k] = min(x.value[k]*f[k], ceiling)
	}
}

// leader is the stake with the most evidence.
func (x *excursion) leader() int {
	best := 0
	for k := range x.value {
		if x.value[k] > x.value[best] {
			best = k
		}
	}
	return best
}

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

// mostStaked is the part of the evidence that one sample may take.
const mostStaked = 0.9

// bets are the stakes, one for each drop. They need no more digits than a float32 has.
type bets struct {
	stake   [betCount]float32
	largest float32
}

// newBets makes the stakes that grow evidence fastest at their drop: D/(s^2+D^2) for weights of 1. A
// sample of weight w moves evidence by w; scale is the mean weight over the mean square of weights, by
// which stakes then have to be larger. A single worst sample of weight 1 takes at most mostStaked.
func newBets(threshold, m0, s0, scale float64) bets {
	first := max(leastDrop, smallestDrop*math.Sqrt(min(1, gridAt/threshold)))
	ratio := math.Pow(largestDrop/first, 1.0/(betCount-1))
	var b bets
	for k, drop := 0, first; k < betCount; k, drop = k+1, drop*ratio {
		b.stake[k] = float32(min(scale*drop/(s0*s0+drop*drop), mostStaked/max(1-m0, 1e-6)))
		b.largest = max(b.largest, b.stake[k])
	}
	return b
}

// factors returns what each stake makes of a surprise e = w(r-y), where r is the reference; r is also
// the scale of the worst case, e = r-1. Dependence takes the edge off: a factor counts as its VIF-th root.
func (b *bets) factors(f *[betCount]float64, e, r, vif float64) {
	if float64(b.largest)*(1-r) <= mostStaked {
		for k := range f {
			f[k] = 1 + float64(b.stake[k])*e
		}
	} else {
		most := mostStaked / (1 - r)
		for k := range f {
			f[k] = 1 + min(float64(b.stake[k]), most)*e
		}
	}
	if vif > 1 {
		for k := range f {
			f[k] = math.Exp(math.Log(f[k]) / vif)
		}
	}
}

// ceiling keeps evidence finite; it is far above every threshold.
const ceiling = 1e300

// evidence is one e-detector for each stake.
type evidence [betCount]float64

// add opens one more bet and lets all take the factors.
func (v *evidence) add(f *[betCount]float64) {
	for k := range v {
		x := (v[k] + 1) * f[k]
		if x > ceiling { // min() would cost more than the rest, for NaN
			x = ceiling
		}
		v[k] = x
	}
}

// mean adds up in pairs, which do not wait for each other.
func (v *evidence) mean() float64 {
	return (((v[0] + v[1]) + (v[2] + v[3])) + ((v[4] + v[5]) + (v[6] + v[7]))) / betCount
}

// mostExcess keeps the value of an excursion a float32.
const mostExcess = 1e37

// excursion tells for each stake since when its evidence has been growing: a CUSUM of its factors.
type excursion struct {
	value [betCount]float32
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
		v := x.value[k] * float32(f[k])
		if v > mostExcess {
			v = mostExcess
		}
		x.value[k] = v
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

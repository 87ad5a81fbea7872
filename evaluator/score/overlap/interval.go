package overlap

import (
	"math"

	"github.com/asgood-dev/asgood/evaluator/quantile"
)

// alpha is the chance that an interval misses the step.
const alpha = 0.05

// bounded is an interval that holds at every number of pairs, also where all of them agree: by betting
// (Waudby-Smith and Ramdas, 2024: Estimating means of bounded random variables by betting, section 4), one
// side at a time at alpha/2. A side gives up a mean m when a bet that the mean is not m would have multiplied
// its stake by 2/alpha. With weights the bets are on w*(d-m), whose mean is 0 where m is the mean of all
// outputs; the largest weight is taken as their bound.
//
// It is widened to hold the estimate itself, which the bets may leave beside it when pairs are few.
func bounded(pairs []Pair, width, step float64) [2]float64 {
	up := limit(pairs, width, 1)
	down := limit(pairs, width, -1)
	return [2]float64{min(-down, step), max(up, step)}
}

// limit is the upper limit of the mean of sign*d, where d is within width of 0.
func limit(pairs []Pair, width, sign float64) float64 {
	stakes := stakes(pairs, width)
	heaviest := 0.0
	for _, p := range pairs {
		heaviest = max(heaviest, p.weight())
	}
	refused := func(m float64) bool {
		grown := 0.0
		for i, p := range pairs {
			grown += math.Log1p(-stakes[i] * p.weight() / heaviest * (sign*(p.New-p.Old) - m))
		}
		return grown >= math.Log(2/alpha)
	}
	low, high := -width, width
	if !refused(high) {
		return high
	}
	for range 60 { // what the bets say of m only grows with it
		if m := (low + high) / 2; refused(m) {
			high = m
		} else {
			low = m
		}
	}
	return high
}

// stakes are chosen before each pair, from those before it: sqrt(2 ln(2/alpha) / (n * variance)), bounded so
// that no pair can take all.
func stakes(pairs []Pair, width float64) []float64 {
	out := make([]float64, len(pairs))
	sum, all, variance := 0.0, 0.0, width*width/4
	squares, seen := variance, 1.0
	most := 0.75 / (2 * width)
	for i, p := range pairs {
		out[i] = min(most, math.Sqrt(2*math.Log(2/alpha)/(float64(len(pairs))*variance)))
		d, w := p.New-p.Old, p.weight()
		sum, all = sum+w*d, all+w
		seen++
		squares += (d - sum/all) * (d - sum/all)
		variance = max(squares/seen, 1e-12*width*width)
	}
	return out
}

// unbounded is Student's interval of the mean of paired differences; with weights by the variance of a ratio.
func unbounded(pairs []Pair, step float64) [2]float64 {
	n, all, squares := float64(len(pairs)), 0.0, 0.0
	for _, p := range pairs {
		e := p.weight() * (p.New - p.Old - step)
		all, squares = all+p.weight(), squares+e*e
	}
	half := quantile.Student95(float64(len(pairs)-1)) * math.Sqrt(squares*n/(n-1)) / all
	return [2]float64{step - half, step + half}
}

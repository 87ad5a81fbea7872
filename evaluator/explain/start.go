package explain

import (
	"math"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// startMass is the part of the likelihood that the interval of the start holds.
const startMass = 0.95

// StartInterval returns the interval of the start of a regression from the scores in short steps around it:
// of all borders between steps, those that hold 95 % of the profile likelihood of one change of the mean of
// normal scores. It holds the given estimate. Without enough scores it is the estimate alone.
func StartInterval(steps []quality.ScoreStep, estimate time.Time) quality.Period {
	out := quality.Period{From: estimate, To: estimate}
	ll := profile(steps)
	if ll == nil {
		return out
	}
	best := math.Inf(-1)
	for _, l := range ll {
		best = max(best, l)
	}
	if math.IsInf(best, -1) {
		return out
	}
	sum := 0.0
	for i := range ll {
		ll[i] = math.Exp(ll[i] - best)
		sum += ll[i]
	}
	lo, hi := tails(ll, sum*(1-startMass)/2)
	if t := steps[lo].From; t.Before(out.From) {
		out.From = t
	}
	if t := steps[hi].To; t.After(out.To) {
		out.To = t
	}
	return out
}

// tails returns the steps between which all lies but the tail on each side.
func tails(p []float64, tail float64) (lo, hi int) {
	for left := 0.0; lo < len(p)-1; lo++ {
		if left += p[lo]; left > tail {
			break
		}
	}
	hi = len(p) - 1
	for right := 0.0; hi > lo; hi-- {
		if right += p[hi]; right > tail {
			break
		}
	}
	return lo, hi
}

// profile returns the log-likelihood that the mean changed at the border before each step, the first of
// which says nothing.
func profile(steps []quality.ScoreStep) []float64 {
	var all quality.Sums
	for _, s := range steps {
		all = all.Plus(s.Sums)
	}
	if len(steps) < 3 || all.N < 2*minTested || all.Variance() == 0 {
		return nil
	}
	out := make([]float64, len(steps))
	n := all.Effective()
	var left quality.Sums
	for i := range steps {
		right := all.Minus(left)
		if left.N < 2 || right.N < 2 {
			out[i] = math.Inf(-1)
		} else {
			out[i] = -n / 2 * math.Log(max(scatter(left)+scatter(right), 1e-12)/all.W)
		}
		left = left.Plus(steps[i].Sums)
	}
	return out
}

// scatter is the weighted sum of squares around the mean.
func scatter(s quality.Sums) float64 { return max(0, s.WVV-s.WV*s.Mean()) }

package ask

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// keptDays is how many days an account tells of.
const keptDays = 35

// Account is what is remembered of a scorer over a restart.
type Account struct {
	Feature  string    `json:"feature"`
	Scorer   string    `json:"scorer"`
	Period   time.Time `json:"period,omitzero"` // start of the budget's period
	Granted  int       `json:"granted"`         // calls of the period that were made, or may have been when the process was killed
	Rate     float64   `json:"rate"`            // at which the batch under way, or the last one, was sampled
	Arrivals Arrivals  `json:"arrivals"`
	Days     []Day     `json:"days"` // oldest first
}

// Day sums what became of the samples of one day of the reporting time zone.
type Day struct {
	Day    string         `json:"day"`         // as 2026-03-01
	Seen   int            `json:"seen"`        // samples of the feature
	Asked  int            `json:"asked"`       // of those, chosen and asked about
	Scored int            `json:"scored"`      // scores
	Failed int            `json:"failed"`      // scores that carry an error
	Passed map[string]int `json:"passed_over"` // samples that were chosen and not asked about, by reason
	quality.Spend

	Anchors quality.Spend `json:"anchors"` // of a judge, beside the rest: they have a budget of their own
}

// The reasons for which a chosen sample is passed over.
const (
	PassedBudget = "budget" // the budget of the period is used up
	PassedLate   = "late"   // it waited longer than the scorer's patience
	PassedAway   = "away"   // the endpoint was away until its patience was over
)

// today returns the sums of a day, made when there are none.
func (a *Account) today(now time.Time, loc *time.Location) *Day {
	day := now.In(loc).Format(time.DateOnly)
	if n := len(a.Days); n > 0 && a.Days[n-1].Day == day {
		return &a.Days[n-1]
	}
	a.Days = append(a.Days, Day{Day: day, Passed: map[string]int{}})
	if n := len(a.Days); n > keptDays {
		a.Days = append([]Day(nil), a.Days[n-keptDays:]...)
	}
	return &a.Days[len(a.Days)-1]
}

// arrivalTime is the time over which arrivals are averaged. What is spent in a unit of time does not
// depend on how many arrive in it, so the average need only keep up with the changes of traffic.
const arrivalTime = 10 * time.Minute

// Arrivals estimates how many samples come in a time, by an exponential average.
type Arrivals struct {
	Sum   float64   `json:"sum"` // of the samples, each faded by its age
	Since time.Time `json:"since,omitzero"`
	Last  time.Time `json:"last,omitzero"`
}

// add notes n samples that arrived up to a time.
func (r *Arrivals) add(n int, at time.Time) {
	if r.Since.IsZero() {
		r.Since, r.Last = at, at
	}
	if gone := at.Sub(r.Last); gone > 0 {
		r.Sum *= math.Exp(-gone.Seconds() / arrivalTime.Seconds())
		r.Last = at
	}
	r.Sum += float64(n)
}

// within is how many samples are expected in a time, as seen at now; at least what came of late in the
// first minutes, when nothing can be said of longer.
func (r *Arrivals) within(d time.Duration, now time.Time) float64 {
	if r.Since.IsZero() {
		return 0
	}
	gone := max(0, now.Sub(r.Last)).Seconds() / arrivalTime.Seconds()
	age := max(now.Sub(r.Since), time.Minute).Seconds() / arrivalTime.Seconds()
	perSecond := r.Sum * math.Exp(-gone) / (arrivalTime.Seconds() * -math.Expm1(-age))
	return perSecond * d.Seconds()
}

// period returns the period of a quota that a time is in. Days are those of the reporting time zone.
func period(q quality.Quota, now time.Time, loc *time.Location) (from, to time.Time) {
	if q.Per == 24*time.Hour {
		y, m, d := now.In(loc).Date()
		return quality.StartOfDay(y, m, d, loc), quality.StartOfDay(y, m, d+1, loc)
	}
	from = now.Truncate(q.Per)
	return from, from.Add(q.Per)
}

// horizon is the time that what is left of a quota has to last: to the end of the period and somewhat beyond, so
// that chance does not use up the last calls before the end. The rest that stays is some ten calls of many.
func horizon(q quality.Quota, calls int, now, end time.Time) time.Duration {
	beyond := min(0.25, 0.01+9*float64(calls)/float64(max(q.N, 1)))
	return max(0, end.Sub(now)) + time.Duration(beyond*float64(q.Per))
}

// Bounds of what a plan may use of what is left.
const (
	reserveShare = 0.05 // kept for tries, and for more traffic than expected
	overdraw     = 1e-4 // bound on the chance that a batch needs more than is left
	sameRate     = 0.05 // relative difference below which a rate stays as it is
	leastRate    = 1e-9
)

// planned is the probability with which each of n samples of a batch is asked about, so that what is left of
// the budget lasts to the end of the period. It depends on how many samples there are and never on which.
func planned(most float64, left, calls int, expected float64, n int) float64 {
	if n == 0 || left < calls {
		return most // nothing is chosen, or what is chosen is passed over and said
	}
	room := float64(left) * (1 - reserveShare) / float64(calls)
	rate := min(most, room/max(expected+float64(n), 1))
	rate = min(rate, safeMean(left/calls)/float64(n))
	return max(rate, leastRate)
}

// safeMean is how many of a batch may be expected to be chosen, so that more than k are with a chance of at most
// overdraw: for a sum of independent choices with mean m, P(X > k) <= m^(k+1) / (k+1)!.
func safeMean(k int) float64 {
	factorial, _ := math.Lgamma(float64(k + 2))
	return math.Exp((factorial + math.Log(overdraw)) / float64(k+1))
}

// keepRate returns the rate of before where the new one is nearly the same.
func keepRate(before, rate float64) float64 {
	if before > 0 && math.Abs(rate-before) <= sameRate*before && rate < 1 {
		return before
	}
	return rate
}

// draw is a number from 0 to 1, without 1, that a sample has for ever. It is the same for all scorers of a
// feature, so that they look at the same samples, and has nothing to do with what the collector draws.
func draw(feature, id string) float64 {
	sum := sha256.Sum256([]byte("asgood/ask\x00" + feature + "\x00" + id))
	return float64(binary.BigEndian.Uint64(sum[:])>>11) / (1 << 53)
}

package quality

import (
	"math"
	"time"
)

// BehaviourKind says what a behaviour rate counts.
type BehaviourKind string

// The kinds of behaviour rates.
const (
	BehaviourExpected BehaviourKind = "expected" // answers that meet the prompt's expectation
	BehaviourSame     BehaviourKind = "same"     // answers equal to the most common one of the same prompt and run
)

// BehaviourRate is how often the same question behaved in one way, in one run of a canary. Calls that
// failed are not in N: they say nothing of the answer.
type BehaviourRate struct {
	Feature  string        `json:"feature"`
	Canary   string        `json:"canary"`
	PromptID string        `json:"prompt_id,omitempty"` // empty: all prompts of the canary together
	Kind     BehaviourKind `json:"kind"`
	N        int           `json:"n"`      // answers
	Count    int           `json:"count"`  // of them, those that behaved so
	Rate     *float64      `json:"rate"`   // Count / N; nil when N is 0
	Lo       float64       `json:"lo"`     // 95 % interval; 0 and 1 when N is 0
	Hi       float64       `json:"hi"`     // see Lo
	Failed   int           `json:"failed"` // calls without an answer
	At       time.Time     `json:"at"`     // when the run began
}

// NewBehaviourRate returns the rate of count in n with its interval; the rest is left to the caller.
func NewBehaviourRate(count, n int) BehaviourRate {
	r := BehaviourRate{N: n, Count: count}
	r.Lo, r.Hi = Wilson(count, n)
	if n > 0 {
		rate := float64(count) / float64(n)
		r.Rate = &rate
	}
	return r
}

// Left reports whether the rate lies outside the interval of an earlier one of the same kind.
func (r *BehaviourRate) Left(before *BehaviourRate) bool {
	return r.Rate != nil && before.Rate != nil && r.Kind == before.Kind && (*r.Rate < before.Lo || *r.Rate > before.Hi)
}

// MaxBehaviours is how many runs a history holds.
const MaxBehaviours = 50

// BehaviourHistory is the latest rate of a prompt, or of all prompts of a canary, and those before it.
type BehaviourHistory struct {
	Latest BehaviourRate   `json:"latest"`
	Before []BehaviourRate `json:"before,omitempty"` // the newest first, at most MaxBehaviours with Latest
}

// Add returns the history with a newer rate. One of the same run takes the place of the latest.
func (h BehaviourHistory) Add(r BehaviourRate) BehaviourHistory {
	var before []BehaviourRate
	if !h.Latest.At.IsZero() && !h.Latest.At.Equal(r.At) {
		before = append(before, h.Latest)
	}
	before = append(before, h.Before...)
	return BehaviourHistory{Latest: r, Before: before[:min(len(before), MaxBehaviours-1)]}
}

// z95 is the 97.5 % quantile of the normal distribution.
const z95 = 1.959963984540054

// Wilson returns Wilson's 95 % interval of a share, which unlike the plain one holds for few trials and for
// shares near 0 and 1. Without trials it is 0 to 1.
func Wilson(count, n int) (lo, hi float64) {
	if n <= 0 {
		return 0, 1
	}
	p, m, z2 := float64(count)/float64(n), float64(n), z95*z95
	mid := (p + z2/(2*m)) / (1 + z2/m)
	half := z95 / (1 + z2/m) * math.Sqrt(p*(1-p)/m+z2/(4*m*m))
	lo, hi = max(0, mid-half), min(1, mid+half)
	if count <= 0 { // exact where rounding would leave a trace
		lo = 0
	}
	if count >= n {
		hi = 1
	}
	return lo, hi
}

// CanaryRun is what is known of the latest run of a canary. It is stored before the first call, so that a
// restart knows of it.
type CanaryRun struct {
	Feature    string    `json:"feature"`
	Canary     string    `json:"canary"`
	Slot       time.Time `json:"slot,omitzero"` // of the schedule; the latest that was run or passed over
	ID         string    `json:"id,omitempty"`  // part of the ids of its samples
	StartedAt  time.Time `json:"started_at,omitzero"`
	FinishedAt time.Time `json:"finished_at,omitzero"` // zero while it runs, and of one that was cut short
	Calls      int       `json:"calls"`                // prompts asked, each repetition apart
	Failed     int       `json:"failed"`               // of them, those without an answer
	Unasked    int       `json:"unasked,omitempty"`    // calls for which its time was too short
	Lost       int       `json:"lost,omitempty"`       // samples that could not be handed on
	Period     time.Time `json:"period,omitzero"`      // of the budget
	Spent      int       `json:"spent,omitempty"`      // calls of the period
}

package evaluator

import (
	"fmt"
	"math/bits"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Bounds of blindness. A share of failed scores hides what it should show; silence is measured against
// the stream's own pace and the silences it had before, so that nights and weekends are learned.
const (
	blindWindow   = 64 // latest scores looked at; the bits of health.Outcomes
	blindTries    = 10 // fewer say nothing
	blindSilence  = 10 * time.Minute
	blindMultiple = 20   // of the mean distance: e^-20 for scores that come at random
	blindSamples  = 100  // fewer samples without a score say nothing
	blindNever    = 1000 // samples without any score at all; a score of one output in 200 would have come
	blindTraffic  = 1e4  // outputs without any score at all, kept as samples or not
)

// health counts how a monitor's scores come in.
type health struct {
	Tries    uint64
	Failed   uint64
	Outcomes uint64 // the latest tries, the newest in bit 0, 1 for a failure
	Error    string // of the latest failure
	Scored   uint64
	FirstAt  int64 // sample times of the scores, unix nanoseconds
	LastAt   int64
	Silences [2]int64 // the two longest silences so far, the longer first

	Samples uint64    // of the feature, since the monitor was made
	Traffic uint64    // outputs of the feature, kept as samples or not
	Heard   uint64    // of them when the last score or failure came
	Gaps    [2]uint64 // the two most samples in a row without either, the more first
	Apart   uint64    // scores and failures that came apart from their samples
	Refused uint64    // scores of other versions since the last that entered
	Late    uint64    // scores in a row that are older than the end of the baseline
	Habit   habit
}

// sample notes that a sample of the feature came, whether or not it is scored.
func (h *health) sample() { h.Samples++ }

// heard notes that the scorer said something. A gap is made of the samples before the one it speaks of.
func (h *health) heard(apart bool) {
	if apart {
		h.Apart++
	}
	if gap := h.Samples - h.Heard; gap > 1 {
		if gap > h.Gaps[0] {
			h.Gaps[0], h.Gaps[1] = gap, h.Gaps[0]
		} else {
			h.Gaps[1] = max(h.Gaps[1], gap)
		}
	}
	h.Heard = h.Samples
	h.Tries++
	h.Refused = 0
}

func (h *health) fail(reason string, apart bool) {
	h.heard(apart)
	h.Failed++
	h.Outcomes = h.Outcomes<<1 | 1
	h.Error = reason
}

func (h *health) score(at time.Time, v float64, apart bool) {
	h.heard(apart)
	h.Outcomes <<= 1
	h.Habit.add(v)
	t := at.UnixNano()
	h.Scored++
	if h.Scored == 1 {
		h.FirstAt, h.LastAt = t, t
		return
	}
	if gap := t - h.LastAt; gap > 0 {
		if gap > h.Silences[0] {
			h.Silences[0], h.Silences[1] = gap, h.Silences[0]
		} else {
			h.Silences[1] = max(h.Silences[1], gap)
		}
		h.LastAt = t
	}
}

// refuse notes a score of another version.
func (h *health) refuse() { h.Refused++ }

// late notes whether a score was too old for the detector.
func (h *health) late(is bool) {
	if h.Late++; !is {
		h.Late = 0
	}
}

// forget drops what belongs to one version of the scorer.
func (h *health) forget() { h.Habit, h.Outcomes, h.Refused, h.Late = habit{}, 0, 0, 0 }

// patience is how long a silence may last before it means something. A silence that came twice, such
// as a night, is how things are; one that came once may have been an outage.
func (h *health) patience() time.Duration {
	p := max(blindSilence, 3*time.Duration(h.Silences[1])/2)
	if h.Scored > 1 {
		p = max(p, blindMultiple*time.Duration((h.LastAt-h.FirstAt)/int64(h.Scored-1)))
	}
	return p
}

// patienceSamples is the same in samples of the feature. Scores that come apart from their samples may come
// in heaps, so the longest wait so far is how things are.
func (h *health) patienceSamples() uint64 {
	if 2*h.Apart > h.Tries {
		return max(blindNever, 2*h.Gaps[0], blindMultiple*(h.Samples/max(1, h.Tries)))
	}
	return max(blindSamples, 3*h.Gaps[1]/2, blindMultiple*(h.Samples/max(1, h.Tries)))
}

// failing returns how many of how many latest scores failed.
func (h *health) failing() (failed, of uint64) {
	of = min(h.Tries, blindWindow)
	if of == 0 {
		return 0, 0
	}
	return uint64(bits.OnesCount64(h.Outcomes & (^uint64(0) >> (blindWindow - of)))), of
}

// cause is what the data alone say of the monitor's sight. now is what they said before: failures must become
// rarer to end a blindness than to begin it, so that it does not flicker.
func (h *health) cause(now quality.BlindCause) quality.BlindCause {
	failed, of := h.failing()
	share := uint64(2)
	if now == quality.BlindFailing {
		share = 4
	}
	switch {
	case of >= blindTries && share*failed >= of:
		return quality.BlindFailing
	case h.Refused >= blindTries:
		return quality.BlindOtherVersion
	case h.Habit.constant():
		return quality.BlindConstant
	case h.Tries == 0 && (h.Samples >= blindNever || h.Traffic >= blindTraffic):
		return quality.BlindNoData
	case h.Tries >= MinBaseline && h.Samples-h.Heard > h.patienceSamples():
		return quality.BlindSilent
	default:
		return quality.BlindNone
	}
}

// silent is what the time alone says.
func (h *health) silent(now time.Time) quality.BlindCause {
	switch {
	case h.Scored == 0 || now.Sub(time.Unix(0, h.LastAt)) <= h.patience():
		return quality.BlindNone
	case h.Late >= blindTries:
		return quality.BlindLate
	default:
		return quality.BlindStopped
	}
}

// why says in words what a cause means here.
func (m *monitor) why(cause quality.BlindCause, now time.Time) string {
	h := &m.health
	last := time.Unix(0, h.LastAt).UTC()
	switch cause {
	case quality.BlindFailing:
		failed, of := h.failing()
		return fmt.Sprintf("%d of the last %d scores failed: %s", failed, of, h.Error)
	case quality.BlindOtherVersion:
		return m.lineage.reason(h.Refused)
	case quality.BlindConstant:
		return fmt.Sprintf("the last %d scores are all %v, which they were not before", h.Habit.Run, h.Habit.Value)
	case quality.BlindNoData:
		return fmt.Sprintf("%d samples of %d outputs came, and none has a score", h.Samples, max(h.Traffic, h.Samples))
	case quality.BlindSilent:
		return fmt.Sprintf("%d samples came since the last score, and none of them has one", h.Samples-h.Heard)
	case quality.BlindLate:
		return fmt.Sprintf("the last %d scores are older than the end of the baseline; no newer one for %s", h.Late, now.Sub(last).Round(time.Second))
	case quality.BlindStopped:
		return fmt.Sprintf("no score for %s, since %s", now.Sub(last).Round(time.Second), last.Format(time.RFC3339))
	default:
		return ""
	}
}

func (h *health) fields(c *codec) {
	for _, n := range []*uint64{&h.Tries, &h.Failed, &h.Outcomes, &h.Scored, &h.Samples, &h.Traffic, &h.Heard, &h.Gaps[0], &h.Gaps[1], &h.Refused, &h.Late, &h.Apart} {
		c.uint(n)
	}
	for _, n := range []*int64{&h.FirstAt, &h.LastAt, &h.Silences[0], &h.Silences[1]} {
		c.int(n)
	}
	c.text(&h.Error)
	h.Habit.fields(c)
}

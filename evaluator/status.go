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
	blindMultiple = 20 // of the mean distance: e^-20 for scores that come at random
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
}

func (h *health) fail(_ time.Time, reason string) {
	h.Tries++
	h.Failed++
	h.Outcomes = h.Outcomes<<1 | 1
	h.Error = reason
}

func (h *health) score(at time.Time) {
	h.Tries++
	h.Outcomes <<= 1
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

// patience is how long a silence may last before it means something. A silence that came twice, such
// as a night, is how things are; one that came once may have been an outage.
func (h *health) patience() time.Duration {
	p := max(blindSilence, 3*time.Duration(h.Silences[1])/2)
	if h.Scored > 1 {
		p = max(p, blindMultiple*time.Duration((h.LastAt-h.FirstAt)/int64(h.Scored-1)))
	}
	return p
}

// blind returns why nothing can be told now, or nothing.
func (h *health) blind(now time.Time) string {
	n := min(h.Tries, blindWindow)
	failed := bits.OnesCount64(h.Outcomes & (^uint64(0) >> (blindWindow - n)))
	if n >= blindTries && uint64(2*failed) >= n {
		return fmt.Sprintf("%d of the last %d scores failed: %s", failed, n, h.Error)
	}
	if h.Scored == 0 {
		return ""
	}
	if silent := now.Sub(time.Unix(0, h.LastAt)); silent > h.patience() {
		return fmt.Sprintf("no score for %s, since %s", silent.Round(time.Second), time.Unix(0, h.LastAt).UTC().Format(time.RFC3339))
	}
	return ""
}

// recentScores is how many of the latest scores the present figures of a watching monitor are of: as
// many as the baseline has, within bounds.
func (s *stream) recentScores() uint64 {
	return min(s.track.Total.Index, max(200, min(5000, s.Base.N)))
}

func ptr[T any](v T) *T { return &v }

// status tells what the monitor sees at a time.
func (m *monitor) status(now time.Time) quality.MonitorStatus {
	c, s := m.config, m.whole
	st := quality.MonitorStatus{
		Feature: c.feature, Metric: c.spec.Metric, Worse: direction(c.scale), Range: c.scale.bounds(),
		Unbounded: c.scale.unbounded, Tile: c.spec.Tile == nil || *c.spec.Tile, ScoresFailed: m.health.Failed,
		Baseline: estimate(s.Base), Current: quality.Estimate{},
	}
	if m.health.Scored > 0 {
		st.LastScoreAt = time.Unix(0, m.health.LastAt).UTC()
	}
	m.present(&st)
	if why := m.health.blind(now); why != "" {
		st.Reason = why
		if st.State != quality.MonitorRegressed {
			st.State = quality.MonitorBlind
			st.Since = nil
			if m.health.Scored > 0 {
				st.Since = ptr(st.LastScoreAt)
			}
		}
	}
	return st
}

// present fills in what does not depend on the time of asking.
func (m *monitor) present(st *quality.MonitorStatus) {
	s := m.whole
	if m.open != nil {
		r := m.regression()
		st.State, st.Regression, st.Since = quality.MonitorRegressed, r.ID, r.StartedAt
		st.Baseline, st.Current, st.Change, st.Interval = r.Baseline, r.Current, r.Change, r.Interval
		st.Detectable = m.detectable()
		return
	}
	if !s.ready() {
		st.State, st.Reason = quality.MonitorLearning, m.ref.why(s)
		if s.Scores > 0 {
			st.Since = ptr(time.Unix(0, s.FirstAt).UTC())
		}
		return
	}
	from := s.start(s.track.Total.Index - s.recentScores())
	st.State, st.Since = quality.MonitorWatching, ptr(time.Unix(0, s.ReadyAt).UTC())
	if n := len(m.past); n > 0 && m.past[n-1].RecoveredAt != nil {
		st.Since = m.past[n-1].RecoveredAt
	}
	if s.Improved {
		from = s.start(s.improve.start() + s.Skipped)
		st.State, st.Since = quality.MonitorImproved, ptr(from.time())
	}
	if s.track.Total.Index > 0 {
		f := s.figuresBetween(m.config, from, s.track.Total)
		st.Current, st.Change, st.Interval = f.current, f.change, f.interval
		if s.Improved && m.config.strata() && !m.config.scale.unbounded {
			change, interval := m.config.scale.opposite().change(s.improve.drop())
			st.Change, st.Interval = &change, &interval
		}
	}
	st.Detectable = m.detectable()
}

// detectable is the smallest drop of the whole feature that is found for sure, in the metric's unit.
// Ranks have no unit.
func (m *monitor) detectable() *float64 {
	if !m.whole.ready() || m.config.scale.unbounded {
		return nil
	}
	sure, _ := m.whole.watch.main.Detectable()
	if !(sure > 0 && sure <= 1) {
		return nil
	}
	return ptr(sure * (m.config.scale.hi - m.config.scale.lo))
}

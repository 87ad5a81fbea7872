package evaluator

import (
	"time"

	"github.com/asgood-dev/asgood/evaluator/detect"
	"github.com/asgood-dev/asgood/internal/quality"
)

// recentScores is how many of the latest scores the present figures of a watching monitor are of: as
// many as the baseline has, within bounds.
func (s *stream) recentScores() uint64 {
	return min(s.track.Total.Index, max(200, min(5000, s.Base.N)))
}

// recent is where the present figures of a watching stream begin: what was of a regression is over, and no part of
// them.
func (m *monitor) recent(s *stream) point {
	from := s.start(s.track.Total.Index - s.recentScores())
	if n := len(m.past); n > 0 && m.past[n-1].RecoveredAt != nil {
		if p := s.track.since(*m.past[n-1].RecoveredAt); p.Index > from.Index {
			return p
		}
	}
	return from
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
	m.lineage.tell(&st)
	st.SamplesPerDay = s.perDay()
	st.DetectableDay = m.detectableDay(st.SamplesPerDay)
	st.OwnBaselines = m.ownBaselines()
	m.present(&st)
	if st.Blind = m.blindness(now); st.Blind != quality.BlindNone {
		st.Reason = m.why(st.Blind, now)
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
	from, half := m.recent(s), width(oneLook)
	st.State, st.Since = quality.MonitorWatching, ptr(time.Unix(0, s.ReadyAt).UTC())
	if n := len(m.past); n > 0 && m.past[n-1].RecoveredAt != nil {
		st.Since = m.past[n-1].RecoveredAt
	}
	if s.Improved {
		from, half = s.start(s.improve.start()+s.Skipped), detect.HalfWidth
		st.State, st.Since = quality.MonitorImproved, ptr(from.time())
	}
	if s.track.Total.Index > 0 {
		f := s.figuresBetween(m.config, from, s.track.Total, half)
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
	return m.config.scale.drop(sure)
}

// detectableDay is the smallest drop of the whole feature that would be noticed, in the median, within a
// day of so many samples. Among streams that share a budget the evidence of one alone must be as many times
// larger as there are streams.
func (m *monitor) detectableDay(samples float64) *float64 {
	if !m.whole.ready() || m.config.scale.unbounded {
		return nil
	}
	threshold := m.whole.threshold(m.config.falseAlarms)
	if !m.config.fixed() {
		threshold *= float64(m.fleet.share.Size())
	}
	return m.config.scale.drop(m.whole.watch.main.Noticeable(samples, threshold))
}

// ownBaselines is how many slices are compared with scores of their own instead of the baseline.
func (m *monitor) ownBaselines() (n int) {
	if m.ref.first > 0 {
		return 0
	}
	for _, s := range m.streams {
		if s.Own {
			n++
		}
	}
	return n
}

// perDay is how many scores come in a day, 0 while that cannot be told.
func (s *stream) perDay() float64 {
	d := s.perSample()
	if s.Stored+s.Scores < 2 || d <= time.Microsecond {
		return 0
	}
	return float64(24*time.Hour) / float64(d)
}

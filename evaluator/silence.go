package evaluator

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// quiet is what the service remembers of silence, which only a clock can tell. It is saved with the state,
// so that a restart neither repeats nor loses an event.
type quiet struct {
	Monitors map[string]quietMonitor
	changed  bool
}

// quietMonitor is one monitor: whether it was ever seen at work, and the silence that was told. One that was
// silent from the beginning, such as one that was filled from an old file, is no news.
type quietMonitor struct {
	AtWork bool
	Told   quality.MonitorEvent // zero while none is told
}

const quietChunk = "quiet"

func newQuiet() *quiet { return &quiet{Monitors: make(map[string]quietMonitor)} }

// step decides what a status adds, and returns the event that has to be told, if any.
func (q *quiet) step(st quality.MonitorStatus, now time.Time) (quietMonitor, *quality.MonitorEvent) {
	was := q.Monitors[chunkName(st.Feature, st.Metric)]
	silent := st.Blind == quality.BlindStopped || st.Blind == quality.BlindLate
	switch {
	case silent && was.AtWork && was.Told.ID == "":
		id := blindnessID(st.Feature, st.Metric, st.Blind, st.LastScoreAt, "")
		ev := quality.MonitorEvent{ID: id + "-1", Type: quality.MonitorWentBlind, Blindness: id, Feature: st.Feature, Metric: st.Metric,
			Cause: st.Blind, Reason: st.Reason, Since: now.UTC(), At: now.UTC()}
		return quietMonitor{AtWork: true, Told: ev}, &ev
	case silent || st.LastScoreAt.IsZero():
		return was, nil
	case was.Told.ID != "" && st.Blind == quality.BlindNone:
		ev := was.Told
		ev.ID, ev.Type, ev.Reason, ev.At = ev.Blindness+"-2", quality.MonitorSees, "", now.UTC()
		return quietMonitor{AtWork: true}, &ev
	case was.Told.ID != "": // blind in another way, which is told by itself
		return was, nil
	default:
		return quietMonitor{AtWork: true}, nil
	}
}

// tellSilences publishes what the clock alone tells, and reports whether there is something to be saved.
func (s *Service) tellSilences(ctx context.Context) (bool, error) {
	now := s.o.Now()
	known := make(map[string]bool)
	for _, st := range s.Statuses(now) {
		known[chunkName(st.Feature, st.Metric)] = true
		next, ev := s.quiet.step(st, now)
		if ev != nil {
			if err := s.publishSights(ctx, []quality.MonitorEvent{*ev}); err != nil {
				return false, err
			}
		}
		s.quiet.set(chunkName(st.Feature, st.Metric), next)
	}
	maps.DeleteFunc(s.quiet.Monitors, func(key string, _ quietMonitor) bool { return !known[key] })
	return s.quiet.changed, nil
}

func (q *quiet) set(key string, m quietMonitor) {
	if q.Monitors[key] != m {
		q.Monitors[key], q.changed = m, true
	}
}

func (q *quiet) chunk() chunk {
	return chunk{name: quietChunk, changed: q.changed, written: func() { q.changed = false },
		encode: func(buf []byte) ([]byte, error) {
			c := writing(buf)
			keys := slices.Sorted(maps.Keys(q.Monitors))
			list(c, &keys)
			for _, key := range keys {
				m := q.Monitors[key]
				c.text(&key)
				m.fields(c)
			}
			return c.buf, c.end()
		}}
}

func (q *quiet) restore(st saved) error {
	if !st.names[quietChunk] {
		return nil
	}
	data, err := st.read(quietChunk)
	if err != nil {
		return err
	}
	c := reading(data)
	var keys []string
	list(c, &keys)
	for range keys {
		var key string
		var m quietMonitor
		c.text(&key)
		m.fields(c)
		q.Monitors[key] = m
	}
	if err := c.end(); err != nil {
		return fmt.Errorf("reading what was told of silent monitors: %w", err)
	}
	return nil
}

func (m *quietMonitor) fields(c *codec) {
	c.bool(&m.AtWork)
	ev := &m.Told
	for _, t := range []*string{&ev.ID, (*string)(&ev.Type), &ev.Blindness, &ev.Feature, &ev.Metric, (*string)(&ev.Cause), &ev.Reason} {
		c.text(t)
	}
	for _, t := range []*time.Time{&ev.Since, &ev.At} {
		n := t.UnixNano()
		if t.IsZero() {
			n = 0
		}
		c.int(&n)
		if *t = time.Unix(0, n).UTC(); n == 0 {
			*t = time.Time{}
		}
	}
}

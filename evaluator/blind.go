package evaluator

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// maxSights is how many events of monitors are held until they are taken; the oldest go first.
const maxSights = 4096

// sight is whether a monitor sees, as far as the data tell, and what was told of it.
type sight struct {
	Cause quality.BlindCause
	ID    string // of the blindness
	Since int64  // time of the sample at which it was found, unix nanoseconds
	Told  uint64 // events of it
}

// look decides after a delivery whether monitors see, and keeps an event for each that changed.
func (e *Engine) look(monitors []*monitor, c cause) {
	for _, m := range monitors {
		if cause := m.health.cause(m.sight.Cause); cause != m.sight.Cause {
			e.sights = append(e.sights, m.turn(cause, c))
		}
	}
	if n := len(e.sights); n > maxSights {
		e.sights = append(e.sights[:0], e.sights[n-maxSights/2:]...)
	}
}

// turn moves to another cause, or to none, and returns the event.
func (m *monitor) turn(to quality.BlindCause, c cause) quality.MonitorEvent {
	was := m.sight
	if was.Cause == quality.BlindNone {
		m.sight = sight{ID: blindnessID(m.config.feature, m.config.spec.Metric, to, c.at, c.id), Since: c.at.UnixNano()}
	}
	m.sight.Cause = to
	m.sight.Told++
	m.changed = true
	ev := quality.MonitorEvent{ID: fmt.Sprintf("%s-%d", m.sight.ID, m.sight.Told), Type: quality.MonitorWentBlind, Blindness: m.sight.ID,
		Feature: m.config.feature, Metric: m.config.spec.Metric, Cause: to, Since: time.Unix(0, m.sight.Since).UTC(), At: c.at.UTC()}
	if to == quality.BlindNone {
		ev.Type, ev.Cause = quality.MonitorSees, was.Cause
		m.sight = sight{}
		return ev
	}
	ev.Reason = m.why(to, c.at)
	return ev
}

// blindnessID is the same whenever the same data is read again.
func blindnessID(feature, metric string, cause quality.BlindCause, at time.Time, id string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %d %q", feature, metric, cause, at.UnixNano(), id))
	return "bld_" + hex.EncodeToString(sum[:10])
}

// MonitorEvents returns the events of monitors that went blind or see again, in their order, and forgets
// them. They follow from the deliveries alone; silence, which only a clock can tell, is not among them.
func (e *Engine) MonitorEvents() []quality.MonitorEvent {
	out := e.sights
	e.sights = nil
	return out
}

// blindness is why the monitor cannot tell at a time: what the data say, or else the clock.
func (m *monitor) blindness(now time.Time) quality.BlindCause {
	if m.sight.Cause != quality.BlindNone {
		return m.sight.Cause
	}
	return m.health.silent(now)
}

func (s *sight) fields(c *codec) {
	c.text((*string)(&s.Cause))
	c.text(&s.ID)
	c.int(&s.Since)
	c.uint(&s.Told)
}

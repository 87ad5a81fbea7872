package evaluator

import (
	"fmt"
	"time"

	"github.com/asgood-dev/asgood/evaluator/score"
	"github.com/asgood-dev/asgood/internal/quality"
)

// A monitor watches the scores of one version of a scorer at a time. It moves to another version when the
// scores of that one outnumber those of all others versionOdds times, and versionLead more: a change that
// most of the traffic has seen, and not one that is still being tried on a part. Only samples that are not
// older than the last one taken count for a move: old samples that are scored again are no new traffic.
const (
	versionLead = MinBaseline
	versionOdds = 10
)

// versionOf is the version of what made a score, empty where it is not known: what came with its sample
// tells none, and people have none.
func versionOf(sc *quality.Score) string {
	switch sc.Scorer {
	case string(quality.FeedbackHuman), string(quality.FeedbackUser):
		return ""
	}
	if sc.Version == score.VersionExternal {
		return ""
	}
	return sc.Version
}

// lineage is which version of its scorer a monitor watches.
type lineage struct {
	Version string // watched; empty while none is known
	Fixed   bool   // it is that of a configured rule
	Moved   bool   // it is not the first
	Since   int64  // time of the first sample taken of it, unix nanoseconds; 0 before
	LastAt  int64  // latest time of a sample taken
	Next    string // version that may be the next
	Lead    uint64 // scores by which it is ahead
	Other   uint64 // scores left out, of all versions
	Step    *quality.VersionStep
}

// begin sets the version where it is known beforehand.
func (l *lineage) begin(rule string, ref *reference) {
	if l.Version, l.Fixed = rule, rule != ""; !l.Fixed {
		l.Version = ref.version
	}
}

type admission int

const (
	admitNot  admission = iota // it is of another version
	admitIt                    // it is of the version watched, or of none
	admitAnew                  // it is the first of the version that the monitor moves to
)

// admit decides whether a score may enter.
func (l *lineage) admit(sc *quality.Score) admission {
	v := versionOf(sc)
	switch {
	case v == "":
		return admitIt
	case v == l.Version:
		l.Lead -= min(l.Lead, versionOdds)
		return admitIt
	case l.Version == "":
		l.Version = v
		return admitIt
	}
	if !l.Fixed && sc.Time.UnixNano() >= l.LastAt && l.gain(v) {
		return admitAnew
	}
	l.Other++
	return admitNot
}

// gain counts a score of another version and reports whether it is time to move to it.
func (l *lineage) gain(v string) bool {
	switch {
	case v == l.Next:
	case l.Lead > 0:
		l.Lead -= min(l.Lead, versionOdds)
		return false
	default:
		l.Next = v
	}
	l.Lead++
	return l.Lead > versionLead
}

// took notes a score that entered.
func (l *lineage) took(sc *quality.Score) {
	t := sc.Time.UnixNano()
	if l.Since == 0 {
		l.Since = t
	}
	l.LastAt = max(l.LastAt, t)
}

// move starts a monitor anew with the next version of its scorer. The open regression is withdrawn: nobody
// would see the old scores recover. Returns its last event.
func (e *Engine) move(m *monitor, c cause) (events []quality.RegressionEvent) {
	if m.open != nil {
		events = append(events, m.withdraw(c.at))
	}
	from := m.lineage.Version
	m.lineage = lineage{Version: m.lineage.Next, Moved: true, Other: m.lineage.Other, LastAt: m.lineage.LastAt,
		Step: e.step(m.config, from, m.lineage.Next)}
	m.health.forget()
	m.ref = m.ref.anew()
	m.begin()
	e.log.Info("monitor moves to another version of its scorer", "feature", m.config.feature, "metric", m.config.spec.Metric,
		"from", from, "to", m.lineage.Version)
	return events
}

// withdraw ends the open regression without a recovery.
func (m *monitor) withdraw(at time.Time) quality.RegressionEvent {
	r := m.regression()
	r.WithdrawnAt = &at
	m.shelve(r)
	return withdrawal(r)
}

// withdrawal is the event that a regression is no longer watched. Its WithdrawnAt must be set.
func withdrawal(r quality.Regression) quality.RegressionEvent {
	return quality.RegressionEvent{ID: r.ID + "-withdrawn", Type: quality.RegressionWithdrawn, Regression: r}
}

// step is the known step between two versions. The monitor tells it and learns anew all the same: the
// reference it would shift is sums, not scores, so that the error of the step could neither be seen in the
// detector's spread nor grow smaller with what comes, as its promise of false alarms supposes.
func (e *Engine) step(c *monitorConfig, from, to string) *quality.VersionStep {
	if e.steps == nil || from == "" || to == "" || from == to {
		return nil
	}
	s, ok := e.steps(c.feature, c.spec.Metric, from, to)
	if !ok {
		return nil
	}
	return &s
}

// tell fills in a status.
func (l *lineage) tell(st *quality.MonitorStatus) {
	st.Version, st.OtherVersion, st.VersionStep = l.Version, l.Other, l.Step
	if l.Since > 0 && l.Version != "" {
		st.VersionSince = ptr(time.Unix(0, l.Since).UTC())
	}
}

func (l *lineage) reason(refused uint64) string {
	if l.Next == "" {
		return fmt.Sprintf("the last %d scores are not of the scorer's version %q", refused, l.Version)
	}
	return fmt.Sprintf("the last %d scores are not of the scorer's version %q, but of %q", refused, l.Version, l.Next)
}

func (l *lineage) fields(c *codec) {
	c.text(&l.Version)
	c.text(&l.Next)
	c.bool(&l.Fixed)
	c.bool(&l.Moved)
	c.int(&l.Since)
	c.int(&l.LastAt)
	c.uint(&l.Lead)
	c.uint(&l.Other)
	if present(c, &l.Step) {
		stepFields(c, l.Step)
	}
}

func stepFields(c *codec, s *quality.VersionStep) {
	for _, t := range []*string{&s.Feature, &s.Metric, &s.From, &s.To} {
		c.text(t)
	}
	for _, f := range []*float64{&s.Step, &s.Interval[0], &s.Interval[1]} {
		c.float(f)
	}
	c.uint(&s.N)
}

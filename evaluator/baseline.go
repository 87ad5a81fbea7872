package evaluator

import (
	"fmt"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// period is the resolved window of a baseline; the zero value is not resolved yet.
type period struct{ From, To time.Time }

// reference is where a monitor's streams take their baselines from.
type reference struct {
	first  int             // the first so many scores of each stream
	window *period         // the scores of a period; zero until it is known
	last   time.Duration   // length of a window that opens with the first score
	stored []quality.Score // a frozen baseline
	pinned string

	version string // of the stored scores, empty where it is not known
	others  int    // stored scores of other versions, left out
}

// newReference resolves the form of a baseline. made is when the monitor was made.
func newReference(c *monitorConfig, o EngineOptions) (*reference, error) {
	b := c.baseline
	switch {
	case b.First > 0:
		return &reference{first: b.First}, nil
	case b.Pinned != "":
		return pinnedReference(c, o)
	}
	r := &reference{window: &period{From: b.Window.From, To: b.Window.To}, last: b.Window.Last}
	if b.Window.Last > 0 && !o.Made.IsZero() {
		*r.window = period{From: o.Made.Add(-b.Window.Last), To: o.Made}
	}
	if o.Baselines == nil || r.window.To.IsZero() {
		r.fallBack()
		return r, nil
	}
	b.Window = &quality.BaselineWindow{From: r.window.From, To: r.window.To, Last: b.Window.Last}
	scores, err := o.Baselines(c.feature, c.spec.Metric, b)
	if err != nil && quality.KindOf(err) != quality.KindNotFound {
		return nil, fmt.Errorf("reading the baseline window of metric %q of feature %q: %w", c.spec.Metric, c.feature, err)
	}
	r.store(c, scores)
	if len(r.stored) < MinBaseline {
		r.stored, r.version = nil, ""
		r.fallBack()
	}
	return r, nil
}

// store keeps the scores of one version: of the metric's rule, or else of the latest. A score whose version
// is not known goes with every one.
func (r *reference) store(c *monitorConfig, scores []quality.Score) {
	r.version = c.version
	if r.version == "" {
		r.version = latestVersion(scores)
	}
	r.stored = make([]quality.Score, 0, len(scores))
	for i := range scores {
		if v := versionOf(&scores[i]); v == "" || r.version == "" || v == r.version {
			r.stored = append(r.stored, scores[i])
		}
	}
	r.others = len(scores) - len(r.stored)
}

// latestVersion is the known version of the sample with the latest time.
func latestVersion(scores []quality.Score) (version string) {
	var latest time.Time
	for i := range scores {
		if v := versionOf(&scores[i]); v != "" && !scores[i].Time.Before(latest) {
			version, latest = v, scores[i].Time
		}
	}
	return version
}

// anew is where the baseline of a scorer's next version comes from: the scores that come, since none of the
// new version is older.
func (r *reference) anew() *reference {
	if r.window != nil && r.last > 0 {
		return &reference{window: &period{}, last: r.last}
	}
	if r.first > 0 {
		return &reference{first: r.first}
	}
	return &reference{first: DefaultFirst}
}

// fallBack lets a relative window open with the first score observed.
func (r *reference) fallBack() {
	if r.last > 0 {
		*r.window = period{}
	}
}

func pinnedReference(c *monitorConfig, o EngineOptions) (*reference, error) {
	name := c.baseline.Pinned
	if o.Baselines == nil {
		return nil, quality.Errorf(quality.KindNotFound,
			"pinned baseline %q of metric %q of feature %q: there is no store of baselines here", name, c.spec.Metric, c.feature)
	}
	scores, err := o.Baselines(c.feature, c.spec.Metric, c.baseline)
	if err != nil {
		return nil, fmt.Errorf("reading pinned baseline %q of metric %q of feature %q: %w", name, c.spec.Metric, c.feature, err)
	}
	if len(scores) < MinBaseline {
		return nil, quality.Errorf(quality.KindInvalid,
			"pinned baseline %q of metric %q of feature %q: %d scores, at least %d needed", name, c.spec.Metric, c.feature, len(scores), MinBaseline)
	}
	r := &reference{pinned: name}
	r.store(c, scores)
	return r, nil
}

// place says what a sample of a time is to the baseline.
type place int

const (
	placeBefore   place = iota // older than the baseline: nothing
	placeBaseline              // a part of it
	placeLive                  // compared with it
)

// open starts a window that opens with the first score.
func (r *reference) open(at time.Time) {
	if r.window != nil && r.window.To.IsZero() {
		*r.window = period{From: at, To: at.Add(r.last)}
	}
}

// place sorts a score of a stream into baseline and live by its time and by what the stream has.
func (r *reference) place(s *stream, at time.Time) place {
	switch {
	case r.pinned != "":
		return placeLive
	case r.window != nil && at.Before(r.window.From):
		return placeBefore
	case r.window != nil && at.Before(r.window.To):
		return placeBaseline
	case r.window == nil && !s.ready():
		return placeBaseline
	default:
		return placeLive
	}
}

// full reports whether the pending scores of a stream are its baseline, before a live score is taken.
func (r *reference) full(s *stream, next place) bool {
	switch {
	case r.first > 0:
		return s.Pending.len() >= r.first
	case s.Own:
		return s.Pending.len() >= DefaultFirst
	}
	return next == placeLive && s.Pending.len() >= MinBaseline
}

// take puts a score of the stream where it belongs and reports whether the detector took it. A slice of which
// a stored baseline or a period that is over holds too little would never be watched: it makes up DefaultFirst
// scores of its own from those that come. The whole feature does not, since its baseline is what was asked for.
func (r *reference) take(c *monitorConfig, s *stream, in arrival) bool {
	where := r.place(s, in.at)
	if s.ready() {
		if where != placeLive {
			s.Late++
			return false
		}
		s.live(c, in)
		return true
	}
	if where == placeLive && !s.whole() && s.Pending.len() < MinBaseline {
		s.Own, s.changed = true, true
	}
	if own := s.Own && where == placeLive; s.Pending.len() < maxBaseline && (own || where == placeBaseline && r.stored == nil) {
		s.Pending.add(in.observation)
	}
	if r.full(s, where) {
		s.close(c, in.at)
		if s.ready() && where == placeLive && !s.Own {
			s.live(c, in)
			return true
		}
	}
	return false
}

// why says in words why the stream has no detector yet.
func (r *reference) why(s *stream) string {
	switch {
	case s.Problem != "":
		return s.Problem
	case r.first > 0:
		return fmt.Sprintf("%d of %d scores of the baseline", s.Pending.len(), r.first)
	case r.window != nil && r.window.To.IsZero():
		return "the baseline opens with the first score"
	case r.window != nil:
		return fmt.Sprintf("%d scores in the baseline's period up to %s, at least %d needed",
			s.Pending.len(), r.window.To.Format(time.RFC3339), MinBaseline)
	case r.others > 0:
		return fmt.Sprintf("%d scores of the scorer's version %q in baseline %q, at least %d needed; %d are of other versions: pin a new one",
			s.Pending.len(), r.version, r.pinned, MinBaseline, r.others)
	default:
		return fmt.Sprintf("%d scores in baseline %q, at least %d needed", s.Pending.len(), r.pinned, MinBaseline)
	}
}

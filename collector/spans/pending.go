package spans

import (
	"container/heap"
	"container/list"
	"slices"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// maxSpans is how many records of one trace are joined at most.
const maxSpans = 2048

// pending is what is held of one trace.
type pending struct {
	key       string
	records   []*held
	feedback  []*heldFeedback
	responses []string // of its outputs
	expects   []string // responses that it holds feedback for
	bytes     int
	from      uint64    // the lowest sequence
	check     time.Time // when to look whether something is due
	index     int       // in checks; -1 when not there
	place     *list.Element
}

type held struct {
	rec  Record
	seq  uint64
	at   time.Time // when it came
	size int
}

type heldFeedback struct {
	quality.Feedback
	seq  uint64
	at   time.Time
	size int
}

func (t *pending) oldest(seq uint64) {
	if t.from == 0 || seq < t.from {
		t.from = seq
	}
}

// refresh counts anew after something was taken out.
func (t *pending) refresh() {
	t.from, t.bytes = 0, 0
	for _, h := range t.records {
		t.bytes += h.size
		t.oldest(h.seq)
	}
	for _, f := range t.feedback {
		t.bytes += f.size
		t.oldest(f.seq)
	}
}

// checks is a heap of traces by when to look at them.
type checks []*pending

var _ heap.Interface = (*checks)(nil)

func (c checks) Len() int           { return len(c) }
func (c checks) Less(a, b int) bool { return c[a].check.Before(c[b].check) }
func (c checks) Swap(a, b int) {
	c[a], c[b] = c[b], c[a]
	c[a].index, c[b].index = a, b
}

// Push adds a trace.
func (c *checks) Push(x any) {
	if t, ok := x.(*pending); ok {
		t.index = len(*c)
		*c = append(*c, t)
	}
}

// Pop takes the last trace out.
func (c *checks) Pop() any {
	last := len(*c) - 1
	t := (*c)[last]
	(*c)[last] = nil
	*c, t.index = (*c)[:last], -1
	return t
}

// feedback routes one evaluation: to the pending trace or response it is about, or out.
func (j *Joiner) feedback(now time.Time, seq uint64, r *Record, f quality.Feedback) {
	if f.Failed() {
		j.stats.FailedEvaluations++
	}
	if of, ok := j.memory.target(&f); ok {
		f.Sample = of.sample
		j.loose(seq, f)
		return
	}
	h := &heldFeedback{Feedback: f, seq: seq, at: now, size: feedbackSize(&f)}
	t := j.about(&f)
	if t == nil {
		j.loose(seq, f)
		return
	}
	j.holdFeedback(t, h)
	j.schedule(t, now.Add(j.longest))
	if r.Role == RoleEvaluation {
		j.makeRoom(now, t)
	}
}

// about returns the pending trace that feedback is for. A response that is known tells more than the span
// in which the evaluation happened to run.
func (j *Joiner) about(f *quality.Feedback) *pending {
	switch {
	case f.Response != "" && j.responses[f.Response] != nil:
		return j.responses[f.Response]
	case f.Trace != "":
		return j.trace(f.Trace)
	case f.Response != "":
		return j.trace(responseKey(f.Response))
	default:
		return nil
	}
}

func (j *Joiner) holdFeedback(t *pending, h *heldFeedback) {
	t.feedback = append(t.feedback, h)
	t.bytes += h.size
	j.bytes += h.size
	t.oldest(h.seq)
	if id := h.Response; id != "" && !slices.Contains(j.expected[id], t) {
		j.expected[id] = append(j.expected[id], t)
		t.expects = append(t.expects, id)
	}
}

// loose hands feedback on whose sample is not pending.
func (j *Joiner) loose(seq uint64, f quality.Feedback) {
	j.stats.Feedback++
	j.emits(seq)
	j.out.Feedback = append(j.out.Feedback, f)
}

// settling is the work of emitting what is due of one trace.
type settling struct {
	j       *Joiner
	now     time.Time
	t       *pending
	mode    settleMode
	units   []*unit // that are emitted
	emitted []*request
	spans   map[string]*unit // by span; of all emitted requests
	gone    map[*held]bool
	next    time.Time // when to look again
}

// settleMode says which requests of a trace are emitted.
type settleMode int

const (
	settleDue   settleMode = iota // those that are due
	settleAll                     // all, since nothing more will come
	settleEarly                   // all, for want of room
)

// settle emits requests of a trace and keeps the others.
func (j *Joiner) settle(now time.Time, t *pending, mode settleMode) {
	s := &settling{j: j, now: now, t: t, mode: mode, spans: map[string]*unit{}, gone: map[*held]bool{}}
	for _, q := range j.requests(t) {
		if until := j.deadline(q); mode == settleDue && now.Before(until) {
			s.wait(until)
			continue
		}
		s.emit(q)
	}
	t.records = slices.DeleteFunc(t.records, func(h *held) bool { return s.gone[h] })
	s.feedback()
	for _, u := range s.units {
		s.finish(u)
	}
	for _, q := range s.emitted {
		j.memory.begins(t.key, q, now, now.Add(j.opts.Remember))
	}
	j.bytes -= t.bytes
	t.refresh()
	j.bytes += t.bytes
	if len(t.records) == 0 && len(t.feedback) == 0 {
		j.drop(t)
		return
	}
	t.check = s.next
	heap.Fix(&j.checks, t.index)
}

func (s *settling) wait(until time.Time) {
	if s.next.IsZero() || until.Before(s.next) {
		s.next = until
	}
}

// feedback goes to the samples that are emitted now. What finds none in time is handed on.
func (s *settling) feedback() {
	s.t.feedback = slices.DeleteFunc(s.t.feedback, func(f *heldFeedback) bool {
		if u := s.unitOf(f); u != nil {
			u.feedback = append(u.feedback, f)
			return true
		}
		switch until := f.at.Add(s.j.longest); {
		case s.mode != settleDue:
		case s.now.Before(until):
			s.wait(until)
			return false
		case s.awaited(f): // its request has a time of its own
			return false
		}
		s.j.loose(f.seq, f.Feedback)
		return true
	})
}

// awaited reports whether the span or response that was judged is pending still.
func (s *settling) awaited(f *heldFeedback) bool {
	return slices.ContainsFunc(s.t.records, func(h *held) bool {
		return f.Span != "" && h.rec.Span == f.Span || f.Response != "" && h.rec.Response == f.Response
	})
}

// unitOf finds the sample that feedback is about. Of a trace as a whole it is the one sample, when there is one.
func (s *settling) unitOf(f *heldFeedback) *unit {
	for _, u := range s.units {
		if f.Response != "" && slices.Contains(u.responses, f.Response) {
			return u
		}
	}
	switch {
	case f.Span != "":
		return s.spans[f.Span]
	case f.Trace == s.t.key && len(s.units) == 1 && len(s.t.records) == 0:
		return s.units[0]
	default:
		return nil
	}
}

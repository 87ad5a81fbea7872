package spans

import (
	"cmp"
	"container/heap"
	"container/list"
	"slices"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// JoinerOptions of a Joiner. Features are required.
type JoinerOptions struct {
	Features      []quality.Feature
	MaxBytes      int           // of pending records; default 256 MiB; beyond, the oldest trace is emitted early
	MaxTraces     int           // pending; default 200,000; likewise
	Remember      time.Duration // how long an emitted request is known, so that its late spans are; default 5 minutes
	MaxRemembered int           // spans of emitted requests that are known; default 200,000; the oldest are forgotten first
}

func (o *JoinerOptions) defaults() {
	o.MaxBytes = cmp.Or(max(o.MaxBytes, 0), 256<<20)
	o.MaxTraces = cmp.Or(max(o.MaxTraces, 0), 200_000)
	o.Remember = cmp.Or(max(o.Remember, 0), 5*time.Minute)
	o.MaxRemembered = cmp.Or(max(o.MaxRemembered, 0), 200_000)
}

// Joined is the sample of one request.
type Joined struct {
	Sample quality.Sample
	// Aliases are the other ids by which the sample may be spoken of: SampleID of the spans that went into
	// it, and the ids of the model's responses. A caller that reads its records again after a crash leaves
	// out those of spans that it knows as a sample or by an alias, evaluations excepted: the others of their
	// request may not come again, and what is left of it would be another sample.
	Aliases []string
	// Feedback is what was said of the sample so far. Its numbers are in Sample.Scores already.
	Feedback []quality.Feedback
	State    string // W3C trace state of the sample's span
	From, To uint64 // the first and the last sequence of its records
	Early    bool   // emitted before its time for want of room
}

// Batch is what has become due.
type Batch struct {
	Samples []Joined
	// Feedback is for samples that are not pending: emitted before, of another collector, or of a session.
	Feedback []quality.Feedback
}

// Stats counts what became of records since the joiner was made.
type Stats struct {
	Records           uint64 // added
	Samples           uint64 // emitted
	Late              uint64 // records that came after their request was emitted, and were dropped
	NoOutput          uint64 // records of requests without an output of a feature, dropped
	NoContent         uint64 // requests whose output was not captured, dropped
	Early             uint64 // traces emitted early for want of room
	Trimmed           uint64 // samples whose context or tool results were cut to fit
	Feedback          uint64 // evaluations that were not part of a pending request
	FailedEvaluations uint64 // evaluations without a result; they are no scores
}

// maxAge bounds how long a request may go on; waitFactor is how many times longer one waits that may
// have spans outside of what came, because none of those is where it began.
const (
	maxAge     = 10 * time.Minute
	waitFactor = 5
)

// Joiner joins the records of one request into one sample. It is not safe for concurrent use.
type Joiner struct {
	opts      JoinerOptions
	specs     map[string]quality.SpanSpec
	soonest   time.Duration // that anything can become due after it came
	longest   time.Duration // that feedback and requests without output are kept
	traces    map[string]*pending
	order     *list.List // of *pending, in the order they came
	checks    checks
	bytes     int
	responses map[string]*pending   // of pending outputs, by the id of the model's response
	expected  map[string][]*pending // that hold feedback for a response, by its id
	memory    memory
	out       Batch
	outFrom   uint64
	stats     Stats
}

// NewJoiner returns a joiner that holds nothing.
func NewJoiner(o JoinerOptions) *Joiner {
	o.defaults()
	j := &Joiner{
		opts: o, specs: map[string]quality.SpanSpec{}, soonest: quality.DefaultSpanWait, longest: waitFactor * quality.DefaultSpanWait,
		traces: map[string]*pending{}, order: list.New(), responses: map[string]*pending{},
		expected: map[string][]*pending{}, memory: newMemory(),
	}
	for i := range o.Features {
		s := o.Features[i].Spans
		s.Wait = cmp.Or(s.Wait, quality.DefaultSpanWait)
		j.specs[o.Features[i].Name] = s
		j.longest = max(j.longest, waitFactor*s.Wait)
		if j.soonest = min(j.soonest, s.Wait); s.Join == quality.JoinNone {
			j.soonest = 0
		}
	}
	return j
}

// Stats returns the counts.
func (j *Joiner) Stats() Stats { return j.stats }

// Pending returns how many traces and about how many bytes are held.
func (j *Joiner) Pending() (traces, bytes int) { return len(j.traces), j.bytes }

// Add takes a record that came with a sequence. Sequences may repeat but do not fall.
func (j *Joiner) Add(now time.Time, seq uint64, r Record) {
	j.stats.Records++
	for i := range r.Feedback {
		j.feedback(now, seq, &r, r.Feedback[i])
	}
	if carries(&r) {
		return
	}
	if j.late(&r) {
		j.stats.Late++
		return
	}
	t := j.trace(r.key())
	j.hold(t, &held{rec: r, seq: seq, at: now, size: r.size()})
	j.schedule(t, now.Add(j.soonest))
	if r.Response != "" && r.Role == RoleOutput {
		j.answers(t, r.Response)
	}
	j.makeRoom(now, t)
}

// carries reports whether a record does nothing but carry feedback on others. One that is about its own
// trace has a place there, which tells the request.
func carries(r *Record) bool {
	if r.Role != RoleEvaluation && (r.Role != RoleOther || len(r.Feedback) == 0) {
		return false
	}
	return r.From != FromSpan || !slices.ContainsFunc(r.Feedback, func(f quality.Feedback) bool { return f.Trace == r.Trace })
}

// key is the trace, or what stands for it where there is none.
func (r *Record) key() string {
	if r.Trace == "" || r.Span == "" {
		return responseKey(r.Response)
	}
	return r.Trace
}

func responseKey(id string) string { return "response " + id }

// late reports whether the request of a record was emitted. A span with which a request begins is never late.
func (j *Joiner) late(r *Record) bool {
	if _, ok := j.memory.span(r.key(), r.Span); ok {
		return true
	}
	if j.alone(r) || r.Entry {
		return false
	}
	of, ok := j.memory.span(r.key(), r.Parent)
	return ok && of.joined
}

// alone reports whether an output is a sample by itself.
func (j *Joiner) alone(r *Record) bool {
	return r.Role == RoleOutput && r.Sample.Feature != "" && j.specs[r.Sample.Feature].Join == quality.JoinNone
}

// trace returns the pending records of a trace.
func (j *Joiner) trace(key string) *pending {
	t := j.traces[key]
	if t == nil {
		t = &pending{key: key, index: -1}
		t.place = j.order.PushBack(t)
		j.traces[key] = t
	}
	return t
}

func (j *Joiner) hold(t *pending, h *held) {
	t.records = append(t.records, h)
	t.bytes += h.size
	j.bytes += h.size
	t.oldest(h.seq)
}

func (j *Joiner) schedule(t *pending, at time.Time) {
	switch {
	case t.index < 0:
		t.check = at
		heap.Push(&j.checks, t)
	case at.Before(t.check):
		t.check = at
		heap.Fix(&j.checks, t.index)
	}
}

// answers notes which trace a response belongs to, and takes in what was said of it before it came.
func (j *Joiner) answers(t *pending, id string) {
	j.responses[id] = t
	t.responses = append(t.responses, id)
	for _, early := range slices.Clone(j.expected[id]) {
		if early != t {
			j.move(id, early, t)
		}
	}
}

// move takes the feedback for a response to the trace in which that is.
func (j *Joiner) move(id string, from, to *pending) {
	from.feedback = slices.DeleteFunc(from.feedback, func(f *heldFeedback) bool {
		if f.Response != id {
			return false
		}
		j.bytes -= f.size
		from.bytes -= f.size
		j.holdFeedback(to, f)
		return true
	})
	j.forgetExpected(from, id)
	from.refresh()
	if len(from.feedback) == 0 && len(from.records) == 0 {
		j.drop(from)
	}
}

func (j *Joiner) forgetExpected(t *pending, id string) {
	rest := slices.DeleteFunc(j.expected[id], func(p *pending) bool { return p == t })
	if len(rest) == 0 {
		delete(j.expected, id)
		return
	}
	j.expected[id] = rest
}

// makeRoom emits early when the trace grows too long or all together take too much room.
func (j *Joiner) makeRoom(now time.Time, t *pending) {
	if len(t.records) > maxSpans || len(t.feedback) > maxSpans {
		j.emitEarly(now, t)
	}
	for j.order.Len() > 0 && (j.bytes > j.opts.MaxBytes || len(j.traces) > j.opts.MaxTraces) {
		j.emitEarly(now, j.first())
	}
}

// first is the trace that came before all others that are pending.
func (j *Joiner) first() *pending {
	t, ok := j.order.Front().Value.(*pending)
	if !ok {
		panic("spans: the order holds something else") // it holds only what trace put there
	}
	return t
}

func (j *Joiner) emitEarly(now time.Time, t *pending) {
	j.stats.Early++
	j.settle(now, t, settleEarly)
}

// drop forgets a trace that holds nothing any more.
func (j *Joiner) drop(t *pending) {
	j.order.Remove(t.place)
	if t.index >= 0 {
		heap.Remove(&j.checks, t.index)
	}
	delete(j.traces, t.key)
	for _, id := range t.responses {
		if j.responses[id] == t {
			delete(j.responses, id)
		}
	}
	for _, id := range t.expects {
		j.forgetExpected(t, id)
	}
	j.bytes -= t.bytes
}

// Due returns what is due at now. What it has returned is the caller's: Oldest counts it no more.
func (j *Joiner) Due(now time.Time) Batch {
	for len(j.checks) > 0 && !j.checks[0].check.After(now) {
		j.settle(now, j.checks[0], settleDue)
	}
	j.memory.forget(now, j.opts.MaxRemembered)
	out := j.out
	j.out, j.outFrom = Batch{}, 0
	return out
}

// Flush returns all that is held, as if nothing more were to come: at the end of a file.
func (j *Joiner) Flush(now time.Time) Batch {
	for j.order.Len() > 0 {
		t := j.first()
		j.settle(now, t, settleAll)
	}
	return j.Due(now)
}

// Next returns when something will be due, and whether anything will.
func (j *Joiner) Next() (time.Time, bool) {
	switch {
	case len(j.out.Samples) > 0 || len(j.out.Feedback) > 0:
		return time.Time{}, true
	case len(j.checks) == 0:
		return time.Time{}, false
	default:
		return j.checks[0].check, true
	}
}

// Oldest returns the lowest sequence that is still needed, or 0 when none is. What lies before it may be
// committed once the batches that Due has returned are durable.
func (j *Joiner) Oldest() uint64 {
	oldest := j.outFrom
	for _, t := range j.traces {
		if t.from != 0 && (oldest == 0 || t.from < oldest) {
			oldest = t.from
		}
	}
	return oldest
}

// emits notes that the batch needs a sequence until it is taken.
func (j *Joiner) emits(seq uint64) {
	if j.outFrom == 0 || seq < j.outFrom {
		j.outFrom = seq
	}
}

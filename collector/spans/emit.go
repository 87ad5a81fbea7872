package spans

import (
	"cmp"
	"slices"
	"strings"

	"github.com/asgood-dev/asgood/internal/quality"
)

// emit takes a request out of the trace.
func (s *settling) emit(q *request) {
	for _, n := range q.nodes {
		for _, h := range n.held {
			s.gone[h] = true
		}
	}
	memory, n := &s.j.memory, s.records(q)
	switch {
	case len(q.units) == 0 && memory.knows(s.t.key), memory.rest(s.t.key, q):
		s.j.stats.Late += n
		return
	case len(q.units) == 0:
		s.j.stats.NoOutput += n
		return
	}
	s.emitted = append(s.emitted, q)
	for _, u := range q.units {
		u.alone = q.alone
		u.gatherResponses()
		s.units = append(s.units, u)
		for _, n := range u.nodes {
			s.spans[n.rec.Span] = u
		}
	}
}

func (s *settling) records(q *request) uint64 {
	n := 0
	for i := range q.nodes {
		n += len(q.nodes[i].held)
	}
	return uint64(n)
}

// finish makes the sample of a unit and remembers its spans.
func (s *settling) finish(u *unit) {
	out := Joined{Sample: u.sample(), State: u.last().rec.State, Early: s.mode == settleEarly}
	known := out.Sample.ID
	if !hasContent(&out.Sample) {
		known = ""
	}
	spans := make([]string, len(u.nodes))
	for i, n := range u.nodes {
		spans[i] = n.rec.Span
	}
	s.j.memory.add(s.t.key, known, !u.alone, spans, u.responses, s.now.Add(s.j.opts.Remember))
	if known == "" {
		s.j.stats.NoContent++
		return
	}
	out.Aliases = u.aliases(known)
	out.From, out.To = u.sequences()
	u.score(&out)
	if trim(&out.Sample) {
		s.j.stats.Trimmed++
	}
	s.j.stats.Samples++
	s.j.emits(out.From)
	s.j.out.Samples = append(s.j.out.Samples, out)
}

func (u *unit) sequences() (from, to uint64) {
	note := func(seq uint64) {
		if from == 0 || seq < from {
			from = seq
		}
		to = max(to, seq)
	}
	for _, n := range u.nodes {
		for _, h := range n.held {
			note(h.seq)
		}
	}
	for _, f := range u.feedback {
		note(f.seq)
	}
	return from, to
}

// maxScores is the most scores that may come with a sample.
const maxScores = 256

// score gives the sample what was said of it. Of several numbers for one metric the last one stands.
func (u *unit) score(out *Joined) {
	slices.SortFunc(u.feedback, func(a, b *heldFeedback) int {
		return cmp.Or(a.Time.Compare(b.Time), strings.Compare(a.Metric, b.Metric), strings.Compare(a.By, b.By),
			strings.Compare(a.Label, b.Label), strings.Compare(a.Explanation, b.Explanation), strings.Compare(a.Span, b.Span), compareValues(a.Value, b.Value))
	})
	for i, f := range u.feedback {
		if i > 0 && sameFeedback(&f.Feedback, &u.feedback[i-1].Feedback) {
			continue // sent twice
		}
		said := f.Feedback
		said.Feature, said.Sample = out.Sample.Feature, out.Sample.ID
		out.Feedback = append(out.Feedback, said)
		if _, ok := out.Sample.Scores[f.Metric]; f.Value != nil && (ok || len(out.Sample.Scores) < maxScores) {
			out.Sample.Scores = with(out.Sample.Scores, f.Metric, *f.Value)
		}
	}
}

func compareValues(a, b *float64) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	default:
		return cmp.Compare(*a, *b)
	}
}

// trim makes a sample fit: joined, the parts may be too large together. Context goes first, the last
// retrieved before the others, then what tools gave back; what was asked and answered stays.
func trim(s *quality.Sample) bool {
	size := sampleSize(s)
	if size <= MaxRecord {
		return false
	}
	for size > MaxRecord && len(s.Context) > 0 {
		last := s.Context[len(s.Context)-1]
		size -= 32 + len(last.ID) + len(last.Text)
		s.Context = s.Context[:len(s.Context)-1]
	}
	for i := len(s.Tools) - 1; i >= 0 && size > MaxRecord; i-- {
		size -= len(s.Tools[i].Result) + len(s.Tools[i].Arguments)
		s.Tools[i].Result, s.Tools[i].Arguments = nil, nil
	}
	return true
}

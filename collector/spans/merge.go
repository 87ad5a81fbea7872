package spans

import (
	"cmp"
	"slices"
	"strings"

	"github.com/asgood-dev/asgood/internal/quality"
)

// merge makes one node of the records of a span: the span itself, completed by the log records that belong
// to it. It depends on what came, not on the order.
func merge(hs []*held) *node {
	n := &node{held: hs, first: hs[0].at, last: hs[0].at}
	for _, h := range hs {
		n.last = latest(n.last, h.at)
		if h.at.Before(n.first) {
			n.first = h.at
		}
	}
	if len(hs) > 1 {
		hs = slices.Clone(hs)
		slices.SortStableFunc(hs, bestFirst)
	}
	m := merger{rec: hs[0].rec, input: hs[0].rec.From, output: hs[0].rec.From}
	m.rec.Sample.Attributes = nil // theirs is shared
	for i, h := range hs {
		if i > 0 && h.rec.From == FromSpan {
			continue // sent twice
		}
		fill(&m.rec.Sample, &h.rec.Sample)
		if i > 0 {
			m.complete(&h.rec)
		}
	}
	n.rec, n.unseen = &m.rec, m.rec.From != FromSpan
	return n
}

// merger is a record that others complete.
type merger struct {
	rec           Record
	input, output Source // of the content
}

// rank orders the sources: the span, then what holds a whole operation, then its messages.
var rank = map[Source]int{FromSpan: 0, FromDetails: 1, FromMessage: 2}

// bestFirst orders the records of one span; messages in their order.
func bestFirst(a, b *held) int {
	if c := cmp.Compare(rank[a.rec.From], rank[b.rec.From]); c != 0 {
		return c
	}
	if a.rec.From == FromMessage {
		return cmp.Or(a.rec.End.Compare(b.rec.End), cmp.Compare(turn(&a.rec), turn(&b.rec)), bySaid(&a.rec, &b.rec))
	}
	return cmp.Or(b.rec.End.Compare(a.rec.End), cmp.Compare(b.size, a.size), bySaid(&a.rec, &b.rec))
}

// turn orders messages of the same moment.
func turn(r *Record) int {
	if len(r.Sample.Input.Messages) == 0 {
		return 4
	}
	switch r.Sample.Input.Messages[0].Role {
	case "system":
		return 0
	case "user":
		return 1
	case "assistant":
		return 2
	default:
		return 3
	}
}

// bySaid orders what nothing else orders.
func bySaid(a, b *Record) int {
	return cmp.Or(strings.Compare(a.Sample.Input.Last(), b.Sample.Input.Last()), strings.Compare(a.Sample.Output.Last(), b.Sample.Output.Last()))
}

// complete adds what a log record has and the span has not. Messages follow one another.
func (m *merger) complete(from *Record) {
	rec, s, f := &m.rec, &m.rec.Sample, &from.Sample
	if from.Role == RoleOutput && (rec.Role == RoleOther || rec.Role == RoleEvaluation) {
		rec.Role = RoleOutput
	}
	if rec.From != FromSpan && from.End.After(rec.End) {
		rec.End, s.Time = from.End, from.End
	}
	follows := from.From == FromMessage
	if s.Input.IsZero() || follows && m.input == FromMessage {
		s.Input, m.input = concat(s.Input, f.Input), from.From
	}
	if s.Output.IsZero() || follows && m.output == FromMessage {
		s.Output, m.output = concat(s.Output, f.Output), from.From
	}
	if len(s.Tools) == 0 || follows && m.output == FromMessage {
		s.Tools, rec.Calls = slices.Concat(s.Tools, f.Tools), slices.Concat(rec.Calls, from.Calls)
	}
	rec.Results = slices.Concat(rec.Results, from.Results)
	rec.Response, s.Model, s.Error = cmp.Or(rec.Response, from.Response), cmp.Or(s.Model, f.Model), cmp.Or(s.Error, f.Error)
	if s.Usage == nil {
		s.Usage = f.Usage
	}
	if s.Params == nil {
		s.Params = f.Params
	}
}

func concat(a, b quality.Content) quality.Content {
	if a.IsZero() {
		return b
	}
	return quality.Content{Messages: slices.Concat(a.Messages, b.Messages)}
}

// fill sets what a sample does not say from another, and leaves what it says.
func fill(s, from *quality.Sample) {
	s.Feature, s.Customer = cmp.Or(s.Feature, from.Feature), cmp.Or(s.Customer, from.Customer)
	s.Conversation, s.Prompt = cmp.Or(s.Conversation, from.Conversation), cmp.Or(s.Prompt, from.Prompt)
	if s.Reference == nil {
		s.Reference = from.Reference
	}
	for name, value := range from.Attributes {
		if _, ok := s.Attributes[name]; !ok {
			s.Attributes = with(s.Attributes, name, value)
		}
	}
}

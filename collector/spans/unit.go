package spans

import (
	"slices"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// unit is what becomes one sample: the outermost outputs of a feature in one request, in the order of
// their end, and all that belongs to them.
type unit struct {
	feature   string
	tops      []*node
	nodes     []*node // with the tops, in the order of their start
	responses []string
	feedback  []*heldFeedback
	alone     bool
}

// split makes the units of a request: one for each feature, and never one of different customers or
// conversations, which would show one what is the other's.
func (q *request) split() {
	byFeature := map[string]*unit{}
	for _, n := range q.nodes {
		if n.owner != n {
			continue
		}
		u := byFeature[n.feature]
		if u == nil {
			u = &unit{feature: n.feature}
			byFeature[n.feature] = u
		}
		u.tops = append(u.tops, n)
	}
	for _, u := range byFeature {
		q.units = append(q.units, u.parted()...)
	}
	for _, u := range q.units {
		slices.SortFunc(u.tops, byEnd)
	}
	slices.SortFunc(q.units, func(a, b *unit) int { return byEnd(a.last(), b.last()) })
	q.assign()
}

func (u *unit) parted() []*unit {
	var customer, conversation string
	mixed := false
	for _, n := range u.tops {
		s := &n.rec.Sample
		mixed = mixed || differ(&customer, s.Customer) || differ(&conversation, s.Conversation)
	}
	if !mixed {
		return []*unit{u}
	}
	parts := map[[2]string]*unit{}
	var out []*unit
	for _, n := range u.tops {
		key := [2]string{n.rec.Sample.Customer, n.rec.Sample.Conversation}
		if parts[key] == nil {
			parts[key] = &unit{feature: u.feature}
			out = append(out, parts[key])
		}
		parts[key].tops = append(parts[key].tops, n)
	}
	return out
}

// differ reports whether a name is another than the one before. No name differs from none.
func differ(have *string, name string) bool {
	if name == "" || name == *have {
		return false
	}
	other := *have != ""
	*have = name
	return other
}

// assign gives every span of the request to a unit. What stands beside the outputs, as a retrieval before
// a model call does, goes to the next output of its feature.
func (q *request) assign() {
	if len(q.units) == 0 {
		return
	}
	of := map[*node]*unit{}
	for _, u := range q.units {
		for _, n := range u.tops {
			of[n] = u
		}
	}
	nodes := slices.Clone(q.nodes)
	slices.SortFunc(nodes, byStart)
	for _, n := range nodes {
		u := of[n.owner]
		if u == nil {
			u = q.next(n)
		}
		u.nodes = append(u.nodes, n)
	}
}

func (q *request) next(n *node) *unit {
	var fallback *unit
	for _, u := range q.units { // in the order of their end
		if n.feature != "" && u.feature != n.feature {
			continue
		}
		if fallback = u; !u.last().rec.End.Before(n.rec.Start) {
			return u
		}
	}
	if fallback == nil {
		return q.units[len(q.units)-1]
	}
	return fallback
}

// last is the last output that holds anything, which the sample is named after.
func (u *unit) last() *node {
	for _, n := range slices.Backward(u.tops) {
		if hasContent(&n.rec.Sample) {
			return n
		}
	}
	return u.tops[len(u.tops)-1]
}

// hasContent reports whether the unit makes a sample.
func (u *unit) hasContent() bool {
	return slices.ContainsFunc(u.nodes, func(n *node) bool {
		return n.rec.Role == RoleTool && len(n.rec.Sample.Tools) > 0 || n.rec.Role == RoleOutput && n.owner != nil && hasContent(&n.rec.Sample)
	})
}

// outputs are those of the unit, in the order of their end. Outputs of no feature that stand beside it
// are none of it.
func (u *unit) outputs() []*node {
	var out []*node
	for _, n := range u.nodes {
		if n.rec.Role == RoleOutput && n.owner != nil {
			out = append(out, n)
		}
	}
	slices.SortFunc(out, byEnd)
	return out
}

// sample puts the unit together.
func (u *unit) sample() quality.Sample {
	main, outputs := u.last(), u.outputs()
	s := main.rec.Sample
	s.ID, s.Trace, s.Feature = main.rec.id(), main.rec.Trace, u.feature
	s.Attributes = nil
	fill(&s, &main.rec.Sample)
	u.spoken(&s, outputs)
	u.fill(&s, main, outputs)
	s.Model, s.Params = u.model(outputs)
	s.Usage = u.usage()
	s.LatencyMS = u.latency(main)
	s.Tools = u.tools(outputs)
	s.Context = u.context()
	s.Attributes = boundAttributes(s.Attributes)
	return s
}

// spoken sets the input of the first output and the output of the last one. An output that does not say
// what it was asked or what it answered, says it by those below it.
func (u *unit) spoken(s *quality.Sample, outputs []*node) {
	if s.Output.IsZero() && s.Error == "" {
		for _, n := range slices.Backward(outputs) {
			if s.Output = n.rec.Sample.Output; !s.Output.IsZero() {
				break
			}
		}
	}
	s.Input = quality.Content{}
	for _, own := range []bool{true, false} {
		for _, n := range u.nodes {
			if n.rec.Role == RoleOutput && n.owner != nil && (n.owner == n || !own) && s.Input.IsZero() {
				s.Input = n.rec.Sample.Input
			}
		}
	}
}

// fill sets what the main output does not say of customer, conversation, prompt and attributes: from the
// other outputs, the last first, then from what stands around them.
func (u *unit) fill(s *quality.Sample, main *node, outputs []*node) {
	for _, n := range slices.Backward(outputs) {
		fill(s, &n.rec.Sample)
	}
	for above := main.parent; above != nil; above = above.parent {
		fill(s, &above.rec.Sample)
	}
	for _, n := range u.nodes {
		if n.rec.Role == RoleOther {
			fill(s, &n.rec.Sample)
		}
	}
}

// model is that of the last model call: of the last output that has none below it that names a model.
func (u *unit) model(outputs []*node) (string, map[string]any) {
	for _, n := range slices.Backward(outputs) {
		if n.rec.Sample.Model != "" && !n.below(func(m *node) bool { return m.rec.Sample.Model != "" }) {
			return n.rec.Sample.Model, n.rec.Sample.Params
		}
	}
	return "", u.last().rec.Sample.Params
}

// below reports whether any output below the span is as asked.
func (n *node) below(is func(*node) bool) bool {
	return slices.ContainsFunc(n.children, func(c *node) bool {
		return c.rec.Role == RoleOutput && is(c) || c.below(is)
	})
}

// usage adds up the tokens of all model calls. Agents count those of the calls below them, so the larger
// of both is taken.
func (u *unit) usage() *quality.Usage {
	var sum quality.Usage
	known := false
	for _, n := range u.tops {
		x, ok := n.usage(0)
		sum.InputTokens, sum.OutputTokens, known = sum.InputTokens+x.InputTokens, sum.OutputTokens+x.OutputTokens, known || ok
	}
	if !known {
		return nil
	}
	return &sum
}

func (n *node) usage(level int) (sum quality.Usage, known bool) {
	for _, c := range n.children {
		if c.rec.Role == RoleOutput && c.owner != n.owner && c.owner != nil {
			continue // another feature's
		}
		x, ok := c.usage(level + 1)
		sum.InputTokens, sum.OutputTokens, known = sum.InputTokens+x.InputTokens, sum.OutputTokens+x.OutputTokens, known || ok
	}
	if own := n.rec.Sample.Usage; own != nil {
		sum.InputTokens, sum.OutputTokens, known = max(sum.InputTokens, own.InputTokens), max(sum.OutputTokens, own.OutputTokens), true
	}
	return sum, known
}

// latency is from the first start to the last end.
func (u *unit) latency(main *node) float64 {
	if len(u.tops) == 1 {
		return main.rec.Sample.LatencyMS
	}
	start, end := time.Time{}, main.rec.End
	for _, n := range u.tops {
		if !n.rec.Start.IsZero() && (start.IsZero() || n.rec.Start.Before(start)) {
			start = n.rec.Start
		}
	}
	if start.IsZero() || !end.After(start) {
		return main.rec.Sample.LatencyMS
	}
	return float64(end.Sub(start)) / float64(time.Millisecond)
}

// context is what was retrieved, in the order of time, each document once.
func (u *unit) context() []quality.Document {
	var out []quality.Document
	seen := map[quality.Document]bool{}
	for _, n := range u.nodes {
		for _, d := range n.rec.Sample.Context {
			if !seen[d] && len(out) < maxDocuments {
				seen[d] = true
				out = append(out, d)
			}
		}
	}
	return out
}

// aliases are the spans and responses that went into the sample.
func (u *unit) aliases(id string) []string {
	out := slices.Clone(u.responses)
	for _, n := range u.nodes {
		if alias := SampleID(n.rec.Trace, n.rec.Span); alias != id && alias != "" {
			out = append(out, alias)
		}
	}
	slices.SortFunc(out, strings.Compare)
	return slices.Compact(out)
}

func (u *unit) gatherResponses() {
	for _, n := range u.nodes {
		if id := n.rec.Response; id != "" {
			u.responses = append(u.responses, id)
		}
	}
	slices.Sort(u.responses)
	u.responses = slices.Compact(u.responses)
}

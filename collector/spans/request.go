package spans

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// node is a span in its trace, with what came of it in log records.
type node struct {
	rec      *Record
	held     []*held
	last     time.Time // when the last of it came
	first    time.Time
	unseen   bool // only log records of it came, so its place in the trace is not known
	parent   *node
	children []*node
	feature  string // its own, or that of the output above it
	root     *node  // above all others, before orphans were adopted
	owner    *node  // the outermost output of the same feature above it, or itself
}

// request is what belongs together in a trace.
type request struct {
	tops  []*node // that have nothing above them
	nodes []*node
	units []*unit
	entry bool // the span with which it began came
	whole bool // it is all of a trace of which no first span came
	alone bool // an output that is a sample by itself
}

// requests sorts what is pending of a trace into requests. It depends on what has come, not on the order.
func (j *Joiner) requests(t *pending) []*request {
	nodes := nodesOf(t.records)
	var out []*request
	nodes = slices.DeleteFunc(nodes, func(n *node) bool {
		if !j.alone(n.rec) {
			return false
		}
		n.owner, n.feature = n, n.rec.Sample.Feature
		u := &unit{feature: n.rec.Sample.Feature, tops: []*node{n}, nodes: []*node{n}}
		out = append(out, &request{tops: u.tops, nodes: u.nodes, units: []*unit{u}, alone: true})
		return true
	})
	link(nodes)
	adopt(nodes)
	for _, q := range group(nodes) {
		q.split()
		out = append(out, q)
	}
	return out
}

// nodesOf merges the records of each span, in the order of their start.
func nodesOf(records []*held) []*node {
	bySpan := map[string][]*held{}
	for _, h := range records {
		bySpan[h.rec.Span] = append(bySpan[h.rec.Span], h)
	}
	nodes := make([]*node, 0, len(bySpan))
	for _, hs := range bySpan {
		nodes = append(nodes, merge(hs))
	}
	slices.SortFunc(nodes, byStart)
	return nodes
}

func byStart(a, b *node) int {
	return cmp.Or(a.rec.Start.Compare(b.rec.Start), a.rec.End.Compare(b.rec.End), strings.Compare(a.rec.Span, b.rec.Span))
}

func byEnd(a, b *node) int {
	return cmp.Or(a.rec.End.Compare(b.rec.End), a.rec.Start.Compare(b.rec.Start), strings.Compare(a.rec.Span, b.rec.Span))
}

// link puts each span below its parent where that has come.
func link(nodes []*node) {
	bySpan := make(map[string]*node, len(nodes))
	for _, n := range nodes {
		bySpan[n.rec.Span] = n
	}
	for _, n := range nodes {
		if p := bySpan[n.rec.Parent]; p != nil && n.rec.Parent != "" {
			n.setParent(p)
		}
	}
}

// setParent leaves a span where it is when it would come to stand below itself, which only lies can bring about.
func (n *node) setParent(p *node) {
	for above := p; above != nil; above = above.parent {
		if above == n {
			return
		}
	}
	n.parent = p
	p.children = append(p.children, n)
}

func (n *node) top() *node {
	for n.parent != nil {
		n = n.parent
	}
	return n
}

// orphan reports whether something is above the span that did not come.
func (n *node) orphan() bool {
	return n.parent == nil && !n.rec.Entry && (n.rec.Parent != "" || n.unseen)
}

// adopt puts spans whose parent was not recorded below the innermost recorded span that encloses them in
// time, unless several that have nothing to do with each other do. The longest go first.
func adopt(nodes []*node) {
	var orphans, homes []*node
	for _, n := range nodes {
		n.root = n.top()
		if n.orphan() {
			orphans = append(orphans, n)
		}
		if n.rec.Role == RoleOutput || n.rec.Role == RoleOther {
			homes = append(homes, n)
		}
	}
	slices.SortStableFunc(orphans, func(a, b *node) int {
		return cmp.Or(a.rec.Start.Compare(b.rec.Start), b.rec.End.Compare(a.rec.End))
	})
	for _, o := range orphans {
		if h := home(o, homes); h != nil {
			o.setParent(h)
			o.root = h.findRoot()
		}
	}
}

// findRoot follows the roots of spans that were adopted meanwhile.
func (n *node) findRoot() *node {
	for n.root != n.root.root {
		n.root = n.root.root
	}
	return n.root
}

// home finds where an orphan belongs; homes are sorted by their start.
func home(o *node, homes []*node) *node {
	var best, root *node
	for _, h := range homes {
		if h.rec.Start.After(o.rec.Start) {
			break
		}
		if !encloses(h.rec, o.rec) || h.findRoot() == o {
			continue
		}
		if root != nil && h.root != root {
			return nil
		}
		root = h.root
		if best == nil || best.rec.Start.Before(h.rec.Start) || best.rec.End.After(h.rec.End) {
			best = h
		}
	}
	return best
}

// encloses reports whether a span lies in the time of another and is not of the same time.
func encloses(outer, inner *Record) bool {
	return !outer.Start.IsZero() && !inner.Start.Before(outer.Start) && !inner.End.After(outer.End) &&
		(inner.Start.After(outer.Start) || inner.End.Before(outer.End))
}

// group gathers the spans of each request. A span with which a request began stands for one; what has
// nothing recorded above it belongs to the one request of the trace.
func group(nodes []*node) []*request {
	var entries, orphans []*node
	for _, n := range nodes {
		switch {
		case n.orphan():
			orphans = append(orphans, n)
		case n.parent == nil:
			entries = append(entries, n)
		}
	}
	out := make([]*request, 0, len(entries)+1)
	for _, n := range entries {
		out = append(out, &request{tops: []*node{n}, entry: n.rec.Entry})
	}
	out = append(out, groupOrphans(out, orphans)...)
	for _, q := range out {
		for _, n := range q.tops {
			q.gather(n)
		}
	}
	return out
}

// groupOrphans adds orphans to the only request in whose time they began. Without any request they are one
// together; beside several they are told apart by their parents.
func groupOrphans(requests []*request, orphans []*node) []*request {
	var out []*request
	byParent := map[string]*request{}
	for _, o := range orphans {
		if len(requests) == 1 && overlaps(requests[0].tops[0].rec.Start, requests[0].tops[0].rec.End, o.rec) {
			requests[0].tops = append(requests[0].tops, o)
			continue
		}
		key := ""
		if len(requests) > 0 {
			key = o.rec.Parent + "\x00" + cmp.Or(o.rec.Parent, o.rec.Span)
		}
		q := byParent[key]
		if q == nil {
			q = &request{whole: len(requests) == 0}
			byParent[key] = q
			out = append(out, q)
		}
		q.tops = append(q.tops, o)
	}
	return out
}

func overlaps(from, to time.Time, o *Record) bool {
	return to.IsZero() || !o.Start.After(to) && !o.End.Before(from)
}

func (q *request) gather(n *node) {
	q.nodes = append(q.nodes, n)
	n.own()
	for _, c := range n.children {
		q.gather(c)
	}
}

// own finds the output that a span belongs to; those above it were asked before.
func (n *node) own() {
	n.feature = n.rec.Sample.Feature
	for above := n.parent; above != nil; above = above.parent {
		if above.rec.Role != RoleOutput || above.owner == nil {
			continue
		}
		if n.rec.Role != RoleOutput {
			n.owner = above.owner
			return
		}
		if n.feature == "" {
			n.feature = above.feature
		}
		if n.feature == above.feature {
			n.owner = above.owner
			return
		}
	}
	if n.rec.Role == RoleOutput && n.feature != "" {
		n.owner = n
	}
}

// deadline is when a request is emitted, late spans or not.
func (j *Joiner) deadline(q *request) time.Time {
	last := q.nodes[0].last
	for _, n := range q.nodes {
		last = latest(last, n.last)
	}
	if len(q.units) == 0 {
		return last.Add(j.longest)
	}
	wait := time.Duration(0)
	for _, u := range q.units {
		wait = max(wait, j.specs[u.feature].Wait)
	}
	until, end := last.Add(j.patience(q, cmp.Or(wait, quality.DefaultSpanWait))), q.first().Add(max(maxAge, 2*waitFactor*wait))
	if end.Before(until) {
		return end
	}
	return until
}

// first is when the first of it came.
func (q *request) first() time.Time {
	first := q.nodes[0].first
	for _, n := range q.nodes {
		if n.first.Before(first) {
			first = n.first
		}
	}
	return first
}

// patience is short for a request that is whole, as far as can be told.
func (j *Joiner) patience(q *request, wait time.Duration) time.Duration {
	content := slices.ContainsFunc(q.units, (*unit).hasContent)
	switch {
	case q.alone && content:
		return 0
	case q.entry && content:
		return wait
	default:
		return waitFactor * wait
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

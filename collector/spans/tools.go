package spans

import (
	"bytes"
	"slices"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// called is one call of a tool, put together from what the model asked for and what the tool did.
type called struct {
	quality.ToolCall
	id  string
	at  time.Time
	ran bool // the span of the tool was found
}

// toolbox gathers the calls of a unit.
type toolbox struct {
	calls []*called
	ids   map[string]*called
	seen  int
}

// maxSeen bounds the work on the calls of one request, of which maxCalls are kept.
const maxSeen = 8 * maxCalls

// tools returns the calls in the order of time. Models' calls come first, for they name the calls that
// tools then run; agents repeat those of the models below them.
func (u *unit) tools(outputs []*node) []quality.ToolCall {
	var box toolbox
	isOutput := func(*node) bool { return true }
	for _, leaves := range []bool{true, false} {
		for _, n := range outputs {
			if n.below(isOutput) != leaves {
				box.asked(n.rec, leaves)
			}
		}
	}
	for _, n := range u.nodes {
		box.results(n.rec.Results)
	}
	for _, n := range u.nodes {
		if n.rec.Role == RoleTool {
			box.ran(n.rec)
		}
	}
	slices.SortStableFunc(box.calls, func(a, b *called) int { return a.at.Compare(b.at) })
	var out []quality.ToolCall
	for _, c := range box.calls {
		out = append(out, c.ToolCall)
	}
	return out
}

// asked takes the calls that an output asks for. Those of an agent without an id are known already when a
// call below it is the same.
func (b *toolbox) asked(r *Record, leaf bool) {
	for i, call := range r.Sample.Tools {
		if b.seen++; b.seen > maxSeen {
			return
		}
		id := callID(r, i)
		known := b.ids[id]
		if known == nil && !leaf && id == "" {
			known = b.find(func(c *called) bool { return c.Name == call.Name && bytes.Equal(c.Arguments, call.Arguments) })
		}
		if known != nil {
			if known.Result == nil {
				known.Result = call.Result
			}
			continue
		}
		b.add(&called{ToolCall: call, id: id, at: r.End})
	}
}

func callID(r *Record, i int) string {
	if i < len(r.Calls) {
		return r.Calls[i]
	}
	return ""
}

func (b *toolbox) add(c *called) {
	if len(b.calls) >= maxCalls {
		return
	}
	b.calls = append(b.calls, c)
	if c.id != "" {
		b.ids = with(b.ids, c.id, c)
	}
}

func (b *toolbox) find(is func(*called) bool) *called {
	for _, c := range b.calls {
		if is(c) {
			return c
		}
	}
	return nil
}

// results are those that a later model call was told.
func (b *toolbox) results(results []Result) {
	for _, r := range results {
		if c := b.ids[r.Call]; c != nil && c.Result == nil {
			c.Result = r.Result
		}
	}
}

// ran takes in the span of a tool: it is the call of its id, or else the first of its name that no tool ran.
func (b *toolbox) ran(r *Record) {
	for i, call := range r.Sample.Tools {
		id := callID(r, i)
		c := b.ids[id]
		if c == nil {
			c = b.find(func(c *called) bool { return !c.ran && c.Name == call.Name && (c.id == "" || id == "") })
		}
		if c == nil {
			b.add(&called{ToolCall: call, id: id, at: r.Start, ran: true})
			continue
		}
		c.ran = true
		if call.Result != nil {
			c.Result = call.Result
		}
		if c.Arguments == nil {
			c.Arguments = call.Arguments
		}
	}
}

package score

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/asgood-dev/asgood/internal/expression"
	"github.com/asgood-dev/asgood/internal/quality"
)

// contract is what a sample's tool calls must keep to.
type contract struct {
	tools    map[string]*tool
	required []string
	closed   bool           // tools that are not listed are forbidden
	rank     map[string]int // place in the order, from 1
	order    []string
	max      int
}

// tool is the part of a contract that is about one tool.
type tool struct {
	spec   quality.ToolSpec
	schema *schema
	check  *expression.Program
}

// work is what all calls of a sample share: what may still be done about them.
type work struct {
	checkers map[*tool]*expression.Checker
	left     int // steps of the schemas
}

func newToolCalls(spec quality.ScorerSpec) (rule, error) {
	if spec.Others != "" && spec.Others != quality.OthersAllow && spec.Others != quality.OthersForbid {
		return nil, quality.Errorf(quality.KindInvalid, `field "others": want allow or forbid, got %q`, spec.Others)
	}
	if len(spec.Tools) == 0 && len(spec.Order) == 0 && spec.MaxCalls == 0 {
		return nil, quality.Errorf(quality.KindInvalid, "tool_calls demands nothing: give tools, order or max_calls")
	}
	c := &contract{tools: map[string]*tool{}, closed: spec.Others == quality.OthersForbid, rank: map[string]int{}, order: spec.Order, max: spec.MaxCalls}
	for i, name := range spec.Order {
		c.rank[name] = i + 1
	}
	for _, t := range spec.Tools {
		if err := c.add(t); err != nil {
			return nil, fmt.Errorf("tool %q: %w", t.Name, err)
		}
	}
	return c.score, nil
}

func (c *contract) add(spec quality.ToolSpec) (err error) {
	t := &tool{spec: spec}
	switch {
	case spec.Name == "" || c.tools[spec.Name] != nil:
		return quality.Errorf(quality.KindInvalid, `field "name": want a name, once`)
	case !slices.Contains([]string{"", quality.ToolOptional, quality.ToolRequired, quality.ToolForbidden}, spec.Use):
		return quality.Errorf(quality.KindInvalid, `field "use": want optional, required or forbidden, got %q`, spec.Use)
	}
	if len(spec.SchemaText) > 0 {
		if t.schema, err = compileSchema(spec.SchemaText); err != nil {
			return quality.Errorf(quality.KindInvalid, "field \"schema\" %q: %w", spec.Schema, err)
		}
	}
	if spec.Check != "" {
		if t.check, err = expression.CompileCheck(spec.Check); err != nil {
			return fmt.Errorf("field \"check\": %w", err)
		}
	}
	if spec.Use == quality.ToolRequired {
		c.required = append(c.required, spec.Name)
	}
	c.tools[spec.Name] = t
	return nil
}

// broken is a breach of the contract: what sort, of which configured tool, and where.
func broken(sort, tool, format string, args ...any) verdict {
	if tool != "" {
		sort += ": " + tool
	}
	return verdict{label: clip(sort), explanation: clipTo(fmt.Sprintf(format, args...), maxExplanation)}
}

// score goes through the calls in their order. A sample without calls has nothing to check, unless one is required.
func (c *contract) score(_ string, s *quality.Sample) (verdict, bool) {
	if len(s.Tools) == 0 && (len(c.required) == 0 || s.Output.IsZero() && s.Error != "") {
		return verdict{}, true
	}
	counts, furthest, w := map[string]int{}, 0, &work{checkers: map[*tool]*expression.Checker{}, left: maxSchemaSteps}
	for i := range s.Tools {
		name := s.Tools[i].Name
		counts[name]++
		if c.max > 0 && i >= c.max {
			return broken("too many calls", "", "call %d (%s): at most %d calls are allowed", i+1, clip(name), c.max), false
		}
		if rank := c.rank[name]; rank > 0 {
			if rank < furthest {
				return broken("order", name, "call %d (%s) stands after a call of %s", i+1, clip(name), c.order[furthest-1]), false
			}
			furthest = rank
		}
		if v, ok := c.call(s, i, counts[name], w); !ok {
			return v, false
		}
	}
	for _, name := range c.required {
		if counts[name] == 0 {
			return broken("missing", name, "%s was not called", name), false
		}
	}
	return verdict{value: 1}, false
}

// call checks one call, the n-th of its tool.
func (c *contract) call(s *quality.Sample, i, n int, w *work) (verdict, bool) {
	call := &s.Tools[i]
	t := c.tools[call.Name]
	switch {
	case t == nil && c.closed:
		return broken("not allowed", "", "call %d: the tool %s is not allowed", i+1, clip(call.Name)), false
	case t == nil:
		return verdict{}, true
	case t.spec.Use == quality.ToolForbidden:
		return broken("forbidden", call.Name, "call %d: the tool %s is forbidden", i+1, call.Name), false
	case t.spec.Max > 0 && n > t.spec.Max:
		return broken("too many calls", call.Name, "call %d: %s may be called %d times", i+1, call.Name, t.spec.Max), false
	case t.schema == nil && t.check == nil:
		return verdict{}, true
	}
	args, ok := arguments(call.Arguments)
	if !ok {
		return broken("not JSON", call.Name, "call %d (%s): the arguments are not JSON", i+1, call.Name), false
	}
	if t.check != nil && w.checkers[t] == nil {
		w.checkers[t] = t.check.Checker(s, s.Output.Last())
	}
	return t.judge(s, i, args, w)
}

// judge holds the arguments against schema and check. A check that cannot be evaluated is broken too: it is
// the arguments that do not fit it. One that has too much to look through says nothing of them.
func (t *tool) judge(s *quality.Sample, i int, args any, w *work) (verdict, bool) {
	name := t.spec.Name
	if t.schema != nil {
		switch err := t.schema.validate(args, &w.left); {
		case quality.KindOf(err) == quality.KindTooLarge:
			return verdict{failure: fmt.Sprintf("call %d (%s): what it is called with %v", i+1, name, err)}, false
		case err != nil:
			return broken("arguments", name, "call %d (%s): %s", i+1, name, explain(err)), false
		}
	}
	if t.check == nil {
		return verdict{}, true
	}
	held, err := w.checkers[t].Check(expression.Call{Name: name, Index: i, Args: args, Result: expression.Decode(s.Tools[i].Result)})
	switch {
	case quality.KindOf(err) == quality.KindTooLarge:
		return verdict{failure: clipTo(fmt.Sprintf("call %d (%s): the check cannot be made: %v", i+1, name, err), maxExplanation)}, false
	case err != nil:
		return broken("check", name, "call %d (%s): the check cannot be made: %v", i+1, name, err), false
	case !held:
		return broken("check", name, "call %d (%s): not %s", i+1, name, t.spec.Check), false
	}
	return verdict{}, true
}

// arguments reads a call's arguments; a call without any has an empty object.
func arguments(data json.RawMessage) (any, bool) {
	v := expression.Decode(data)
	switch v.(type) {
	case nil:
		return map[string]any{}, len(data) == 0 || string(data) == "null"
	case string: // a string that holds an object was read as the object
		return v, false
	}
	return v, true
}

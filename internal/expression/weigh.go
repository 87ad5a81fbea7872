package expression

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm/runtime"
)

// maxWeight is what one run may look through. A unit takes about a nanosecond: what a run costs follows from the
// sample and the expression alone, so that a replay says the same, and no clock has to be asked.
const maxWeight = 64 << 20

// weights are the units that functions take for each byte of what they are given, where that is not 1.
var weights = map[string]int{
	"lower": 8, "upper": 8, "split": 24, "splitAfter": 24, "string": 24, "toJSON": 48, "fromJSON": 64, "toBase64": 4, "fromBase64": 4,
	"sort": 8, "median": 8, "flatten": 4, "concat": 4, "reverse": 4, "date": 4, "toPairs": 8, "fromPairs": 8, "keys": 2, "values": 2,
	"": 16, // methods, such as those of time, which write by a pattern
}

// ours are the functions whose results may be far larger than what they are given, or take the square of it. They
// are done by us, after what they make was weighed.
var ours = map[string]bool{"repeat": true, "replace": true, "join": true, "uniq": true}

// The names by which weights get into an expression.
const (
	leftName  = "asgood_left"
	weighName = "asgood_weigh"
)

// weighed lists the operators that look through what they are given.
var weighed = []string{"contains", "startsWith", "endsWith", "==", "!=", "<", ">", "<=", ">=", "in", "+"}

// weigher lets everything be weighed that a function or an operator looks through.
type weigher struct{}

// Visit implements ast.Visitor.
func (weigher) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.BuiltinNode:
		weighArguments(n.Name, n.Arguments)
		if ours[n.Name] {
			callOurs(node, n)
		}
	case *ast.CallNode:
		if name, ok := n.Callee.(*ast.IdentifierNode); !ok || !strings.HasPrefix(name.Value, ownPrefix) {
			weighArguments("", n.Arguments)
		}
	case *ast.BinaryNode:
		weighOperands(n)
	case *ast.MemberNode:
		weigh(&n.Property, 1)
	}
}

// callOurs puts our function in the place of the library's.
func callOurs(node *ast.Node, n *ast.BuiltinNode) {
	call := &ast.CallNode{
		Callee:    &ast.IdentifierNode{Value: ownPrefix + n.Name},
		Arguments: append([]ast.Node{&ast.IdentifierNode{Value: leftName}}, n.Arguments...),
	}
	call.SetLocation(n.Location())
	*node = call
}

// weighArguments leaves out what a loop goes through: its turns are counted.
func weighArguments(name string, arguments []ast.Node) {
	for _, a := range arguments {
		if _, loop := a.(*ast.PredicateNode); loop {
			return
		}
	}
	for i := range arguments {
		weigh(&arguments[i], max(weights[name], 1))
	}
}

func weighOperands(n *ast.BinaryNode) {
	if !slices.Contains(weighed, n.Operator) {
		return
	}
	// What is compared with something short ends after as much.
	if n.Operator != "contains" && n.Operator != "in" && n.Operator != "+" && (small(n.Left) || small(n.Right)) {
		return
	}
	weigh(&n.Left, 1)
	weigh(&n.Right, 1)
}

// small reports whether something is known to be short: a number, or what stands in the expression itself.
func small(n ast.Node) bool {
	switch n.(type) {
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NilNode, *ast.ConstantNode, *ast.PredicateNode:
		return true
	}
	k := n.Type().Kind()
	return k == reflect.Bool || isNumber(k)
}

func weigh(node *ast.Node, weight int) {
	if small(*node) {
		return
	}
	call := &ast.CallNode{
		Callee:    &ast.IdentifierNode{Value: weighName},
		Arguments: []ast.Node{&ast.IdentifierNode{Value: leftName}, *node, &ast.IntegerNode{Value: weight}},
	}
	call.SetLocation((*node).Location())
	*node = call
}

// weighing are the functions that weigh, and those that are done by us.
func weighing() []expr.Option {
	return []expr.Option{
		expr.Function(weighName, weighOne, new(func(*int, any, int) any)),
		expr.Function(ownPrefix+"repeat", repeat, new(func(*int, any, any) string)),
		expr.Function(ownPrefix+"replace", replace, new(func(*int, any, any, any) string), new(func(*int, any, any, any, any) string)),
		expr.Function(ownPrefix+"join", join, new(func(*int, any) string), new(func(*int, any, any) string)),
		expr.Function(ownPrefix+"uniq", uniq, new(func(*int, any) []any)),
	}
}

// take takes units off what is left.
func take(left *int, units int) error {
	if units < 0 || units > *left {
		*left = 0
		return errSteps
	}
	*left -= units
	return nil
}

// weighOne takes what a function or an operator will cost, and hands on what it is given.
func weighOne(params ...any) (any, error) {
	left, weight := params[0].(*int), params[2].(int)
	s := scales{left: *left / weight, deep: weight == weights["toJSON"]}
	s.put(params[1], 1)
	return params[1], take(left, weight*min(s.sum, s.left+1))
}

// scales sum up how much there is in a value, and stop where it is more than is left.
type scales struct {
	sum, left int
	deep      bool // an element costs its depth too, as it is written with as much space before it
}

const element = 16 // what one part of a list or mapping costs beside its text

func (s *scales) put(v any, depth int) {
	if s.sum > s.left {
		return
	}
	switch x := v.(type) {
	case string:
		s.sum += len(x)
	case []string:
		for i := range x {
			s.part(len(x[i]), depth)
		}
	case []any:
		for i := range x {
			s.part(0, depth)
			s.put(x[i], depth+1)
		}
	case map[string]any:
		for k, v := range x {
			s.part(len(k), depth)
			s.put(v, depth+1)
		}
	case map[string]string:
		for k, v := range x {
			s.part(len(k)+len(v), depth)
		}
	default:
		s.others(v, depth)
	}
}

func (s *scales) part(bytes, depth int) {
	s.sum += element + bytes
	if s.deep {
		s.sum += 2 * depth
	}
}

func (s *scales) others(v any, depth int) {
	switch x := v.(type) {
	case Document:
		s.part(len(x.ID)+len(x.Text), depth)
	case Tool:
		s.part(len(x.Name), depth)
		s.put(x.Arguments, depth+1)
		s.put(x.Result, depth+1)
	case []Document:
		for i := range x {
			s.put(x[i], depth)
		}
	case []Tool:
		for i := range x {
			s.put(x[i], depth)
		}
	default:
		s.sum += element
		if r := reflect.ValueOf(v); r.Kind() == reflect.Slice || r.Kind() == reflect.Map {
			s.sum += element * r.Len()
		}
	}
}

// texts reads the parameters of one of our functions behind what is left.
func texts(name string, params []any) ([]string, error) {
	out := make([]string, len(params))
	for i, p := range params {
		s, ok := p.(string)
		if !ok {
			return nil, fmt.Errorf("%s takes a text, not %T", name, p)
		}
		out[i] = s
	}
	return out, nil
}

func repeat(params ...any) (any, error) {
	list, err := texts("repeat", params[1:2])
	n, ok := whole(params[2])
	switch {
	case err != nil:
		return "", err
	case !ok || n < 0:
		return "", fmt.Errorf("repeat takes how often, not %v", params[2])
	case n > maxWeight:
		return "", errSteps
	}
	if err := take(params[0].(*int), n*min(len(list[0])+1, maxWeight)); err != nil {
		return "", err
	}
	return strings.Repeat(list[0], n), nil
}

func replace(params ...any) (any, error) {
	list, err := texts("replace", params[1:4])
	if err != nil {
		return "", err
	}
	text, old, with := list[0], list[1], list[2]
	n := strings.Count(text, old)
	if len(params) == 5 {
		most, ok := whole(params[4])
		if !ok {
			return "", fmt.Errorf("replace takes how often, not %v", params[4])
		}
		if most >= 0 {
			n = min(n, most)
		}
	}
	if err := take(params[0].(*int), 4*len(text)+n*min(len(with)+1, maxWeight)); err != nil {
		return "", err
	}
	return strings.Replace(text, old, with, n), nil
}

func join(params ...any) (any, error) {
	glue, list := "", []string(nil)
	if len(params) == 3 {
		g, err := texts("join", params[2:])
		if err != nil {
			return "", err
		}
		glue = g[0]
	}
	switch x := params[1].(type) {
	case []string:
		list = x
	case []any:
		var err error
		if list, err = texts("join", x); err != nil {
			return "", err
		}
	default:
		return "", fmt.Errorf("join takes a list, not %T", params[1])
	}
	if err := take(params[0].(*int), len(list)*min(len(glue)+element, maxWeight)); err != nil {
		return "", err
	}
	return strings.Join(list, glue), nil
}

// uniq leaves out what stood in a list before. Values of one plain type are looked up; others are compared with
// each other, as the library does.
func uniq(params ...any) (any, error) {
	r := reflect.ValueOf(params[1])
	if r.Kind() != reflect.Slice {
		return nil, fmt.Errorf("uniq takes a list, not %T", params[1])
	}
	left, seen, out := params[0].(*int), map[string]bool{}, []any{}
	for i := range r.Len() {
		v := r.Index(i).Interface()
		if text, ok := v.(string); ok {
			if !seen[text] {
				seen[text], out = true, append(out, v)
			}
			continue
		}
		s := scales{left: *left}
		s.put(v, 0)
		if err := take(left, len(out)*(64+min(s.sum, maxWeight))); err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(out, func(o any) bool { return runtime.Equal(o, v) }) {
			out = append(out, v)
		}
	}
	return out, take(left, r.Len()*64)
}

// whole reads a number of times.
func whole(v any) (int, bool) {
	switch r := reflect.ValueOf(v); {
	case r.IsValid() && r.CanInt():
		return int(r.Int()), true
	case r.IsValid() && r.CanUint() && r.Uint() <= maxWeight:
		return int(r.Uint()), true
	case r.IsValid() && r.CanFloat() && r.Float() >= -1 && r.Float() <= maxWeight:
		return int(r.Float()), true
	}
	return 0, false
}

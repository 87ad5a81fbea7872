package expression

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// looker notes which names an expression uses, and refuses what cannot be bounded.
type looker struct {
	uses map[string]bool
	err  error
}

// Visit implements ast.Visitor.
func (l *looker) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		l.uses[n.Value] = true
		if strings.HasPrefix(n.Value, ownPrefix) {
			l.err = fmt.Errorf("unknown name %s", n.Value)
		}
		if n.Value == "$env" { // the whole sample, by names that are not seen here
			l.err = errors.New("$env is not used here: name the fields")
		}
	case *ast.BinaryNode:
		// A pattern out of a sample could be as large as the sample.
		if _, fixed := n.Right.(*ast.StringNode); n.Operator == "matches" && !fixed {
			l.err = errors.New("matches takes a pattern that stands in the expression itself")
		}
	}
}

// The names by which a counter gets into a loop, and a bound into a pattern.
const (
	ownPrefix   = "asgood_"
	counterName = "asgood_count"
	budgetName  = "asgood_budget"
	matchName   = "asgood_match"
	workName    = "asgood_work"
)

// counter puts a call of the counter around what a loop does in each turn.
type counter struct{}

// Visit implements ast.Visitor.
func (counter) Visit(node *ast.Node) {
	n, ok := (*node).(*ast.PredicateNode)
	if !ok {
		return
	}
	if call, done := n.Node.(*ast.CallNode); done {
		if name, ok := call.Callee.(*ast.IdentifierNode); ok && name.Value == counterName {
			return
		}
	}
	n.Node = &ast.CallNode{
		Callee:    &ast.IdentifierNode{Value: counterName},
		Arguments: []ast.Node{&ast.IdentifierNode{Value: budgetName}, &ast.IdentifierNode{Value: leftName}, &ast.IntegerNode{Value: parts(&n.Node)}, n.Node},
	}
}

// parts counts the nodes of what a loop does in each turn.
func parts(node *ast.Node) int {
	var n nodes
	ast.Walk(node, &n)
	return int(n)
}

type nodes int

// Visit implements ast.Visitor.
func (n *nodes) Visit(*ast.Node) { *n++ }

// part is about what one node costs in a turn, in units.
const part = 32

var errSteps = errors.New("takes too many steps on this sample")

// count takes a turn off the budget and hands the turn's result on. What a turn costs, and a text that it makes,
// which may become a key, is weighed as well.
func count(params ...any) (any, error) {
	turns, result := params[0].(*int), params[3]
	if *turns--; *turns < 0 {
		return nil, errSteps
	}
	text, _ := result.(string)
	return result, take(params[1].(*int), part*params[2].(int)+len(text))
}

// patterns finds what the patterns of one expression are after. A pattern costs a thousand times what other
// ways through a text cost, so each byte that one looks at is counted.
type patterns struct {
	compiled map[string]*regexp.Regexp // written while the expression is compiled only
}

// Visit implements ast.Visitor.
func (p *patterns) Visit(node *ast.Node) {
	n, ok := (*node).(*ast.BinaryNode)
	if !ok || n.Operator != "matches" {
		return
	}
	fixed, ok := n.Right.(*ast.StringNode)
	if !ok {
		return
	}
	re, err := regexp.Compile(fixed.Value)
	if err != nil {
		return // the library says so
	}
	p.compiled[fixed.Value] = re
	ast.Patch(node, &ast.CallNode{
		Callee:    &ast.IdentifierNode{Value: matchName},
		Arguments: []ast.Node{&ast.IdentifierNode{Value: workName}, n.Left, fixed},
	})
}

var errWork = fmt.Errorf("looks for patterns in more than %d KiB of this sample", maxMatched>>10)

// match reports whether a text matches a pattern; what is not there does not.
func (p *patterns) match(params ...any) (any, error) {
	left, text := params[0].(*int), ""
	switch v := params[1].(type) {
	case nil:
		return false, nil
	case string:
		text = v
	default:
		return nil, fmt.Errorf("matches takes a text, not %T", v)
	}
	if *left -= len(text); *left < 0 {
		return nil, errWork
	}
	return p.compiled[params[2].(string)].MatchString(text), nil
}

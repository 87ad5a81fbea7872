package expression

import (
	"errors"
	"fmt"

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
		if n.Value == counterName || n.Value == budgetName {
			l.err = fmt.Errorf("unknown name %s", n.Value)
		}
		if n.Value == "$env" { // the whole sample, by names that are not seen here
			l.err = errors.New("$env is not used here: name the fields")
		}
	case *ast.PredicateNode:
		l.uses[counterName] = true
	case *ast.BinaryNode:
		// A pattern out of a sample could be as large as the sample.
		if _, fixed := n.Right.(*ast.StringNode); n.Operator == "matches" && !fixed {
			l.err = errors.New("matches takes a pattern that stands in the expression itself")
		}
	}
}

// The names by which a counter gets into a loop.
const (
	counterName = "asgood_count"
	budgetName  = "asgood_budget"
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
		Arguments: []ast.Node{&ast.IdentifierNode{Value: budgetName}, n.Node},
	}
}

var errSteps = errors.New("takes too many steps on this sample")

// count takes a turn off the budget and hands the turn's result on.
func count(params ...any) (any, error) {
	left := params[0].(*int)
	if *left--; *left < 0 {
		return nil, errSteps
	}
	return params[1], nil
}

// Package expression compiles and runs expressions over a sample, in the language of expr-lang.org: what a
// scorer of type expr computes, and what a scorer of type tool_calls checks of a call.
//
// An expression is checked against the fields of a sample when it is compiled, so that a misspelt name is
// found with the configuration. Running one is bounded: how large it may be, how many steps its loops may
// take, how much it may look through and how much it may hold. It reads no clock and no file. The package is the only importer of
// expr-lang/expr; it leaves out what a result means.
package expression

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Bounds of an expression and of one run.
const (
	MaxText   = 4096    // bytes of an expression
	maxNodes  = 400     // parts of an expression
	maxMemory = 100_000 // elements that a run may make
	maxSteps  = 10_000  // turns of all loops of a run

	maxMatched = 1 << 20 // bytes that patterns look at
	maxDecoded = 1 << 20 // bytes of the JSON of tool calls
)

// Program is a compiled expression. It is safe for use by several goroutines.
type Program struct {
	program *vm.Program
	uses    map[string]bool
	number  bool
}

// Compile compiles an expression over a sample whose result is true or false, or a number. An error is of
// kind invalid, in one line, and may hold text of the expression.
func Compile(text string) (*Program, error) {
	return compile(text, Env{}, func(k reflect.Kind) bool { return k == reflect.Bool || isNumber(k) }, "true or false, or a number")
}

// CompileCheck compiles an expression over one tool call and its sample whose result is true or false.
func CompileCheck(text string) (*Program, error) {
	return compile(text, CallEnv{}, func(k reflect.Kind) bool { return k == reflect.Bool }, "true or false")
}

// Number reports whether the result is a number, rather than true or false.
func (p *Program) Number() bool { return p.number }

// compile checks the expression as it stands first, for its errors and the kind of its result; then it
// compiles it with a counter in every loop.
func compile(text string, env any, fits func(reflect.Kind) bool, want string) (*Program, error) {
	switch {
	case strings.TrimSpace(text) == "":
		return nil, quality.Errorf(quality.KindInvalid, "required")
	case len(text) > MaxText:
		return nil, quality.Errorf(quality.KindInvalid, "has %d bytes, at most %d", len(text), MaxText)
	}
	look := &looker{uses: map[string]bool{}}
	match := &patterns{compiled: map[string]*regexp.Regexp{}}
	plain, err := expr.Compile(text, append(options(env), expr.Patch(look))...)
	if err == nil {
		err = look.err
	}
	if err != nil {
		return nil, quality.Errorf(quality.KindInvalid, "%s", oneLine(err))
	}
	kind := reflect.Interface
	if t := plain.Node().Type(); t != nil {
		kind = t.Kind()
	}
	if !fits(kind) {
		return nil, quality.Errorf(quality.KindInvalid, "its result is %s, want %s%s", kindName(kind), want, kindHint(kind))
	}
	program, err := expr.Compile(text, append(append(options(env), bounds(match)...), expr.Patch(counter{}), expr.Patch(match), expr.Patch(weigher{}))...)
	if err != nil {
		return nil, quality.Errorf(quality.KindInvalid, "%s", oneLine(err))
	}
	return &Program{program: program, uses: look.uses, number: kind != reflect.Bool}, nil
}

// options leave out what depends on the machine or the moment. Without the optimizer a range is made when
// it is needed, and so it is counted.
func options(env any) []expr.Option {
	return []expr.Option{
		expr.Env(env), expr.MaxNodes(maxNodes), expr.Optimize(false),
		expr.DisableBuiltin("now"), expr.DisableBuiltin("timezone"),
	}
}

// bounds are what an expression is bounded by while it runs.
func bounds(match *patterns) []expr.Option {
	return append([]expr.Option{
		expr.Function(counterName, count, new(func(*int, *int, int, any) any)),
		expr.Function(matchName, match.match, new(func(*int, any, string) bool)),
	}, weighing()...)
}

func isNumber(k reflect.Kind) bool { return k >= reflect.Int && k <= reflect.Float64 }

func kindName(k reflect.Kind) string {
	switch {
	case k == reflect.Bool:
		return "true or false"
	case isNumber(k):
		return "a number"
	case k == reflect.String:
		return "text"
	case k == reflect.Interface:
		return "not known before it runs"
	default:
		return "a list or mapping"
	}
}

func kindHint(k reflect.Kind) string {
	if k == reflect.Interface {
		return " (compare it, or put float(...) around it)"
	}
	return ""
}

// oneLine is what the library says, without the drawing of the place.
func oneLine(err error) string {
	var at *file.Error
	if !errors.As(err, &at) {
		return strings.Join(strings.Fields(err.Error()), " ")
	}
	return fmt.Sprintf("%s at character %d", strings.Join(strings.Fields(at.Message), " "), at.Column+1)
}

// Run evaluates the expression over a sample; output is the text that is its output. ok is false when the
// sample lacks something that the expression asks for: reference, usage or latency_ms. True is 1, false 0.
func (p *Program) Run(s *quality.Sample, output string) (value float64, ok bool, err error) {
	if p.lacks(s) {
		return 0, false, nil
	}
	if p.tooLarge(s) {
		return 0, false, errTools
	}
	result, err := p.run(p.env(s, output))
	if err != nil {
		return 0, false, err
	}
	value, err = toNumber(result)
	return value, err == nil, err
}

// Call is a tool call whose arguments and result are read.
type Call struct {
	Name   string
	Index  int // of the call in its sample, from 0
	Args   any
	Result any
}

// Checker evaluates an expression over the calls of one sample. All of them share what one run may do, so a
// sample of many calls costs no more than one. It is for one goroutine.
type Checker struct {
	program *Program
	lacks   bool
	large   bool
	env     Env
}

// Checker returns what checks the calls of a sample.
func (p *Program) Checker(s *quality.Sample, output string) *Checker {
	c := &Checker{program: p, lacks: p.lacks(s), large: p.tooLarge(s)}
	if !c.lacks && !c.large {
		c.env = p.env(s, output)
	}
	return c
}

// Check evaluates the expression over a call. An error of kind too large says that the sample has more than
// may be looked through, which is nothing about the call.
func (c *Checker) Check(call Call) (bool, error) {
	switch {
	case c.lacks:
		return true, nil
	case c.large:
		return false, errTools
	}
	result, err := c.program.run(CallEnv{Env: c.env, Name: call.Name, Index: call.Index, Args: call.Args, Result: call.Result})
	if err != nil {
		return false, err
	}
	held, ok := result.(bool)
	if !ok {
		return false, fmt.Errorf("its result is %T, want true or false", result)
	}
	return held, nil
}

func (p *Program) run(env any) (any, error) {
	machine := vm.VM{MemoryBudget: maxMemory}
	result, err := machine.Run(p.program, env)
	switch {
	case errors.Is(err, errSteps) || errors.Is(err, errWork):
		return nil, quality.Errorf(quality.KindTooLarge, "%s", oneLine(err))
	case err != nil:
		return nil, errors.New(oneLine(err))
	}
	return result, nil
}

// toNumber is by reflection: the kinds of numbers are many, and their own types may come from JSON.
func toNumber(v any) (float64, error) {
	switch r := reflect.ValueOf(v); {
	case !r.IsValid():
		return 0, errors.New("its result is nil")
	case r.Kind() == reflect.Bool:
		if r.Bool() {
			return 1, nil
		}
		return 0, nil
	case r.CanInt():
		return float64(r.Int()), nil
	case r.CanUint():
		return float64(r.Uint()), nil
	case r.CanFloat():
		if f := r.Float(); !math.IsNaN(f) && !math.IsInf(f, 0) {
			return f, nil
		}
		return 0, errors.New("its result is not a finite number")
	default:
		return 0, fmt.Errorf("its result is %T, want a number", v)
	}
}

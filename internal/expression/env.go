package expression

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Env is what an expression sees of a sample.
type Env struct {
	Input        string            `expr:"input"` // of a list of messages all of them, one after the other
	Output       string            `expr:"output"`
	Reference    string            `expr:"reference"` // a sample without one is not scored
	Context      []Document        `expr:"context"`
	Tools        []Tool            `expr:"tools"`
	Attributes   map[string]string `expr:"attributes"`
	Params       map[string]any    `expr:"params"`
	Usage        Usage             `expr:"usage"`      // a sample without it is not scored
	LatencyMS    float64           `expr:"latency_ms"` // a sample without it is not scored
	Model        string            `expr:"model"`
	Prompt       string            `expr:"prompt"`
	Customer     string            `expr:"customer"`
	Conversation string            `expr:"conversation"`
	Source       string            `expr:"source"`
	Error        string            `expr:"error"`
	Time         time.Time         `expr:"time"` // UTC

	Budget *int `expr:"asgood_budget"` // turns of loops that are left
	Work   *int `expr:"asgood_work"`   // bytes that patterns may still look at
	Left   *int `expr:"asgood_left"`   // units of what may still be looked through
}

// CallEnv is what a check of a tool call sees.
type CallEnv struct {
	Env
	Name   string `expr:"name"`
	Index  int    `expr:"index"` // of the call, from 0
	Args   any    `expr:"args"`
	Result any    `expr:"result"`
}

// Document is a piece of context.
type Document struct {
	ID   string `expr:"id"`
	Text string `expr:"text"`
}

// Tool is a tool call.
type Tool struct {
	Name      string `expr:"name"`
	Arguments any    `expr:"arguments"`
	Result    any    `expr:"result"`
}

// Usage counts tokens.
type Usage struct {
	InputTokens  int `expr:"input_tokens"`
	OutputTokens int `expr:"output_tokens"`
}

// lacks reports whether the sample has not what the expression asks for. Without this a missing figure
// would pass as 0.
func (p *Program) lacks(s *quality.Sample) bool {
	return p.uses["reference"] && s.Reference == nil ||
		p.uses["usage"] && (s.Usage == nil || *s.Usage == quality.Usage{}) ||
		p.uses["latency_ms"] && s.LatencyMS == 0
}

var errTools = quality.Errorf(quality.KindTooLarge, "the tool calls have more than %d KiB of JSON", maxDecoded>>10)

// tooLarge reports whether the sample has more JSON than is read for an expression.
func (p *Program) tooLarge(s *quality.Sample) bool {
	if !p.uses["tools"] {
		return false
	}
	n := 0
	for i := range s.Tools {
		n += len(s.Tools[i].Arguments) + len(s.Tools[i].Result)
	}
	return n > maxDecoded
}

// env makes what the expression uses; the rest stays empty.
func (p *Program) env(s *quality.Sample, output string) Env {
	e := Env{
		Output: output, Attributes: s.Attributes, Params: s.Params, LatencyMS: s.LatencyMS, Model: s.Model, Prompt: s.Prompt,
		Customer: s.Customer, Conversation: s.Conversation, Source: s.Source, Error: s.Error, Time: s.Time.UTC(),
	}
	if s.Reference != nil {
		e.Reference = *s.Reference
	}
	if s.Usage != nil {
		e.Usage = Usage{InputTokens: int(s.Usage.InputTokens), OutputTokens: int(s.Usage.OutputTokens)}
	}
	if p.uses["input"] {
		e.Input = s.Input.All()
	}
	if p.uses["context"] {
		for _, d := range s.Context {
			e.Context = append(e.Context, Document(d))
		}
	}
	if p.uses["tools"] {
		for _, t := range s.Tools {
			e.Tools = append(e.Tools, Tool{Name: t.Name, Arguments: Decode(t.Arguments), Result: Decode(t.Result)})
		}
	}
	work, left, turns := maxMatched, maxWeight, maxSteps
	e.Work, e.Left, e.Budget = &work, &left, &turns
	return e
}

// Decode reads the JSON of a tool's arguments or result; nil when there is none or it is broken. Senders
// put arguments into a string of JSON as often as not: that one is read once more.
func Decode(data json.RawMessage) any {
	v, err := decode(data)
	if err != nil {
		return nil
	}
	text, ok := v.(string)
	if !ok {
		return v
	}
	if inner, err := decode([]byte(text)); err == nil {
		if _, ok := inner.(map[string]any); ok {
			return inner
		}
	}
	return text
}

func decode(data []byte) (v any, err error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, nil
	}
	err = json.Unmarshal(data, &v)
	return v, err
}

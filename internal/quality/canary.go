package quality

import (
	"bytes"
	"encoding/json"
	"fmt"
	"text/template"
	"time"
)

// CanarySpec configures golden prompts that are asked on a schedule. Exactly one of Chat and HTTP is set.
type CanarySpec struct {
	Name        string         `yaml:"name"`        // unique over all features
	Every       time.Duration  `yaml:"every"`       // between two runs, in whole seconds; default 1 h
	Prompts     []CanaryPrompt `yaml:"prompts"`     // in the file, or the name of a file beside the configuration
	Repeat      int            `yaml:"repeat"`      // how often a run asks each prompt; default 1
	Chat        *CanaryChat    `yaml:"chat"`        // an OpenAI-compatible endpoint
	HTTP        *CanaryHTTP    `yaml:"http"`        // any other endpoint
	Timeout     time.Duration  `yaml:"timeout"`     // of one try of a call; default 30 s
	Concurrency int            `yaml:"concurrency"` // calls at a time; default 4
	Budget      Quota          `yaml:"budget"`      // most calls in a period; none means no such limit

	Secrets []string `yaml:"-"` // what variables held that must appear nowhere; never logged
}

// CanaryPrompt is one golden prompt.
type CanaryPrompt struct {
	ID         string            `yaml:"id"` // unique in the canary
	Input      Content           `yaml:"input"`
	Reference  *string           `yaml:"reference"` // the right answer
	Attributes map[string]string `yaml:"attributes"`
	Expect     *CanaryExpect     `yaml:"expect"` // nil: the rate is the share of the most common answer
}

// CanaryExpect says which answers count as behaving well. Exactly one of the first three is set.
type CanaryExpect struct {
	Contains   string `yaml:"contains"`
	Regex      string `yaml:"regex"`
	Reference  bool   `yaml:"reference"` // equals the prompt's reference, both trimmed
	IgnoreCase bool   `yaml:"ignore_case"`
}

// CanaryChat is an endpoint that speaks OpenAI's chat completions.
type CanaryChat struct {
	BaseURL string         `yaml:"base_url"` // calls go to BaseURL/chat/completions
	Model   string         `yaml:"model"`
	Key     string         `yaml:"key"`    // sent as a bearer token; never logged
	System  string         `yaml:"system"` // system message before the prompt
	Params  map[string]any `yaml:"params"` // further fields of the request, such as temperature
}

// CanaryHTTP is an endpoint of any other form.
type CanaryHTTP struct {
	URL     string            `yaml:"url"`
	Method  string            `yaml:"method"`  // default POST
	Headers map[string]string `yaml:"headers"` // values may be secret and are never shown
	Body    string            `yaml:"body"`    // template of Go's text/template over CanaryCall, with the function json
	Answer  string            `yaml:"answer"`  // JSONPath of the answer; empty: the whole body is the answer
	Context string            `yaml:"context"` // JSONPath of the texts, or of objects with id and text, that the answer rests on
	Model   string            `yaml:"model"`   // JSONPath of the model's name
	Usage   CanaryUsage       `yaml:"usage"`
}

// CanaryUsage holds the JSONPaths of the token counts.
type CanaryUsage struct {
	InputTokens  string `yaml:"input_tokens"`
	OutputTokens string `yaml:"output_tokens"`
}

// Defaults of a canary.
const (
	canaryEvery       = time.Hour
	canaryTimeout     = 30 * time.Second
	canaryConcurrency = 4
)

// MaxCanaryBody is the most bytes that a template of a body may make.
const MaxCanaryBody = 1 << 20

// WithDefaults returns the canary with what it left out filled in.
func (c CanarySpec) WithDefaults() CanarySpec {
	c.Every = positive(c.Every, canaryEvery)
	c.Repeat = positive(c.Repeat, 1)
	c.Timeout = positive(c.Timeout, canaryTimeout)
	c.Concurrency = positive(c.Concurrency, canaryConcurrency)
	if c.HTTP != nil && c.HTTP.Method == "" {
		h := *c.HTTP // a copy: the caller's stays what it was
		h.Method = "POST"
		c.HTTP = &h
	}
	return c
}

// Calls is how many calls one run makes, without those that are tried again.
func (c *CanarySpec) Calls() int { return len(c.Prompts) * max(c.Repeat, 1) }

// Endpoint names what is asked, without anything secret.
func (c *CanarySpec) Endpoint() string {
	switch {
	case c.Chat != nil:
		return urlLabel(c.Chat.BaseURL)
	case c.HTTP != nil:
		return urlLabel(c.HTTP.URL)
	default:
		return ""
	}
}

// CanaryCall is what the template of a body is filled with.
type CanaryCall struct {
	ID         string    // of the prompt
	Input      string    // the text, or the content of the last message
	Messages   []Message // a text as one message of the user
	Attributes map[string]string
}

// CallOf returns what the template of a body is filled with for a prompt.
func CallOf(p *CanaryPrompt) CanaryCall {
	c := CanaryCall{ID: p.ID, Input: p.Input.Text, Messages: p.Input.Messages, Attributes: p.Attributes}
	switch n := len(c.Messages); {
	case n > 0:
		c.Input = c.Messages[n-1].Content
	case n == 0:
		c.Messages = []Message{{Role: "user", Content: c.Input}}
	}
	return c
}

// CanaryBody is a template of a request body. It is safe for concurrent use.
type CanaryBody struct{ t *template.Template }

// CompileCanaryBody reads a template. The function json writes a value as JSON.
func CompileCanaryBody(text string) (*CanaryBody, error) {
	t, err := template.New("body").Option("missingkey=zero").Funcs(template.FuncMap{"json": toJSON}).Parse(text)
	if err != nil {
		return nil, fmt.Errorf("reading the template: %w", err)
	}
	return &CanaryBody{t}, nil
}

func toJSON(v any) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), err
}

// Render fills the template. More than MaxCanaryBody bytes are an error of kind too large.
func (b *CanaryBody) Render(c CanaryCall) ([]byte, error) {
	var w limitedBuffer
	if err := b.t.Execute(&w, c); err != nil {
		return nil, fmt.Errorf("filling the template: %w", err)
	}
	return w.Bytes(), nil
}

// limitedBuffer keeps a template from writing without end.
type limitedBuffer struct{ bytes.Buffer }

func (b *limitedBuffer) Write(p []byte) (int, error) {
	if b.Len()+len(p) > MaxCanaryBody {
		return 0, Errorf(KindTooLarge, "the body has more than %d bytes", MaxCanaryBody)
	}
	return b.Buffer.Write(p)
}

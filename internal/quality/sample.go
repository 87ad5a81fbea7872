package quality

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Sample is one production output kept for scoring, with its input, context and provenance.
// Its JSON form is the native wire format of the collector.
type Sample struct {
	ID           string             `json:"id,omitempty"`  // unique per feature within the retention
	Time         time.Time          `json:"time,omitzero"` // when the output was made
	Feature      string             `json:"feature"`       // required
	Customer     string             `json:"customer,omitempty"`
	Conversation string             `json:"conversation,omitempty"` // groups the turns of one conversation
	Source       string             `json:"source,omitempty"`       // what asked: empty for production, or SourceCanary
	Trace        string             `json:"trace,omitempty"`        // trace id in hex; sampling decides alike for one trace
	Input        Content            `json:"input,omitzero"`
	Output       Content            `json:"output,omitzero"`     // required
	Reference    *string            `json:"reference,omitempty"` // the right answer; nil when there is none
	Context      []Document         `json:"context,omitempty"`
	Model        string             `json:"model,omitempty"`
	Prompt       string             `json:"prompt,omitempty"` // name and version of the prompt
	Params       map[string]any     `json:"params,omitempty"`
	Tools        []ToolCall         `json:"tools,omitempty"`
	Usage        *Usage             `json:"usage,omitempty"`
	LatencyMS    float64            `json:"latency_ms,omitempty"`
	Error        string             `json:"error,omitempty"`
	Attributes   map[string]string  `json:"attributes,omitempty"`
	Scores       map[string]float64 `json:"scores,omitempty"` // scores that came with the sample, by metric
	Weight       float64            `json:"weight,omitempty"` // 1 / probability that it was kept; 0 means 1
}

// SourceCanary marks the output of a golden prompt that Asgood sent itself.
const SourceCanary = "canary"

// Document is one piece of retrieved context.
type Document struct {
	ID   string `json:"id,omitempty"`
	Text string `json:"text,omitempty"`
}

// ToolCall is one call of a tool made for the output.
type ToolCall struct {
	Name      string          `json:"name"`
	Arguments json.RawMessage `json:"arguments,omitempty"`
	Result    json.RawMessage `json:"result,omitempty"`
}

// Usage counts tokens.
type Usage struct {
	InputTokens  uint64 `json:"input_tokens,omitempty"`
	OutputTokens uint64 `json:"output_tokens,omitempty"`
}

// Message is one chat message.
type Message struct {
	Role    string `json:"role" yaml:"role"`
	Content string `json:"content" yaml:"content"`
}

// Content is an input or an output: either plain text or a list of chat messages.
type Content struct {
	Text     string
	Messages []Message
}

// Text returns content of plain text.
func Text(s string) Content { return Content{Text: s} }

// IsZero reports whether there is no content at all.
func (c Content) IsZero() bool { return c.Text == "" && c.Messages == nil }

// Last returns the text, or the content of the last assistant message (the last message when no
// role is assistant). It is what scorers read unless they ask for all.
func (c Content) Last() string {
	if c.Messages == nil {
		return c.Text
	}
	for i := len(c.Messages) - 1; i >= 0; i-- {
		if c.Messages[i].Role == "assistant" {
			return c.Messages[i].Content
		}
	}
	if n := len(c.Messages); n > 0 {
		return c.Messages[n-1].Content
	}
	return ""
}

// All returns the text, or every message's content joined by new lines.
func (c Content) All() string {
	if c.Messages == nil {
		return c.Text
	}
	parts := make([]string, len(c.Messages))
	for i, m := range c.Messages {
		parts[i] = m.Content
	}
	return strings.Join(parts, "\n")
}

// MarshalJSON writes a string or a list of messages.
func (c Content) MarshalJSON() ([]byte, error) {
	if c.Messages != nil {
		return json.Marshal(c.Messages)
	}
	return json.Marshal(c.Text)
}

// UnmarshalJSON reads a string or a list of messages; a message with an unknown field is refused.
func (c *Content) UnmarshalJSON(data []byte) error {
	data = bytes.TrimSpace(data)
	if len(data) == 0 || bytes.Equal(data, []byte("null")) {
		*c = Content{}
		return nil
	}
	switch data[0] {
	case '"':
		c.Messages = nil
		if plain(data) {
			c.Text = string(data[1 : len(data)-1])
			return nil
		}
		return json.Unmarshal(data, &c.Text)
	case '[':
		c.Text, c.Messages = "", []Message{}
		dec := json.NewDecoder(bytes.NewReader(data))
		dec.DisallowUnknownFields()
		return dec.Decode(&c.Messages)
	default:
		return fmt.Errorf("want a string or a list of chat messages, got %.20s", data)
	}
}

// plain reports whether a JSON string stands for itself: nothing in it is escaped or would have to be.
func plain(data []byte) bool {
	if len(data) < 2 || data[len(data)-1] != '"' {
		return false
	}
	for _, c := range data[1 : len(data)-1] {
		if c == '"' || c == '\\' || c < ' ' {
			return false
		}
	}
	return utf8.Valid(data)
}

// Limits on the names in a sample; longer ones are refused so that keys and labels stay bounded.
const (
	MaxNameLen    = 256
	MaxAttributes = 64
)

// Validate checks what every sample must have. The error names the field.
func (s *Sample) Validate() error {
	switch {
	case s.Feature == "":
		return Errorf(KindInvalid, `field "feature": required`)
	case s.Output.IsZero() && s.Error == "" && len(s.Tools) == 0:
		return Errorf(KindInvalid, `field "output": required (may be empty only beside "error" or "tools")`)
	case s.Weight != 0 && !(s.Weight >= 1 && s.Weight < 1e12):
		return Errorf(KindInvalid, `field "weight": want 1 or more (1 / probability that the sample was kept), got %v`, s.Weight)
	case len(s.Attributes) > MaxAttributes:
		return Errorf(KindInvalid, `field "attributes": %d entries, at most %d`, len(s.Attributes), MaxAttributes)
	}
	return s.validateNames()
}

func (s *Sample) validateNames() error {
	for _, f := range []struct{ name, value string }{
		{"id", s.ID}, {"feature", s.Feature}, {"customer", s.Customer}, {"conversation", s.Conversation},
		{"model", s.Model}, {"prompt", s.Prompt}, {"source", s.Source}, {"trace", s.Trace},
	} {
		if err := checkName(f.name, f.value, MaxNameLen); err != nil {
			return err
		}
	}
	for k, v := range s.Attributes {
		if k == "" || len(k) > MaxNameLen || len(v) > MaxNameLen {
			return Errorf(KindInvalid, `field "attributes", %.40q: a name has 1 to %d bytes, a value at most as many`, k, MaxNameLen)
		}
		if strings.IndexByte(k, 0) >= 0 || strings.IndexByte(v, 0) >= 0 {
			return Errorf(KindInvalid, `field "attributes", %.40q: holds a zero byte`, k)
		}
	}
	for metric := range s.Scores {
		if err := checkName("scores", metric, MaxNameLen); err != nil {
			return err
		}
	}
	for i := range s.Tools {
		if err := checkName("tools", s.Tools[i].Name, MaxNameLen); err != nil {
			return err
		}
	}
	for i := range s.Context {
		if len(s.Context[i].ID) > 4*MaxNameLen {
			return Errorf(KindInvalid, `field "context": an id of %d bytes, at most %d`, len(s.Context[i].ID), 4*MaxNameLen)
		}
	}
	return nil
}

// checkName bounds a text. A zero byte in a name would make two names out of it where keys are built.
func checkName(field, value string, most int) error {
	if len(value) > most {
		return Errorf(KindInvalid, "field %q: %d bytes, at most %d", field, len(value), most)
	}
	if most == MaxNameLen && strings.IndexByte(value, 0) >= 0 {
		return Errorf(KindInvalid, "field %q: holds a zero byte", field)
	}
	return nil
}

// Attribute returns the value a slice of this name has for the sample: customer, model, prompt, source,
// or one of the attributes.
func (s *Sample) Attribute(name string) string {
	switch name {
	case "customer":
		return s.Customer
	case "model":
		return s.Model
	case "prompt":
		return s.Prompt
	case "source":
		return s.Source
	default:
		return s.Attributes[name]
	}
}

// KeptWeight returns the weight, 1 where none was given.
func (s *Sample) KeptWeight() float64 {
	if s.Weight == 0 {
		return 1
	}
	return s.Weight
}

// Score is what a scorer said of a sample. A failed score carries an error and its value means nothing.
type Score struct {
	Feature     string            `json:"feature"`
	SampleID    string            `json:"sample_id"`
	Time        time.Time         `json:"time"` // time of the sample
	Metric      string            `json:"metric"`
	Value       float64           `json:"value"`
	Label       string            `json:"label,omitempty"`
	Explanation string            `json:"explanation,omitempty"`
	Scorer      string            `json:"scorer"`  // type of the scorer, or "external"
	Version     string            `json:"version"` // changes when the scorer's meaning may have changed
	Error       string            `json:"error,omitempty"`
	Weight      float64           `json:"weight"`
	Customer    string            `json:"customer,omitempty"`
	Model       string            `json:"model,omitempty"`
	Prompt      string            `json:"prompt,omitempty"`
	Source      string            `json:"source,omitempty"`
	Attributes  map[string]string `json:"attributes,omitempty"`
	By          string            `json:"by,omitempty"`    // labeller or evaluator of a score that came from outside
	Late        bool              `json:"late,omitempty"`  // it came apart from its sample
	Aside       bool              `json:"aside,omitempty"` // the metric has scores of its own; this one is kept and not counted
}

// Failed reports whether the scorer could not score.
func (s *Score) Failed() bool { return s.Error != "" }

package spans

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Role is what a span does for its request.
type Role string

// The roles. Other spans are recorded only for the structure of the request.
const (
	RoleOutput     Role = "output"     // made an output: a model call, an agent, a chain
	RoleRetrieval  Role = "retrieval"  // fetched documents
	RoleTool       Role = "tool"       // ran a tool
	RoleEvaluation Role = "evaluation" // judged an output
	RoleOther      Role = "other"
)

// Source is what a record was made of.
type Source string

// The sources of records.
const (
	FromSpan    Source = "span"
	FromDetails Source = "details" // a log record with the content of a whole operation
	FromMessage Source = "message" // a log record with one message of an operation
)

// Record is what matters of one span or log record. It is written as JSON to be made durable before it
// is joined with others; what it holds is what was sent, so it is to be redacted first.
type Record struct {
	Trace    string    `json:"trace,omitempty"`  // in hex
	Span     string    `json:"span,omitempty"`   // in hex; of a log record: the span it belongs to
	Parent   string    `json:"parent,omitempty"` // in hex; empty at the root of a trace
	From     Source    `json:"from"`
	Role     Role      `json:"role"`
	Entry    bool      `json:"entry,omitempty"` // a root, or where the request came into the service
	Start    time.Time `json:"start,omitzero"`
	End      time.Time `json:"end,omitzero"`
	State    string    `json:"state,omitempty"`    // W3C trace state, which tells how the sender sampled
	Service  string    `json:"service,omitempty"`  // that made it
	Response string    `json:"response,omitempty"` // id of the model's response
	Calls    []string  `json:"calls,omitempty"`    // ids of the calls in Sample.Tools, in their order; "" where there is none
	Results  []Result  `json:"results,omitempty"`  // of earlier calls, which were told to the model

	// Sample is what this record alone says. Its feature is empty where none matched; id, trace and scores are not set.
	Sample quality.Sample `json:"sample"`
	// Feedback is what it says of outputs, its own or those of others.
	Feedback []quality.Feedback `json:"feedback,omitempty"`
}

// Result is what a tool gave back for a call.
type Result struct {
	Call   string          `json:"call"`
	Result json.RawMessage `json:"result"`
}

// Limits of a record. What goes beyond the size is refused, what goes beyond a count is left out.
const (
	MaxRecord    = 4 << 20 // bytes of text
	maxMessages  = 4096
	maxDocuments = 1024
	maxCalls     = 1024
	maxFeedback  = 256
	maxText      = 64 << 10 // bytes of an explanation, an error or a trace state
)

var errTooLarge = quality.Errorf(quality.KindTooLarge, "the span holds more than 4 MiB of content")

// Alone returns the sample that the record is by itself, with the scores it brought. The error says why
// it is none.
func (r *Record) Alone() (quality.Sample, error) {
	s := r.Sample
	if r.Trace == "" || r.Span == "" {
		return s, quality.Errorf(quality.KindInvalid, "the span has no trace id or no span id")
	}
	s.ID, s.Trace = SampleID(r.Trace, r.Span), r.Trace
	for i := range r.Feedback {
		if f := &r.Feedback[i]; f.Trace == r.Trace && f.Span == r.Span && f.Value != nil {
			s.Scores = with(s.Scores, f.Metric, *f.Value)
		}
	}
	if !hasContent(&s) {
		return s, errNoContent
	}
	return s, nil
}

// id is that of the sample that is named after the record.
func (r *Record) id() string {
	if r.Trace == "" || r.Span == "" {
		return r.Response
	}
	return SampleID(r.Trace, r.Span)
}

// SampleID returns the id of the sample of a span.
func SampleID(trace, span string) string { return trace + span }

var errNoContent = quality.Errorf(quality.KindInvalid, "the span carries no output; let the instrumentation capture message content "+
	"(for many: OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true)")

func hasContent(s *quality.Sample) bool {
	return !s.Output.IsZero() || s.Error != "" || len(s.Tools) > 0
}

// bound keeps names within what a sample may hold and refuses a record that is too large.
func (r *Record) bound() error {
	s := &r.Sample
	for _, name := range []*string{&s.Customer, &s.Conversation, &s.Model, &s.Prompt, &r.Service, &r.Response} {
		*name = clip(*name, quality.MaxNameLen)
	}
	s.Error, r.State = clip(s.Error, maxText), clip(r.State, maxText)
	s.Attributes = boundAttributes(s.Attributes)
	if r.size() > MaxRecord {
		return errTooLarge
	}
	return nil
}

func boundAttributes(attributes map[string]string) map[string]string {
	for name, value := range attributes {
		if len(name) > quality.MaxNameLen {
			delete(attributes, name)
			continue
		}
		attributes[name] = clip(value, quality.MaxNameLen)
	}
	if len(attributes) > quality.MaxAttributes { // which ones stay must not depend on chance
		for _, name := range slices.Sorted(maps.Keys(attributes))[quality.MaxAttributes:] {
			delete(attributes, name)
		}
	}
	return attributes
}

// clip cuts text to a number of bytes between characters.
func clip(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return strings.Clone(text[:most])
}

// size is about how many bytes a record takes in memory.
func (r *Record) size() int {
	n := 512 + sampleSize(&r.Sample) + len(r.State)
	for i := range r.Calls {
		n += 16 + len(r.Calls[i])
	}
	for i := range r.Results {
		n += 48 + len(r.Results[i].Call) + len(r.Results[i].Result)
	}
	for i := range r.Feedback {
		n += feedbackSize(&r.Feedback[i])
	}
	return n
}

func feedbackSize(f *quality.Feedback) int {
	return 256 + len(f.Metric) + len(f.Label) + len(f.Explanation) + len(f.Error) + len(f.By) + len(f.Session) + len(f.Response)
}

func sampleSize(s *quality.Sample) int {
	n := len(s.Error) + contentSize(s.Input) + contentSize(s.Output)
	if s.Reference != nil {
		n += len(*s.Reference)
	}
	for i := range s.Context {
		n += 32 + len(s.Context[i].ID) + len(s.Context[i].Text)
	}
	for i := range s.Tools {
		n += 64 + len(s.Tools[i].Name) + len(s.Tools[i].Arguments) + len(s.Tools[i].Result)
	}
	for k, v := range s.Attributes {
		n += 32 + len(k) + len(v)
	}
	for k, v := range s.Params {
		n += 32 + len(k) + anySize(v)
	}
	return n
}

func contentSize(c quality.Content) int {
	n := len(c.Text)
	for i := range c.Messages {
		n += 32 + len(c.Messages[i].Role) + len(c.Messages[i].Content)
	}
	return n
}

func anySize(v any) int {
	switch x := v.(type) {
	case string:
		return 16 + len(x)
	case json.RawMessage:
		return 16 + len(x)
	case []byte:
		return 16 + len(x)
	case []any:
		n := 24
		for i := range x {
			n += anySize(x[i])
		}
		return n
	case map[string]any:
		n := 48
		for k, e := range x {
			n += 32 + len(k) + anySize(e)
		}
		return n
	default:
		return 16
	}
}

// with adds to a map that is made when it is needed.
func with[V any](m map[string]V, key string, v V) map[string]V {
	if m == nil {
		m = map[string]V{}
	}
	m[key] = v
	return m
}

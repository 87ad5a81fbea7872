package wire

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/asgood-dev/asgood/internal/quality"
)

// A sample in its compact form is three parts: the names, which are short, one behind the other; the texts, which
// are long, likewise; and the shape, which says by a mask what is there, then numbers and lengths in the order of the
// fields. So reading it takes two strings, whatever it holds, and a name that somebody keeps does not keep a text.
//
//	uvarint(bytes of names) names uvarint(bytes of texts) texts shape

// What the mask says is there.
const (
	hasTime = 1 << iota
	hasReference
	hasUsage
	hasLatency
	hasWeight
	hasInputChat
	hasOutputChat
	hasContext
	hasParams
	hasTools
	hasAttributes
	hasScores
	hasDetails // conversation, source, trace or error
)

// SampleWriter writes samples in the compact form. It keeps its buffers; the zero value is ready.
type SampleWriter struct {
	names, texts, shape []byte
}

// Append appends a sample. The error is about tools or parameters that are not JSON.
func (w *SampleWriter) Append(dst []byte, s *quality.Sample) ([]byte, error) {
	w.names, w.texts, w.shape = w.names[:0], w.texts[:0], w.shape[:0]
	w.number(maskOf(s))
	w.fixed(s)
	for _, x := range []string{s.ID, s.Feature, s.Customer, s.Model, s.Prompt} {
		w.name(x)
	}
	if detailed(s) {
		w.name(s.Conversation)
		w.name(s.Source)
		w.name(s.Trace)
		w.text(s.Error)
	}
	w.content(&s.Input)
	w.content(&s.Output)
	if s.Reference != nil {
		w.text(*s.Reference)
	}
	w.lists(s)
	if err := w.documents(s); err != nil {
		return nil, err
	}
	dst = appendNumber(dst, uint64(len(w.names)))
	dst = append(dst, w.names...)
	dst = appendNumber(dst, uint64(len(w.texts)))
	dst = append(dst, w.texts...)
	return append(dst, w.shape...), nil
}

func detailed(s *quality.Sample) bool {
	return s.Conversation != "" || s.Source != "" || s.Trace != "" || s.Error != ""
}

func maskOf(s *quality.Sample) (mask uint64) {
	for _, x := range []struct {
		bit   uint64
		there bool
	}{
		{hasTime, !s.Time.IsZero()}, {hasReference, s.Reference != nil}, {hasUsage, s.Usage != nil}, {hasLatency, s.LatencyMS != 0},
		{hasWeight, s.Weight != 0}, {hasInputChat, s.Input.Messages != nil}, {hasOutputChat, s.Output.Messages != nil},
		{hasContext, len(s.Context) > 0}, {hasParams, len(s.Params) > 0}, {hasTools, len(s.Tools) > 0},
		{hasAttributes, len(s.Attributes) > 0}, {hasScores, len(s.Scores) > 0}, {hasDetails, detailed(s)},
	} {
		if x.there {
			mask |= x.bit
		}
	}
	return mask
}

// fixed writes what is a number.
func (w *SampleWriter) fixed(s *quality.Sample) {
	if !s.Time.IsZero() {
		w.shape = appendTime(w.shape, s.Time)
	}
	if s.Usage != nil {
		w.number(s.Usage.InputTokens)
		w.number(s.Usage.OutputTokens)
	}
	if s.LatencyMS != 0 {
		w.shape = appendFloat(w.shape, s.LatencyMS)
	}
	if s.Weight != 0 {
		w.shape = appendFloat(w.shape, s.Weight)
	}
}

func (w *SampleWriter) content(c *quality.Content) {
	if c.Messages == nil {
		w.text(c.Text)
		return
	}
	w.number(uint64(len(c.Messages)))
	for i := range c.Messages {
		w.text(c.Messages[i].Role)
		w.text(c.Messages[i].Content)
	}
}

func (w *SampleWriter) lists(s *quality.Sample) {
	if len(s.Attributes) > 0 {
		w.number(uint64(len(s.Attributes)))
		for k, v := range s.Attributes {
			w.name(k)
			w.name(v)
		}
	}
	if len(s.Scores) > 0 {
		w.number(uint64(len(s.Scores)))
		for k, v := range s.Scores {
			w.name(k)
			w.shape = appendFloat(w.shape, v)
		}
	}
	if len(s.Context) > 0 {
		w.number(uint64(len(s.Context)))
		for i := range s.Context {
			w.text(s.Context[i].ID)
			w.text(s.Context[i].Text)
		}
	}
}

// documents writes what is JSON.
func (w *SampleWriter) documents(s *quality.Sample) error {
	if len(s.Params) > 0 {
		data, err := Marshal(s.Params)
		if err != nil {
			return fmt.Errorf("encoding the parameters of a sample: %w", err)
		}
		w.text(string(data))
	}
	if len(s.Tools) == 0 {
		return nil
	}
	w.number(uint64(len(s.Tools)))
	for i := range s.Tools {
		t := &s.Tools[i]
		if !isDocument(t.Arguments) || !isDocument(t.Result) {
			return fmt.Errorf("encoding the call of tool %.80q: its arguments or its result are not JSON", t.Name)
		}
		w.text(t.Name)
		w.text(string(t.Arguments))
		w.text(string(t.Result))
	}
	return nil
}

func isDocument(data json.RawMessage) bool { return len(data) == 0 || json.Valid(data) }

func (w *SampleWriter) number(n uint64) { w.shape = appendNumber(w.shape, n) }
func (w *SampleWriter) name(s string)   { w.names = w.put(w.names, s) }
func (w *SampleWriter) text(s string)   { w.texts = w.put(w.texts, s) }

func (w *SampleWriter) put(part []byte, s string) []byte {
	s = valid(s)
	w.number(uint64(len(s)))
	return append(part, s...)
}

// valid is a text as JSON would hold it.
func valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\ufffd")
}

// sampleReader reads one sample.
type sampleReader struct {
	cursor       // of the shape
	names, texts string
}

// readSample reads a sample that is all of data.
func readSample(data []byte, s *quality.Sample) error {
	c := cursor{rest: data}
	r := sampleReader{names: string(c.take(c.number())), texts: string(c.take(c.number()))}
	if r.cursor = c; r.broken {
		return errBroken
	}
	mask := r.number()
	r.fixed(mask, s)
	s.ID, s.Feature, s.Customer, s.Model, s.Prompt = r.name(), r.name(), r.name(), r.name(), r.name()
	if mask&hasDetails != 0 {
		s.Conversation, s.Source, s.Trace, s.Error = r.name(), r.name(), r.name(), r.text()
	}
	s.Input, s.Output = r.content(mask&hasInputChat != 0), r.content(mask&hasOutputChat != 0)
	if mask&hasReference != 0 {
		reference := r.text()
		s.Reference = &reference
	}
	r.lists(mask, s)
	if err := r.documents(mask, s); err != nil {
		return err
	}
	if r.broken || len(r.rest)+len(r.names)+len(r.texts) > 0 {
		return errBroken
	}
	return nil
}

func (r *sampleReader) fixed(mask uint64, s *quality.Sample) {
	if mask&hasTime != 0 {
		s.Time = r.time()
	}
	if mask&hasUsage != 0 {
		s.Usage = &quality.Usage{InputTokens: r.number(), OutputTokens: r.number()}
	}
	if mask&hasLatency != 0 {
		s.LatencyMS = r.float()
	}
	if mask&hasWeight != 0 {
		s.Weight = r.float()
	}
}

func (r *sampleReader) content(chat bool) quality.Content {
	if !chat {
		return quality.Content{Text: r.text()}
	}
	c := quality.Content{Messages: make([]quality.Message, r.count(2))}
	for i := range c.Messages {
		c.Messages[i] = quality.Message{Role: r.text(), Content: r.text()}
	}
	return c
}

func (r *sampleReader) lists(mask uint64, s *quality.Sample) {
	if mask&hasAttributes != 0 {
		n := r.count(2)
		s.Attributes = make(map[string]string, n)
		for range n {
			k, v := r.name(), r.name()
			s.Attributes[k] = v
		}
	}
	if mask&hasScores != 0 {
		n := r.count(9)
		s.Scores = make(map[string]float64, n)
		for range n {
			k, v := r.name(), r.float()
			s.Scores[k] = v
		}
	}
	if mask&hasContext != 0 {
		s.Context = make([]quality.Document, r.count(2))
		for i := range s.Context {
			s.Context[i] = quality.Document{ID: r.text(), Text: r.text()}
		}
	}
}

func (r *sampleReader) documents(mask uint64, s *quality.Sample) error {
	if mask&hasParams != 0 {
		if err := Unmarshal([]byte(r.text()), &s.Params); err != nil {
			return fmt.Errorf("reading the parameters of a sample: %w", err)
		}
	}
	if mask&hasTools != 0 {
		s.Tools = make([]quality.ToolCall, r.count(3))
		for i := range s.Tools {
			s.Tools[i] = quality.ToolCall{Name: r.text(), Arguments: document(r.text()), Result: document(r.text())}
		}
	}
	return nil
}

func document(s string) json.RawMessage {
	if s == "" {
		return nil
	}
	return json.RawMessage(s)
}

func (r *sampleReader) name() string { return r.cut(&r.names) }
func (r *sampleReader) text() string { return r.cut(&r.texts) }

// cut takes the next string of a part.
func (r *sampleReader) cut(part *string) string {
	n := r.number()
	if n > uint64(len(*part)) {
		r.fail()
		return ""
	}
	s := (*part)[:n]
	*part = (*part)[n:]
	return s
}

func appendTime(dst []byte, t time.Time) []byte {
	dst = appendSigned(dst, t.Unix())
	return appendNumber(dst, uint64(t.Nanosecond()))
}

func (c *cursor) time() time.Time {
	sec, nano := c.signed(), c.number()
	if nano >= uint64(time.Second) {
		c.fail()
		return time.Time{}
	}
	return time.Unix(sec, int64(nano)).UTC()
}

func appendFloat(dst []byte, v float64) []byte { return appendFixed(dst, math.Float64bits(v)) }

func (c *cursor) float() float64 { return math.Float64frombits(c.fixed()) }

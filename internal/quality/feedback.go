package quality

import (
	"math"
	"time"
)

// Feedback is a score that comes apart from its sample: a thumb, an edit, a human label, the verdict
// of somebody's evaluator. Its JSON form is the wire format of the collector.
type Feedback struct {
	Feature string `json:"feature,omitempty"` // required with Sample
	Sample  string `json:"sample,omitempty"`  // id of the sample; or Trace and Span, or Response

	Trace    string `json:"trace,omitempty"`    // trace id of the scored operation, in hex
	Span     string `json:"span,omitempty"`     // its span id, in hex; empty means the whole trace
	Response string `json:"response,omitempty"` // response id that the model's provider gave
	Session  string `json:"session,omitempty"`  // a whole conversation, which no single sample stands for

	Metric      string       `json:"metric"`
	Value       *float64     `json:"value,omitempty"` // nil only with an error
	Label       string       `json:"label,omitempty"`
	Explanation string       `json:"explanation,omitempty"`
	Error       string       `json:"error,omitempty"` // why there is no value; a failed score is never a 0
	By          string       `json:"by,omitempty"`    // labeller, or name of the evaluator
	Kind        FeedbackKind `json:"kind,omitempty"`
	Time        time.Time    `json:"time,omitzero"` // when it was given; the score keeps the time of its sample
}

// FeedbackKind says who or what scored.
type FeedbackKind string

// The kinds of feedback; the zero value means that it was not said.
const (
	FeedbackUnknown FeedbackKind = ""
	FeedbackHuman   FeedbackKind = "human" // a person whose task is to label
	FeedbackUser    FeedbackKind = "user"  // whoever the output was for
	FeedbackJudge   FeedbackKind = "judge" // a language model
	FeedbackCode    FeedbackKind = "code"  // a rule
)

// maxExplanation bounds the words of one score, in bytes.
const maxExplanation = 64 << 10

// Failed reports whether the evaluation failed: it says nothing about the output.
func (f *Feedback) Failed() bool { return f.Error != "" && f.Value == nil }

// Validate checks what every feedback must have. The error names the field.
func (f *Feedback) Validate() error {
	switch {
	case f.Sample == "" && f.Trace == "" && f.Response == "":
		return Errorf(KindInvalid, `field "sample": required: the id of the sample, or "trace" and "span", or "response"`)
	case f.Sample != "" && f.Feature == "" && f.Trace == "" && f.Response == "":
		return Errorf(KindInvalid, `field "feature": required beside "sample"`)
	case f.Metric == "":
		return Errorf(KindInvalid, `field "metric": required`)
	case f.Value == nil && f.Error == "":
		return Errorf(KindInvalid, `field "value": required (or "error", when the scorer failed)`)
	case f.Value != nil && (math.IsNaN(*f.Value) || math.IsInf(*f.Value, 0)):
		return Errorf(KindInvalid, `field "value": want a finite number`)
	}
	return f.validateTexts()
}

func (f *Feedback) validateTexts() error {
	for _, x := range []struct {
		name, value string
		most        int
	}{
		{"feature", f.Feature, MaxNameLen}, {"sample", f.Sample, MaxNameLen}, {"trace", f.Trace, MaxNameLen},
		{"span", f.Span, MaxNameLen}, {"response", f.Response, MaxNameLen}, {"session", f.Session, MaxNameLen}, {"metric", f.Metric, MaxNameLen},
		{"label", f.Label, MaxNameLen}, {"by", f.By, MaxNameLen}, {"kind", string(f.Kind), MaxNameLen},
		{"explanation", f.Explanation, maxExplanation}, {"error", f.Error, maxExplanation},
	} {
		if err := checkName(x.name, x.value, x.most); err != nil {
			return err
		}
	}
	switch f.Kind {
	case FeedbackUnknown, FeedbackHuman, FeedbackUser, FeedbackJudge, FeedbackCode:
		return nil
	}
	return Errorf(KindInvalid, `field "kind": want human, user, judge or code, got %.40q`, string(f.Kind))
}

// Target is the name by which the feedback calls its sample: that of the sample itself when it has one.
func (f *Feedback) Target() (key SampleKey, alias string) {
	switch {
	case f.Sample != "" && f.Feature != "":
		return SampleKey{Feature: f.Feature, ID: f.Sample}, ""
	case f.Trace != "":
		return SampleKey{}, SpanAlias(f.Trace, f.Span)
	default:
		return SampleKey{}, ResponseAlias(f.Response)
	}
}

// SpanAlias names a sample by a span that is part of it, or by its whole trace. Ids are hex and have their
// lengths, so that no two aliases are alike.
func SpanAlias(trace, span string) string { return trace + span }

// ResponseAlias names a sample by a response id of the model's provider.
func ResponseAlias(id string) string { return id }

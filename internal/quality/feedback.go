package quality

import "time"

// Feedback is what somebody or something said of a sample after it was made. It names its target by the
// sample's id, by trace and span, by trace alone, by the id of the model's response, or by a session.
type Feedback struct {
	Feature     string       `json:"feature,omitempty"`
	Sample      string       `json:"sample,omitempty"` // id of the sample, where it is known
	Trace       string       `json:"trace,omitempty"`  // in hex
	Span        string       `json:"span,omitempty"`   // in hex; empty with a trace: about the trace as a whole
	Response    string       `json:"response,omitempty"`
	Session     string       `json:"session,omitempty"` // about a whole conversation
	Metric      string       `json:"metric"`
	Value       *float64     `json:"value,omitempty"` // nil: there is no number, which is not 0
	Label       string       `json:"label,omitempty"`
	Explanation string       `json:"explanation,omitempty"`
	Error       string       `json:"error,omitempty"` // why the evaluation failed; it then has no value
	By          string       `json:"by,omitempty"`    // name of the labeller or evaluator
	Kind        FeedbackKind `json:"kind,omitempty"`
	Time        time.Time    `json:"time,omitzero"`
}

// FeedbackKind says who or what gave feedback. The zero value means that nobody said.
type FeedbackKind string

// The kinds of feedback.
const (
	FeedbackUnknown FeedbackKind = ""
	FeedbackHuman   FeedbackKind = "human" // a person who labels
	FeedbackUser    FeedbackKind = "user"  // whoever the output was for
	FeedbackJudge   FeedbackKind = "judge" // a language model
	FeedbackCode    FeedbackKind = "code"  // a rule or a statistic
)

// Failed reports whether the evaluation failed: it says nothing about the output.
func (f *Feedback) Failed() bool { return f.Error != "" && f.Value == nil }

package quality

import "time"

// SpanSpec says how the spans of one request become samples.
type SpanSpec struct {
	Join string        `yaml:"join"` // request (default): all spans of a request are one sample; none: each output span is one
	Wait time.Duration `yaml:"wait"` // for late spans, after the last one of a request; default 2 s
}

// The ways of joining spans.
const (
	JoinRequest = "request" // all spans of one request are one sample
	JoinNone    = "none"    // each output span is a sample of its own
)

// DefaultSpanWait is how long a complete request waits for late spans.
const DefaultSpanWait = 2 * time.Second

// MapFields are the fields of a sample that a feature may map to attributes. Any other name that it maps
// is the name of one of the sample's attributes.
func MapFields() []string {
	return []string{"customer", "conversation", "model", "prompt", "reference"}
}

// MapAttributePrefix marks the name of an attribute where it could be taken for a field.
const MapAttributePrefix = "attributes."

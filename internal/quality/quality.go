// Package quality is the vocabulary of Asgood as plain types: features, samples, scores, monitors,
// regressions, changes, incidents, and the kinds of errors. The rooms speak it with each other.
//
// It holds data, validation and rules that need neither a clock nor input and output. It imports
// nothing of this module and nothing outside the standard library, so that every room can import it.
package quality

import "time"

// Slice is a subset of traffic, one value by attribute name. Empty means the whole feature.
type Slice map[string]string

// Severity grades an incident. The zero value means it was not graded.
type Severity string

// The severities, from nothing to worst. They map to Statuspage impacts of the same names.
const (
	SeverityNone     Severity = "none"
	SeverityMinor    Severity = "minor"
	SeverityMajor    Severity = "major"
	SeverityCritical Severity = "critical"
)

// Rank orders severities: a higher rank is worse; an unknown severity ranks lowest.
func (s Severity) Rank() int {
	switch s {
	case SeverityMinor:
		return 1
	case SeverityMajor:
		return 2
	case SeverityCritical:
		return 3
	default:
		return 0
	}
}

// Traffic counts all outputs of a feature in one minute and slice, kept as samples or not.
type Traffic struct {
	Minute     time.Time         `json:"minute"` // start of the minute, UTC
	Feature    string            `json:"feature"`
	Customer   string            `json:"customer,omitempty"`
	Model      string            `json:"model,omitempty"`
	Attributes map[string]string `json:"attributes,omitempty"` // those by which the feature's monitors slice or adjust
	Total      uint64            `json:"total"`                // outputs seen
	Kept       uint64            `json:"kept"`                 // outputs kept as samples
	Errors     uint64            `json:"errors"`               // outputs that carried an error
}

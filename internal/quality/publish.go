package quality

import (
	"slices"
	"time"
)

// PublishRule publishes incidents that nobody vetoed for a while. The first rule that is for an incident
// decides; where none is, only a person publishes.
type PublishRule struct {
	After      PublishAfter   `yaml:"after"`      // how long people can veto; 0s publishes at once
	Kinds      []IncidentKind `yaml:"kinds"`      // empty: of every kind
	Severities []Severity     `yaml:"severities"` // empty: of every severity
}

// PublishAfter is the time in which people can veto; never leaves it to people.
type PublishAfter struct {
	Wait  time.Duration
	Never bool
}

// For reports whether the rule is for such an incident.
func (r PublishRule) For(kind IncidentKind, s Severity) bool {
	return (len(r.Kinds) == 0 || slices.Contains(r.Kinds, kind)) && (len(r.Severities) == 0 || slices.Contains(r.Severities, s))
}

// IncidentKinds are the kinds of incidents.
func IncidentKinds() []IncidentKind { return []IncidentKind{IncidentQuality, IncidentAvailability} }

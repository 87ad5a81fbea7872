package quality

import "time"

// IncidentStatus is the place of an incident in its lifecycle.
type IncidentStatus string

// The lifecycle of an incident.
const (
	IncidentInvestigating IncidentStatus = "investigating"
	IncidentIdentified    IncidentStatus = "identified"
	IncidentMonitoring    IncidentStatus = "monitoring"
	IncidentResolved      IncidentStatus = "resolved"
	IncidentPostmortem    IncidentStatus = "postmortem"
)

// IncidentKind says what is wrong.
type IncidentKind string

// The kinds of incidents.
const (
	IncidentQuality      IncidentKind = "quality"
	IncidentAvailability IncidentKind = "availability"
)

// Incident is something wrong with one or more features, told to customers as it goes.
type Incident struct {
	ID         string           `json:"id"`
	Kind       IncidentKind     `json:"kind"`
	Name       string           `json:"name"`
	Features   []string         `json:"features"`
	Status     IncidentStatus   `json:"status"`
	Severity   Severity         `json:"severity"`
	Reason     string           `json:"reason"` // why it has this severity, in words
	Regression *Regression      `json:"regression,omitempty"`
	StartedAt  time.Time        `json:"started_at"` // estimated start of the impact
	CreatedAt  time.Time        `json:"created_at"`
	UpdatedAt  time.Time        `json:"updated_at"`
	ResolvedAt *time.Time       `json:"resolved_at"`
	Updates    []IncidentUpdate `json:"updates"` // oldest first
}

// IncidentUpdate is one entry of an incident's public timeline.
type IncidentUpdate struct {
	ID     string         `json:"id"`
	Status IncidentStatus `json:"status"`
	Body   string         `json:"body"`
	At     time.Time      `json:"at"`
}

// Open reports whether the incident is not over.
func (i *Incident) Open() bool { return i.ResolvedAt == nil }

// RegressionEvent tells that a regression opened, changed or recovered.
type RegressionEvent struct {
	ID         string              `json:"id"` // unique and stable: the same event told twice has the same id
	Type       RegressionEventType `json:"type"`
	Regression Regression          `json:"regression"`
}

// RegressionEventType says what happened to a regression.
type RegressionEventType string

// The events of a regression's life.
const (
	RegressionOpened    RegressionEventType = "opened"
	RegressionUpdated   RegressionEventType = "updated"
	RegressionRecovered RegressionEventType = "recovered"
	RegressionWithdrawn RegressionEventType = "withdrawn" // its monitor was changed or removed: nobody can tell how it ends
)

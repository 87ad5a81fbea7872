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

	// What people decide about it.
	Owner      string                     `json:"owner,omitempty"`      // who drives it; empty: nobody yet
	Visibility Visibility                 `json:"visibility,omitempty"` // empty, of incidents of before, means public
	PublishAt  *time.Time                 `json:"publish_at,omitempty"` // a rule publishes it then, unless somebody vetoes; nil: only a person does
	Published  *Decision                  `json:"published,omitempty"`
	Vetoed     *Decision                  `json:"vetoed,omitempty"`      // no rule publishes it; a person still may
	NextUpdate *time.Time                 `json:"next_update,omitempty"` // when the next update was promised
	Effects    map[string]ComponentStatus `json:"effects,omitempty"`     // by feature, as people stated them; absent: as measured
	Backfilled bool                       `json:"backfilled,omitempty"`  // entered after it was over; nobody was notified
	Imported   string                     `json:"imported,omitempty"`    // where it came from: statuspage, cstate, gatus
	Postmortem *Postmortem                `json:"postmortem,omitempty"`  // public once it is published
}

// Public reports whether customers may see it.
func (i *Incident) Public() bool { return i.Visibility == "" || i.Visibility == VisibilityPublic }

// Visibility says who may see an incident or a maintenance.
type Visibility string

// The visibilities.
const (
	VisibilityInternal Visibility = "internal"
	VisibilityPublic   Visibility = "public"
)

// Decision is what somebody decided, and why.
type Decision struct {
	By     Actor     `json:"by"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason,omitempty"`
	// Missing lists the facts that the text did not have when the check of completeness was overridden.
	Missing []string `json:"missing,omitempty"`
}

// ComponentStatus is the state of a feature in the terms of Statuspage.
type ComponentStatus string

// The states of a component.
const (
	Operational         ComponentStatus = "operational"
	UnderMaintenance    ComponentStatus = "under_maintenance"
	DegradedPerformance ComponentStatus = "degraded_performance"
	PartialOutage       ComponentStatus = "partial_outage"
	MajorOutage         ComponentStatus = "major_outage"
)

// Postmortem is what is told after an incident. Its body is Markdown.
type Postmortem struct {
	Body      string    `json:"body"`
	UpdatedAt time.Time `json:"updated_at"`
	Published *Decision `json:"published,omitempty"` // nil while it is a draft, which customers do not see
}

// IncidentUpdate is one entry of an incident's public timeline.
type IncidentUpdate struct {
	ID     string         `json:"id"`
	Status IncidentStatus `json:"status"`
	Body   string         `json:"body"` // Markdown
	At     time.Time      `json:"at"`

	By       *Actor     `json:"by,omitempty"`       // who wrote it; nil: made of the figures by rules
	Internal bool       `json:"internal,omitempty"` // customers never see it
	EditedAt *time.Time `json:"edited_at,omitempty"`
	Before   string     `json:"before,omitempty"` // the body before it was corrected, which stays visible
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

package quality

import "time"

// MaintenanceStatus is the place of a maintenance in its lifecycle.
type MaintenanceStatus string

// The lifecycle of a maintenance.
const (
	MaintenanceScheduled  MaintenanceStatus = "scheduled"
	MaintenanceInProgress MaintenanceStatus = "in_progress"
	MaintenanceVerifying  MaintenanceStatus = "verifying"
	MaintenanceCompleted  MaintenanceStatus = "completed"
)

// Maintenance is planned work on features, told before it begins.
type Maintenance struct {
	ID          string              `json:"id"`
	Name        string              `json:"name"`
	Features    []string            `json:"features"`
	Status      MaintenanceStatus   `json:"status"`
	From        time.Time           `json:"from"`             // planned
	To          time.Time           `json:"to"`               // planned, after From
	Auto        bool                `json:"auto,omitempty"`   // begins and completes by the clock
	Remind      time.Duration       `json:"remind,omitempty"` // subscribers are reminded that long before; 0: they are not
	CreatedAt   time.Time           `json:"created_at"`
	UpdatedAt   time.Time           `json:"updated_at"`
	StartedAt   *time.Time          `json:"started_at"`   // when it really began
	CompletedAt *time.Time          `json:"completed_at"` // when it really ended
	Owner       string              `json:"owner,omitempty"`
	Updates     []MaintenanceUpdate `json:"updates"` // oldest first
}

// MaintenanceUpdate is one entry of the public timeline of a maintenance.
type MaintenanceUpdate struct {
	ID     string            `json:"id"`
	Status MaintenanceStatus `json:"status"`
	Body   string            `json:"body"` // Markdown
	At     time.Time         `json:"at"`
	By     *Actor            `json:"by,omitempty"` // nil: by the clock
}

// Over reports whether it is completed.
func (m *Maintenance) Over() bool { return m.Status == MaintenanceCompleted }

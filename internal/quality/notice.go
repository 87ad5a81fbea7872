package quality

import "time"

// NoticeKind says what sort of thing a notice tells of; subscribers choose by it.
type NoticeKind string

// The kinds of notices.
const (
	NoticeQuality     NoticeKind = "quality"     // an incident of quality
	NoticeUptime      NoticeKind = "uptime"      // an incident of availability
	NoticeMaintenance NoticeKind = "maintenance" // planned work
)

// NoticeWhat says what happened.
type NoticeWhat string

// What notices tell of. Of an incident: published, updated, resolved. Of a maintenance: scheduled, updated,
// reminder, started, completed.
const (
	NoticePublished NoticeWhat = "published"
	NoticeUpdated   NoticeWhat = "updated"
	NoticeResolved  NoticeWhat = "resolved"
	NoticeScheduled NoticeWhat = "scheduled"
	NoticeReminder  NoticeWhat = "reminder"
	NoticeStarted   NoticeWhat = "started"
	NoticeCompleted NoticeWhat = "completed"
)

// Notice tells subscribers of one public update, once. It holds no text: whoever sends it reads the incident or
// the maintenance, so that nothing is sent that is not public any more.
type Notice struct {
	ID          string     `json:"id"` // unique and stable: the same notice told twice has the same id
	Kind        NoticeKind `json:"kind"`
	Incident    string     `json:"incident,omitempty"`    // id; exactly one of Incident and Maintenance is set
	Maintenance string     `json:"maintenance,omitempty"` // id
	Update      string     `json:"update,omitempty"`      // id of the update that it tells; of published: the newest one; empty for a reminder
	Features    []string   `json:"features"`              // names of those affected
	What        NoticeWhat `json:"what"`
	At          time.Time  `json:"at"`
}

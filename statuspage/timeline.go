package statuspage

import (
	"slices"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

type apiIncident struct {
	ID                string         `json:"id"`
	Name              string         `json:"name"`
	Status            string         `json:"status"`
	CreatedAt         string         `json:"created_at"`
	UpdatedAt         string         `json:"updated_at"`
	MonitoringAt      *string        `json:"monitoring_at"`
	ResolvedAt        *string        `json:"resolved_at"`
	Impact            string         `json:"impact"`
	Shortlink         string         `json:"shortlink"`
	StartedAt         string         `json:"started_at"`
	PageID            string         `json:"page_id"`
	IncidentUpdates   []apiUpdate    `json:"incident_updates"` // newest first
	Components        []apiComponent `json:"components"`
	ReminderIntervals *string        `json:"reminder_intervals"`
	// Of maintenances.
	ScheduledFor   string `json:"scheduled_for,omitempty"`
	ScheduledUntil string `json:"scheduled_until,omitempty"`
	// Beside what Statuspage has, but for the first two, which its other interface has.
	PostmortemBody        *string `json:"postmortem_body,omitempty"`
	PostmortemPublishedAt *string `json:"postmortem_published_at,omitempty"`
	Kind                  string  `json:"kind,omitempty"`           // of incidents: quality, availability
	NextUpdateAt          *string `json:"next_update_at,omitempty"` // when the next update was promised
}

type apiUpdate struct {
	ID                   string        `json:"id"`
	Status               string        `json:"status"`
	Body                 string        `json:"body"` // Markdown
	IncidentID           string        `json:"incident_id"`
	CreatedAt            string        `json:"created_at"`
	UpdatedAt            string        `json:"updated_at"`
	DisplayAt            string        `json:"display_at"`
	AffectedComponents   []apiAffected `json:"affected_components"`
	DeliverNotifications bool          `json:"deliver_notifications"`
	CustomTweet          *string       `json:"custom_tweet"`
	TweetID              *string       `json:"tweet_id"`
}

type apiAffected struct {
	Code      string `json:"code"`
	Name      string `json:"name"`
	OldStatus string `json:"old_status"`
	NewStatus string `json:"new_status"`
}

// recentListed is how many incidents or maintenances are listed at most where closed ones are.
const recentListed = 50

// The lists of incidents.
type incidentList int

const (
	openOnly   incidentList = iota
	recentOnly              // the newest, open or not
)

func (b *apiBuilder) incidents(list incidentList) []apiIncident {
	out := []apiIncident{}
	for n, i := range b.published {
		if list == openOnly && !i.Open() || list == recentOnly && n >= recentListed {
			continue
		}
		out = append(out, b.incident(i))
	}
	return out
}

func (b *apiBuilder) incident(i quality.Incident) apiIncident {
	out := apiIncident{
		ID: i.ID, Name: i.Name, Status: string(lifecycle(i)), CreatedAt: b.time(i.CreatedAt), UpdatedAt: b.time(i.UpdatedAt),
		MonitoringAt: b.optional(monitoringAt(i)), ResolvedAt: b.optional(i.ResolvedAt), Impact: string(impact(i.Severity)),
		Shortlink: b.link("/incidents/" + i.ID), StartedAt: b.time(i.StartedAt), PageID: pageID,
		IncidentUpdates: b.updates(i), Components: b.affected(i.Features), Kind: string(i.Kind),
	}
	if p := i.Postmortem; p != nil {
		out.PostmortemBody, out.PostmortemPublishedAt = &p.Body, b.optional(&p.Published.At)
	}
	if i.Open() {
		out.NextUpdateAt = b.optional(i.NextUpdate)
	}
	return out
}

// link is the address of something of this page.
func (b *apiBuilder) link(path string) string { return strings.TrimSuffix(b.page.URL, "/") + path }

// lifecycle is the status of an incident in Statuspage's words.
func lifecycle(i quality.Incident) quality.IncidentStatus {
	if i.Postmortem != nil && !i.Open() {
		return quality.IncidentPostmortem
	}
	return known(i.Status)
}

// known keeps a status that clients have never heard of from them.
func known(s quality.IncidentStatus) quality.IncidentStatus {
	switch s {
	case quality.IncidentIdentified, quality.IncidentMonitoring, quality.IncidentResolved, quality.IncidentPostmortem:
		return s
	default:
		return quality.IncidentInvestigating
	}
}

// impact is the severity in Statuspage's words, of which there is none for what nobody graded.
func impact(s quality.Severity) quality.Severity {
	switch s {
	case quality.SeverityMinor, quality.SeverityMajor, quality.SeverityCritical:
		return s
	default:
		return quality.SeverityNone
	}
}

func monitoringAt(i quality.Incident) *time.Time {
	for _, u := range i.Updates {
		if u.Status == quality.IncidentMonitoring {
			return &u.At
		}
	}
	return nil
}

// affected are the components of features, in the order of the page.
func (b *apiBuilder) affected(features []string) []apiComponent {
	out := []apiComponent{}
	for _, c := range b.components {
		if !c.Group && slices.Contains(features, c.ID) {
			out = append(out, c)
		}
	}
	return out
}

// updates tells of each update what it did to the components: the first broke them, the last mended them.
func (b *apiBuilder) updates(i quality.Incident) []apiUpdate {
	out := []apiUpdate{}
	wrong := false
	for _, u := range i.Updates {
		over := u.Status == quality.IncidentResolved || u.Status == quality.IncidentPostmortem
		changes := b.changes(i.Features, b.effect(i, wrong), b.effect(i, !over))
		out = append(out, b.update(i, u, changes))
		wrong = !over
	}
	if p := i.Postmortem; p != nil && !slices.ContainsFunc(i.Updates, isPostmortem) {
		u := quality.IncidentUpdate{ID: i.ID + "-postmortem", Status: quality.IncidentPostmortem, Body: p.Body, At: p.Published.At}
		if p.UpdatedAt.After(u.At) {
			u.EditedAt = &p.UpdatedAt
		}
		out = append(out, b.update(i, u, []apiAffected{}))
	}
	slices.Reverse(out)
	return out
}

func isPostmortem(u quality.IncidentUpdate) bool { return u.Status == quality.IncidentPostmortem }

func (b *apiBuilder) update(i quality.Incident, u quality.IncidentUpdate, changes []apiAffected) apiUpdate {
	at := b.time(u.At)
	out := apiUpdate{ID: u.ID, Status: string(known(u.Status)), Body: u.Body, IncidentID: i.ID, CreatedAt: at, UpdatedAt: at, DisplayAt: at,
		AffectedComponents: changes, DeliverNotifications: !i.Backfilled}
	if u.EditedAt != nil {
		out.UpdatedAt = b.time(*u.EditedAt)
	}
	return out
}

// effect says how a feature stands while something is wrong, as people stated it or as such an incident
// leaves features, and while nothing is.
func (b *apiBuilder) effect(i quality.Incident, wrong bool) func(feature string) quality.ComponentStatus {
	return func(feature string) quality.ComponentStatus {
		stated, ok := i.Effects[feature]
		switch {
		case !wrong:
			return quality.Operational
		case ok:
			return stated
		case i.Kind == quality.IncidentAvailability:
			return quality.MajorOutage
		default:
			return quality.DegradedPerformance
		}
	}
}

func (b *apiBuilder) changes(features []string, before, after func(string) quality.ComponentStatus) []apiAffected {
	out := []apiAffected{}
	for _, c := range b.affected(features) {
		out = append(out, apiAffected{Code: c.ID, Name: c.path, OldStatus: string(before(c.ID)), NewStatus: string(after(c.ID))})
	}
	return out
}

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
}

type apiUpdate struct {
	ID                   string        `json:"id"`
	Status               string        `json:"status"`
	Body                 string        `json:"body"`
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

// recentIncidents is how many incidents.json lists.
const recentIncidents = 50

func (b *apiBuilder) incidents() (open, recent []apiIncident) {
	open, recent = []apiIncident{}, []apiIncident{}
	for _, i := range sortedIncidents(b.v.in.state.data.published()) {
		if !i.Open() && len(recent) >= recentIncidents {
			continue
		}
		v := b.incident(i)
		if i.Open() {
			open = append(open, v)
		}
		if len(recent) < recentIncidents {
			recent = append(recent, v)
		}
	}
	return open, recent
}

func (b *apiBuilder) incident(i quality.Incident) apiIncident {
	out := apiIncident{
		ID: i.ID, Name: i.Name, Status: string(i.Status), CreatedAt: b.time(i.CreatedAt), UpdatedAt: b.time(i.UpdatedAt),
		MonitoringAt: b.optional(monitoringAt(i)), ResolvedAt: b.optional(i.ResolvedAt), Impact: impact(i.Severity),
		Shortlink: strings.TrimSuffix(b.page.URL, "/") + "/incidents/" + i.ID,
		StartedAt: b.time(i.StartedAt), PageID: pageID, IncidentUpdates: b.updates(i), Components: []apiComponent{},
	}
	for _, c := range b.affected(i) {
		c.Quality.Days, c.Uptime.Days = nil, nil
		out.Components = append(out.Components, c)
	}
	return out
}

// impact is the severity in Statuspage's words, of which there is none for what nobody graded.
func impact(s quality.Severity) string {
	if s == "" {
		return string(quality.SeverityNone)
	}
	return string(s)
}

func monitoringAt(i quality.Incident) *time.Time {
	for _, u := range i.Updates {
		if u.Status == quality.IncidentMonitoring {
			return &u.At
		}
	}
	return nil
}

func (b *apiBuilder) affected(i quality.Incident) []apiComponent {
	var out []apiComponent
	for _, c := range b.components {
		if slices.Contains(i.Features, c.ID) {
			out = append(out, c)
		}
	}
	return out
}

// updates tells of each update what it did to the components: the first broke them, the last mended them.
func (b *apiBuilder) updates(i quality.Incident) []apiUpdate {
	out := []apiUpdate{}
	before := "operational"
	for _, u := range i.Updates {
		after := worseStatus(i.Kind)
		if u.Status == quality.IncidentResolved || u.Status == quality.IncidentPostmortem {
			after = "operational"
		}
		at := b.time(u.At)
		out = append(out, apiUpdate{ID: u.ID, Status: string(u.Status), Body: u.Body, IncidentID: i.ID,
			CreatedAt: at, UpdatedAt: at, DisplayAt: at, AffectedComponents: b.changes(i, before, after)})
		before = after
	}
	slices.Reverse(out)
	return out
}

func (b *apiBuilder) changes(i quality.Incident, before, after string) []apiAffected {
	out := []apiAffected{}
	for _, c := range b.affected(i) {
		out = append(out, apiAffected{Code: c.ID, Name: c.Name, OldStatus: before, NewStatus: after})
	}
	return out
}

func worseStatus(k quality.IncidentKind) string {
	if k == quality.IncidentAvailability {
		return "major_outage"
	}
	return "degraded_performance"
}

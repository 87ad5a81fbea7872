package statuspage

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// The shapes of Statuspage v2, field by field, so that programs which read any other status page read
// this one. Quality is an addition to components: no field of theirs can carry it.

type apiPage struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	URL       string `json:"url"`
	TimeZone  string `json:"time_zone"`
	UpdatedAt string `json:"updated_at"`
}

type apiStatus struct {
	Indicator   string `json:"indicator"` // none, minor, major, critical
	Description string `json:"description"`
}

type apiComponent struct {
	ID                 string     `json:"id"`
	Name               string     `json:"name"`
	Status             string     `json:"status"`
	CreatedAt          string     `json:"created_at"`
	UpdatedAt          string     `json:"updated_at"`
	Position           int        `json:"position"`
	Description        *string    `json:"description"`
	Showcase           bool       `json:"showcase"`
	StartDate          *string    `json:"start_date"`
	GroupID            *string    `json:"group_id"`
	PageID             string     `json:"page_id"`
	Group              bool       `json:"group"`
	OnlyShowIfDegraded bool       `json:"only_show_if_degraded"`
	Quality            apiQuality `json:"quality"`
}

type apiQuality struct {
	Word     string          `json:"word"`
	Status   string          `json:"status"` // the word as a name
	Metric   string          `json:"metric"`
	Percent  *float64        `json:"percent"`  // of baseline
	Interval *[2]float64     `json:"interval"` // 95 %
	Since    *string         `json:"since"`
	Scope    string          `json:"scope"`
	Note     string          `json:"note"`
	Days     []apiQualityDay `json:"days"`
}

type apiQualityDay struct {
	Date     string      `json:"date"`
	Status   string      `json:"status"`
	Percent  *float64    `json:"percent"`
	Interval *[2]float64 `json:"interval"`
	Answers  uint64      `json:"answers"`
}

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
	IncidentUpdates   []apiUpdate    `json:"incident_updates"`
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

// pageID is what clients know this page by. There is one page.
const pageID = "asgood"

// recentIncidents is how many incidents.json lists.
const recentIncidents = 50

// apiBuilder makes the documents of one view.
type apiBuilder struct {
	v          *view
	page       apiPage
	components []apiComponent
}

// apiDocuments makes everything under /api/v2.
func apiDocuments(v *view) (map[string]document, error) {
	b := &apiBuilder{v: v}
	b.page = apiPage{ID: pageID, Name: v.page.Title, URL: v.in.options.URL, TimeZone: v.in.options.Location.String(), UpdatedAt: b.time(v.in.now)}
	for i := range v.page.Features {
		b.components = append(b.components, b.component(i, &v.page.Features[i]))
	}
	open, recent := b.incidents()
	none := []struct{}{}
	out := map[string]document{}
	for path, body := range map[string]map[string]any{
		"/summary.json":                         {"page": b.page, "status": b.status(), "components": b.components, "incidents": open, "scheduled_maintenances": none},
		"/status.json":                          {"page": b.page, "status": b.status()},
		"/components.json":                      {"page": b.page, "components": b.components},
		"/incidents.json":                       {"page": b.page, "incidents": recent},
		"/incidents/unresolved.json":            {"page": b.page, "incidents": open},
		"/scheduled-maintenances.json":          {"page": b.page, "scheduled_maintenances": none},
		"/scheduled-maintenances/upcoming.json": {"page": b.page, "scheduled_maintenances": none},
		"/scheduled-maintenances/active.json":   {"page": b.page, "scheduled_maintenances": none},
	} {
		data, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("encoding %q: %w", path, err)
		}
		if out[path], err = newDocument("application/json; charset=utf-8", data); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// time is as Statuspage writes it, in the page's zone.
func (b *apiBuilder) time(t time.Time) string {
	return t.In(b.v.in.options.Location).Format("2006-01-02T15:04:05.000Z07:00")
}

func (b *apiBuilder) optional(t *time.Time) *string {
	if t == nil {
		return nil
	}
	s := b.time(*t)
	return &s
}

func (b *apiBuilder) component(i int, f *featureView) apiComponent {
	at := b.time(b.v.in.now)
	c := apiComponent{
		ID: f.Name, Name: f.Title, Status: componentStatus(f), CreatedAt: at, UpdatedAt: at, Position: i + 1, Showcase: true, PageID: pageID,
		Quality: apiQuality{Word: string(f.tile.Word), Status: f.tile.Word.Slug(), Metric: f.tile.Metric, Percent: f.tile.Percent,
			Interval: f.tile.Interval, Since: b.optional(f.tile.Since), Scope: f.tile.Scope, Note: f.tile.Note, Days: []apiQualityDay{}},
	}
	for _, d := range f.days {
		c.Quality.Days = append(c.Quality.Days, apiQualityDay{Date: d.Day.Format(time.DateOnly), Status: string(d.State), Percent: d.Percent, Interval: d.Interval, Answers: d.N})
	}
	return c
}

// componentStatus tells of uptime first; what is up and worse is degraded.
func componentStatus(f *featureView) string {
	switch {
	case f.uptime.Word == UptimeDown:
		return "major_outage"
	case f.uptime.Word == UptimePartly:
		return "partial_outage"
	case f.tile.Word.Worse():
		return "degraded_performance"
	default:
		return "operational"
	}
}

// status takes the worst of the open incidents.
func (b *apiBuilder) status() apiStatus {
	worst := quality.SeverityNone
	for _, i := range b.v.in.state.data.incidents {
		if i.Open() && i.Severity.Rank() > worst.Rank() {
			worst = i.Severity
		}
	}
	return apiStatus{Indicator: string(worst), Description: b.v.page.Overall.Text}
}

func (b *apiBuilder) incidents() (open, recent []apiIncident) {
	list := b.v.in.state.data.incidents
	open, recent = []apiIncident{}, []apiIncident{}
	for _, i := range sortedIncidents(list) {
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
		ResolvedAt: b.optional(i.ResolvedAt), Impact: string(i.Severity), Shortlink: b.page.URL + "/incidents/" + i.ID,
		StartedAt: b.time(i.StartedAt), PageID: pageID, IncidentUpdates: []apiUpdate{}, Components: []apiComponent{},
	}
	affected := []apiAffected{}
	for _, c := range b.components {
		for _, name := range i.Features {
			if c.ID == name {
				out.Components = append(out.Components, c)
				affected = append(affected, apiAffected{Code: c.ID, Name: c.Name, OldStatus: "operational", NewStatus: worseStatus(i.Kind)})
			}
		}
	}
	for n := len(i.Updates) - 1; n >= 0; n-- {
		u := i.Updates[n]
		out.IncidentUpdates = append(out.IncidentUpdates, apiUpdate{ID: u.ID, Status: string(u.Status), Body: u.Body, IncidentID: i.ID,
			CreatedAt: b.time(u.At), UpdatedAt: b.time(u.At), DisplayAt: b.time(u.At), AffectedComponents: affected})
	}
	return out
}

func worseStatus(k quality.IncidentKind) string {
	if k == quality.IncidentAvailability {
		return "major_outage"
	}
	return "degraded_performance"
}

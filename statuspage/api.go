package statuspage

import (
	"encoding/json"
	"fmt"
	"time"
)

// The shapes of Statuspage v2, field by field, so that programs which read any other status page read
// this one. Quality and uptime are additions to components: no field of theirs can carry them.

type apiPage struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	URL       string `json:"url"`
	TimeZone  string `json:"time_zone"`
	UpdatedAt string `json:"updated_at"` // of when the figures are
}

type apiStatus struct {
	Indicator   string `json:"indicator"` // none, minor, major, critical
	Description string `json:"description"`
}

type apiComponent struct {
	ID                 string     `json:"id"`
	Name               string     `json:"name"`
	Status             string     `json:"status"`
	CreatedAt          string     `json:"created_at"` // first day with data; nothing older is known
	UpdatedAt          string     `json:"updated_at"` // when it last changed
	Position           int        `json:"position"`
	Description        *string    `json:"description"`
	Showcase           bool       `json:"showcase"`
	StartDate          *string    `json:"start_date"` // first day with data
	GroupID            *string    `json:"group_id"`
	PageID             string     `json:"page_id"`
	Group              bool       `json:"group"`
	OnlyShowIfDegraded bool       `json:"only_show_if_degraded"`
	Quality            apiQuality `json:"quality"`
	Uptime             apiUptime  `json:"uptime"`
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
	Days     []apiQualityDay `json:"days,omitempty"` // not in components of incidents
}

type apiQualityDay struct {
	Date     string      `json:"date"`
	Status   string      `json:"status"`
	Percent  *float64    `json:"percent"`
	Interval *[2]float64 `json:"interval"`
	Answers  uint64      `json:"answers"`
}

type apiUptime struct {
	Word    string         `json:"word"`
	Status  string         `json:"status"`  // the word as a name
	Percent *string        `json:"percent"` // of checks that were answered, floored, as text to keep both places
	Since   *string        `json:"since"`
	Days    []apiUptimeDay `json:"days,omitempty"` // not in components of incidents
}

type apiUptimeDay struct {
	Date   string `json:"date"`
	Status string `json:"status"`
	Checks uint64 `json:"checks"`
	Up     uint64 `json:"up"`
}

// pageID is what clients know this page by. There is one page.
const pageID = "asgood"

// apiBuilder makes the documents of one view.
type apiBuilder struct {
	v          *view
	page       apiPage
	components []apiComponent
}

// apiDocuments makes everything under /api/v2.
func apiDocuments(v *view) (map[string]document, error) {
	b := &apiBuilder{v: v, components: []apiComponent{}}
	o := v.in.options
	b.page = apiPage{ID: pageID, Name: o.Title, URL: o.URL, TimeZone: o.Location.String(), UpdatedAt: b.time(b.asOf())}
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

// asOf is the time of the figures, or now as long as there are none.
func (b *apiBuilder) asOf() time.Time {
	if at := b.v.in.state.at; !at.IsZero() {
		return at
	}
	return b.v.in.now
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

package statuspage

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// The shapes of Statuspage v2, field by field, so that programs which read any other status page read
// this one. Quality and uptime are additions: no field of theirs can carry them.

type apiPage struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	URL       string `json:"url"`
	TimeZone  string `json:"time_zone"`
	UpdatedAt string `json:"updated_at"` // of when the figures are
}

type apiStatus struct {
	Indicator   string `json:"indicator"`   // none, maintenance, minor, major, critical
	Description string `json:"description"` // in the words of Statuspage, which clients compare
}

// apiOverall is the page in our own words.
type apiOverall struct {
	Status    string `json:"status"`
	Text      string `json:"text"`
	Stale     bool   `json:"stale"` // what holds now is not known
	Simulated bool   `json:"simulated"`
}

// pageID is what clients know this page by. There is one page.
const pageID = "asgood"

const jsonKind = "application/json; charset=utf-8"

// apiBuilder makes the documents of one view.
type apiBuilder struct {
	v            *view
	page         apiPage
	published    []quality.Incident // newest first
	maintenances []quality.Maintenance
	stated       map[string]quality.ComponentStatus // by feature, the worst that people stated of an open incident
	maintained   map[string]bool                    // features of which work is going on
	components   []apiComponent                     // without days
	days         map[string]*featureView
}

func newAPIBuilder(v *view) *apiBuilder {
	b := &apiBuilder{
		v: v, stated: map[string]quality.ComponentStatus{}, maintained: map[string]bool{}, days: map[string]*featureView{},
		published: sortedIncidents(v.in.state.data.published()), maintenances: sortedMaintenances(v.in.state.data.maintenances),
	}
	o := v.in.options
	b.page = apiPage{ID: pageID, Name: o.Title, URL: o.URL, TimeZone: o.Location.String(), UpdatedAt: b.time(b.asOf())}
	b.readStated()
	b.addComponents()
	return b
}

// readStated gathers what people said of components: in open incidents, and by beginning a maintenance.
func (b *apiBuilder) readStated() {
	for _, i := range b.published {
		if !i.Open() {
			continue
		}
		for name, s := range i.Effects {
			if was, ok := b.stated[name]; !ok || statusRank(s) > statusRank(was) {
				b.stated[name] = s
			}
		}
	}
	for _, m := range b.maintenances {
		if !active(m) {
			continue
		}
		for _, name := range m.Features {
			b.maintained[name] = true
		}
	}
}

type body = map[string]any

// apiBodies makes the bodies of everything under /api/v2 that has no parameter, by path.
func apiBodies() map[string]func(b *apiBuilder) body {
	return map[string]func(b *apiBuilder) body{
		"/summary.json": func(b *apiBuilder) body {
			return body{"page": b.page, "status": b.status(), "quality": b.overall(), "components": b.components,
				"incidents": b.incidents(openOnly), "scheduled_maintenances": b.maintenancesOf(notOver)}
		},
		"/status.json": func(b *apiBuilder) body {
			return body{"page": b.page, "status": b.status(), "quality": b.overall()}
		},
		"/components.json":           func(b *apiBuilder) body { return body{"page": b.page, "components": b.withDays()} },
		"/incidents.json":            func(b *apiBuilder) body { return body{"page": b.page, "incidents": b.incidents(recentOnly)} },
		"/incidents/unresolved.json": func(b *apiBuilder) body { return body{"page": b.page, "incidents": b.incidents(openOnly)} },
		"/scheduled-maintenances.json": func(b *apiBuilder) body {
			return body{"page": b.page, "scheduled_maintenances": b.maintenancesOf(recentWork)}
		},
		"/scheduled-maintenances/upcoming.json": func(b *apiBuilder) body {
			return body{"page": b.page, "scheduled_maintenances": b.maintenancesOf(upcoming)}
		},
		"/scheduled-maintenances/active.json": func(b *apiBuilder) body {
			return body{"page": b.page, "scheduled_maintenances": b.maintenancesOf(active)}
		},
	}
}

func jsonDocument(name string, v any) (document, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return document{}, fmt.Errorf("encoding %q: %w", name, err)
	}
	return newDocument(jsonKind, data)
}

func (b *apiBuilder) overall() apiOverall {
	p := &b.v.page
	return apiOverall{Status: p.Overall.Slug, Text: p.Overall.Text, Stale: p.Stale, Simulated: p.Simulated}
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

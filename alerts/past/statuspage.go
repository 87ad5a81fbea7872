package past

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// pageIncident is an incident of Statuspage's API v2.
type pageIncident struct {
	ID         string       `json:"id"`
	Name       string       `json:"name"`
	Status     string       `json:"status"`
	Impact     string       `json:"impact"`
	CreatedAt  *time.Time   `json:"created_at"`
	StartedAt  *time.Time   `json:"started_at"`
	ResolvedAt *time.Time   `json:"resolved_at"`
	Updates    []pageUpdate `json:"incident_updates"`
	Components []struct {
		Name string `json:"name"`
	} `json:"components"`
	ScheduledFor *time.Time `json:"scheduled_for"`
}

type pageUpdate struct {
	Status    string     `json:"status"`
	Body      string     `json:"body"`
	CreatedAt *time.Time `json:"created_at"`
	DisplayAt *time.Time `json:"display_at"`
}

var pageStatuses = map[string]quality.IncidentStatus{
	"investigating": quality.IncidentInvestigating, "identified": quality.IncidentIdentified, "monitoring": quality.IncidentMonitoring,
	"resolved": quality.IncidentResolved, "postmortem": quality.IncidentPostmortem,
}

var pageImpacts = map[string]quality.Severity{
	"none": quality.SeverityNone, "minor": quality.SeverityMinor, "major": quality.SeverityMajor, "critical": quality.SeverityCritical,
}

// statuspage reads incidents.json. Each incident is read by itself, so that one that is bad spoils no other.
func (r *Result) statuspage(name string, data []byte) {
	var file struct {
		Incidents []json.RawMessage `json:"incidents"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		r.bad(name, "want the JSON of incidents.json: %v", err)
		return
	}
	if file.Incidents == nil {
		r.bad(name, `has no list "incidents"`)
	}
	for n, raw := range file.Incidents {
		place := fmt.Sprintf("%s: incidents[%d]", name, n)
		var p pageIncident
		if err := json.Unmarshal(raw, &p); err != nil {
			r.bad(place, "%v", err)
			continue
		}
		r.pageIncident(place, p)
	}
}

func (r *Result) pageIncident(place string, p pageIncident) {
	switch {
	case p.ID == "":
		r.bad(place+".id", "required")
		return
	case p.ScheduledFor != nil:
		r.bad(place, "is a maintenance: it is left out")
		return
	case p.CreatedAt == nil:
		r.bad(place+".created_at", "required")
		return
	}
	severity, known := pageImpacts[p.Impact]
	if !known {
		r.bad(place+".impact", "%.40q is none: taken as minor", p.Impact)
		severity = quality.SeverityMinor
	}
	i := Incident{Incident: quality.Incident{Kind: quality.IncidentAvailability, Name: p.Name, Severity: severity,
		StartedAt: *p.CreatedAt, CreatedAt: *p.CreatedAt, ResolvedAt: p.ResolvedAt}}
	if p.StartedAt != nil {
		i.StartedAt = *p.StartedAt
	}
	for _, c := range p.Components {
		i.Components = append(i.Components, c.Name)
	}
	i.Updates = r.pageUpdates(place, p, *p.CreatedAt)
	if i.ResolvedAt == nil { // resolved in its last update, as older exports have it
		for _, u := range i.Updates {
			if u.Status == quality.IncidentResolved {
				i.ResolvedAt = &u.At
			}
		}
	}
	r.add(Statuspage, p.ID, place, i)
}

// pageUpdates returns the updates oldest first; the file has them newest first.
func (r *Result) pageUpdates(place string, p pageIncident, created time.Time) (out []quality.IncidentUpdate) {
	for n, u := range p.Updates {
		at := created
		switch {
		case u.DisplayAt != nil:
			at = *u.DisplayAt
		case u.CreatedAt != nil:
			at = *u.CreatedAt
		}
		status, known := pageStatuses[u.Status]
		if !known {
			r.bad(fmt.Sprintf("%s.incident_updates[%d].status", place, n), "%.40q is none: the update is left out", u.Status)
			continue
		}
		out = append(out, quality.IncidentUpdate{Status: status, Body: u.Body, At: at})
	}
	slices.Reverse(out)
	slices.SortStableFunc(out, func(a, b quality.IncidentUpdate) int { return a.At.Compare(b.At) })
	return out
}

package past

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// endpoint is what Gatus tells of one: /api/v1/endpoints/statuses has a list of them,
// /api/v1/endpoints/KEY/statuses one.
type endpoint struct {
	Name   string  `json:"name"`
	Group  string  `json:"group"`
	Key    string  `json:"key"`
	Events []event `json:"events"`
}

type event struct {
	Type      string    `json:"type"` // START, HEALTHY or UNHEALTHY
	Timestamp time.Time `json:"timestamp"`
}

// gatus reads the events of endpoints: from unhealthy to healthy is an incident of availability.
func (r *Result) gatus(name string, data []byte) {
	var list []json.RawMessage
	data = bytes.TrimSpace(data)
	if bytes.HasPrefix(data, []byte("{")) {
		list = []json.RawMessage{data}
	} else if err := json.Unmarshal(data, &list); err != nil {
		r.bad(name, "want the JSON of /api/v1/endpoints/statuses: %v", err)
		return
	}
	for n, raw := range list {
		place := name
		if len(list) > 1 {
			place = fmt.Sprintf("%s: [%d]", name, n)
		}
		var e endpoint
		if err := json.Unmarshal(raw, &e); err != nil {
			r.bad(place, "%v", err)
			continue
		}
		r.endpoint(place, e)
	}
}

func (r *Result) endpoint(place string, e endpoint) {
	if e.Name == "" {
		r.bad(place+".name", "required")
		return
	}
	key := e.Key
	if key == "" {
		key = e.Group + "_" + e.Name
	}
	if len(e.Events) == 0 {
		r.bad(place+".events", "there are none: ask Gatus for /api/v1/endpoints/%s/statuses", key)
	}
	var since *time.Time
	for n, ev := range e.Events {
		switch {
		case ev.Timestamp.IsZero():
			r.bad(fmt.Sprintf("%s.events[%d].timestamp", place, n), "required")
		case ev.Type == "UNHEALTHY" && since == nil:
			since = &ev.Timestamp
		case ev.Type == "HEALTHY" && since != nil:
			r.outage(fmt.Sprintf("%s.events[%d]", place, n), key, e, *since, ev.Timestamp)
			since = nil
		}
	}
	if since != nil {
		r.bad(place, "%s is unhealthy to the end: that is not over, and left out", e.Name)
	}
}

func (r *Result) outage(place, key string, e endpoint, from, to time.Time) {
	i := Incident{Components: []string{e.Name}, Incident: quality.Incident{Kind: quality.IncidentAvailability, Name: e.Name + " was down",
		Severity: quality.SeverityMajor, StartedAt: from, CreatedAt: from, ResolvedAt: &to}}
	i.Updates = []quality.IncidentUpdate{
		{Status: quality.IncidentInvestigating, Body: e.Name + " did not pass its checks.", At: from},
		{Status: quality.IncidentResolved, Body: e.Name + " passes its checks again.", At: to},
	}
	r.add(Gatus, fmt.Sprintf("%s %d", key, from.UnixNano()), place, i)
}

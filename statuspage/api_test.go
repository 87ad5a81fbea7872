package statuspage_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

func decode(t *testing.T, f fixture, path string, into any) {
	t.Helper()
	w := f.do(http.MethodGet, path)
	if w.Code != http.StatusOK {
		t.Fatalf("%s: status %d", path, w.Code)
	}
	if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// The keys that clients of Statuspage read, with the types they read them as.
func TestStatuspageShape(t *testing.T) {
	f := many(t).show(t)
	for path, keys := range map[string][]string{
		"summary.json": {"page", "status", "quality", "components", "incidents", "scheduled_maintenances"}, "status.json": {"page", "status", "quality"},
		"components.json": {"page", "components"}, "incidents.json": {"page", "incidents"}, "incidents/unresolved.json": {"page", "incidents"},
		"scheduled-maintenances.json": {"page", "scheduled_maintenances"}, "scheduled-maintenances/upcoming.json": {"page", "scheduled_maintenances"},
		"scheduled-maintenances/active.json": {"page", "scheduled_maintenances"},
	} {
		got := map[string]json.RawMessage{}
		decode(t, f, "/api/v2/"+path, &got)
		if len(got) != len(keys) {
			t.Errorf("%s: got %d keys, want %q", path, len(got), keys)
		}
		for _, k := range keys {
			if string(got[k]) == "null" || got[k] == nil {
				t.Errorf("%s: no %q", path, k)
			}
		}
	}
	var s struct {
		Components []map[string]any
		Incidents  []map[string]any
	}
	decode(t, f, "/api/v2/incidents.json", &s)
	for _, k := range []string{"id", "name", "status", "created_at", "updated_at", "monitoring_at", "resolved_at", "impact", "shortlink", "started_at", "page_id", "incident_updates", "components", "reminder_intervals"} {
		if _, ok := s.Incidents[0][k]; !ok {
			t.Errorf("an incident has no %q", k)
		}
	}
	decode(t, f, "/api/v2/components.json", &s)
	for _, k := range []string{"id", "name", "status", "created_at", "updated_at", "position", "description", "showcase", "start_date", "group_id", "page_id", "group", "only_show_if_degraded"} {
		if _, ok := s.Components[0][k]; !ok {
			t.Errorf("a component has no %q", k)
		}
	}
}

func TestIndicator(t *testing.T) {
	for name, want := range map[string]string{
		"usual": "none", "better": "none", "not-enough": "none", "cannot-tell": "none", "slightly-worse": "minor", "worse": "major",
		"much-worse": "critical", "down": "critical", "resolved": "none", "no-features": "none", "many": "major",
	} {
		for _, s := range states {
			if s.name != name {
				continue
			}
			var got struct{ Status struct{ Indicator string } }
			decode(t, s.make(t).show(t), "/api/v2/status.json", &got)
			if got.Status.Indicator != want {
				t.Errorf("%s: got %q, want %q", name, got.Status.Indicator, want)
			}
		}
	}
}

// What is down counts before anybody has opened an incident.
func TestIndicatorWithoutIncident(t *testing.T) {
	w := quiet(t)
	w.probes = append(w.probes, quality.ProbeStatus{Feature: "support", Probe: "other", State: quality.Down, Since: now.Add(-time.Minute), CheckedAt: now})
	var got struct {
		Status     struct{ Indicator, Description string }
		Quality    struct{ Text string }
		Components []struct{ Status string }
	}
	decode(t, w.show(t), "/api/v2/summary.json", &got)
	if got.Status.Indicator != "major" || got.Components[0].Status != "partial_outage" || got.Status.Description != "Partial System Outage" || got.Quality.Text != "Support assistant is partly down" {
		t.Errorf("got %+v", got)
	}
}

// Each update tells what it did to the components.
func TestUpdatesChangeComponents(t *testing.T) {
	var got struct {
		Incidents []struct {
			MonitoringAt    *string `json:"monitoring_at"`
			Shortlink       string
			IncidentUpdates []struct {
				Status             string
				AffectedComponents []struct {
					OldStatus string `json:"old_status"`
					NewStatus string `json:"new_status"`
				} `json:"affected_components"`
			} `json:"incident_updates"`
		}
	}
	for _, s := range states {
		if s.name == "resolved" {
			decode(t, s.make(t).show(t), "/api/v2/incidents.json", &got)
		}
	}
	want := [][3]string{ // newest first
		{"resolved", "degraded_performance", "operational"}, {"monitoring", "degraded_performance", "degraded_performance"},
		{"identified", "degraded_performance", "degraded_performance"}, {"investigating", "operational", "degraded_performance"},
	}
	i := got.Incidents[0]
	for n, u := range i.IncidentUpdates {
		a := u.AffectedComponents[0]
		if g := [3]string{u.Status, a.OldStatus, a.NewStatus}; g != want[n] {
			t.Errorf("update %d: got %q, want %q", n, g, want[n])
		}
	}
	if i.MonitoringAt == nil || *i.MonitoringAt != "2026-03-31T08:05:00.000+02:00" {
		t.Errorf("monitoring_at: got %v", i.MonitoringAt)
	}
	if want := "https://status.northlight.example/incidents/inc-support"; i.Shortlink != want {
		t.Errorf("shortlink: got %q, want %q", i.Shortlink, want)
	}
}

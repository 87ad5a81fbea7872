package statuspage_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/statuspage"
)

// v2Paths are all documents under /api/v2 without a parameter, with their schemas.
var v2Paths = map[string]string{
	"summary.json": "Summary", "status.json": "StatusReport", "components.json": "Components", "incidents.json": "Incidents",
	"incidents/unresolved.json": "Incidents", "scheduled-maintenances.json": "Maintenances",
	"scheduled-maintenances/upcoming.json": "Maintenances", "scheduled-maintenances/active.json": "Maintenances",
}

func maintenance(id string, s quality.MaintenanceStatus, from time.Time, features ...string) quality.Maintenance {
	m := quality.Maintenance{ID: id, Name: "New <index> & “search”", Features: features, Status: s, From: from, To: from.Add(2 * time.Hour),
		CreatedAt: from.Add(-5 * day), UpdatedAt: from.Add(-4 * day),
		Updates: []quality.MaintenanceUpdate{{ID: id + "-1", Status: quality.MaintenanceScheduled, At: from.Add(-5 * day), Body: "We build the index anew.\nAnswers may be slow."}}}
	add := func(s quality.MaintenanceStatus, at time.Time) {
		m.Updates = append(m.Updates, quality.MaintenanceUpdate{ID: id + "-" + string(s), Status: s, At: at, Body: "It is " + string(s) + "."})
		m.UpdatedAt = at
	}
	if s != quality.MaintenanceScheduled {
		m.StartedAt = ptr(from.Add(3 * time.Minute))
		add(quality.MaintenanceInProgress, *m.StartedAt)
	}
	if s == quality.MaintenanceVerifying {
		add(s, from.Add(time.Hour))
	}
	if s == quality.MaintenanceCompleted {
		m.CompletedAt = ptr(from.Add(90 * time.Minute))
		add(s, *m.CompletedAt)
	}
	return m
}

// showAs is the page with what the options and the reader are changed to.
func (w *world) showAs(t testing.TB, change func(*statuspage.Options, *reader)) fixture {
	t.Helper()
	r := w.reader()
	o := w.options(t, r, func() time.Time { return now })
	change(&o, r)
	f := newFixture(t, o)
	f.refresh(t)
	return f
}

// eventful is a page with all that the interfaces can tell of.
func eventful(t testing.TB) fixture {
	w := many(t)
	w.features[1].Description = "Reads invoices"
	i := &w.incidents[0]
	i.Effects = map[string]quality.ComponentStatus{"support": quality.PartialOutage}
	i.NextUpdate, i.Updates[1].EditedAt, i.Updates[1].Before = ptr(now.Add(time.Hour)), ptr(now.Add(-time.Hour)), "Before."
	i.Updates = append(i.Updates, quality.IncidentUpdate{ID: "secret", Status: quality.IncidentMonitoring, Body: "for us alone", Internal: true, At: now})
	past := &w.incidents[1]
	past.Postmortem = &quality.Postmortem{Body: "# What happened\n\nThe **index** was old.", UpdatedAt: now.Add(-5 * day), Published: &quality.Decision{At: now.Add(-5 * day)}}
	hidden := *past
	hidden.ID, hidden.Name, hidden.Visibility = "inc-internal", "not for customers", quality.VisibilityInternal
	w.incidents = append(w.incidents, hidden)
	return w.showAs(t, func(o *statuspage.Options, r *reader) {
		o.Groups = []quality.FeatureGroup{{Name: "documents", Title: "Documents", Description: "What reads documents", Features: []string{"search", "invoices", "gone"}}, {Name: "empty", Title: "Empty", Features: []string{"gone"}}}
		r.maintenances = always(
			maintenance("m-old", quality.MaintenanceCompleted, now.Add(-9*day), "notes"),
			maintenance("m-now", quality.MaintenanceInProgress, now.Add(-time.Hour), "notes"),
			maintenance("m-check", quality.MaintenanceVerifying, now.Add(-2*time.Hour), "search"),
			maintenance("m-next", quality.MaintenanceScheduled, now.Add(2*day), "notes", "support"))
	})
}

type v2Component struct {
	ID, Name, Status string
	Position         int
	Description      *string
	GroupID          *string `json:"group_id"`
	Group            bool
	Components       []string
	Quality          *struct{ Status string }
}

type v2Incident struct {
	ID, Name, Status, Impact string
	StartedAt                string  `json:"started_at"`
	ResolvedAt               *string `json:"resolved_at"`
	ScheduledFor             string  `json:"scheduled_for"`
	PostmortemBody           string  `json:"postmortem_body"`
	NextUpdateAt             string  `json:"next_update_at"`
	Components               []v2Component
	IncidentUpdates          []struct {
		ID, Status, Body   string
		CreatedAt          string `json:"created_at"`
		UpdatedAt          string `json:"updated_at"`
		AffectedComponents []struct {
			Code, Name string
			OldStatus  string `json:"old_status"`
			NewStatus  string `json:"new_status"`
		} `json:"affected_components"`
	} `json:"incident_updates"`
}

type v2Summary struct {
	Status     struct{ Indicator, Description string }
	Quality    struct{ Status, Text string }
	Components []v2Component
	Incidents  []v2Incident
	Scheduled  []v2Incident `json:"scheduled_maintenances"`
}

func TestGroups(t *testing.T) {
	var s v2Summary
	decode(t, eventful(t), "/api/v2/summary.json", &s)
	var got []string
	for _, c := range s.Components {
		line := strings.Join([]string{c.ID, c.Status, strings.Repeat("+", c.Position)}, " ")
		if c.GroupID != nil {
			line += " in " + *c.GroupID
		}
		if c.Group {
			line += " of " + strings.Join(c.Components, " ")
		}
		if c.Group == (c.Quality != nil) {
			t.Errorf("%s: a group has no quality, and a feature has", c.ID)
		}
		got = append(got, line)
	}
	want := []string{"support partial_outage +", "notes under_maintenance ++", "documents under_maintenance +++ of search invoices", "search under_maintenance + in documents", "invoices operational ++ in documents"}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if d := s.Components[2].Description; d == nil || *d != "What reads documents" {
		t.Errorf("description of the group: got %v", d)
	}
	if d := s.Components[4].Description; d == nil || *d != "Reads invoices" {
		t.Errorf("description of a feature: got %v", d)
	}
	if s.Status.Indicator != "major" || s.Status.Description != "Minor Service Outage" {
		t.Errorf("got %+v", s.Status)
	}
}

func TestMaintenances(t *testing.T) {
	f := eventful(t)
	ids := func(path string) string {
		var s v2Summary
		decode(t, f, "/api/v2/"+path, &s)
		var out []string
		for _, m := range s.Scheduled {
			out = append(out, m.ID)
			if m.Impact != "maintenance" || m.ScheduledFor == "" {
				t.Errorf("%s: got %+v", m.ID, m)
			}
		}
		return strings.Join(out, " ")
	}
	for path, want := range map[string]string{
		"summary.json": "m-next m-now m-check", "scheduled-maintenances.json": "m-next m-now m-check m-old",
		"scheduled-maintenances/upcoming.json": "m-next", "scheduled-maintenances/active.json": "m-now m-check",
	} {
		if got := ids(path); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
	var s v2Summary
	decode(t, f, "/api/v2/scheduled-maintenances.json", &s)
	var got []string
	for _, u := range s.Scheduled[2].IncidentUpdates {
		got = append(got, u.Status+" "+u.AffectedComponents[0].Name+" "+u.AffectedComponents[0].OldStatus+" "+u.AffectedComponents[0].NewStatus)
	}
	want := []string{"verifying Documents - Search in your documents under_maintenance under_maintenance", "in_progress Documents - Search in your documents operational under_maintenance", "scheduled Documents - Search in your documents operational operational"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestIncidentsAsPeopleStatedThem(t *testing.T) {
	f := eventful(t)
	var s v2Summary
	decode(t, f, "/api/v2/incidents.json", &s)
	if len(s.Incidents) != 2 {
		t.Fatalf("got %d incidents, want the two public ones", len(s.Incidents))
	}
	open, past := s.Incidents[0], s.Incidents[1]
	first := open.IncidentUpdates[len(open.IncidentUpdates)-1].AffectedComponents[0]
	if first.OldStatus != "operational" || first.NewStatus != "partial_outage" || open.NextUpdateAt == "" {
		t.Errorf("got %+v and the next update at %q", first, open.NextUpdateAt)
	}
	if u := open.IncidentUpdates[0]; u.ID != "u2" || u.UpdatedAt == u.CreatedAt {
		t.Errorf("the corrected update: got %+v", u)
	}
	if past.Status != "postmortem" || !strings.HasPrefix(past.PostmortemBody, "# What") || past.IncidentUpdates[0].Status != "postmortem" || past.IncidentUpdates[0].Body != past.PostmortemBody {
		t.Errorf("got %+v", past)
	}
	for _, secret := range []string{"for us alone", "not for customers", "internal: never shown"} {
		for path := range v2Paths {
			if strings.Contains(f.do(http.MethodGet, "/api/v2/"+path).Body.String(), secret) {
				t.Errorf("%s tells %q", path, secret)
			}
		}
	}
}

// The page is in the words of Statuspage, and in its own beside them.
func TestDescriptions(t *testing.T) {
	for name, want := range map[string]string{
		"usual": "All Systems Operational", "better": "All Systems Operational", "worse": "Partially Degraded Service", "much-worse": "Partially Degraded Service",
		"down": "Major System Outage", "resolved": "All Systems Operational", "no-features": "Status Unknown", "not-read": "Status Unknown", "stale": "Status Unknown",
		"stale-days": "All Systems Operational", "many": "Partially Degraded Service",
	} {
		for _, s := range states {
			if s.name != name {
				continue
			}
			var got v2Summary
			decode(t, s.make(t).show(t), "/api/v2/status.json", &got)
			if got.Status.Description != want || got.Quality.Text == "" {
				t.Errorf("%s: got %+v, want %q", name, got, want)
			}
		}
	}
	only := quiet(t).showAs(t, func(_ *statuspage.Options, r *reader) {
		r.maintenances = always(maintenance("m", quality.MaintenanceInProgress, now.Add(-time.Hour), "support"))
	})
	var got v2Summary
	decode(t, only, "/api/v2/summary.json", &got)
	if got.Status.Indicator != "maintenance" || got.Status.Description != "Service Under Maintenance" {
		t.Errorf("got %+v", got.Status)
	}
}

func TestDescribe(t *testing.T) {
	type counts = map[quality.ComponentStatus]int
	for _, tt := range []struct {
		counts counts
		worst  quality.Severity
		want   string
	}{
		{counts{}, quality.SeverityNone, "All Systems Operational"},
		{counts{quality.Operational: 3}, quality.SeverityNone, "All Systems Operational"},
		{counts{quality.Operational: 3}, quality.SeverityMinor, "Minor Service Outage"},
		{counts{quality.Operational: 3}, quality.SeverityMajor, "Partial System Outage"},
		{counts{quality.Operational: 3}, quality.SeverityCritical, "Major System Outage"},
		{counts{quality.Operational: 1, quality.UnderMaintenance: 1}, quality.SeverityNone, "Service Under Maintenance"},
		{counts{quality.DegradedPerformance: 1}, quality.SeverityMinor, "Partially Degraded Service"},
		{counts{quality.DegradedPerformance: 2}, quality.SeverityMinor, "Degraded System Service"},
		{counts{quality.DegradedPerformance: 2, quality.Operational: 1}, quality.SeverityMinor, "Partially Degraded Service"},
		{counts{quality.PartialOutage: 2}, quality.SeverityMajor, "Partial System Outage"},
		{counts{quality.PartialOutage: 1, quality.DegradedPerformance: 5}, quality.SeverityMajor, "Minor Service Outage"},
		{counts{quality.MajorOutage: 1, quality.Operational: 1}, quality.SeverityCritical, "Partial System Outage"},
		{counts{quality.MajorOutage: 2}, quality.SeverityCritical, "Major System Outage"},
	} {
		if got := statuspage.Describe(tt.counts, tt.worst); got != tt.want {
			t.Errorf("%v, %s: got %q, want %q", tt.counts, tt.worst, got, tt.want)
		}
	}
}

func TestUptimeReport(t *testing.T) {
	f := eventful(t)
	var got struct {
		ID               string
		RangeStart       string   `json:"range_start"`
		UptimePercentage *float64 `json:"uptime_percentage"`
		MajorOutage      int      `json:"major_outage"`
		Warnings         []string
		RelatedEvents    struct{ Incidents []string } `json:"related_events"`
	}
	decode(t, f, "/api/v2/components/support/uptime.json", &got)
	// 90 of 2880 checks failed on one day and 10 on another: 100/2880 of 86400 s.
	if got.ID != "support" || got.MajorOutage != 3000 || got.UptimePercentage == nil || *got.UptimePercentage != 99.96 || len(got.Warnings) != 1 || !slices.Equal(got.RelatedEvents.Incidents, []string{"inc-support"}) {
		t.Errorf("got %+v", got)
	}
	for _, id := range []string{"none", "documents", strings.Repeat("x", 5000)} {
		if w := f.do(http.MethodGet, "/api/v2/components/"+id+"/uptime.json"); w.Code != http.StatusNotFound || w.Body.Len() > 300 {
			t.Errorf("%.20s: got %d with %d bytes", id, w.Code, w.Body.Len())
		}
	}
}

// noise is a figure with more than two places.
var noise = regexp.MustCompile(`[:\[,]-?[0-9]+(\.[0-9]{3,}|\.?[0-9]*[eE][-+]?[0-9]+)[,}\]]`)

// compile reads the schema of the page's own, with no room for members that it does not name.
func compile(t *testing.T, f fixture) *jsonschema.Compiler {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(f.do(http.MethodGet, "/api/v2/schema.json").Body.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range doc.(map[string]any)["$defs"].(map[string]any) {
		s.(map[string]any)["additionalProperties"] = false
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	return c
}

// Every answer in every state is as the document says.
func TestAnswersFollowTheirSchema(t *testing.T) {
	fixtures := map[string]fixture{"eventful": eventful(t), "hostile": hostile(t).show(t)}
	for _, s := range states {
		fixtures[s.name] = s.make(t).show(t)
	}
	c := compile(t, fixtures["eventful"])
	for name, f := range fixtures {
		paths := map[string]string{"components/support/uptime.json": "UptimeReport"}
		if name == "no-features" {
			paths = map[string]string{}
		}
		for p, s := range v2Paths {
			paths[p] = s
		}
		for path, schema := range paths {
			s, err := c.Compile("schema.json#/$defs/" + schema)
			if err != nil {
				t.Fatal(err)
			}
			body := f.do(http.MethodGet, "/api/v2/"+path).Body.Bytes()
			doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
			if err != nil {
				t.Fatalf("%s: %s: %v", name, path, err)
			}
			if err := s.Validate(doc); err != nil {
				t.Errorf("%s: %s: %v", name, path, err)
			}
			if m := noise.Find(body); m != nil {
				t.Errorf("%s: %s has a figure %s", name, path, m)
			}
		}
	}
}

// What has no bound in the figures has one in what is told.
func TestHundredths(t *testing.T) {
	w := quiet(t)
	w.statuses[0].Change, w.statuses[0].Interval, w.statuses[0].Baseline.Mean = ptr(1e300), &[2]float64{-1e300, 1e305}, ptr(1e-300)
	w.statuses[0].Unbounded = true
	var got v2Summary
	decode(t, w.show(t), "/api/v2/components.json", &got)
	if len(got.Components) != 1 {
		t.Errorf("got %+v", got)
	}
}

func TestSharedWithEveryOrigin(t *testing.T) {
	f := eventful(t)
	for _, path := range []string{"/api/v2/summary.json", "/api/v2/openapi.json", "/history.atom", "/features/support/feed.json", "/badges/status.svg", "/badges/support/quality.svg", "/widget.js", "/widget.css"} {
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodOptions} {
			w := f.do(method, path, "Origin", "https://other.example")
			if w.Code >= 300 || w.Header().Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("%s %s: got %d, %q", method, path, w.Code, w.Header().Get("Access-Control-Allow-Origin"))
			}
		}
		etag := f.do(http.MethodGet, path).Header().Get("ETag")
		if w := f.do(http.MethodGet, path, "If-None-Match", etag); etag == "" || w.Code != http.StatusNotModified || w.Body.Len() > 0 {
			t.Errorf("%s: with its ETag %q: got %d", path, etag, w.Code)
		}
	}
}

func TestRobots(t *testing.T) {
	for hidden, want := range map[bool]string{false: "", true: "noindex, nofollow"} {
		f := quiet(t).showAs(t, func(o *statuspage.Options, _ *reader) { o.Hidden = hidden })
		for _, path := range []string{"/", "/embed"} {
			if got := f.do(http.MethodGet, path).Header().Get("X-Robots-Tag"); got != want {
				t.Errorf("hidden %v: %s: got %q, want %q", hidden, path, got, want)
			}
		}
		w := f.do(http.MethodGet, "/robots.txt")
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "User-agent: *\n") || strings.Contains(w.Body.String(), "noindex") != hidden {
			t.Errorf("hidden %v: got %d %s", hidden, w.Code, w.Body)
		}
	}
}

// Every document has a path under which a static copy can lie.
func TestFiles(t *testing.T) {
	f := eventful(t)
	seen := map[string]bool{}
	err := f.page.Files(func(path string, body []byte) error {
		seen[path] = true
		w := f.do(http.MethodGet, path)
		if w.Code != http.StatusOK || !bytes.Equal(w.Body.Bytes(), body) {
			t.Errorf("%s: served %d and %d bytes, got %d bytes", path, w.Code, w.Body.Len(), len(body))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/api/v2/summary.json", "/api/v2/openapi.json", "/history.atom", "/features/support/maintenance.ics", "/badges/status.svg", "/badges/support/uptime.svg", "/robots.txt", "/og.png", "/widget.js"} {
		if !seen[path] {
			t.Errorf("no %s", path)
		}
	}
}

func TestOpenAPIIsOfThisPage(t *testing.T) {
	f := quiet(t).show(t)
	var doc struct{ Paths map[string]json.RawMessage }
	decode(t, f, "/api/v2/openapi.json", &doc)
	for path := range doc.Paths {
		real := "/api/v2" + strings.ReplaceAll(path, "{id}", "support")
		if w := f.do(http.MethodGet, real); w.Code != http.StatusOK {
			t.Errorf("%s: got %d", real, w.Code)
		}
	}
	for path := range v2Paths {
		if doc.Paths["/"+path] == nil {
			t.Errorf("the document does not tell of %s", path)
		}
	}
}

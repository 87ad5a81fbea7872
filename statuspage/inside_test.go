package statuspage_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// insidePaths are where incidents are told.
var insidePaths = []string{
	"/", "/about", "/history", "/history/2026-11", "/features/support", "/incidents/inc-open", "/incidents/inc-inside", "/incidents/inc-vetoed", "/embed", "/embed?feature=support",
	"/api/v2/summary.json", "/api/v2/status.json", "/api/v2/components.json", "/api/v2/incidents.json", "/api/v2/incidents/unresolved.json",
	"/history.atom", "/history.rss", "/feed.json", "/maintenance.ics", "/features/support/feed.json", "/badges/status.svg", "/badges/support/quality.svg", "/og.png",
}

// What happens inside is not seen outside: not in a text, and not by when something changed.
func TestNothingOfWhatIsInside(t *testing.T) {
	w := quiet(t)
	at := now.Add(-2 * time.Hour)
	open := quality.Incident{ID: "inc-open", Kind: quality.IncidentQuality, Name: "Answers are worse", Status: quality.IncidentInvestigating, Severity: quality.SeverityMinor,
		StartedAt: at, CreatedAt: at, UpdatedAt: at, Features: []string{"support"}, Visibility: quality.VisibilityPublic,
		Updates: []quality.IncidentUpdate{{ID: "u1", Status: quality.IncidentInvestigating, Body: "We look.", At: at}}}
	w.incidents = []quality.Incident{open}
	before := told(t, w)

	later := now.Add(-time.Hour)
	open.Updates = append(open.Updates, quality.IncidentUpdate{ID: "u2", Status: quality.IncidentInvestigating, Body: "SECRET", At: later, Internal: true, By: &quality.Actor{Name: "SECRET"}})
	open.Postmortem = &quality.Postmortem{Body: "SECRET", UpdatedAt: later}
	open.UpdatedAt, open.Owner, open.Reason = later, "SECRET", "SECRET"
	inside := open
	inside.ID, inside.Name, inside.Visibility, inside.PublishAt = "inc-inside", "SECRET", quality.VisibilityInternal, &later
	vetoed := inside
	vetoed.ID, vetoed.Vetoed = "inc-vetoed", &quality.Decision{Reason: "SECRET", At: later}
	w.incidents = []quality.Incident{open, inside, vetoed}
	for path, text := range told(t, w) {
		if text != before[path] {
			t.Errorf("%s shows that something happened inside", path)
		}
		if strings.Contains(text, "SECRET") {
			t.Errorf("%s tells what is inside", path)
		}
	}
	f := w.show(t)
	if err := f.page.Fill(func(name string, body []byte) error {
		if strings.Contains(string(body), "SECRET") || strings.Contains(name, "inc-inside") || strings.Contains(name, "inc-vetoed") {
			t.Errorf("the file %s tells what is inside", name)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}

// told is all that the page says, by path, with what names it.
func told(t *testing.T, w *world) map[string]string {
	t.Helper()
	f := w.show(t)
	out := map[string]string{"content": f.page.Shown()}
	for _, path := range insidePaths {
		r := f.do(http.MethodGet, path)
		out[path] = r.Header().Get("ETag") + r.Body.String()
	}
	return out
}

package publish_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/alerts/publish"
	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
)

// engine is the real engine with the routes of a desk, to be asked without a socket: a bubble has none.
func engine(d *publish.Desk) *gin.Engine {
	e := web.New(web.Options{})
	d.Register(e)
	return e
}

func ask(t *testing.T, e *gin.Engine, method, path, body string, headers ...string) (int, string) {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	e.ServeHTTP(rec, req)
	return rec.Code, rec.Body.String()
}

// planned makes a maintenance and returns its path.
func plan(t *testing.T, e *gin.Engine, from, to time.Time, more string) string {
	t.Helper()
	body := fmt.Sprintf(`{"name":"New index","features":["bot"],"from":%q,"to":%q%s}`, from.Format(time.RFC3339), to.Format(time.RFC3339), more)
	status, got := ask(t, e, "POST", "/v1/maintenances", body)
	if status != 201 {
		t.Fatalf("got %d %s", status, got)
	}
	return "/v1/maintenances/" + maintenanceOf(t, got).ID
}

func maintenanceOf(t *testing.T, body string) quality.Maintenance {
	t.Helper()
	var m struct{ Maintenance quality.Maintenance }
	if err := json.Unmarshal([]byte(body), &m); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return m.Maintenance
}

func status(t *testing.T, e *gin.Engine, path string) quality.Maintenance {
	t.Helper()
	code, body := ask(t, e, "GET", path, "")
	if code != 200 {
		t.Fatalf("%s: got %d %s", path, code, body)
	}
	return maintenanceOf(t, body)
}

// what lists of what subscribers were told, each notice once.
func (w *world) whats() (out []string) {
	seen := map[string]bool{}
	for _, n := range w.notices {
		if !seen[n.ID] {
			seen[n.ID] = true
			out = append(out, string(n.What))
		}
	}
	return out
}

// The clock reminds, begins and ends a maintenance, each once, also over restarts.
func TestTheClockOfAMaintenance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.now = time.Now
		d := w.desk()
		from := time.Now().Add(48 * time.Hour)
		path := plan(t, engine(d), from, from.Add(2*time.Hour), `,"auto":true,"remind":"24h"`)
		for _, step := range []struct {
			run    time.Duration // until then
			status quality.MaintenanceStatus
			told   []string
		}{
			{23 * time.Hour, quality.MaintenanceScheduled, []string{"scheduled"}},
			{25 * time.Hour, quality.MaintenanceScheduled, []string{"scheduled", "reminder"}},
			{49 * time.Hour, quality.MaintenanceInProgress, []string{"scheduled", "reminder", "started"}},
			{51 * time.Hour, quality.MaintenanceCompleted, []string{"scheduled", "reminder", "started", "completed"}},
			{99 * time.Hour, quality.MaintenanceCompleted, []string{"scheduled", "reminder", "started", "completed"}},
		} {
			w.run(w.desk(), time.Until(from.Add(step.run-48*time.Hour))) // each time another process
			if m := status(t, engine(d), path); m.Status != step.status || !slices.Equal(w.whats(), step.told) {
				t.Errorf("after %s: got %s, told %q; want %s, %q", step.run, m.Status, w.whats(), step.status, step.told)
			}
		}
		m := status(t, engine(d), path)
		if m.StartedAt == nil || m.StartedAt.Sub(from) > time.Minute || m.CompletedAt == nil || m.CompletedAt.Sub(m.To) > time.Minute {
			t.Errorf("begun %v, completed %v", m.StartedAt, m.CompletedAt)
		}
		if n := len(w.audited); n != 4 { // planned, reminded, begun, completed
			t.Errorf("audited %d: %+v", n, w.audited)
		}
	})
}

func TestWithoutAutoPeopleMoveIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.now = time.Now
		d := w.desk()
		e := engine(d)
		path := plan(t, e, time.Now().Add(time.Hour), time.Now().Add(2*time.Hour), "")
		w.run(d, 5*time.Hour)
		if m := status(t, e, path); m.Status != quality.MaintenanceScheduled {
			t.Errorf("the clock moved it to %s", m.Status)
		}
		for _, s := range []quality.MaintenanceStatus{"in_progress", "verifying", "in_progress", "completed"} {
			if code, body := ask(t, e, "POST", path+"/updates", `{"status":"`+string(s)+`","body":"x"}`); code != 200 {
				t.Errorf("%s: got %d %s", s, code, body)
			}
		}
		if code, _ := ask(t, e, "POST", path+"/updates", `{"status":"in_progress","body":"x"}`); code != 409 {
			t.Errorf("after its end: got %d", code)
		}
		w.run(d, time.Hour)
		if got := w.whats(); !slices.Equal(got, []string{"scheduled", "started", "updated", "updated", "completed"}) {
			t.Errorf("told %q", got)
		}
	})
}

// Other times are told, and another begin is reminded of again.
func TestReplan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.now = time.Now
		d := w.desk()
		e := engine(d)
		from := time.Now().Add(3 * time.Hour)
		path := plan(t, e, from, from.Add(time.Hour), `,"auto":true,"remind":"1h"`)
		w.run(d, 150*time.Minute)
		change := func(body string, want int) string {
			t.Helper()
			code, got := ask(t, e, "PATCH", path, body)
			if code != want {
				t.Errorf("%s: got %d %s, want %d", body, code, got, want)
			}
			return got
		}
		later := from.Add(24 * time.Hour)
		change(fmt.Sprintf(`{"from":%q,"to":%q}`, later.Format(time.RFC3339), later.Add(time.Hour).Format(time.RFC3339)), 200)
		change(`{"name":"Another index","owner":"jane","features":["bot","plain"]}`, 200)
		m := status(t, e, path)
		if !m.From.Equal(later) || m.Name != "Another index" || m.Owner != "jane" || len(m.Features) != 2 || len(m.Updates) != 2 {
			t.Errorf("got %+v", m)
		}
		if !strings.Contains(m.Updates[1].Body, "now planned from") {
			t.Errorf("got %q", m.Updates[1].Body)
		}
		for body, want := range map[string]int{
			`{"to":"1999-01-01T00:00:00Z"}`: 400, `{"from":"1999-01-01T00:00:00Z","to":"1999-01-02T00:00:00Z"}`: 400, `{"remind":"soon"}`: 400,
			`{"remind":"999h"}`: 400, `{"name":""}`: 400, `{"features":["nobody"]}`: 400, `{"features":[]}`: 400, `{"status":"completed"}`: 400, `{"owner":"` + strings.Repeat("x", 1001) + `"}`: 400,
		} {
			change(body, want)
		}
		w.run(d, 24*time.Hour)
		if got := w.whats(); !slices.Equal(got, []string{"scheduled", "reminder", "updated", "reminder"}) {
			t.Errorf("told %q", got)
		}
		w.run(d, time.Hour) // it has begun
		change(fmt.Sprintf(`{"from":%q}`, later.Add(-time.Hour).Format(time.RFC3339)), 409)
		change(fmt.Sprintf(`{"to":%q}`, later.Add(5*time.Hour).Format(time.RFC3339)), 200)
		w.run(d, 4*time.Hour)
		if m := status(t, e, path); m.Status != quality.MaintenanceInProgress {
			t.Errorf("before its new end: got %s", m.Status)
		}
		w.run(d, 2*time.Hour)
		change(`{"name":"x"}`, 409)
	})
}

func TestWhatIsNoPlan(t *testing.T) {
	w := newWorld(t)
	e := engine(w.desk())
	const good = `"name":"x","features":["bot"],`
	for body, want := range map[string]int{
		`{` + good + `"from":"2026-03-04T12:00:00Z","to":"2026-03-04T13:00:00Z"}`:                         201,
		`{` + good + `"from":"2026-03-01T12:00:00Z","to":"2026-03-04T13:00:00Z"}`:                         201, // it has begun
		`{` + good + `"to":"2026-03-04T13:00:00Z"}`:                                                       400,
		`{` + good + `"from":"2026-03-04T12:00:00Z","to":"2026-03-04T12:00:00Z"}`:                         400,
		`{` + good + `"from":"2026-03-01T12:00:00Z","to":"2026-03-02T12:00:00Z"}`:                         400, // it is over
		`{` + good + `"from":"2026-03-04T12:00:00Z","to":"2026-09-04T12:00:00Z"}`:                         400,
		`{` + good + `"from":"2036-03-04T12:00:00Z","to":"2036-03-04T13:00:00Z"}`:                         400,
		`{` + good + `"from":"2026-03-04T12:00:00Z","to":"2026-03-04T13:00:00Z","remind":"-1h"}`:          400,
		`{` + good + `"from":"2026-03-04T12:00:00Z","to":"2026-03-04T13:00:00Z","colour":"red"}`:          400,
		`{"name":"x","features":["bot","bot"],"from":"2026-03-04T12:00:00Z","to":"2026-03-04T13:00:00Z"}`: 400,
		`{"name":"x","features":[],"from":"2026-03-04T12:00:00Z","to":"2026-03-04T13:00:00Z"}`:            400,
		`[]`: 400,
	} {
		if code, got := ask(t, e, "POST", "/v1/maintenances", body); code != want {
			t.Errorf("%s: got %d %s, want %d", body, code, got, want)
		}
	}
	code, got := ask(t, e, "GET", "/v1/maintenances", "")
	if code != 200 || strings.Count(got, `"id":"mnt_`) < 2 || !strings.Contains(got, `"more":0`) {
		t.Errorf("got %d %s", code, got)
	}
	w.actor = robot
	for path, body := range map[string]string{
		"/v1/maintenances": `{` + good + `"from":"2026-03-04T12:00:00Z","to":"2026-03-04T13:00:00Z"}`, "/v1/maintenances/mnt_x/updates": `{"body":"x"}`,
	} {
		if code, got := ask(t, e, "POST", path, body); code != 403 {
			t.Errorf("%s by a machine: got %d %s", path, code, got)
		}
	}
	w.actor = jane
	for _, path := range []string{"/v1/maintenances/mnt_x", "/v1/incidents/inc_x", "/v1/incidents/inc_x/postmortem"} {
		if code, got := ask(t, e, "GET", path, ""); code != 404 {
			t.Errorf("%s: got %d %s", path, code, got)
		}
	}
}

// The same key makes one maintenance and one update of it; what is not written down does not happen.
func TestAMaintenanceOnce(t *testing.T) {
	w := newWorld(t)
	e := engine(w.desk())
	const body = `{"name":"x","features":["bot"],"from":"2026-03-04T12:00:00Z","to":"2026-03-04T13:00:00Z"}`
	w.auditErr = errors.New("away")
	if code, _ := ask(t, e, "POST", "/v1/maintenances", body, "Idempotency-Key", "k"); code < 500 || len(w.maintenances.data) != 0 {
		t.Errorf("got %d and %d stored", code, len(w.maintenances.data))
	}
	w.auditErr = nil
	var ids []string
	for range 3 {
		code, got := ask(t, e, "POST", "/v1/maintenances", body, "Idempotency-Key", "k")
		if code != 201 {
			t.Fatalf("got %d %s", code, got)
		}
		ids = append(ids, maintenanceOf(t, got).ID)
	}
	path := "/v1/maintenances/" + ids[0]
	for range 3 {
		if code, got := ask(t, e, "POST", path+"/updates", `{"body":"We have begun.","status":"in_progress"}`, "Idempotency-Key", "u"); code != 200 {
			t.Fatalf("got %d %s", code, got)
		}
	}
	if m := status(t, e, path); ids[0] != ids[1] || ids[1] != ids[2] || len(m.Updates) != 2 || len(w.audited) != 2 {
		t.Errorf("got %q, %d updates, %d in the log", ids, len(m.Updates), len(w.audited))
	}
}

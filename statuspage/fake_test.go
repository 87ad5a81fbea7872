package statuspage_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"
	_ "time/tzdata" // the zones of these tests, wherever they run

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
	"github.com/asgood-dev/asgood/statuspage"
)

// reader answers with its functions; a nil one has nothing.
type reader struct {
	scores      func(from, to time.Time) ([]quality.ScoreDay, error)
	uptime      func(from, to time.Time) ([]quality.UptimeDay, error)
	statuses    func() ([]quality.MonitorStatus, error)
	regressions func() ([]quality.Regression, error)
	probes      func() ([]quality.ProbeStatus, error)
	incidents   func() ([]quality.Incident, error)

	maintenances func() ([]quality.Maintenance, error)
	changes      func() ([]quality.Change, error)
}

func call[T any](fn func() (T, error)) (none T, err error) {
	if fn == nil {
		return none, nil
	}
	return fn()
}

func (r *reader) ScoreDays(_ context.Context, _ *time.Location, from, to time.Time) ([]quality.ScoreDay, error) {
	if r.scores == nil {
		return nil, nil
	}
	return r.scores(from, to)
}

func (r *reader) UptimeDays(_ context.Context, _ *time.Location, from, to time.Time) ([]quality.UptimeDay, error) {
	if r.uptime == nil {
		return nil, nil
	}
	return r.uptime(from, to)
}

func (r *reader) Statuses(context.Context) ([]quality.MonitorStatus, error) { return call(r.statuses) }
func (r *reader) Regressions(context.Context) ([]quality.Regression, error) {
	return call(r.regressions)
}
func (r *reader) Probes(context.Context) ([]quality.ProbeStatus, error) { return call(r.probes) }
func (r *reader) Incidents(context.Context) ([]quality.Incident, error) { return call(r.incidents) }
func (r *reader) Maintenances(context.Context) ([]quality.Maintenance, error) {
	return call(r.maintenances)
}
func (r *reader) Changes(context.Context) ([]quality.Change, error) { return call(r.changes) }

// always returns a function that answers with list, as it is now.
func always[T any](list ...T) func() ([]T, error) {
	list = slices.Clone(list)
	return func() ([]T, error) { return list, nil }
}

// fixture is a page behind the real routing.
type fixture struct {
	page     *statuspage.Page
	engine   *gin.Engine
	registry *prometheus.Registry
}

func newFixture(t testing.TB, o statuspage.Options) fixture {
	t.Helper()
	f := fixture{registry: prometheus.NewRegistry()}
	o.Registerer = f.registry
	var err error
	if f.page, err = statuspage.New(o); err != nil {
		t.Fatal(err)
	}
	f.engine = web.New(web.Options{Registerer: f.registry, Listener: "public"})
	f.page.Register(f.engine)
	return f
}

func (f fixture) refresh(t testing.TB) {
	t.Helper()
	if err := f.page.Refresh(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// do asks with headers given as name and value in turn.
func (f fixture) do(method, path string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	f.engine.ServeHTTP(w, r)
	return w
}

func (f fixture) get(t testing.TB, path string) string {
	t.Helper()
	w := f.do(http.MethodGet, path, "Accept", "text/html")
	if w.Code != http.StatusOK {
		t.Fatalf("GET %s: got status %d, want 200: %s", path, w.Code, w.Body)
	}
	return w.Body.String()
}

func (f fixture) metric(t testing.TB, name string, label string) float64 {
	t.Helper()
	families, err := f.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			found := label == ""
			for _, l := range m.GetLabel() {
				found = found || l.GetValue() == label
			}
			if family.GetName() == name && found {
				return m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	t.Fatalf("no metric %q with label %q", name, label)
	return 0
}

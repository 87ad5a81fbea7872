package statuspage_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/statuspage"
)

// now is two days after the clocks went forward in Berlin.
var now = time.Date(2026, 3, 31, 12, 5, 0, 0, time.UTC)

func berlin(t testing.TB) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func ptr[T any](v T) *T { return &v }

const day = 24 * time.Hour

// world is what a state of the page is made of.
type world struct {
	features     []quality.Feature
	statuses     []quality.MonitorStatus
	regressions  []quality.Regression
	probes       []quality.ProbeStatus
	incidents    []quality.Incident
	scores       []quality.ScoreDay
	uptime       []quality.UptimeDay
	simulated    bool
	stateErr     error // of every read but the first
	daysErr      error
	groups       []quality.FeatureGroup
	maintenances []quality.Maintenance
	changes      []quality.Change
	languages    []string
	description  string
	brand        quality.Brand
	uptimeBy     quality.UptimeSpec

	later time.Duration // between the first read and the one whose view is looked at
}

func feature(name, title string) quality.Feature {
	return quality.Feature{
		Name: name, Title: title,
		Monitors: []quality.MonitorSpec{{Metric: "correct", Material: ptr(0.02)}},
		Probes:   []quality.ProbeSpec{{HTTP: "https://api.example/health", Every: 30 * time.Second, Timeout: 10 * time.Second}},
	}
}

func watching(name string) quality.MonitorStatus {
	return quality.MonitorStatus{
		Feature: name, Metric: "correct", State: quality.MonitorWatching, Worse: quality.WorseLower, Range: [2]float64{0, 1}, Tile: true,
		Baseline: quality.Estimate{N: 500, Mean: ptr(0.94)}, Current: quality.Estimate{N: 9000, Mean: ptr(0.937)},
		Change: ptr(-0.003), Interval: &[2]float64{-0.012, 0.006}, Since: ptr(now.Add(-80 * day)), LastScoreAt: now.Add(-time.Minute),
	}
}

func regression(name string, change float64, started time.Duration) quality.Regression {
	return quality.Regression{
		ID: "reg-" + name, Feature: name, Metric: "correct", Baseline: quality.Estimate{N: 500, Mean: ptr(0.94)},
		Current: quality.Estimate{N: 1200, Mean: ptr(0.94 + change)}, Change: ptr(change), Interval: &[2]float64{change - 0.021, change + 0.019},
		Range: [2]float64{0, 1}, Worse: quality.WorseLower, Material: 0.02,
		StartedAt: ptr(now.Add(-started)), DetectedAt: now.Add(-started + 5*time.Hour), Share: 1,
	}
}

func qualityIncident(name, titled string, s quality.Severity, r quality.Regression) quality.Incident {
	at := r.DetectedAt
	return quality.Incident{
		ID: "inc-" + name, Kind: quality.IncidentQuality, Name: titled + " gives worse answers than usual", Features: []string{name},
		Status: quality.IncidentInvestigating, Severity: s, Reason: "internal: never shown", Regression: &r, StartedAt: *r.StartedAt, CreatedAt: at, UpdatedAt: at.Add(time.Hour),
		Updates: []quality.IncidentUpdate{
			{ID: "u1", Status: quality.IncidentInvestigating, At: at, Body: "Since about 17:05 CEST on 29 March, " + titled + " has been giving worse answers than usual. The measure “correct” is at 87.0 %; usual is 94.0 %: 7.0 points lower (95 % interval 5.1 to 9.1). All answers are affected. We are looking into what changed. Until it is over, please check answers that matter before you rely on them."},
			{ID: "u2", Status: quality.IncidentIdentified, At: at.Add(time.Hour), Body: "A new version of the model was put in place shortly before. We are going back to the one before it.\nThe next update comes at 16:00."},
		},
	}
}

// history is ninety quiet days with what real ones have: a day without traffic, one with little, one
// on which nothing could be scored, and a short outage.
func (w *world) history(t testing.TB, name string, seed float64) {
	days := statuspage.Calendar(now, berlin(t))
	for i, d := range days {
		mean := 0.94 + 0.008*math.Sin(seed+float64(i)*1.7)
		s := quality.ScoreDay{Feature: name, Metric: "correct", Day: d, N: 400, Mean: math.Round(mean*1e4) / 1e4, SD: 0.24}
		u := quality.UptimeDay{Feature: name, Day: d, Checks: 2880, Up: 2880}
		switch i {
		case 20:
			s.N, s.Mean, s.SD = 0, 0, 0
		case 41:
			s.N = 12
		case 42:
			s.N, s.Failed = 0, 35
		case 55:
			u.Up = 2790
		case 56:
			u.Up = 2870
		}
		if i == 20 {
			continue
		}
		w.scores, w.uptime = append(w.scores, s), append(w.uptime, u)
	}
}

func (w *world) up(name string) {
	w.probes = append(w.probes, quality.ProbeStatus{Feature: name, Probe: "https://api.example/health", State: quality.Up, Since: now.Add(-9 * day), CheckedAt: now.Add(-10 * time.Second)})
}

// quiet is a page of one feature on which all is well.
func quiet(t testing.TB) *world {
	w := &world{features: []quality.Feature{feature("support", "Support assistant")}, statuses: []quality.MonitorStatus{watching("support")}}
	w.history(t, "support", 0)
	w.up("support")
	return w
}

// worse is quiet until a regression of the last days.
func worse(t testing.TB, s quality.Severity, change float64) *world {
	w := quiet(t)
	r := regression("support", change, 45*time.Hour)
	w.regressions = []quality.Regression{r}
	w.incidents = []quality.Incident{qualityIncident("support", "Support assistant", s, r)}
	for i := len(w.scores) - 2; i < len(w.scores); i++ {
		w.scores[i].Mean += change
	}
	w.statuses[0].State, w.statuses[0].Regression = quality.MonitorRegressed, r.ID
	return w
}

// state is a named state of the page.
type state struct {
	name string
	make func(t testing.TB) *world
}

var errAway = errors.New("dial tcp 10.0.0.7:9000: connection refused")

// states are all that the page can show.
var states = []state{
	{"usual", quiet},
	{"slightly-worse", func(t testing.TB) *world { return worse(t, quality.SeverityMinor, -0.03) }},
	{"worse", func(t testing.TB) *world { return worse(t, quality.SeverityMajor, -0.07) }},
	{"much-worse", func(t testing.TB) *world { return worse(t, quality.SeverityCritical, -0.31) }},
	{"slice", func(t testing.TB) *world {
		w := worse(t, quality.SeverityMinor, -0.03)
		w.regressions[0].Slice = quality.Slice{"language": "de"}
		return w
	}},
	{"better", func(t testing.TB) *world {
		w := quiet(t)
		s := &w.statuses[0]
		s.State, s.Change, s.Interval, s.Since = quality.MonitorImproved, ptr(0.04), &[2]float64{0.02, 0.06}, ptr(now.Add(-26*time.Hour))
		w.scores[len(w.scores)-1].Mean, w.scores[len(w.scores)-1].N = 0.99, 900
		return w
	}},
	{"not-enough", func(t testing.TB) *world {
		w := quiet(t)
		w.statuses[0] = quality.MonitorStatus{Feature: "support", Metric: "correct", State: quality.MonitorLearning, Tile: true, Range: [2]float64{0, 1}, Worse: quality.WorseLower, Baseline: quality.Estimate{N: 120}}
		w.scores, w.uptime = w.scores[len(w.scores)-2:], w.uptime[len(w.uptime)-1:]
		w.scores[0].N, w.scores[1].N = 19, 101
		return w
	}},
	{"cannot-tell", func(t testing.TB) *world {
		w := quiet(t)
		s := &w.statuses[0]
		s.State, s.Reason, s.LastScoreAt = quality.MonitorBlind, "internal: judge answers 500", now.Add(-7*time.Hour)
		last := &w.scores[len(w.scores)-1]
		last.N, last.Mean, last.SD, last.Failed = 0, 0, 0, 310
		return w
	}},
	{"down", func(t testing.TB) *world {
		w := quiet(t)
		since := now.Add(-25 * time.Minute)
		w.probes[0] = quality.ProbeStatus{Feature: "support", Probe: "https://api.example/health", State: quality.Down, Since: since, CheckedAt: now, Error: "internal: status 502"}
		w.uptime[len(w.uptime)-1].Up -= 50
		w.incidents = []quality.Incident{{ID: "inc-down", Kind: quality.IncidentAvailability, Name: "Support assistant is down", Features: []string{"support"},
			Status: quality.IncidentInvestigating, Severity: quality.SeverityCritical, StartedAt: since, CreatedAt: since.Add(time.Minute), UpdatedAt: since.Add(time.Minute),
			Updates: []quality.IncidentUpdate{{ID: "u1", Status: quality.IncidentInvestigating, At: since.Add(time.Minute), Body: "Support assistant has not answered our checks since 13:40 CEST on 31 March. We are looking into it. The next update comes when it answers again."}}}}
		return w
	}},
	{"resolved", func(t testing.TB) *world {
		w := worse(t, quality.SeverityMajor, -0.07)
		end := now.Add(-3 * time.Hour)
		w.statuses[0].State, w.statuses[0].Regression = quality.MonitorWatching, ""
		w.regressions[0].RecoveredAt = &end
		i := &w.incidents[0]
		i.Status, i.ResolvedAt, i.UpdatedAt = quality.IncidentResolved, &end, end
		i.Updates = append(i.Updates,
			quality.IncidentUpdate{ID: "u3", Status: quality.IncidentMonitoring, At: end.Add(-3 * time.Hour), Body: "The former model is back. We watch whether the answers are."},
			quality.IncidentUpdate{ID: "u4", Status: quality.IncidentResolved, At: end, Body: "Support assistant has been as good as usual again since about 09:00 CEST on 31 March. We know because enough answers in a row were as good as before."})
		return w
	}},
	{"no-features", func(testing.TB) *world { return &world{} }},
	{"not-read", func(t testing.TB) *world {
		w := quiet(t)
		w.stateErr, w.daysErr, w.later = errAway, errAway, -1
		return w
	}},
	{"stale", func(t testing.TB) *world {
		w := quiet(t)
		w.stateErr, w.daysErr, w.later = errAway, errAway, 17*time.Minute
		return w
	}},
	{"stale-days", func(t testing.TB) *world {
		w := quiet(t)
		w.daysErr, w.later = errAway, 17*time.Minute
		return w
	}},
	{"simulated", func(t testing.TB) *world {
		w := quiet(t)
		w.simulated = true
		return w
	}},
	{"many", many},
	{"everything", everything},
}

// everything is a page that uses all there is: groups, descriptions, maintenances, changes, corrections, a postmortem, links
// and a second language.
func everything(t testing.TB) *world {
	w := many(t)
	w.languages, w.description = []string{"en", "de"}, "How good our assistants are, and whether they answer."
	w.features[0].Description = "Answers questions of customers in the chat."
	w.groups = []quality.FeatureGroup{
		{Name: "assistants", Title: "Assistants", Description: "What talks with you.", Features: []string{"support", "notes"}},
		{Name: "documents", Title: "Documents", Features: []string{"search"}},
	}
	w.brand = quality.Brand{
		LogoData: []byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path fill="#4a55b8" d="M2 20L12 3l10 17z"/></svg>`),
		CSSData:  []byte(".lead { font-style: italic; }\n"),
		Footer:   []quality.PageLink{{Title: "Imprint", URL: "https://northlight.example/imprint"}},
	}
	i := &w.incidents[0]
	i.NextUpdate = ptr(now.Add(3 * time.Hour))
	i.Updates[1].Body = "A **new version** of the model was put in place shortly before.\n\n- We are going back to the one before it.\n- Answers in [English](https://northlight.example/help) are affected most.\n"
	i.Updates[1].EditedAt, i.Updates[1].Before = ptr(i.Updates[1].At.Add(20*time.Minute)), "A new index was built shortly before."
	w.incidents[1].Postmortem = &quality.Postmortem{Body: "## What happened\n\nA prompt was cut short.\n\n## What we changed\n\nPrompts are compared before they go out.",
		UpdatedAt: now.Add(-5 * day), Published: &quality.Decision{At: now.Add(-5 * day)}}
	at := *w.regressions[0].StartedAt
	w.changes = []quality.Change{
		{ID: "c1", At: at.Add(-20 * time.Minute), Features: []string{"support"}, Layer: quality.LayerModel, Title: "internal: gpt-9", Before: "internal: a", After: "internal: b"},
		{ID: "c2", At: at.Add(-6 * day), Layer: quality.LayerRetrieval, Title: "internal: index"},
		{ID: "c3", At: at.Add(-time.Hour), Features: []string{"invoices"}, Layer: quality.LayerPrompt, Title: "internal: of another feature"},
	}
	w.maintenances = []quality.Maintenance{
		{ID: "mnt-1", Name: "A new index for search", Features: []string{"search"}, Status: quality.MaintenanceInProgress, From: now.Add(-time.Hour), To: now.Add(time.Hour),
			StartedAt: ptr(now.Add(-time.Hour)), CreatedAt: now.Add(-3 * day), UpdatedAt: now.Add(-time.Hour),
			Updates: []quality.MaintenanceUpdate{{ID: "m1", Status: quality.MaintenanceInProgress, Body: "Search may be slower.", At: now.Add(-time.Hour)}}},
		{ID: "mnt-2", Name: "Move to another region", Features: []string{"support", "notes"}, Status: quality.MaintenanceScheduled, From: now.Add(3 * day), To: now.Add(3*day + 2*time.Hour), CreatedAt: now, UpdatedAt: now},
		{ID: "mnt-0", Name: "Bigger machines", Features: []string{"support"}, Status: quality.MaintenanceCompleted, From: now.Add(-20 * day), To: now.Add(-20*day + time.Hour),
			StartedAt: ptr(now.Add(-20 * day)), CompletedAt: ptr(now.Add(-20*day + 50*time.Minute)), CreatedAt: now.Add(-30 * day), UpdatedAt: now.Add(-20 * day)},
	}
	return w
}

// many is a page as a customer with several features sees it.
func many(t testing.TB) *world {
	w := worse(t, quality.SeverityMajor, -0.07)
	for i, f := range []quality.Feature{feature("invoices", "Invoice reader"), feature("notes", "Meeting notes"), feature("search", "Search in your documents")} {
		w.features, w.statuses = append(w.features, f), append(w.statuses, watching(f.Name))
		w.history(t, f.Name, float64(i+1))
		w.up(f.Name)
	}
	w.statuses[2].State, w.statuses[2].LastScoreAt = quality.MonitorBlind, now.Add(-30*time.Hour)
	r := regression("invoices", -0.05, 9*day)
	end := now.Add(-7 * day)
	r.RecoveredAt = &end
	w.regressions = append(w.regressions, r)
	i := qualityIncident("invoices", "Invoice reader", quality.SeverityMinor, r)
	i.Status, i.ResolvedAt = quality.IncidentResolved, &end
	i.Updates = append(i.Updates, quality.IncidentUpdate{ID: "u3", Status: quality.IncidentResolved, At: end, Body: "Invoice reader has been as good as usual again since about 14:05 CET on 24 March."})
	w.incidents = append(w.incidents, i)
	return w
}

func (w *world) reader() *reader {
	return &reader{
		scores: func(time.Time, time.Time) ([]quality.ScoreDay, error) { return w.scores, nil }, statuses: always(w.statuses...),
		uptime:      func(time.Time, time.Time) ([]quality.UptimeDay, error) { return w.uptime, nil },
		regressions: always(w.regressions...), probes: always(w.probes...), incidents: always(w.incidents...),
		maintenances: always(w.maintenances...), changes: always(w.changes...),
	}
}

// open returns a page of this state that has not read yet, at the fixed time, and its reader.
func (w *world) open(t testing.TB) (fixture, *reader) {
	t.Helper()
	r := w.reader()
	return newFixture(t, w.options(t, r, func() time.Time { return now })), r
}

func (w *world) options(t testing.TB, r *reader, clock func() time.Time) statuspage.Options {
	return statuspage.Options{
		Title: "Northlight AI status", URL: "https://status.northlight.example/", Features: w.features, Location: berlin(t),
		Simulated: w.simulated, Reader: r, Now: clock,
		Groups: w.groups, Languages: w.languages, Description: w.description, Brand: w.brand, Uptime: w.uptimeBy,
	}
}

// show returns the page in this state, at the fixed time.
func (w *world) show(t testing.TB) fixture {
	t.Helper()
	r, clock := w.reader(), now
	f := newFixture(t, w.options(t, r, func() time.Time { return clock }))
	if w.later >= 0 {
		clock = now.Add(-w.later)
		f.refresh(t)
		clock = now
	}
	if w.stateErr != nil {
		r.statuses = func() ([]quality.MonitorStatus, error) { return nil, w.stateErr }
	}
	if w.daysErr != nil {
		r.scores = func(time.Time, time.Time) ([]quality.ScoreDay, error) { return nil, w.daysErr }
	}
	f.refresh(t)
	return f
}

// attack is text that wants to be more.
const attack = `"><script>window.owned=1</script><img src=x onerror="window.owned=1">{{.}}</title></svg>` + "\u202e\x00'javascript:owned"

// hostile is a page all of whose texts attack it, and some of which have no place to break.
func hostile(t testing.TB) *world {
	w := worse(t, quality.SeverityMajor, -0.07)
	long := strings.Repeat("Donaudampfschifffahrtsgesellschaft", 20)
	w.features[0].Title = attack + long
	w.regressions[0].Slice = quality.Slice{"lang" + attack: long}
	i := &w.incidents[0]
	i.Name, i.Features = attack+long, []string{"support", attack, long}
	for n := range i.Updates {
		i.Updates[n].Body, i.Updates[n].Status = attack+long, quality.IncidentStatus(attack)
	}
	i.Severity = quality.Severity(attack)
	return w
}

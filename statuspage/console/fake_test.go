package console_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
	"github.com/asgood-dev/asgood/statuspage/console"
)

var (
	now    = time.Date(2026, 4, 6, 10, 0, 0, 0, time.UTC)
	away   = quality.Errorf(quality.KindUnavailable, "reading: connection refused")
	person = quality.Actor{Kind: quality.ActorHuman, ID: "ada", Name: "Ada", Credential: "session"}
)

// hostile is text that tries to be more.
const hostile = "<script>alert(1)</script><img src=x onerror=alert(2)>\u202egnp.exe\u2066\x00\x1b[31m{{.}}'\"--><b>"

func ptr[T any](v T) *T { return &v }

// world is everything that a console reads, kept in memory.
type world struct {
	statuses     []quality.MonitorStatus
	regressions  []quality.Regression
	incidents    []quality.Incident
	maintenances []quality.Maintenance
	changes      []quality.Change
	samples      map[string]quality.Sample
	judged       []quality.Judged
	keys         []console.Key
	links        []console.CustomerLink
	audited      []quality.Audited
	days         []quality.ScoreDay
	evidence     []quality.Example
	missing      []string
	storeErr     error // of everything that is stored
	refuse       error // of every form
	did          []string
	query        quality.SampleQuery
	role         quality.Role
	noDesk       bool
}

func (w *world) Statuses(context.Context) ([]quality.MonitorStatus, error) { return w.statuses, nil }
func (w *world) Regressions(context.Context) ([]quality.Regression, error) {
	return w.regressions, nil
}
func (w *world) Incidents(context.Context) ([]quality.Incident, error) { return w.incidents, nil }
func (w *world) Maintenances(context.Context) ([]quality.Maintenance, error) {
	return w.maintenances, nil
}

func (w *world) Tiles() []console.Tiles {
	return []console.Tiles{
		{Feature: "support", Title: "Support assistant", Quality: console.Tile{Word: "Worse", Slug: "worse", Percent: ptr(90.9111), Interval: &[2]float64{89.2, 92.7}},
			Uptime: console.Tile{Word: "Up", Slug: "up", Share: "99.98 %"}},
		{Feature: "search", Title: "Search", Quality: console.Tile{Word: "Cannot tell", Slug: "cannot-tell", Note: "No recent answers could be scored."}, Uptime: console.Tile{Word: "No data", Slug: "unknown"}},
	}
}

func (w *world) ScoreDays(context.Context, *time.Location, time.Time, time.Time) ([]quality.ScoreDay, error) {
	return w.days, w.storeErr
}

func (w *world) Sample(_ context.Context, feature, id string) (quality.Sample, error) {
	if w.storeErr != nil {
		return quality.Sample{}, w.storeErr
	}
	x, ok := w.samples[feature+"/"+id]
	if !ok {
		return x, quality.Errorf(quality.KindNotFound, "no sample %q of feature %q", id, feature)
	}
	return x, nil
}

func (w *world) ScoresOf(_ context.Context, x *quality.Sample) ([]quality.Score, error) {
	return []quality.Score{{Feature: x.Feature, SampleID: x.ID, Metric: "correct", Value: 0.7875000002980317, Scorer: "reference", Version: "v3"},
		{Feature: x.Feature, SampleID: x.ID, Metric: "faithful", Error: hostile, Scorer: "judge", Version: "v1", Explanation: hostile}}, w.storeErr
}

func (w *world) FindSamples(_ context.Context, q quality.SampleQuery) (out []quality.FoundSample, err error) {
	w.query = q
	for _, name := range slices.Sorted(maps.Keys(w.samples)) {
		x := w.samples[name]
		if x.Feature == q.Feature {
			out = append(out, quality.FoundSample{ID: x.ID, Time: x.Time, Customer: x.Customer, Model: x.Model, Excerpt: x.Output.All(), Value: ptr(0.25)})
		}
	}
	return out[:min(len(out), 1)], w.storeErr
}

func (w *world) SamplesNamed(_ context.Context, id string, _ int) (out []quality.SampleKey, err error) {
	for _, x := range w.samples {
		if x.ID == id {
			out = append(out, quality.SampleKey{Feature: x.Feature, ID: x.ID})
		}
	}
	return out, w.storeErr
}

func (w *world) Judged(context.Context, string, string, string, time.Time, time.Time, int) ([]quality.Judged, error) {
	return w.judged, w.storeErr
}

func (w *world) Monitors(context.Context) ([]console.Monitor, []string, error) {
	var out []console.Monitor
	for _, s := range w.statuses {
		out = append(out, console.Monitor{MonitorStatus: s,
			Week:      &quality.WeekView{This: quality.Estimate{N: 900, Mean: ptr(.79)}, Last: quality.Estimate{N: 950, Mean: ptr(.88)}, Change: ptr(-.09), Interval: &[2]float64{-.11, -.07}, HoursCompared: 160, Hours: 168},
			Objective: &quality.ObjectiveView{Percent: 95, Days: 28, Attained: ptr(97.123456), Interval: &[2]float64{96.1, 98.2}, BudgetLeft: ptr(.4246), BurnRateDay: ptr(1.8)}})
	}
	if w.storeErr != nil { // as views do: what the store does not give is left out
		for i := range out {
			out[i].Week, out[i].Objective = nil, nil
		}
		return out, []string{"Not read: week and objective; the store is away"}, nil
	}
	return out, nil, nil
}

func (w *world) Streams(string, string) []quality.StreamStatus {
	return []quality.StreamStatus{
		{Scores: 4200, Ready: true, Baseline: quality.Estimate{N: 500, Mean: ptr(.881)}, Current: quality.Estimate{N: 700, Mean: ptr(.79)}, Change: ptr(-.091), Interval: &[2]float64{-.12, -.06}, Evidence: 1523.4, Threshold: 9000},
		{Slice: quality.Slice{"customer": "acme"}, Scores: 40, Reason: "40 of 50 scores of the baseline", Threshold: 1000},
		{Slice: quality.Slice{"customer": hostile}, Ready: true, Open: true, Evidence: 12000, Threshold: 1000},
	}
}

func (w *world) Report(_ context.Context, id string) (console.Report, error) {
	for _, r := range w.regressions {
		if r.ID != id {
			continue
		}
		e := quality.Explanation{Regression: id, Feature: r.Feature, Metric: r.Metric, Range: r.Range, At: now, Tested: 12, TooSmall: 3, Unknown: .07,
			Splits:   []quality.Split{{Attribute: "language", Within: quality.Figure{Value: -.08, Interval: [2]float64{-.1, -.06}}, Segments: []quality.Segment{{Value: "de", Before: quality.Estimate{N: 80, Mean: ptr(.9)}, After: quality.Estimate{N: 90, Mean: ptr(.7)}, Shares: [2]float64{.4, .45}, Change: &quality.Figure{Value: -.2, Interval: [2]float64{-.3, -.1}}}}}},
			Slices:   []quality.CarryingPart{{Attribute: "model", Value: hostile, Change: quality.Figure{Value: -.2, Interval: [2]float64{-.25, -.15}}, Traffic: .4, Share: .98, Stands: true}},
			Suspects: []quality.Suspect{{ID: "chg1", Layer: quality.LayerPrompt, Title: "support prompt v13", At: now.Add(-50 * time.Hour), Weight: .93, Evidence: "Traffic with prompt v13 fell 9.1 points; the other traffic did not change."}},
			Facts:    []quality.Fact{{Name: quality.FactPrompt, Changed: true, Before: []quality.Share{{Value: "v12", Share: 1}}, After: []quality.Share{{Value: "v13", Share: 1}}}, {Name: quality.FactJudge, Unknown: "no judge makes the metric"}},
		}
		return console.Report{Regression: r, Explanation: e, Text: []string{"Against the time just before, correct fell 9.1 points [6.0, 12.0].", hostile}, Evidence: quality.Evidence{Examples: w.evidence, Left: 2}}, nil
	}
	return console.Report{}, quality.Errorf(quality.KindNotFound, "no regression %q", id)
}

// ledger, baselines, judges, desk, keys and audit are sides of the world whose methods have the same names.
type (
	ledger    struct{ *world }
	baselines struct{ *world }
	judges    struct{ *world }
	desk      struct{ *world }
	keys      struct{ *world }
	audit     struct{ *world }
	customers struct{ *world }
)

func (w *world) form(format string, args ...any) error {
	if w.refuse != nil {
		return w.refuse
	}
	w.did = append(w.did, fmt.Sprintf(format, args...))
	return nil
}

func (l ledger) List(q console.ChangeQuery) (out []quality.Change, next string) {
	for _, c := range l.changes {
		if (q.Feature == "" || c.Touches(q.Feature)) && (!q.Undeclared || c.Unexplained()) {
			out = append(out, c)
		}
	}
	return out, ""
}

func (l ledger) Record(_ context.Context, c quality.Change) (string, error) {
	if err := c.Validate(); err != nil {
		return "", err
	}
	return "chg1", l.form("record %s %s %v at %s", c.Layer, c.Title, c.Features, c.At.UTC().Format(time.RFC3339))
}
func (l ledger) Own(_ context.Context, id, owner string) error { return l.form("own %s %s", id, owner) }

func (b baselines) Books(context.Context) ([]quality.BaselineBook, error) {
	return []quality.BaselineBook{b.book()}, b.storeErr
}

func (b baselines) book() quality.BaselineBook {
	return quality.BaselineBook{Feature: "support", Metric: "correct", InForce: 2, Declined: "a regression was open",
		Versions: []quality.Baseline{{Version: 1, Kind: quality.BaselineConfigured, Mean: .88, SD: .32, N: 500, By: "asgood", Reason: "first 500", From: now.AddDate(0, -1, 0), To: now.AddDate(0, 0, -20), MadeAt: now.AddDate(0, 0, -20)},
			{Version: 2, Kind: quality.BaselineWindowed, Mean: .881, SD: .31, N: 2000, By: "Ada", Reason: hostile, From: now.AddDate(0, 0, -20), To: now.AddDate(0, 0, -13), MadeAt: now.AddDate(0, 0, -13)}},
		Pins: []quality.BaselinePin{{Version: 2, At: now.AddDate(0, 0, -13), By: "Ada", Reason: "spring release"}}}
}

func (b baselines) Book(_ context.Context, feature, metric string) (quality.BaselineBook, error) {
	if feature != "support" {
		return quality.BaselineBook{}, quality.Errorf(quality.KindNotFound, "no monitor")
	}
	return b.book(), nil
}

func (b baselines) Promote(_ context.Context, f, m string, p console.Promotion) error {
	return b.form("promote %s %s %s %s", f, m, p.Reason, p.From.UTC().Format(time.RFC3339))
}

func (b baselines) Pin(_ context.Context, f, m string, v int, reason string) error {
	return b.form("pin %s %s %d %s", f, m, v, reason)
}

func (j judges) List() []quality.JudgeStatus {
	return []quality.JudgeStatus{{Feature: "support", Metric: "faithful", Human: "faithful", Version: "gpt@1", Anchors: 12, Reference: 5, Watching: true,
		Moved: &quality.JudgeMove{Way: quality.JudgeStricter, Since: now.AddDate(0, 0, -2), Change: ptr(-.3), Interval: &[2]float64{-.4, -.2}, Entry: "chg1"},
		Runs:  []quality.AnchorRun{{At: now.AddDate(0, 0, -1), Version: "gpt@1", Scored: 12, Mean: ptr(3.9), Change: ptr(-.3), Interval: &[2]float64{-.4, -.2}, Human: ptr(.5)}}}}
}

func (j judges) Report(_ context.Context, f, m string) (console.JudgeReport, error) {
	if f != "support" || m != "faithful" {
		return console.JudgeReport{}, quality.Errorf(quality.KindNotFound, "no judge")
	}
	return console.JudgeReport{JudgeStatus: j.List()[0], Agreement: quality.Agreement{Version: "gpt@1", N: 60, Labels: 66, Labellers: 2, Categories: []float64{1, 2, 3}, Confusion: [][]int{{10, 2, 0}, {1, 20, 3}, {0, 4, 20}},
		Raw: quality.Measure{Value: ptr(.833), Interval: &[2]float64{.72, .91}}, Kappa: quality.Measure{Value: ptr(.78), Interval: &[2]float64{.6, .9}}, Weighted: true},
		Week: quality.CorrectedMean{Method: quality.MethodJudgeLabels, Mean: quality.Measure{Value: ptr(2.2), Interval: &[2]float64{2, 2.4}}, Raw: quality.Measure{Value: ptr(2.4)}}}, j.storeErr
}

func (j judges) Scorers() []console.Asking {
	return []console.Asking{{Feature: "support", Name: "faithful", Type: "judge", Model: "gpt-4.1-mini", Endpoint: "api.example.com", Rate: .5, Budget: "1200 of 2000/d used",
		Days: []console.AskingDay{{Day: "2026-04-05", Spend: quality.Spend{Calls: 1200, Cached: 30, InputTokens: 1234567, OutputTokens: 40000, Cost: 1.2345}}}}}
}

func (j judges) Label(_ context.Context, f quality.Feedback) error {
	return j.form("label %s %s %g by %s", f.Sample, f.Metric, *f.Value, f.By)
}

func (d desk) Incident(context.Context, string) (console.DeskView, error) {
	return console.DeskView{Facts: []console.StatedFact{{Key: "what", Label: "what is worse", Text: "Answers are worse."}, {Key: "next", Label: "when the next update comes"}}, Missing: d.missing}, nil
}

func (d desk) Preview(_ context.Context, id string, p console.Post) (string, []string, error) {
	return "Filled: " + p.Facts["what"], d.missing, d.form("preview %s", id)
}

func (d desk) Publish(_ context.Context, id string, override bool, reason string) error {
	return d.form("publish %s %v %s", id, override, reason)
}
func (d desk) Veto(_ context.Context, id, reason string) error {
	return d.form("veto %s %s", id, reason)
}
func (d desk) Post(_ context.Context, id string, p console.Post) error {
	return d.form("post %s %s %q internal=%v", id, p.Status, p.Body, p.Internal)
}

func (d desk) Correct(_ context.Context, id, update, body string) error {
	return d.form("correct %s %s %q", id, update, body)
}
func (d desk) Own(_ context.Context, id, owner string) error { return d.form("drive %s %s", id, owner) }
func (d desk) Postmortem(context.Context, string) (string, bool, error) {
	return "## What happened", false, nil
}

func (d desk) WritePostmortem(_ context.Context, id, body string, publish bool) error {
	return d.form("postmortem %s %q %v", id, body, publish)
}

func (d desk) Schedule(_ context.Context, m console.Planned) (string, error) {
	return "mnt_1", d.form("schedule %s %v %s", m.Name, m.Features, m.From.UTC().Format(time.RFC3339))
}

func (d desk) Report(_ context.Context, r console.Reported) (string, error) {
	return "inc_1", d.form("report %s %s %v %s %s", r.Name, r.Kind, r.Features, r.Severity, r.Status)
}

func (d desk) Backfill(_ context.Context, p console.PastIncident) (string, error) {
	return "inc_2", d.form("backfill %s %s to %s public=%v %q", p.Name, p.StartedAt.UTC().Format(time.RFC3339), p.ResolvedAt.UTC().Format(time.RFC3339), p.Public, p.Ended)
}

func (d desk) Replan(_ context.Context, id string, m console.Planned) error {
	return d.form("replan %s %s %v from=%v to=%s auto=%v", id, m.Name, m.Features, m.From.IsZero(), m.To.UTC().Format(time.RFC3339), m.Auto)
}

func (d desk) Advance(_ context.Context, id string, s quality.MaintenanceStatus, body string) error {
	return d.form("advance %s %s %q", id, s, body)
}

func (c customers) Links(name string) (out []console.CustomerLink) {
	for _, l := range c.links {
		if name == "" || l.Customer == name {
			out = append(out, l)
		}
	}
	return out
}

func (c customers) MakeLink(_ context.Context, name string, expires time.Time) (string, error) {
	return "https://status.acme.example/private/token_shown_once", c.form("link %s %s", name, expires.UTC().Format(time.RFC3339))
}
func (c customers) RevokeLink(_ context.Context, id string) error { return c.form("unlink %s", id) }

func (k keys) List() []console.Key { return k.keys }
func (k keys) Scopes() []string    { return []string{"samples", "scores"} }
func (k keys) Create(_ context.Context, s console.KeySpec) (console.Key, string, error) {
	return console.Key{Name: s.Name}, "asgood_token_shown_once", k.form("key %s %v", s.Name, s.Scopes)
}
func (k keys) Revoke(_ context.Context, id string) error { return k.form("revoke %s", id) }

func (a audit) Entries(_ context.Context, object, _ string, _ int) ([]quality.Audited, string, error) {
	return a.audited, "", nil
}

func (w *world) Subscribers(context.Context) ([]console.Subscriber, error) {
	return []console.Subscriber{{ID: "s1", Channel: "email", Address: "a…@example.com", State: "active", Since: now}}, nil
}

// newWorld is one with something of everything, hostile text among it.
func newWorld() *world {
	r := quality.Regression{ID: "reg_1", Feature: "support", Metric: "correct", Range: [2]float64{0, 1}, Worse: quality.WorseLower, Baseline: quality.Estimate{N: 500, Mean: ptr(.881)},
		Current: quality.Estimate{N: 700, Mean: ptr(0.7900000002980317)}, Change: ptr(-0.0909999997), Interval: &[2]float64{-.12, -.06}, StartedAt: ptr(now.Add(-49 * time.Hour)), DetectedAt: now.Add(-48 * time.Hour), Share: 1,
		StartedBetween: &[2]time.Time{now.Add(-51 * time.Hour), now.Add(-48 * time.Hour)}}
	w := &world{role: quality.RoleAdmin, regressions: []quality.Regression{r}, missing: []string{"what changed", "when the next update comes"}}
	w.statuses = []quality.MonitorStatus{
		{Feature: "support", Metric: "correct", State: quality.MonitorRegressed, Range: r.Range, Worse: quality.WorseLower, Baseline: r.Baseline, Current: r.Current, Change: r.Change, Interval: r.Interval, Since: r.StartedAt, Regression: r.ID,
			Detectable: ptr(.031), DetectableDay: ptr(.052), SamplesPerDay: 1234.5, LastScoreAt: now.Add(-3 * time.Minute), ScoresFailed: 3},
		{Feature: "search", Metric: "relevant", State: quality.MonitorBlind, Blind: quality.BlindStopped, Reason: "no score for 5 h, which is longer than usual", Range: [2]float64{0, 1}},
	}
	w.incidents = []quality.Incident{
		{ID: "inc_1", Kind: quality.IncidentQuality, Name: "Support assistant answers worse", Features: []string{"support"}, Status: quality.IncidentIdentified, Severity: quality.SeverityMajor, Reason: "9.1 points below the baseline", Regression: &r,
			StartedAt: *r.StartedAt, CreatedAt: r.DetectedAt, Visibility: quality.VisibilityInternal, PublishAt: ptr(now.Add(20 * time.Minute)), NextUpdate: ptr(now.Add(-10 * time.Minute)),
			Updates: []quality.IncidentUpdate{{ID: "inc_1_1", Status: quality.IncidentInvestigating, Body: hostile, At: r.DetectedAt}, {ID: "inc_1_2", Status: quality.IncidentIdentified, Body: "A prompt is the likeliest cause.", At: now.Add(-time.Hour), By: &person, Before: "A promt is.", EditedAt: ptr(now.Add(-30 * time.Minute))}}},
		{ID: "inc_2", Kind: quality.IncidentAvailability, Name: "Search did not answer", Features: []string{"search"}, Status: quality.IncidentResolved, Severity: quality.SeverityMinor, Owner: "ada", StartedAt: now.AddDate(0, 0, -9), ResolvedAt: ptr(now.AddDate(0, 0, -8))},
	}
	w.maintenances = []quality.Maintenance{{ID: "mnt_1", Name: "New index", Features: []string{"search"}, Status: quality.MaintenanceScheduled, From: now.Add(24 * time.Hour), To: now.Add(26 * time.Hour), Auto: true,
		Updates: []quality.MaintenanceUpdate{{ID: "u1", Status: quality.MaintenanceScheduled, Body: "We build a new index.", At: now}}}}
	w.changes = []quality.Change{
		{ID: "chg1", At: now.Add(-50 * time.Hour), Features: []string{"support"}, Layer: quality.LayerPrompt, Title: "support prompt v13", Owner: "grace", Before: "v12", After: "v13", Source: quality.ChangeAPI, Reference: "https://example.com/pr/7", RecordedAt: now.Add(-49 * time.Hour)},
		{ID: "chg2", At: now.Add(-30 * time.Hour), Features: []string{"support"}, Layer: quality.LayerModel, Title: "model changed to " + hostile, Undeclared: true, FirstSeen: now.Add(-30 * time.Hour), Source: quality.ChangeObserved, After: hostile, Samples: 1200, Share: .41, Owner: "team-support"},
		{ID: "chg3", At: now.Add(-20 * time.Hour), Layer: quality.LayerServing, Title: "deploy 812", Source: quality.ChangeGitHub, Flags: []string{quality.FlagNoOwner}},
	}
	sample := func(id, out string) quality.Sample {
		return quality.Sample{ID: id, Feature: "support", Time: now.Add(-2 * time.Hour), Customer: "acme", Model: "gpt-4.1", Prompt: "support@v13", Input: quality.Content{Messages: []quality.Message{{Role: "user", Content: "Where is my order?"}, {Role: "assistant", Content: hostile}}},
			Output: quality.Text(out), Reference: ptr("[Yes]"), Context: []quality.Document{{ID: "doc-7", Text: hostile}}, Tools: []quality.ToolCall{{Name: "refund", Arguments: []byte(`{"a":"</pre><script>"}`)}},
			Usage: &quality.Usage{InputTokens: 812, OutputTokens: 120}, LatencyMS: 2300.00004, Weight: 4, Attributes: map[string]string{"language": "de", hostile: hostile}}
	}
	w.samples = map[string]quality.Sample{"support/s-1": sample("s-1", "Your order is on its way.\n"+hostile), "support/a/b": sample("a/b", "x")}
	w.evidence = []quality.Example{{Role: quality.ExampleWorst, Score: 0, Sample: sample("s-1", hostile), Outside: true}, {Role: quality.ExampleBefore, Pair: 1, Why: "the same question", Score: 1, Sample: sample("s-2", "Yes")}, {Role: quality.ExampleAfter, Pair: 1, Score: 0, Sample: sample("s-3", "No"), Cut: true}}
	w.judged = []quality.Judged{{Sample: "s-1", Time: now}, {Sample: "a/b", Time: now, Labels: []quality.HumanLabel{{By: "grace", Value: 4}}}}
	w.keys = []console.Key{{ID: "abcdefghij", Name: "support bot", State: "active", Scopes: []string{"samples"}, Created: now.AddDate(0, 0, -3)}}
	w.links = []console.CustomerLink{{ID: "lnk1", Customer: "acme", State: "active", By: "Ada", Created: now.AddDate(0, 0, -3), Expires: now.AddDate(0, 0, 27), LastUsed: now.Add(-time.Hour), Uses: 1234},
		{ID: "lnk2", Customer: "acme", State: "revoked", By: "Ada", Created: now.AddDate(0, 0, -9), Expires: now.AddDate(0, 0, 20), Revoked: now.AddDate(0, 0, -4)}, {ID: "lnk3", Customer: "big/" + hostile, State: "expired", Expires: now.AddDate(0, 0, -1)}}
	w.audited = []quality.Audited{{ID: "a1", At: now, Actor: person, Action: "incident.vetoed", Object: "incident/inc_1", Detail: hostile, From: "127.0.0.1"}}
	for i := range 40 {
		d := quality.ScoreDay{Feature: "support", Metric: "correct", Day: now.AddDate(0, 0, i-39).Truncate(24 * time.Hour), N: 1200, Mean: .88 + .006*float64(i%5-2), SD: .32}
		if i >= 37 {
			d.Mean = .79
		}
		w.days = append(w.days, d)
	}
	return w
}

// features is the configuration of the world.
func features() []quality.Feature {
	return []quality.Feature{
		{Name: "support", Title: "Support assistant", Owner: "team-support", Scorers: []quality.ScorerSpec{{Name: "correct", Type: "reference"}, {Name: "faithful", Type: quality.ScorerJudge, Scale: &[2]float64{1, 5}}},
			Monitors: []quality.MonitorSpec{{Metric: "correct", Material: ptr(.03), Baseline: quality.BaselineSpec{First: 500}}}},
		{Name: "search", Title: "Search", Monitors: []quality.MonitorSpec{{Metric: "relevant", Baseline: quality.BaselineSpec{First: 500}}}},
	}
}

// serve makes the console of a world behind a real engine.
func (w *world) serve(t testing.TB) http.Handler {
	t.Helper()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("no time zones here")
	}
	o := console.Options{
		Title: "Acme AI status", PageURL: "https://status.acme.example", Version: "1.2.3", Features: features(), Location: berlin,
		State: w, Store: w, Evaluator: w, Ledger: ledger{w}, Baselines: baselines{w}, Judges: judges{w}, Desk: desk{w}, Keys: keys{w}, Audit: audit{w}, Subscribers: w, Customers: customers{w},
		Settings: func(context.Context) console.Settings {
			return console.Settings{Lines: []console.Setting{{Key: "name", Value: "Acme AI"}, {Key: "changes.github.secret", Secret: true}}, Checks: []console.HealthCheck{{Name: "clickhouse", Error: "connection refused", Took: 2 * time.Second}, {Name: "nats"}}}
		},
		Actor: func(context.Context) quality.Actor { return person }, May: func(_ context.Context, r quality.Role) bool { return r <= w.role },
		CSRF: func(context.Context) string { return "token-of-the-session" }, Now: func() time.Time { return now },
	}
	if w.noDesk {
		o.Desk, o.Keys, o.Audit, o.Subscribers, o.Customers = nil, nil, nil, nil, nil
	}
	c, err := console.New(o)
	if err != nil {
		t.Fatal(err)
	}
	e := web.New(web.Options{})
	c.Register(e)
	c.RegisterRoot(e)
	return e
}

func get(t testing.TB, h http.Handler, path string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRecorder()
	h.ServeHTTP(r, httptest.NewRequest(http.MethodGet, path, nil))
	return r
}

func post(t testing.TB, h http.Handler, path string, form url.Values) *httptest.ResponseRecorder {
	t.Helper()
	q := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r := httptest.NewRecorder()
	h.ServeHTTP(r, q)
	return r
}

package publish_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/alerts/publish"
	"github.com/asgood-dev/asgood/internal/quality"
)

// reported makes an incident by the form.
func (w *world) reported(d *publish.Desk) string {
	w.t.Helper()
	id, err := d.Report(w.t.Context(), publish.Reported{Name: "Wrong refunds", Kind: quality.IncidentQuality, Features: []string{"bot"}, Severity: quality.SeverityMajor, Body: "We look."})
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

func (w *world) actions() (out []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.audited {
		out = append(out, e.Action)
	}
	return out
}

func wantKind(t *testing.T, what string, err error, kind quality.Kind) {
	t.Helper()
	if err == nil || quality.KindOf(err) != kind {
		t.Errorf("%s: got %v, want kind %v", what, err, kind)
	}
}

// An incident goes by forms from its report to its published postmortem, and every step is in the audit log once.
func TestFormsOfAnIncident(t *testing.T) {
	w := newWorld(t)
	d, ctx := w.desk(), t.Context()
	id := w.reported(d)
	if r, err := d.Incident(ctx, id); err != nil || r.Public() || r.Status != quality.IncidentInvestigating || r.StartedAt != noon || len(r.Updates) != 1 {
		t.Fatalf("got %+v %v", r, err)
	}
	body, missing, err := d.Preview(ctx, id, publish.Written{Facts: facts()})
	if err != nil || !strings.Contains(body, "A prompt.") || len(missing) > 0 {
		t.Errorf("preview: got %q, missing %q (%v)", body, missing, err)
	}
	wantKind(t, "publishing what lacks facts", d.Publish(ctx, id, false, ""), quality.KindConflict)
	wantKind(t, "an override without a reason", d.Publish(ctx, id, true, ""), quality.KindInvalid)
	wantKind(t, "a promise of before", d.Say(ctx, id, publish.Written{Body: "x", Next: noon.Add(-time.Hour)}), quality.KindInvalid)
	wantKind(t, "a reason that is too long", d.Veto(ctx, id, strings.Repeat("x", 1<<20)), quality.KindInvalid)
	wantKind(t, "an empty correction", d.Correct(ctx, id, id+"_1", " "), quality.KindInvalid)
	wantKind(t, "an incident that is not there", d.Own(ctx, "inc_none", "ada"), quality.KindNotFound)
	steps := []error{
		d.Own(ctx, id, "ada"), d.Say(ctx, id, publish.Written{Body: body, Facts: facts(), Next: noon.Add(time.Hour)}),
		d.Publish(ctx, id, false, "all is said"), d.Publish(ctx, id, false, "again changes nothing"),
		d.Say(ctx, id, publish.Written{Status: quality.IncidentResolved, Body: "It is over."}),
	}
	r, err := d.Incident(ctx, id)
	if err != nil || !r.Public() || r.Owner != "ada" || r.Open() {
		t.Fatalf("got %+v %v", r, err)
	}
	draft, written, err := d.Draft(ctx, id)
	if err != nil || written || draft == "" {
		t.Errorf("draft: got %q %t %v", draft, written, err)
	}
	steps = append(steps, d.Correct(ctx, id, r.Updates[0].ID, "We looked."), d.WritePostmortem(ctx, id, "It was a prompt.", false), d.WritePostmortem(ctx, id, "It was the prompt.", true))
	for n, err := range steps {
		if err != nil {
			t.Errorf("step %d: %v", n, err)
		}
	}
	if draft, written, err = d.Draft(ctx, id); draft != "It was the prompt." || !written || err != nil {
		t.Errorf("postmortem: got %q %t %v", draft, written, err)
	}
	want := "[incident.created incident.changed incident.updated incident.published incident.resolved incident.corrected incident.postmortem.written incident.postmortem.written incident.postmortem.published]"
	if got := fmt.Sprint(w.actions()); got != want {
		t.Errorf("audited %s, want %s", got, want)
	}
}

func TestReportIsRefused(t *testing.T) {
	w := newWorld(t)
	good := publish.Reported{Name: "x", Kind: quality.IncidentQuality, Features: []string{"bot"}, Severity: quality.SeverityMinor, Body: "x"}
	for field, spoil := range map[string]func(*publish.Reported){
		"name": func(r *publish.Reported) { r.Name = "" }, "kind": func(r *publish.Reported) { r.Kind = "cat" }, "features": func(r *publish.Reported) { r.Features = []string{"none"} },
		"severity": func(r *publish.Reported) { r.Severity = "huge" }, "started_at": func(r *publish.Reported) { r.StartedAt = noon.Add(time.Hour) }, "next_update": func(r *publish.Reported) { r.Next = noon.Add(-time.Hour) },
	} {
		in := good
		spoil(&in)
		if _, err := w.desk().Report(t.Context(), in); quality.KindOf(err) != quality.KindInvalid || !strings.HasPrefix(fmt.Sprint(err), field) {
			t.Errorf("%s: got %v", field, err)
		}
	}
	if got := w.actions(); got != nil {
		t.Errorf("audited %q", got)
	}
}

// An incident of before is in the history, and nobody is told.
func TestBackfillByForm(t *testing.T) {
	w := newWorld(t)
	d := w.desk()
	in := publish.Past{Name: "Old", Kind: quality.IncidentAvailability, Features: []string{"bot"}, Severity: quality.SeverityMinor, StartedAt: noon.AddDate(0, -1, 0),
		ResolvedAt: noon.AddDate(0, -1, 0).Add(time.Hour), Began: "Down.", Ended: "Up.", Public: true, Reason: "for the history"}
	id, err := d.Backfill(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	r, err := d.Incident(t.Context(), id)
	if err != nil || !r.Public() || r.Open() || !r.Backfilled || len(r.Updates) != 2 || r.Updates[0].Body != "Down." || len(r.Pending) > 0 {
		t.Errorf("got %+v %v", r, err)
	}
	in.ResolvedAt = noon.Add(time.Hour)
	_, err = d.Backfill(t.Context(), in)
	wantKind(t, "an end that is to come", err, quality.KindInvalid)
	in.Ended = ""
	_, err = d.Backfill(t.Context(), in)
	wantKind(t, "no text", err, quality.KindInvalid)
	w.actor = robot
	_, err = d.Backfill(t.Context(), publish.Past{Name: "Old", Kind: in.Kind, Features: in.Features, StartedAt: in.StartedAt, ResolvedAt: in.StartedAt.Add(time.Hour), Ended: "Up.", Public: true, Severity: in.Severity})
	wantKind(t, "a machine that publishes", err, quality.KindForbidden)
}

// A plan is changed by the form: what is not touched stays, and only other times are told.
func TestReplanByForm(t *testing.T) {
	w := newWorld(t)
	d, ctx := w.desk(), t.Context()
	m := quality.Maintenance{Name: "New index", Features: []string{"bot"}, From: noon.Add(24 * time.Hour), To: noon.Add(26 * time.Hour), Auto: true}
	id, err := d.Plan(ctx, m, "")
	if err != nil {
		t.Fatal(err)
	}
	for n, err := range []error{
		d.Replan(ctx, id, quality.Maintenance{Name: "Newer index", Features: []string{"bot", "plain"}}), // no times: they stay
		d.Replan(ctx, id, quality.Maintenance{Name: "Newer index", Features: []string{"bot"}, To: noon.Add(28 * time.Hour), Auto: true}),
		d.Work(ctx, id, quality.MaintenanceInProgress, "We began."),
	} {
		if err != nil {
			t.Errorf("step %d: %v", n, err)
		}
	}
	wantKind(t, "an end before the begin", d.Replan(ctx, id, quality.Maintenance{Name: "x", Features: []string{"bot"}, To: noon}), quality.KindInvalid)
	wantKind(t, "no feature", d.Replan(ctx, id, quality.Maintenance{Name: "x"}), quality.KindInvalid)
	wantKind(t, "a begin that was", d.Replan(ctx, id, quality.Maintenance{Name: "x", Features: []string{"bot"}, From: noon.Add(time.Hour)}), quality.KindConflict)
	wantKind(t, "the way back", d.Work(ctx, id, quality.MaintenanceScheduled, "Back."), quality.KindConflict)
	wantKind(t, "no text", d.Work(ctx, id, "", ""), quality.KindInvalid)
	wantKind(t, "none", d.Replan(ctx, "mnt_none", m), quality.KindNotFound)
	w.actor = robot
	wantKind(t, "a machine", d.Replan(ctx, id, m), quality.KindForbidden)
	if got := strings.Join(w.actions(), " "); got != "maintenance.scheduled maintenance.changed maintenance.changed maintenance.updated" {
		t.Errorf("audited %q", got)
	}
}

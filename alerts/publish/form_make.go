package publish

import (
	"context"
	"slices"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Reported is an incident as somebody enters it while it goes on.
type Reported struct {
	Name      string
	Kind      quality.IncidentKind
	Features  []string
	Severity  quality.Severity
	Status    quality.IncidentStatus // empty: investigating
	Body      string                 // Markdown; empty: the template of the status
	Owner     string
	StartedAt time.Time // zero: now
	Next      time.Time // when the next update is promised; zero: none is
}

// Report makes an incident, which stays internal until it is published, and returns its id.
func (d *Desk) Report(ctx context.Context, in Reported) (id string, err error) {
	r, err := d.create(ctx, newIncident{Name: in.Name, Kind: in.Kind, Features: in.Features, Severity: in.Severity, Status: in.Status, Body: in.Body,
		Owner: in.Owner, StartedAt: given(in.StartedAt), NextUpdate: given(in.Next)}, "")
	if err != nil {
		return "", err
	}
	return r.ID, nil
}

// Past is an incident that is over, as somebody enters it afterwards.
type Past struct {
	Name       string
	Kind       quality.IncidentKind
	Features   []string
	Severity   quality.Severity
	StartedAt  time.Time
	ResolvedAt time.Time
	Began      string // Markdown, said when it began; empty: nothing was said then
	Ended      string // Markdown, said when it was resolved
	Owner      string
	Public     bool
	Reason     string // of the publication
}

// Backfill enters an incident of before, of which nobody is notified, and returns its id.
func (d *Desk) Backfill(ctx context.Context, in Past) (id string, err error) {
	if err := checkBody(in.Ended); err != nil {
		return "", err
	}
	o := over{Name: in.Name, Kind: in.Kind, Features: in.Features, Severity: in.Severity, StartedAt: in.StartedAt, ResolvedAt: in.ResolvedAt,
		Owner: in.Owner, Reason: in.Reason, Updates: []overUpdate{{Status: quality.IncidentResolved, Body: in.Ended, At: in.ResolvedAt}}}
	if in.Began != "" {
		o.Updates = slices.Insert(o.Updates, 0, overUpdate{Status: quality.IncidentInvestigating, Body: in.Began, At: in.StartedAt})
	}
	if in.Public {
		o.Visibility = quality.VisibilityPublic
	}
	r, err := d.backfill(ctx, o, "")
	if err != nil {
		return "", err
	}
	return r.ID, nil
}

// Replan changes the name, the features, the times and whether the clock moves a maintenance that is not over. Zero
// times stay as they are; subscribers hear of others.
func (d *Desk) Replan(ctx context.Context, id string, m quality.Maintenance) error {
	in := replan{Name: &m.Name, Features: append([]string{}, m.Features...), From: given(m.From), To: given(m.To), Auto: &m.Auto}
	_, err := d.actPlanned(ctx, id, action{name: "maintenance.changed", detail: m.Name}, func(p *planned, by quality.Actor, now time.Time) error {
		return d.replan(p, in, by, now)
	})
	return err
}

// given is a pointer to a time, nil where there is none.
func given(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

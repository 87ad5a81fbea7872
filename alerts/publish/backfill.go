package publish

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/alerts/past"
	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
)

// over is what POST /v1/incidents/backfill takes: an incident of before, of which nobody is notified.
type over struct {
	Name       string                             `json:"name"`
	Kind       quality.IncidentKind               `json:"kind"`
	Features   []string                           `json:"features"`
	Severity   quality.Severity                   `json:"severity"`
	StartedAt  time.Time                          `json:"started_at"`
	ResolvedAt time.Time                          `json:"resolved_at"`
	Updates    []overUpdate                       `json:"updates"` // oldest first
	Effects    map[string]quality.ComponentStatus `json:"effects"`
	Visibility quality.Visibility                 `json:"visibility"` // default internal
	Reason     string                             `json:"reason"`
	Owner      string                             `json:"owner"`
}

type overUpdate struct {
	Status quality.IncidentStatus `json:"status"`
	Body   string                 `json:"body"`
	At     time.Time              `json:"at"`
}

func (d *Desk) serveBackfill(g *gin.Context) error {
	var in over
	if err := read(g, &in); err != nil {
		return err
	}
	key, err := d.idempotency(g)
	if err != nil {
		return err
	}
	r, err := d.backfill(g.Request.Context(), in, key)
	return answer(g, http.StatusCreated, r, err)
}

// backfill enters an incident that is over. Its text is not checked for facts: what happened is known to those who
// lived through it, and nobody has to act on it.
func (d *Desk) backfill(ctx context.Context, in over, key string) (*Record, error) {
	by, now, entry := d.o.Actor(ctx), d.o.Now(), newID("aud")
	id := newID("inc")
	if key != "" {
		id = "inc_" + key
	}
	r, err := d.backfilled(id, in, by, now)
	if err != nil {
		return nil, err
	}
	a := action{name: "incident.backfilled", object: "incident/" + id, detail: in.Name}
	stored, made, err := d.enter(ctx, r, entry, by, now, a)
	if err == nil && made {
		d.did(a, id, by)
	}
	return stored, err
}

// enter stores a record unless one of its id is there.
func (d *Desk) enter(ctx context.Context, r *Record, entry string, by quality.Actor, now time.Time, a action) (stored *Record, made bool, err error) {
	stored, err = d.incidents.edit(ctx, r.ID, func(old *Record) (*Record, error) {
		if made = old == nil; !made {
			return nil, nil
		}
		return r, d.audit(ctx, entry, by, now, a)
	})
	return stored, made, err
}

func (d *Desk) backfilled(id string, in over, by quality.Actor, now time.Time) (*Record, error) {
	if err := firstOf(checkName(in.Name), checkKind(in.Kind), d.checkFeatures(in.Features), checkSeverity(in.Severity), checkVisibility(in.Visibility, by),
		checkEffects(in.Effects, in.Features), checkShort("reason", in.Reason), checkShort("owner", in.Owner), in.check(now)); err != nil {
		return nil, err
	}
	r := &Record{Graded: true, Incident: quality.Incident{ID: id, Kind: in.Kind, Name: in.Name, Features: in.Features, Severity: in.Severity,
		Reason: "entered by " + by.String(), Status: quality.IncidentResolved, StartedAt: in.StartedAt, CreatedAt: in.StartedAt, UpdatedAt: now,
		ResolvedAt: &in.ResolvedAt, Owner: in.Owner, Effects: in.Effects, Visibility: quality.VisibilityInternal, Backfilled: true}}
	for n, u := range in.Updates {
		r.Updates = append(r.Updates, quality.IncidentUpdate{ID: fmt.Sprintf("%s_%d", id, n+1), Status: u.Status, Body: u.Body, At: u.At, By: &by})
	}
	if in.Visibility == quality.VisibilityPublic {
		r.show(decisionOf(by, now, in.Reason), now)
	}
	return r, nil
}

// check refuses times and updates that do not belong together.
func (in over) check(now time.Time) error {
	switch {
	case in.StartedAt.IsZero() || in.ResolvedAt.IsZero():
		return quality.Errorf(quality.KindInvalid, "started_at, resolved_at: required")
	case in.ResolvedAt.Before(in.StartedAt) || in.ResolvedAt.After(now):
		return quality.Errorf(quality.KindInvalid, "resolved_at: want a time after started_at that is over")
	case len(in.Updates) == 0 || len(in.Updates) > maxUpdates:
		return quality.Errorf(quality.KindInvalid, "updates: %d, want 1 to %d", len(in.Updates), maxUpdates)
	case in.Updates[len(in.Updates)-1].Status != quality.IncidentResolved:
		return quality.Errorf(quality.KindInvalid, "updates: the last one must have the status resolved")
	}
	for n, u := range in.Updates {
		if err := checkBody(u.Body); err != nil {
			return quality.Errorf(quality.KindInvalid, "updates[%d]: %w", n, err)
		}
		if !slices.Contains(stages, u.Status) {
			return quality.Errorf(quality.KindInvalid, "updates[%d].status: %.40q is none", n, u.Status)
		}
		if u.At.IsZero() || u.At.After(now) || n > 0 && u.At.Before(in.Updates[n-1].At) {
			return quality.Errorf(quality.KindInvalid, "updates[%d].at: want a time that is over, and not before the update before", n)
		}
	}
	return nil
}

// maxImport is the largest body of an import, in bytes.
const maxImport = 32 << 20

// importing is what POST /v1/incidents/import takes.
type importing struct {
	From  string `json:"from"` // statuspage, cstate or gatus
	Files []struct {
		Name string `json:"name"`
		Text string `json:"text"`
	} `json:"files"`
	Map        map[string]string  `json:"map"`        // component to feature, where names and titles differ
	Visibility quality.Visibility `json:"visibility"` // default internal
	DryRun     bool               `json:"dry_run"`

	strange map[string]bool // components that are no feature, each told once
}

// imported is what came of an import.
type imported struct {
	Imported int            `json:"imported"`
	Known    int            `json:"known"` // were there already
	Problems []past.Problem `json:"problems"`
	Untold   int            `json:"problems_untold"`
}

func (d *Desk) serveImport(g *gin.Context) error {
	var in importing
	if err := web.ReadJSON(g, &in, maxImport); err != nil {
		return err
	}
	out, err := d.take(g.Request.Context(), in)
	if err != nil {
		return err
	}
	g.JSON(http.StatusOK, out)
	return nil
}

// take reads the files and enters what is not there yet.
func (d *Desk) take(ctx context.Context, in importing) (out imported, err error) {
	by, now := d.o.Actor(ctx), d.o.Now()
	if err := checkVisibility(in.Visibility, by); err != nil {
		return out, err
	}
	for component, feature := range in.Map {
		if err := d.checkFeatures([]string{feature}); err != nil {
			return out, quality.Errorf(quality.KindInvalid, "map: %.40q: %w", component, err)
		}
	}
	out.Problems, in.strange = []past.Problem{}, map[string]bool{}
	for _, f := range in.Files {
		r, err := past.Read(in.From, f.Name, []byte(f.Text), now)
		if err != nil {
			return out, err
		}
		out.Problems, out.Untold = append(out.Problems, r.Problems...), out.Untold+r.Untold
		for _, i := range r.Incidents {
			if err := d.takeOne(ctx, in, i, by, now, &out); err != nil {
				return out, err
			}
		}
	}
	return out, nil
}

func (d *Desk) takeOne(ctx context.Context, in importing, i past.Incident, by quality.Actor, now time.Time, out *imported) error {
	r := &Record{Incident: i.Incident, Graded: true}
	for _, c := range i.Components {
		feature, ok := d.featureOf(c, in.Map)
		if !ok && !in.strange[c] && len(in.strange) < maxFeatures {
			in.strange[c] = true
			out.Problems = append(out.Problems, past.Problem{Place: i.Place, Message: fmt.Sprintf("component %.60q is no feature: give it one by map", c)})
		}
		if ok && !slices.Contains(r.Features, feature) {
			r.Features = append(r.Features, feature)
		}
	}
	if r.Features == nil {
		r.Features = []string{}
	}
	r.Visibility = quality.VisibilityInternal
	if in.Visibility == quality.VisibilityPublic {
		r.show(decisionOf(by, now, "imported from "+in.From), now)
		r.UpdatedAt = i.UpdatedAt
	}
	if in.DryRun {
		old, _, err := d.incidents.read(ctx, r.ID)
		if out.Imported++; old != nil {
			out.Imported, out.Known = out.Imported-1, out.Known+1
		}
		return err
	}
	_, made, err := d.enter(ctx, r, "aud_"+r.ID, by, now, action{name: "incident.imported", object: "incident/" + r.ID, detail: i.Place})
	switch {
	case err != nil:
		return err
	case made:
		out.Imported++
	default:
		out.Known++
	}
	return nil
}

// featureOf finds the feature that a component of elsewhere is: as mapped, or by its name or title.
func (d *Desk) featureOf(component string, mapped map[string]string) (string, bool) {
	if f, ok := mapped[component]; ok {
		return f, true
	}
	for _, f := range d.o.Features {
		if strings.EqualFold(f.Name, component) || strings.EqualFold(f.Title, component) {
			return f.Name, true
		}
	}
	return "", false
}

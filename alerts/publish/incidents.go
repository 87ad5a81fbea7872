package publish

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/wording"
)

// stageOf is the template for a status.
func stageOf(s quality.IncidentStatus) wording.Stage { return wording.Stage(s) }

// fields are what a template may say of an incident.
func (d *Desk) fields(r *Record, facts wording.Facts) wording.Fields {
	f := wording.Fields{Facts: facts, Name: r.Name, Feature: d.titlesOf(r.Features), Severity: string(r.Severity), Owner: r.Owner}
	if !r.StartedAt.IsZero() {
		f.From = clock(r.StartedAt, d.o.Location)
	}
	if r.ResolvedAt != nil {
		f.To = clock(*r.ResolvedAt, d.o.Location)
	}
	return f
}

// wordsOf is the text of an update: the author's, or the template's where there is none.
func (d *Desk) wordsOf(r *Record, status quality.IncidentStatus, body string, facts wording.Facts) (string, error) {
	if strings.TrimSpace(body) == "" {
		var err error
		if body, err = d.o.Templates.Fill(stageOf(status), d.fields(r, facts)); err != nil {
			return "", err
		}
	}
	return body, checkBody(body)
}

// create makes an incident that somebody reported by hand. The same key again returns what it made before.
func (d *Desk) create(ctx context.Context, in newIncident, key string) (*Record, error) {
	by, now, entry := d.o.Actor(ctx), d.o.Now(), newID("aud")
	id := newID("inc")
	if key != "" {
		id = "inc_" + key
	}
	if in.Visibility == quality.VisibilityPublic {
		if err := d.editor(ctx, by, "publish"); err != nil {
			return nil, err
		}
	}
	r, err := d.made(id, in, by, now)
	if err != nil {
		return nil, err
	}
	a := action{name: "incident.created", object: "incident/" + id, detail: in.Name}
	made := false
	stored, err := d.incidents.edit(ctx, id, func(old *Record) (*Record, error) {
		if made = old == nil; !made {
			return nil, nil
		}
		d.prepare(r)
		return r, d.audit(ctx, entry, by, now, a)
	})
	if err == nil && made {
		d.did(a, id, by)
	}
	return stored, err
}

func (d *Desk) made(id string, in newIncident, by quality.Actor, now time.Time) (*Record, error) {
	if in.Status == "" {
		in.Status = quality.IncidentInvestigating
	}
	if in.StartedAt == nil {
		in.StartedAt = &now
	}
	move := step{from: quality.IncidentInvestigating, to: in.Status, by: by}
	if err := firstOf(checkName(in.Name), checkKind(in.Kind), d.checkFeatures(in.Features), checkSeverity(in.Severity), move.check(),
		checkEffects(in.Effects, in.Features), in.Facts.Check(), checkShort("reason", in.Reason), checkShort("owner", in.Owner),
		checkVisibility(in.Visibility, by), checkPromise(in.NextUpdate, now), checkStart(*in.StartedAt, now)); err != nil {
		return nil, err
	}
	r := &Record{Graded: true, Incident: quality.Incident{ID: id, Kind: in.Kind, Name: in.Name, Features: in.Features, Severity: in.Severity,
		Reason: "reported by " + by.String(), StartedAt: *in.StartedAt, CreatedAt: now, Owner: in.Owner, Effects: in.Effects,
		Visibility: quality.VisibilityInternal, NextUpdate: in.NextUpdate}}
	body, err := d.wordsOf(r, in.Status, in.Body, in.Facts)
	if err != nil {
		return nil, err
	}
	r.Say(quality.IncidentUpdate{Status: in.Status, Body: body, By: &by}, in.Facts, now)
	if in.Visibility == quality.VisibilityPublic {
		return r, publishByPerson(r, by, in.Override, in.Reason, now)
	}
	return r, nil
}

func checkVisibility(v quality.Visibility, by quality.Actor) error {
	switch v {
	case "", quality.VisibilityInternal:
		return nil
	case quality.VisibilityPublic:
		return person(by, "publish")
	}
	return quality.Errorf(quality.KindInvalid, "visibility: %.40q is none (want internal or public)", v)
}

func checkStart(at, now time.Time) error {
	if at.After(now) {
		return quality.Errorf(quality.KindInvalid, "started_at: want a time that is over")
	}
	return nil
}

// patch changes what an incident is called, how severe it is, who drives it and what it affects.
func (d *Desk) patch(ctx context.Context, id string, c changes) (*Record, error) {
	a := action{name: "incident.changed", detail: c.detail()}
	return d.act(ctx, id, a, func(r *Record, by quality.Actor, now time.Time) error {
		if r.Public() && (c.Name != nil || c.Severity != nil || c.Features != nil || c.Effects != nil) {
			if !by.Human() {
				return forbidden(by, "change what customers see")
			}
			if err := d.editor(ctx, by, "change what customers see"); err != nil {
				return err
			}
		}
		if err := d.apply(r, c); err != nil {
			return err
		}
		r.UpdatedAt = now
		return nil
	})
}

func (c changes) detail() string {
	var what []string
	for name, given := range map[string]bool{"name": c.Name != nil, "severity": c.Severity != nil, "owner": c.Owner != nil,
		"features": c.Features != nil, "effects": c.Effects != nil} {
		if given {
			what = append(what, name)
		}
	}
	slices.Sort(what)
	return list(what)
}

func (d *Desk) apply(r *Record, c changes) error {
	if c.Name != nil {
		if err := checkName(*c.Name); err != nil {
			return err
		}
		r.Name = *c.Name
	}
	if c.Severity != nil {
		if err := checkSeverity(*c.Severity); err != nil {
			return err
		}
		r.Severity, r.Graded = *c.Severity, true
	}
	if c.Owner != nil {
		if err := checkShort("owner", *c.Owner); err != nil {
			return err
		}
		r.Owner = *c.Owner
	}
	if c.Features != nil {
		if err := d.checkFeatures(c.Features); err != nil {
			return err
		}
		r.Features = c.Features
	}
	if c.Effects != nil {
		r.Effects = c.Effects
	}
	return checkEffects(r.Effects, r.Features)
}

// say adds an update of somebody. The same key again changes nothing.
func (d *Desk) say(ctx context.Context, id string, in newUpdate, key string) (*Record, error) {
	a := action{name: "incident.updated", detail: string(in.Status)}
	if in.Status == quality.IncidentResolved {
		a.name = "incident.resolved"
	}
	return d.act(ctx, id, a, func(r *Record, by quality.Actor, now time.Time) error {
		if used(r.Keys, key) {
			return errSame
		}
		u, facts, err := d.written(r, in, by, now)
		if err != nil {
			return err
		}
		u = r.Say(u, facts, now)
		r.Keys = remember(r.Keys, key, u.ID)
		if in.NextUpdate != nil && r.Open() {
			r.NextUpdate = in.NextUpdate
		} else if !in.Internal {
			r.NextUpdate = nil // what was promised has come
		}
		return nil
	})
}

// written checks an update and returns it as it will stand, with the facts that its author knew.
func (d *Desk) written(r *Record, in newUpdate, by quality.Actor, now time.Time) (u quality.IncidentUpdate, facts wording.Facts, err error) {
	if in.Status == "" {
		in.Status = r.Status
	}
	move := step{from: r.Status, to: in.Status, public: r.Public(), internal: in.Internal, reason: in.Reason, by: by}
	if in.Status == quality.IncidentPostmortem && r.Status == in.Status {
		move.from, move.to = quality.IncidentResolved, quality.IncidentResolved // a word after the postmortem
	}
	facts = r.Facts.Over(in.Facts)
	if err := firstOf(move.check(), in.Facts.Check(), checkShort("reason", in.Reason), checkPromise(in.NextUpdate, now), r.room()); err != nil {
		return u, facts, err
	}
	body, err := d.wordsOf(r, in.Status, in.Body, facts)
	return quality.IncidentUpdate{Status: in.Status, Body: body, By: &by, Internal: in.Internal}, facts, err
}

// room refuses updates of an incident that holds too many.
func (r *Record) room() error {
	bytes := 0
	for _, u := range r.Updates {
		bytes += len(u.Body) + len(u.Before)
	}
	if len(r.Updates) >= maxUpdates || bytes > maxBodies {
		return quality.Errorf(quality.KindTooLarge, "incident %q holds %d updates and %d bytes: no more fit", r.ID, len(r.Updates), bytes)
	}
	return nil
}

// preview is what an update would look like.
func (d *Desk) preview(ctx context.Context, id string, in newUpdate) (body string, missing []string, err error) {
	r, err := d.incidents.get(ctx, id)
	if err != nil {
		return "", nil, err
	}
	if in.Status == "" {
		in.Status = r.Status
	}
	facts := r.Facts.Over(in.Facts)
	if stageOf(in.Status) == wording.Postmortem {
		body, err = d.o.Templates.Fill(wording.Postmortem, d.fields(r, facts))
		return body, nil, err
	}
	if err := firstOf(in.Facts.Check(), wording.CheckStage(string(in.Status))); err != nil {
		return "", nil, err
	}
	if body, err = d.wordsOf(r, in.Status, in.Body, facts); err != nil {
		return "", nil, err
	}
	next := r.clone()
	next.Say(quality.IncidentUpdate{Status: in.Status, Body: body, Internal: in.Internal}, facts, d.o.Now())
	return body, next.Missing(), nil
}

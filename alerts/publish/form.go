package publish

import (
	"context"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/wording"
)

// Written is an update as somebody writes it.
type Written struct {
	Status   quality.IncidentStatus // empty: as it is
	Body     string                 // Markdown; empty: the template of the status, filled with the facts
	Facts    wording.Facts          // over those that are measured
	Internal bool
	Reason   string    // required to go back
	Next     time.Time // when the next update is promised; zero: none is
}

func (w Written) update() newUpdate {
	in := newUpdate{Status: w.Status, Body: w.Body, Facts: w.Facts, Internal: w.Internal, Reason: w.Reason}
	if !w.Next.IsZero() {
		in.NextUpdate = &w.Next
	}
	return in
}

// Incident returns an incident, or an error of kind not found.
func (d *Desk) Incident(ctx context.Context, id string) (*Record, error) {
	return d.incidents.get(ctx, id)
}

// Preview returns the text that an update would have, and the facts that customers would not read with it.
func (d *Desk) Preview(ctx context.Context, id string, w Written) (body string, missing []string, err error) {
	return d.preview(ctx, id, w.update())
}

// Say posts an update.
func (d *Desk) Say(ctx context.Context, id string, w Written) error {
	_, err := d.say(ctx, id, w.update(), "")
	return err
}

// Publish makes an incident public. One whose text lacks facts takes an override with a reason.
func (d *Desk) Publish(ctx context.Context, id string, override bool, reason string) error {
	return d.decided(ctx, id, "incident.published", reason, func(r *Record, by quality.Actor, now time.Time) error {
		if err := person(by, "publish"); err != nil {
			return err
		}
		if r.Public() {
			return errSame
		}
		return publishByPerson(r, by, override, reason, now)
	})
}

// Veto keeps rules from publishing an incident.
func (d *Desk) Veto(ctx context.Context, id, reason string) error {
	return d.decided(ctx, id, "incident.vetoed", reason, func(r *Record, by quality.Actor, now time.Time) error {
		return veto(r, by, reason, now)
	})
}

// Correct changes the text of an update. What it said before stays visible with it.
func (d *Desk) Correct(ctx context.Context, id, update, body string) error {
	if err := checkBody(body); err != nil {
		return err
	}
	return d.decided(ctx, id, "incident.corrected", update, func(r *Record, by quality.Actor, now time.Time) error {
		return correct(r, update, body, r.Facts, by, now)
	})
}

// Own says who drives an incident.
func (d *Desk) Own(ctx context.Context, id, owner string) error {
	_, err := d.patch(ctx, id, changes{Owner: &owner})
	return err
}

// Draft returns the postmortem of an incident, or one made of the facts where none is written.
func (d *Desk) Draft(ctx context.Context, id string) (body string, written bool, err error) {
	r, err := d.incidents.get(ctx, id)
	if err != nil {
		return "", false, err
	}
	if r.Postmortem != nil {
		return r.Postmortem.Body, true, nil
	}
	body, err = d.o.Templates.Fill(wording.Postmortem, d.fields(r, r.Facts))
	return body, false, err
}

// WritePostmortem keeps the text of a postmortem, and publishes it where that is asked for.
func (d *Desk) WritePostmortem(ctx context.Context, id, body string, public bool) error {
	if err := checkBody(body); err != nil {
		return err
	}
	err := d.decided(ctx, id, "incident.postmortem.written", "", func(r *Record, by quality.Actor, now time.Time) error {
		return writePostmortem(r, body, by, now)
	})
	if err != nil || !public {
		return err
	}
	return d.decided(ctx, id, "incident.postmortem.published", "", func(r *Record, by quality.Actor, now time.Time) error {
		if err := person(by, "publish a postmortem"); err != nil {
			return err
		}
		if r.Postmortem != nil && r.Postmortem.Published != nil {
			return errSame
		}
		return publishPostmortem(r, by, "", now)
	})
}

func (d *Desk) decided(ctx context.Context, id, name, detail string, change func(r *Record, by quality.Actor, now time.Time) error) error {
	if err := checkShort("reason", detail); err != nil {
		return err
	}
	_, err := d.act(ctx, id, action{name: name, detail: strings.TrimSpace(detail)}, change)
	return err
}

// Plan makes a maintenance of what is given of one: name, features, times, owner and whether the clock moves it.
// An empty body is the template's.
func (d *Desk) Plan(ctx context.Context, m quality.Maintenance, body string) (id string, err error) {
	in := newMaintenance{Name: m.Name, Features: m.Features, From: m.From, To: m.To, Body: body, Auto: m.Auto, Owner: m.Owner}
	if m.Remind > 0 {
		in.Remind = m.Remind.String()
	}
	p, err := d.plan(ctx, in, "")
	if err != nil {
		return "", err
	}
	return p.ID, nil
}

// Work posts an update of a maintenance; an empty status leaves it as it is.
func (d *Desk) Work(ctx context.Context, id string, status quality.MaintenanceStatus, body string) error {
	if err := checkBody(body); err != nil {
		return err
	}
	_, err := d.actPlanned(ctx, id, action{name: "maintenance.updated", detail: string(status)},
		func(p *planned, by quality.Actor, now time.Time) error {
			return p.work(newWork{Status: status, Body: body}, "", by, now)
		})
	return err
}

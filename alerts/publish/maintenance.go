package publish

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Bounds of maintenances.
const (
	maxPlanned = 90 * 24 * time.Hour  // from begin to end
	maxAhead   = 730 * 24 * time.Hour // from now to the begin
	maxRemind  = 30 * 24 * time.Hour
)

// planned is a maintenance as it is stored: what is shown, and what is needed to go on with it.
type planned struct {
	quality.Maintenance
	Pending  []quality.Notice `json:"pending,omitempty"`  // not yet given to subscribers
	Reminded bool             `json:"reminded,omitempty"` // subscribers were
	Keys     []usedKey        `json:"keys,omitempty"`     // of requests that made an update, oldest first
}

func (p planned) clone() planned {
	p.Updates, p.Pending, p.Keys = slices.Clone(p.Updates), slices.Clone(p.Pending), slices.Clone(p.Keys)
	return p
}

// works is the order of a maintenance's life.
var works = []quality.MaintenanceStatus{quality.MaintenanceScheduled, quality.MaintenanceInProgress, quality.MaintenanceVerifying, quality.MaintenanceCompleted}

// checkWork refuses moves that are not allowed: forward is free, back is only from verifying to in progress.
func checkWork(from, to quality.MaintenanceStatus) error {
	a, b := slices.Index(works, from), slices.Index(works, to)
	switch {
	case b < 0:
		return quality.Errorf(quality.KindInvalid, "status: %.40q is none (want scheduled, in_progress, verifying or completed)", to)
	case from == quality.MaintenanceCompleted && to != from:
		return quality.Errorf(quality.KindConflict, "the maintenance is completed: plan a new one")
	case b < a && from != quality.MaintenanceVerifying || b == 0 && a > 0:
		return quality.Errorf(quality.KindConflict, "a maintenance does not go back from %s to %s", from, to)
	}
	return nil
}

// checkPlan refuses times that cannot be meant.
func checkPlan(m quality.Maintenance, now time.Time) error {
	switch {
	case m.From.IsZero() || m.To.IsZero():
		return quality.Errorf(quality.KindInvalid, "from, to: required")
	case !m.To.After(m.From):
		return quality.Errorf(quality.KindInvalid, "to: want a time after from")
	case m.To.Sub(m.From) > maxPlanned:
		return quality.Errorf(quality.KindInvalid, "to: want at most %d days after from", maxPlanned/(24*time.Hour))
	case m.From.Sub(now) > maxAhead:
		return quality.Errorf(quality.KindInvalid, "from: want at most two years from now")
	case !m.To.After(now):
		return quality.Errorf(quality.KindInvalid, "to: want a time to come")
	}
	return checkRemind(m.Remind)
}

func checkRemind(before time.Duration) error {
	if before < 0 || before > maxRemind {
		return quality.Errorf(quality.KindInvalid, "remind: want 0s to 720h")
	}
	return nil
}

// say adds an update to the timeline and tells subscribers. by is nil where the clock did it.
func (p *planned) say(status quality.MaintenanceStatus, body string, by *quality.Actor, now time.Time) quality.MaintenanceUpdate {
	u := quality.MaintenanceUpdate{ID: fmt.Sprintf("%s_%d", p.ID, len(p.Updates)+1), Status: status, Body: body, At: now, By: by}
	what := quality.NoticeUpdated
	switch {
	case len(p.Updates) == 0:
		what = quality.NoticeScheduled
	case status == quality.MaintenanceCompleted && p.Status != status:
		what, p.CompletedAt = quality.NoticeCompleted, &now
	case status != quality.MaintenanceScheduled && p.Status == quality.MaintenanceScheduled:
		what, p.StartedAt = quality.NoticeStarted, &now
	}
	p.Status, p.UpdatedAt = status, now
	p.Updates = append(p.Updates, u)
	p.tell(what, u.ID, now)
	return u
}

func (p *planned) tell(what quality.NoticeWhat, update string, now time.Time) {
	id := fmt.Sprintf("%s/%s/%s", p.ID, what, update)
	if what == quality.NoticeReminder { // of every begin one
		id = fmt.Sprintf("%s/%s/%d", p.ID, what, p.From.Unix())
	}
	p.Pending = append(p.Pending, quality.Notice{ID: id, Kind: quality.NoticeMaintenance, Maintenance: p.ID, Update: update,
		Features: p.Features, What: what, At: now})
}

// next is when the maintenance needs attention; nil means never.
func (p *planned) next() *time.Time {
	if len(p.Pending) > 0 {
		return &time.Time{}
	}
	var next *time.Time
	soonest := func(at time.Time) {
		if next == nil || at.Before(*next) {
			next = &at
		}
	}
	if p.owesReminder() {
		soonest(p.From.Add(-p.Remind))
	}
	switch {
	case !p.Auto || p.Over():
	case p.Status == quality.MaintenanceScheduled:
		soonest(p.From)
	default:
		soonest(p.To)
	}
	return next
}

func (p *planned) owesReminder() bool {
	return p.Remind > 0 && !p.Reminded && p.Status == quality.MaintenanceScheduled
}

// byClock does what the clock does to a maintenance, and reports whether it did anything.
func (p *planned) byClock(now time.Time) bool {
	switch {
	case p.Auto && p.Status == quality.MaintenanceScheduled && !p.From.After(now):
		p.say(quality.MaintenanceInProgress, "The maintenance has begun.", nil, now)
	case p.Auto && !p.Over() && p.Status != quality.MaintenanceScheduled && !p.To.After(now):
		p.say(quality.MaintenanceCompleted, "The maintenance is completed.", nil, now)
	case p.owesReminder() && !p.From.Add(-p.Remind).After(now):
		p.Reminded = true
		if p.From.After(now) { // who is reminded afterwards is not reminded
			p.tell(quality.NoticeReminder, "", now)
		}
	default:
		return false
	}
	return true
}

// maintenanceDue does one thing that is due of a maintenance.
func (d *Desk) maintenanceDue(ctx context.Context, id string, now time.Time) error {
	p, rev, err := d.maintenances.must(ctx, id)
	if err != nil {
		d.planned.forget(id)
		if quality.KindOf(err) == quality.KindNotFound {
			return nil
		}
		return err
	}
	if err := d.give(ctx, p.Pending); err != nil {
		return err
	}
	given, by := p.Pending, ruleActor()
	changed := false
	p, err = d.maintenances.edit(ctx, id, func(old *planned) (*planned, error) {
		if old == nil {
			return nil, nil
		}
		next := old.clone()
		next.Pending = without(next.Pending, given)
		changed = next.byClock(now)
		if !changed && len(given) == 0 {
			return nil, nil
		}
		d.preparePlanned(&next)
		if !changed {
			return &next, nil
		}
		return &next, d.audit(ctx, fmt.Sprintf("%s/clock/%d", id, len(next.Updates)), by, now,
			action{name: "maintenance." + string(next.Status), object: "maintenance/" + id, detail: "by the clock"})
	})
	if err == nil && p != nil && !changed && len(given) == 0 {
		d.planned.rest(id, rev, p.next())
	}
	return err
}

func (d *Desk) preparePlanned(p *planned) {
	if d.o.Notify == nil {
		p.Pending = nil
	}
}

// actPlanned changes a maintenance as a person asked.
func (d *Desk) actPlanned(ctx context.Context, id string, a action, change func(p *planned, by quality.Actor, now time.Time) error) (*planned, error) {
	if d.o.Maintenances == nil {
		return nil, quality.Errorf(quality.KindNotFound, "there are no maintenances here")
	}
	by, now, entry := d.o.Actor(ctx), d.o.Now(), newID("aud")
	if err := person(by, "change a maintenance, which customers read"); err != nil {
		return nil, err
	}
	p, err := d.maintenances.edit(ctx, id, func(old *planned) (*planned, error) {
		if old == nil {
			return nil, quality.Errorf(quality.KindNotFound, "no maintenance %q", id)
		}
		p := old.clone()
		if err := change(&p, by, now); err != nil {
			return nil, err
		}
		d.preparePlanned(&p)
		a.object = "maintenance/" + id
		return &p, d.audit(ctx, entry, by, now, a)
	})
	if errors.Is(err, errSame) {
		return p, nil
	}
	if err == nil {
		d.did(a, id, by)
	}
	return p, err
}

// planText tells when, in the zone of the page.
func planText(m quality.Maintenance, loc *time.Location) string {
	return fmt.Sprintf("The maintenance is now planned from %s to %s.", clock(m.From, loc), clock(m.To, loc))
}

func clock(t time.Time, loc *time.Location) string { return t.In(loc).Format("15:04 MST on 2 January") }

// titlesOf are the names of features that customers know.
func (d *Desk) titlesOf(features []string) string {
	out := make([]string, len(features))
	for i, f := range features {
		if out[i] = d.titles[f]; out[i] == "" {
			out[i] = f
		}
	}
	return strings.Join(out, ", ")
}

package publish

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/wording"
)

// newMaintenance is what POST /v1/maintenances takes.
type newMaintenance struct {
	Name     string    `json:"name"`
	Features []string  `json:"features"`
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Body     string    `json:"body"` // Markdown; empty: the template
	Auto     bool      `json:"auto"`
	Remind   string    `json:"remind"` // how long before subscribers are reminded, such as 24h; empty: they are not
	Owner    string    `json:"owner"`
}

// replan is what PATCH /v1/maintenances/:id takes; what is absent stays.
type replan struct {
	Name     *string    `json:"name"`
	Features []string   `json:"features"`
	From     *time.Time `json:"from"`
	To       *time.Time `json:"to"`
	Auto     *bool      `json:"auto"`
	Remind   *string    `json:"remind"`
	Owner    *string    `json:"owner"`
}

// newWork is what POST /v1/maintenances/:id/updates takes.
type newWork struct {
	Status quality.MaintenanceStatus `json:"status"` // default: as it is
	Body   string                    `json:"body"`
}

func remind(s string) (time.Duration, error) {
	if s == "" {
		return 0, nil
	}
	v, err := time.ParseDuration(s)
	if err != nil {
		return 0, quality.Errorf(quality.KindInvalid, "remind: %.40q is no duration (want one such as 24h)", s)
	}
	return v, nil
}

func (d *Desk) serveMaintenances(g *gin.Context) error {
	all := []planned{}
	if d.o.Maintenances != nil {
		var err error
		if all, err = d.maintenances.all(g.Request.Context()); err != nil {
			return err
		}
	}
	slices.SortFunc(all, func(a, b planned) int { return cmp.Or(b.From.Compare(a.From), cmp.Compare(a.ID, b.ID)) })
	out := make([]quality.Maintenance, 0, len(all))
	for _, p := range all[:min(len(all), listMost)] {
		out = append(out, p.Maintenance)
	}
	g.JSON(http.StatusOK, gin.H{"maintenances": out, "more": max(len(all)-listMost, 0)})
	return nil
}

func answerPlanned(g *gin.Context, status int, p *planned, err error) error {
	if err != nil {
		return err
	}
	g.JSON(status, gin.H{"maintenance": p.Maintenance})
	return nil
}

func (d *Desk) serveMaintenance(g *gin.Context) error {
	if d.o.Maintenances == nil {
		return quality.Errorf(quality.KindNotFound, "there are no maintenances here")
	}
	p, err := d.maintenances.get(g.Request.Context(), g.Param("id"))
	return answerPlanned(g, http.StatusOK, p, err)
}

func (d *Desk) servePlan(g *gin.Context) error {
	var in newMaintenance
	if err := read(g, &in); err != nil {
		return err
	}
	key, err := d.idempotency(g)
	if err != nil {
		return err
	}
	p, err := d.plan(g.Request.Context(), in, key)
	return answerPlanned(g, http.StatusCreated, p, err)
}

// plan makes a maintenance, which customers see at once.
func (d *Desk) plan(ctx context.Context, in newMaintenance, key string) (*planned, error) {
	by, now, entry := d.o.Actor(ctx), d.o.Now(), newID("aud")
	id := newID("mnt")
	if key != "" {
		id = "mnt_" + key
	}
	if d.o.Maintenances == nil {
		return nil, quality.Errorf(quality.KindNotFound, "there are no maintenances here")
	}
	p, err := d.plannedOf(id, in, by, now)
	if err != nil {
		return nil, err
	}
	a := action{name: "maintenance.scheduled", object: "maintenance/" + id, detail: in.Name}
	made := false
	stored, err := d.maintenances.edit(ctx, id, func(old *planned) (*planned, error) {
		if made = old == nil; !made {
			return nil, nil
		}
		d.preparePlanned(p)
		return p, d.audit(ctx, entry, by, now, a)
	})
	if err == nil && made {
		d.did(a, id, by)
	}
	return stored, err
}

func (d *Desk) plannedOf(id string, in newMaintenance, by quality.Actor, now time.Time) (*planned, error) {
	before, err := remind(in.Remind)
	if err != nil {
		return nil, err
	}
	m := quality.Maintenance{ID: id, Name: in.Name, Features: in.Features, Status: quality.MaintenanceScheduled, From: in.From, To: in.To,
		Auto: in.Auto, Remind: before, Owner: in.Owner, CreatedAt: now}
	if err := firstOf(person(by, "plan a maintenance, which customers read"), checkName(in.Name), d.checkFeatures(in.Features),
		checkPlan(m, now), checkShort("owner", in.Owner)); err != nil {
		return nil, err
	}
	if strings.TrimSpace(in.Body) == "" {
		f := wording.Fields{Name: m.Name, Feature: d.titlesOf(m.Features), Owner: m.Owner, From: clock(m.From, d.o.Location), To: clock(m.To, d.o.Location)}
		if in.Body, err = d.o.Templates.Fill(wording.Maintenance, f); err != nil {
			return nil, err
		}
	}
	if err := checkBody(in.Body); err != nil {
		return nil, err
	}
	p := &planned{Maintenance: m}
	p.say(quality.MaintenanceScheduled, in.Body, &by, now)
	return p, nil
}

func (d *Desk) serveReplan(g *gin.Context) error {
	var in replan
	if err := read(g, &in); err != nil {
		return err
	}
	p, err := d.actPlanned(g.Request.Context(), g.Param("id"), action{name: "maintenance.changed"}, func(p *planned, by quality.Actor, now time.Time) error {
		return d.replan(p, in, by, now)
	})
	return answerPlanned(g, http.StatusOK, p, err)
}

// replan changes a maintenance that is not over. Subscribers hear of other times.
func (d *Desk) replan(p *planned, in replan, by quality.Actor, now time.Time) error {
	if p.Over() {
		return quality.Errorf(quality.KindConflict, "the maintenance is completed: plan a new one")
	}
	before := p.Maintenance
	set(&p.Name, in.Name)
	set(&p.From, in.From)
	set(&p.To, in.To)
	set(&p.Auto, in.Auto)
	set(&p.Owner, in.Owner)
	if in.Features != nil {
		p.Features = in.Features
	}
	if in.Remind != nil {
		v, err := remind(*in.Remind)
		if err != nil {
			return err
		}
		p.Remind = v
	}
	moved := !p.From.Equal(before.From) || !p.To.Equal(before.To)
	if moved && p.Status != quality.MaintenanceScheduled && !p.From.Equal(before.From) {
		return quality.Errorf(quality.KindConflict, "from: the maintenance has begun")
	}
	if err := firstOf(checkName(p.Name), d.checkFeatures(p.Features), checkShort("owner", p.Owner), checkRemind(p.Remind)); err != nil {
		return err
	}
	p.UpdatedAt = now
	if !moved {
		return nil
	}
	if err := checkPlan(p.Maintenance, now); err != nil {
		return err
	}
	p.Reminded = false
	p.say(p.Status, planText(p.Maintenance, d.o.Location), &by, now)
	return nil
}

// set takes a value where one is given.
func set[T any](to, given *T) {
	if given != nil {
		*to = *given
	}
}

func (d *Desk) serveMaintenanceUpdate(g *gin.Context) error {
	var in newWork
	if err := firstOf(read(g, &in), checkBody(in.Body)); err != nil {
		return err
	}
	key, err := d.idempotency(g)
	if err != nil {
		return err
	}
	p, err := d.actPlanned(g.Request.Context(), g.Param("id"), action{name: "maintenance.updated", detail: string(in.Status)},
		func(p *planned, by quality.Actor, now time.Time) error { return p.work(in, key, by, now) })
	return answerPlanned(g, http.StatusOK, p, err)
}

// work adds an update of a person. The same key again changes nothing.
func (p *planned) work(in newWork, key string, by quality.Actor, now time.Time) error {
	if used(p.Keys, key) {
		return errSame
	}
	if in.Status == "" {
		in.Status = p.Status
	}
	if err := checkWork(p.Status, in.Status); err != nil {
		return err
	}
	if len(p.Updates) >= maxUpdates/10 {
		return quality.Errorf(quality.KindTooLarge, "maintenance %q holds %d updates: no more fit", p.ID, len(p.Updates))
	}
	u := p.say(in.Status, in.Body, &by, now)
	p.Keys = remember(p.Keys, key, u.ID)
	return nil
}

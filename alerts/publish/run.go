package publish

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// How often the desk looks at the clock, and how often at all documents: another process may have changed them.
const (
	lookEvery = time.Second
	readEvery = time.Hour
	// waitAfter is how long a document rests of which something failed.
	waitAfter = 5 * time.Second
)

// agenda knows when each document needs attention next. What was read or stored earlier does not undo what came
// later: those who store a document one after the other may note it the other way round.
type agenda struct {
	mu   *sync.Mutex
	of   map[string]due
	wake chan struct{}
}

// due is when a document needs attention as it is at a revision; nil means never.
type due struct {
	rev uint64
	at  *time.Time
}

func newAgenda() agenda {
	return agenda{mu: &sync.Mutex{}, of: map[string]due{}, wake: make(chan struct{}, 1)}
}

// rest notes when a document is due that was just looked at.
func (a agenda) rest(id string, rev uint64, at *time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if rev >= a.of[id].rev {
		a.of[id] = due{rev, at}
	}
}

// set notes when a document is due that was read or stored, and has somebody look where it is news.
func (a agenda) set(id string, rev uint64, at *time.Time) {
	a.mu.Lock()
	old, known := a.of[id]
	if known && rev <= old.rev {
		a.mu.Unlock()
		return
	}
	a.of[id] = due{rev, at}
	a.mu.Unlock()
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// later has a document rest until a time.
func (a agenda) later(id string, at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.of[id] = due{a.of[id].rev, &at}
}

// forget drops a document that is gone; whoever makes it again notes it again.
func (a agenda) forget(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.of, id)
}

func (a agenda) due(now time.Time) (ids []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for id, d := range a.of {
		if d.at != nil && !d.at.After(now) {
			ids = append(ids, id)
		}
	}
	return ids
}

// next is when the incident needs attention: at once where notices wait, else when a rule publishes it or a
// promised update is overdue. Nil means never.
func (r *Record) next() *time.Time {
	if len(r.Pending) > 0 {
		return &time.Time{}
	}
	var next *time.Time
	if r.PublishAt != nil && !r.Public() && r.Open() {
		next = r.PublishAt
	}
	if at := r.promised(); at != nil && (next == nil || at.Before(*next)) {
		next = at
	}
	return next
}

// promised is when an update is owed of which nobody was reminded.
func (r *Record) promised() *time.Time {
	if r.NextUpdate == nil || !r.Open() || r.Reminded != nil && r.Reminded.Equal(*r.NextUpdate) {
		return nil
	}
	return r.NextUpdate
}

// Run publishes by rules, gives notices to subscribers, reminds owners and moves maintenances on, until ctx ends.
// What it has to do follows from the documents alone, so that it goes on after a restart where it was.
func (d *Desk) Run(ctx context.Context) error {
	look, read := time.NewTicker(lookEvery), time.NewTicker(readEvery)
	defer look.Stop()
	defer read.Stop()
	known := d.readAll(ctx)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-read.C:
			known = d.readAll(ctx)
		case <-look.C:
			if !known {
				known = d.readAll(ctx)
			}
		case <-d.due.wake:
		case <-d.planned.wake:
		}
		d.work(ctx)
	}
}

// readAll reads every document, which fills the agendas, and reports whether it could.
func (d *Desk) readAll(ctx context.Context) bool {
	_, err := d.incidents.all(ctx)
	if err == nil && d.maintenances.kv != nil {
		_, err = d.maintenances.all(ctx)
	}
	if err != nil && ctx.Err() == nil {
		d.o.Logger.Warn("incidents and maintenances cannot be read, trying again", "err", err)
	}
	return err == nil
}

func (d *Desk) work(ctx context.Context) {
	now := d.o.Now()
	for _, id := range d.due.due(now) {
		d.attend(ctx, d.due, id, d.incidentDue, now)
	}
	for _, id := range d.planned.due(now) {
		d.attend(ctx, d.planned, id, d.maintenanceDue, now)
	}
}

// attend does what is due; where it fails the document rests a little.
func (d *Desk) attend(ctx context.Context, a agenda, id string, do func(context.Context, string, time.Time) error, now time.Time) {
	if ctx.Err() != nil {
		return
	}
	if err := do(ctx, id, now); err != nil && ctx.Err() == nil {
		d.o.Logger.Warn("what is due could not be done, trying again", "id", id, "err", err)
		a.later(id, now.Add(waitAfter))
	}
}

// incidentDue does one thing that is due of an incident; the store that follows notes what is due next.
func (d *Desk) incidentDue(ctx context.Context, id string, now time.Time) error {
	r, rev, err := d.incidents.must(ctx, id)
	if err != nil {
		d.due.forget(id)
		if quality.KindOf(err) == quality.KindNotFound {
			return nil
		}
		return err
	}
	switch at := r.promised(); {
	case len(r.Pending) > 0:
		return d.announce(ctx, r)
	case r.due(now):
		return d.ruleDue(ctx, id, now)
	case at != nil && !at.After(now):
		return d.remind(ctx, r, *at)
	default:
		d.due.rest(id, rev, r.next())
		return nil
	}
}

// announce gives the notices to subscribers and then forgets them. After a crash in between they are given again,
// under the same ids.
func (d *Desk) announce(ctx context.Context, r *Record) error {
	if err := d.give(ctx, r.Pending); err != nil {
		return err
	}
	_, err := d.incidents.edit(ctx, r.ID, func(old *Record) (*Record, error) {
		if old == nil {
			return nil, nil
		}
		next := old.clone()
		next.Pending = without(next.Pending, r.Pending)
		return &next, nil
	})
	return err
}

func (d *Desk) give(ctx context.Context, notices []quality.Notice) error {
	for _, n := range notices {
		if d.o.Notify == nil {
			return nil
		}
		if err := d.o.Notify(ctx, n); err != nil {
			return fmt.Errorf("giving notice %q to subscribers: %w", n.ID, err)
		}
		d.metrics.notices.WithLabelValues(string(n.Kind), string(n.What)).Inc()
	}
	return nil
}

func without(all, given []quality.Notice) (rest []quality.Notice) {
	done := map[string]bool{}
	for _, n := range given {
		done[n.ID] = true
	}
	for _, n := range all {
		if !done[n.ID] {
			rest = append(rest, n)
		}
	}
	return rest
}

// ruleDue lets the rule publish. It looks again at what is stored when it writes, so that a veto that came in
// between holds.
func (d *Desk) ruleDue(ctx context.Context, id string, now time.Time) error {
	var published bool
	var reason string
	by, a := ruleActor(), action{name: "incident.published", object: "incident/" + id}
	_, err := d.incidents.edit(ctx, id, func(old *Record) (*Record, error) {
		published = false
		if old == nil || !old.due(now) {
			return nil, nil
		}
		r := old.clone()
		if published, reason = publishByRule(&r, now); !published {
			return &r, nil
		}
		a.detail = reason
		d.prepare(&r)
		return &r, d.audit(ctx, id+"/published/"+old.PublishAt.UTC().Format(time.RFC3339Nano), by, now, a)
	})
	switch {
	case err != nil:
		return err
	case published:
		d.did(a, id, by)
	case reason != "":
		d.o.Logger.Warn("incident not published by its rule; a person has to", "id", id, "reason", reason)
	}
	return nil
}

// remind tells people inside that an update was promised, once for each promise.
func (d *Desk) remind(ctx context.Context, r *Record, promised time.Time) error {
	if d.o.Overdue != nil {
		if err := d.o.Overdue(ctx, *r); err != nil {
			return fmt.Errorf("reminding of incident %q: %w", r.ID, err)
		}
	}
	d.metrics.overdue.Inc()
	_, err := d.incidents.edit(ctx, r.ID, func(old *Record) (*Record, error) {
		if old == nil {
			return nil, nil
		}
		next := old.clone()
		next.Reminded = &promised
		return &next, nil
	})
	return err
}

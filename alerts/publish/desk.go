package publish

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/wording"
)

// Options configures a Desk. Incidents is required.
type Options struct {
	Features     []quality.Feature
	Incidents    KV
	Maintenances KV // nil: there are none, and none can be made
	Rules        Rules
	Templates    wording.Templates
	Location     *time.Location   // of times in texts; nil means UTC
	Now          func() time.Time // nil means time.Now

	// Actor tells who acts in a request; nil means that a machine does, which may publish nothing.
	Actor func(ctx context.Context) quality.Actor
	// May reports whether the person who acts in a request may do what is for a role; nil means that everybody may.
	// Routes ask for a role before; it is asked again where a request does more than its route is for.
	May func(ctx context.Context, least quality.Role) bool
	// Audit writes down what somebody is about to do; what it refuses does not happen. It may be called twice with
	// one entry, which then has the same id. Nil writes nothing.
	Audit func(ctx context.Context, e quality.Audited) error
	// Notify gives a notice to subscribers. It may be called twice with one notice, which then has the same id. Nil
	// means that there are none.
	Notify func(ctx context.Context, n quality.Notice) error
	// Overdue tells people inside that an update was promised and did not come. It may be called twice for one promise.
	Overdue func(ctx context.Context, r Record) error
	Changed func() // called after a document changed; may be nil

	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

func (o *Options) defaults() error {
	if o.Incidents == nil {
		return errors.New("publish: Incidents is required")
	}
	if o.Location == nil {
		o.Location = time.UTC
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Actor == nil {
		o.Actor = func(context.Context) quality.Actor {
			return quality.Actor{Kind: quality.ActorMachine, ID: "unknown", Credential: "loopback"}
		}
	}
	if o.May == nil {
		o.May = func(context.Context, quality.Role) bool { return true }
	}
	if o.Audit == nil {
		o.Audit = func(context.Context, quality.Audited) error { return nil }
	}
	if o.Changed == nil {
		o.Changed = func() {}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Registerer == nil {
		o.Registerer = prometheus.NewRegistry()
	}
	return nil
}

// Desk is where incidents and maintenances are edited and published. It is safe for concurrent use.
type Desk struct {
	o            Options
	titles       map[string]string
	metrics      *metrics
	incidents    book[Record]
	maintenances book[planned]
	due          agenda // of incidents
	planned      agenda // of maintenances
	outages      outages
	unreadable   sync.Map
}

// New makes a desk. It reads nothing yet.
func New(o Options) (*Desk, error) {
	if err := o.defaults(); err != nil {
		return nil, err
	}
	m, err := newMetrics(o.Registerer)
	if err != nil {
		return nil, err
	}
	d := &Desk{o: o, titles: map[string]string{}, metrics: m, due: newAgenda(), planned: newAgenda(), outages: outages{of: map[string]noted{}}}
	for _, f := range o.Features {
		d.titles[f.Name] = f.Title
		if f.Title == "" {
			d.titles[f.Name] = f.Name
		}
	}
	d.incidents = book[Record]{kv: o.Incidents, what: "incident", bad: d.bad, kept: o.Changed, seen: func(r *Record, rev uint64) {
		d.outages.note(r, rev)
		d.due.set(r.ID, rev, r.next())
	}}
	d.maintenances = book[planned]{kv: o.Maintenances, what: "maintenance", bad: d.bad, kept: o.Changed, seen: func(p *planned, rev uint64) {
		d.planned.set(p.ID, rev, p.next())
	}}
	return d, nil
}

// bad tells once of a document that cannot be read, and counts it every time.
func (d *Desk) bad(id string, err error) {
	d.metrics.bad.Inc()
	if _, told := d.unreadable.LoadOrStore(id, true); !told {
		d.o.Logger.Error("document is not readable, and counts as none", "id", id, "err", err)
	}
}

// Edit changes an incident by what was measured. change gets what is stored now, nil where there is nothing
// readable, and returns what to store in its place, nil to leave it. It is called again when somebody else changed
// the incident meanwhile, so nothing that people wrote is lost.
func (d *Desk) Edit(ctx context.Context, id string, change func(old *Record) (*Record, error)) (*Record, error) {
	return d.incidents.edit(ctx, id, func(old *Record) (*Record, error) {
		r, err := change(old)
		if r != nil {
			d.prepare(r)
		}
		return r, err
	})
}

// prepare drops notices where nobody takes them.
func (d *Desk) prepare(r *Record) {
	if d.o.Notify == nil {
		r.Pending = nil
	}
}

// editor refuses people who may not decide what customers see. Machines are refused where that is decided.
func (d *Desk) editor(ctx context.Context, by quality.Actor, what string) error {
	if !by.Human() || d.o.May(ctx, quality.RoleEditor) {
		return nil
	}
	return quality.Errorf(quality.KindForbidden, "to %s needs role %s: ask an administrator", what, quality.RoleEditor)
}

// errSame says that there is nothing to change.
var errSame = errors.New("it is so already")

// action is what somebody does to a document.
type action struct {
	name   string // in the audit log, such as incident.published
	object string
	detail string
}

// act changes an incident as somebody asked. What is refused is not written down, and what cannot be written down
// does not happen.
func (d *Desk) act(ctx context.Context, id string, a action, change func(r *Record, by quality.Actor, now time.Time) error) (*Record, error) {
	by, now, entry := d.o.Actor(ctx), d.o.Now(), newID("aud")
	r, err := d.incidents.edit(ctx, id, func(old *Record) (*Record, error) {
		if old == nil {
			return nil, quality.Errorf(quality.KindNotFound, "no incident %q", id)
		}
		r := old.clone()
		if err := change(&r, by, now); err != nil {
			return nil, err
		}
		d.prepare(&r)
		a.object = "incident/" + id
		return &r, d.audit(ctx, entry, by, now, a)
	})
	if errors.Is(err, errSame) {
		return r, nil
	}
	if err == nil {
		d.did(a, id, by)
	}
	return r, err
}

func (d *Desk) audit(ctx context.Context, entry string, by quality.Actor, now time.Time, a action) error {
	return d.o.Audit(ctx, quality.Audited{ID: entry, At: now, Actor: by, Action: a.name, Object: a.object, Detail: a.detail})
}

func (d *Desk) did(a action, id string, by quality.Actor) {
	d.metrics.actions.WithLabelValues(a.name, string(by.Kind)).Inc()
	d.o.Logger.Info(a.name, "id", id, "by", by.String())
}

// newID makes an id that sorts by time.
func newID(prefix string) string { return prefix + "_" + ulid.Make().String() }

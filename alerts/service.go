// Package alerts turns what went wrong into incidents that customers can read and messages that reach a
// person: it grades regressions, keeps the timeline of incidents, and delivers signed webhooks through an
// outbox that survives crashes.
//
// It owns severities, incidents, their texts and deliveries. It finds no regression itself and draws no
// page.
package alerts

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/asgood-dev/asgood/alerts/publish"
	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/webhook"
	"github.com/asgood-dev/asgood/internal/wording"
)

// Message is one message of the stream of events: a quality.Event as JSON.
type Message struct {
	Seq  uint64
	Data []byte
}

// Batch is some messages that follow each other in the stream.
type Batch struct {
	First, Last uint64
	Messages    []Message
}

// Source is the durable stream of events. What is not committed comes again.
type Source interface {
	Next(ctx context.Context) (Batch, error)
	Commit(ctx context.Context, b Batch) error
}

// KV stores documents by key. Get of a missing key is an error of kind not found; Create of a present
// one, and Update of an old revision, are conflicts.
type KV interface {
	Get(ctx context.Context, key string) (data []byte, rev uint64, err error)
	Create(ctx context.Context, key string, data []byte) (rev uint64, err error)
	Put(ctx context.Context, key string, data []byte) (rev uint64, err error)
	Update(ctx context.Context, key string, data []byte, rev uint64) (newRev uint64, err error)
	Delete(ctx context.Context, key string) error
	Keys(ctx context.Context) ([]string, error)
}

// Explained tells, for people inside, what made a regression: nothing while it is not explained. It must not
// wait: the message goes out without it.
type Explained func(ctx context.Context, regression string) []string

// Options configures a Service. Source, Incidents and Outbox are required.
type Options struct {
	Features   []quality.Feature
	Receivers  []quality.Receiver
	Source     Source
	Incidents  KV
	Outbox     KV
	PageURL    string            // of the status page, for links
	Location   *time.Location    // of times in texts; nil means UTC
	Now        func() time.Time  // time of incidents; nil means time.Now
	Clock      func() time.Time  // time of deliveries, which is real also where incidents are simulated
	Changed    func()            // called after an incident changed; may be nil
	Explained  Explained         // what made a regression; nil means that it is not told
	Transport  http.RoundTripper // of webhooks; nil means one of its own
	Logger     *slog.Logger
	Registerer prometheus.Registerer

	// Publishing, as in publish.Options.
	Maintenances KV
	Publish      []quality.PublishRule // empty: only people publish
	Templates    wording.Templates
	UpdateEvery  time.Duration // after which texts made of figures promise the next update; 0 promises none
	Actor        func(ctx context.Context) quality.Actor
	May          func(ctx context.Context, least quality.Role) bool
	Audit        func(ctx context.Context, e quality.Audited) error
	Notify       func(ctx context.Context, n quality.Notice) error
}

func (o *Options) defaults() error {
	if o.Source == nil || o.Incidents == nil || o.Outbox == nil {
		return errors.New("alerts: Source, Incidents and Outbox are required")
	}
	if o.Location == nil {
		o.Location = time.UTC
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Explained == nil {
		o.Explained = func(context.Context, string) []string { return nil }
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
	o.Logger = o.Logger.With("component", "alerts")
	return nil
}

// Service keeps incidents and delivers messages about them.
type Service struct {
	o        Options
	features map[string]feature
	titles   map[string]string
	metrics  *metrics
	outbox   *outbox
	desk     *publish.Desk
}

// New builds a service. A receiver that cannot be used is an error that names it.
func New(o Options) (*Service, error) {
	if err := o.defaults(); err != nil {
		return nil, err
	}
	for _, r := range o.Receivers {
		if r.Webhook == nil {
			return nil, quality.Errorf(quality.KindInvalid, "receiver %q: no channel", r.Name)
		}
		if err := webhook.CheckSecret(r.Webhook.Secret); err != nil {
			return nil, quality.Errorf(quality.KindInvalid, "receiver %q: webhook secret: %w", r.Name, err)
		}
	}
	m, err := newMetrics(o.Registerer)
	if err != nil {
		return nil, err
	}
	s := &Service{o: o, features: map[string]feature{}, titles: map[string]string{}, metrics: m}
	for _, f := range o.Features {
		s.titles[f.Name] = f.Title
		s.features[f.Name] = feature{f.Name, or(f.Title, f.Name), f.Advice}
	}
	s.outbox = newOutbox(o, m)
	s.desk, err = s.newDesk()
	return s, err
}

func (s *Service) newDesk() (*publish.Desk, error) {
	o := publish.Options{
		Features: s.o.Features, Incidents: s.o.Incidents, Rules: s.o.Publish, Templates: s.o.Templates, Location: s.o.Location, Now: s.o.Now,
		Actor: s.o.Actor, May: s.o.May, Audit: s.o.Audit, Notify: s.o.Notify, Overdue: s.overdue, Changed: s.o.Changed, Logger: s.o.Logger, Registerer: s.o.Registerer,
	}
	if s.o.Maintenances != nil { // an interface that holds nil is not nil
		o.Maintenances = s.o.Maintenances
	}
	return publish.New(o)
}

// Register adds the routes by which incidents and maintenances are read and edited.
func (s *Service) Register(r gin.IRouter) { s.desk.Register(r) }

// overdue tells people inside that an update was promised and did not come.
func (s *Service) overdue(ctx context.Context, r publish.Record) error {
	if err := s.outbox.addOverdue(ctx, r); err != nil {
		return err
	}
	s.metrics.incidents.WithLabelValues(string(r.Kind), string(noticeOverdue)).Inc()
	return nil
}

// Run works until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	if err := s.persist(ctx, "reading the outbox", s.outbox.load); err != nil {
		return nil // only the end of ctx is an error of persist
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.outbox.run(ctx) })
	g.Go(func() error { return s.consume(ctx) })
	g.Go(func() error { return s.desk.Run(ctx) })
	return g.Wait()
}

// consume works through the events. A batch is committed when all that it led to is stored.
func (s *Service) consume(ctx context.Context) error {
	for {
		var b Batch
		err := s.persist(ctx, "reading events", func(ctx context.Context) (err error) {
			b, err = s.o.Source.Next(ctx)
			return err
		})
		if err != nil {
			return nil
		}
		for _, m := range b.Messages {
			if err := s.persist(ctx, "storing an incident", func(ctx context.Context) error { return s.take(ctx, m) }); err != nil {
				return nil
			}
		}
		if err := s.persist(ctx, "committing events", func(ctx context.Context) error { return s.o.Source.Commit(ctx, b) }); err != nil {
			return nil
		}
	}
}

func (s *Service) take(ctx context.Context, m Message) error {
	var ev quality.Event
	if err := json.Unmarshal(m.Data, &ev); err != nil {
		// It was written by us; if it cannot be read now it never will be.
		s.metrics.bad.Inc()
		s.o.Logger.Error("event is not readable", "seq", m.Seq, "err", err)
		return nil
	}
	switch {
	case ev.Regression != nil:
		return s.regression(ctx, *ev.Regression)
	case ev.Probe != nil:
		return s.probe(ctx, m.Seq, *ev.Probe)
	case ev.Change != nil:
		return s.change(ctx, *ev.Change)
	case ev.Monitor != nil:
		return s.monitor(ctx, *ev.Monitor)
	}
	return nil
}

func (s *Service) feature(name string) feature {
	if f, known := s.features[name]; known {
		return f
	}
	return feature{name: name, title: name}
}

func (s *Service) surroundings() surroundings {
	return surroundings{loc: s.o.Location, rules: s.o.Publish, words: s.o.Templates, every: s.o.UpdateEvery}
}

func (s *Service) regression(ctx context.Context, ev quality.RegressionEvent) error {
	return s.store(ctx, incidentOf(ev.Regression.ID), func(old *record) (record, notice, bool) {
		rec, what := applyRegression(old, s.feature(ev.Regression.Feature), ev, s.surroundings(), s.o.Now())
		return rec, what, true
	})
}

func (s *Service) probe(ctx context.Context, seq uint64, p quality.ProbeStatus) error {
	all, err := s.desk.Outages(ctx, p.Feature)
	if err != nil {
		return err
	}
	id, found := downIncident(p.Feature, p.Since), false
	for _, o := range all {
		if heard(o, seq, p) || o.Over && o.ID == downIncident(p.Feature, p.Since) {
			return nil // the event came again
		}
		if o.Open && (!found || o.ID > id) { // there is one, or people made it so
			id, found = o.ID, true
		}
	}
	gone := false
	err = s.store(ctx, id, func(old *record) (record, notice, bool) {
		// Somebody may have resolved it meanwhile.
		if gone = found && (old == nil || !old.Open()); gone {
			return record{}, "", false
		}
		rec, what, changed := applyProbe(old, s.feature(p.Feature), p, s.surroundings(), s.o.Now())
		rec.Seq = seq
		if p.Since.After(rec.Last) {
			rec.Last = p.Since
		}
		return rec, what, changed
	})
	if err == nil && gone {
		return quality.Errorf(quality.KindConflict, "incident %q was resolved meanwhile", id) // the next try sees it
	}
	return err
}

// change tells of a change that nobody declared or that nobody owns. It makes no incident: nothing is worse yet.
func (s *Service) change(ctx context.Context, c quality.Change) error {
	m := changeMessageOf(c, s.titles, s.o.Location, s.o.Clock())
	if err := s.outbox.addChange(ctx, c.ID, m); err != nil {
		return err
	}
	s.metrics.changes.WithLabelValues(string(m.Type)).Inc()
	s.o.Logger.Info(string(m.Type), "id", c.ID, "layer", c.Layer, "features", c.Features, "owner", c.Owner)
	return nil
}

// monitor tells that a monitor went blind or sees again. It makes no incident: the product may be as good as ever.
func (s *Service) monitor(ctx context.Context, ev quality.MonitorEvent) error {
	m := monitorMessageOf(ev, s.feature(ev.Feature).title, s.o.Location, s.o.Clock())
	if err := s.outbox.addMonitor(ctx, ev, m); err != nil {
		return err
	}
	s.metrics.monitors.WithLabelValues(string(m.Type)).Inc()
	s.o.Logger.Info(string(m.Type), "id", ev.Blindness, "feature", ev.Feature, "metric", ev.Metric, "cause", ev.Cause)
	return nil
}

// store puts the messages into the outbox before it stores the incident: after a crash in between the
// event comes again, leads to the same messages, and they are there already. When somebody else changes the
// incident meanwhile it is decided anew.
func (s *Service) store(ctx context.Context, id string, decide func(old *record) (record, notice, bool)) error {
	var what notice
	var isNew bool
	rec, err := s.desk.Edit(ctx, id, func(old *record) (*record, error) {
		r, told, changed := decide(old)
		if what, isNew = told, old == nil; !changed {
			return nil, nil
		}
		if what != "" {
			if err := s.outbox.add(ctx, r, what); err != nil {
				return nil, err
			}
		}
		return &r, nil
	})
	if err != nil || what == "" {
		return err
	}
	s.metrics.incidents.WithLabelValues(string(rec.Kind), string(what)).Inc()
	s.o.Logger.Info(string(what), "id", rec.ID, "name", rec.Name, "severity", rec.Severity, "public", rec.Public(), "new", isNew)
	return nil
}

// Bounds of the wait between two tries of what must not be given up.
const (
	firstWait   = 100 * time.Millisecond
	longestWait = 10 * time.Second
)

// persist tries until it works or ctx ends, and tells once that it does not.
func (s *Service) persist(ctx context.Context, what string, try func(context.Context) error) error {
	wait := firstWait
	for failures := 0; ; failures++ {
		err := try(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if failures == 0 {
			s.o.Logger.Error("does not work, trying again", "what", what, "err", err)
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
		wait = min(2*wait, longestWait)
	}
}

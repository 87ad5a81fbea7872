// Package subscribe tells those who asked for it what becomes of incidents and maintenances: by e-mail, webhook,
// Slack and Teams, by feature and by kind, with a page of their own to change it.
//
// It owns subscriptions, how they are confirmed, and the way of each notice to each subscriber, once, whatever
// fails in between. It does not decide what is public or worth a notice: it takes notices, and reads what they
// speak of at the time of sending, so that nothing goes out that customers may not see.
//
// Nobody learns from an answer whether an address is subscribed: requests are written down, and answered the
// same, before anything is looked up.
package subscribe

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/asgood-dev/asgood/internal/mail"
	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/webhook"
)

// KV stores documents by key. Get of a missing key is an error of kind not found; Create of a present one, and
// Update of an old revision, are conflicts.
type KV interface {
	Get(ctx context.Context, key string) (data []byte, rev uint64, err error)
	Create(ctx context.Context, key string, data []byte) (rev uint64, err error)
	Update(ctx context.Context, key string, data []byte, rev uint64) (uint64, error)
	Put(ctx context.Context, key string, data []byte) (rev uint64, err error)
	Delete(ctx context.Context, key string) error
	Keys(ctx context.Context) ([]string, error)
}

// Batch is some notices that follow each other in their stream.
type Batch struct {
	First, Last uint64
	Notices     []quality.Notice
}

// Source is the durable stream of notices. What is not committed comes again.
type Source interface {
	Next(ctx context.Context) (Batch, error)
	Commit(ctx context.Context, b Batch) error
}

// Reader reads what notices speak of, by id. What is not there is an error of kind not found.
type Reader interface {
	Incident(ctx context.Context, id string) (quality.Incident, error)
	Maintenance(ctx context.Context, id string) (quality.Maintenance, error)
}

// Mailer hands mails to a relay.
type Mailer interface {
	Send(ctx context.Context, m mail.Message) error
	Domain() string
	Flush()
}

// Offer says which kinds of subscriptions are offered.
type Offer struct{ Email, Webhook, Slack, Teams bool }

// Options configures a Service. Subscribers, Outbox, Reader and Key are required.
type Options struct {
	Title       string // of the status page
	PageURL     string // of the status page, for links
	Features    []quality.Feature
	Offer       Offer
	Location    *time.Location // of times in texts; nil means UTC
	Languages   []string       // of pages and messages, the first for who asks for none; none means English
	Styles      []string       // paths of the status page's style sheets, which the pages load
	Logo        string         // path of its logo; empty: none
	Subscribers KV             // one document for each subscriber
	Outbox      KV             // what is still to be done
	Source      Source         // nil: no notices come
	Reader      Reader
	Mailer      Mailer // nil: no e-mail is offered
	Key         []byte // secret of the installation, at least 32 bytes: ids and tokens are made with it

	// Actor tells who acts on the internal listener; Audit writes down what is done there, before it takes effect.
	Actor func(ctx context.Context) quality.Actor
	Audit func(ctx context.Context, e quality.Audited) error

	Resolver   *net.Resolver     // of the addresses of webhooks; nil means the system's
	Transport  http.RoundTripper // of webhooks; nil means one that reaches public addresses only
	Now        func() time.Time  // nil means time.Now
	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

func (o *Options) defaults() error {
	if o.Subscribers == nil || o.Outbox == nil || o.Reader == nil || len(o.Key) < 32 {
		return errors.New("subscribe: Subscribers, Outbox, Reader and a Key of 32 bytes are required")
	}
	o.PageURL = strings.TrimRight(o.PageURL, "/")
	o.Offer.Email = o.Offer.Email && o.Mailer != nil
	if o.Location == nil {
		o.Location = time.UTC
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Actor == nil {
		o.Actor = func(context.Context) quality.Actor { return quality.Actor{} }
	}
	if o.Audit == nil {
		o.Audit = func(context.Context, quality.Audited) error { return nil }
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Registerer == nil {
		o.Registerer = prometheus.NewRegistry()
	}
	o.Logger = o.Logger.With("component", "subscribe")
	return nil
}

// Service keeps subscriptions and sends notices.
type Service struct {
	o       Options
	titles  map[string]string // of features, by name
	names   []string          // of features
	store   store
	tokens  tokens
	limits  *limits
	asks    *asks
	texts   *texts
	tongues *tongues
	hooks   *webhook.Sender
	lanes   map[Kind]*lane
	pages   *pages
	metrics *metrics

	troubles troubles
}

// New builds a service.
func New(o Options) (*Service, error) {
	if err := o.defaults(); err != nil {
		return nil, err
	}
	m, err := newMetrics(o.Registerer)
	if err != nil {
		return nil, err
	}
	transport := o.Transport
	if transport == nil {
		transport = outside(o.Resolver)
	}
	s := &Service{o: o, titles: map[string]string{}, store: store{o.Subscribers}, tokens: tokens{o.Key}, limits: newLimits(),
		hooks: webhook.New(transport, o.Now), lanes: map[Kind]*lane{}, metrics: m, troubles: troubles{at: map[Kind]time.Time{}}}
	for _, f := range o.Features {
		s.titles[f.Name] = f.Title
		s.names = append(s.names, f.Name)
	}
	s.asks = newAsks(s)
	if s.tongues, err = newTongues(o.Languages); err != nil {
		return nil, err
	}
	s.texts = newTexts(&s.o, s.titles, s.tongues)
	if s.pages, err = newPages(s); err != nil {
		return nil, err
	}
	for _, k := range Kinds() {
		s.lanes[k] = newLane(s, k)
		m.known(k)
	}
	return s, nil
}

// offered returns the kinds that can be subscribed.
func (s *Service) offered() (out []Kind) {
	for _, x := range []struct {
		kind Kind
		on   bool
	}{{KindEmail, s.o.Offer.Email}, {KindWebhook, s.o.Offer.Webhook}, {KindSlack, s.o.Offer.Slack}, {KindTeams, s.o.Offer.Teams}} {
		if x.on {
			out = append(out, x.kind)
		}
	}
	return out
}

// Run works until ctx ends: it takes requests up, spreads notices, tries again what failed, and forgets what is
// over.
func (s *Service) Run(ctx context.Context) error {
	if err := s.persist(ctx, "reading what is to be sent", s.load); err != nil {
		return nil // ctx ended
	}
	g, ctx := errgroup.WithContext(ctx)
	for _, l := range s.lanes {
		g.Go(func() error { l.run(ctx); return nil })
	}
	g.Go(func() error { s.asks.run(ctx); return nil })
	g.Go(func() error { s.sweepAll(ctx); return nil })
	if s.o.Source != nil {
		g.Go(func() error { s.follow(ctx); return nil })
	}
	return g.Wait()
}

// follow makes a job of every notice for every lane. A batch is committed when its jobs are stored.
func (s *Service) follow(ctx context.Context) {
	for ctx.Err() == nil {
		var b Batch
		err := s.persist(ctx, "reading notices", func(ctx context.Context) (err error) { b, err = s.o.Source.Next(ctx); return err })
		if err != nil {
			return
		}
		for _, n := range b.Notices {
			if s.persist(ctx, "storing a notice", func(ctx context.Context) error { return s.take(ctx, n) }) != nil {
				return
			}
		}
		if s.persist(ctx, "committing notices", func(ctx context.Context) error { return s.o.Source.Commit(ctx, b) }) != nil {
			return
		}
	}
}

// take stores a notice for every lane.
func (s *Service) take(ctx context.Context, n quality.Notice) error {
	if err := checkNotice(n); err != nil {
		s.metrics.unreadable.Inc()
		s.o.Logger.Error("a notice is not readable", "id", n.ID, "err", err)
		return nil
	}
	for _, k := range Kinds() {
		if err := s.lanes[k].add(ctx, n); err != nil {
			return fmt.Errorf("storing notice %q for %s: %w", n.ID, k, err)
		}
	}
	return nil
}

// Bounds of what a notice may hold.
const (
	maxNoticeID = 200
	maxFeatures = 10_000
)

func checkNotice(n quality.Notice) error {
	switch {
	case n.ID == "" || len(n.ID) > maxNoticeID:
		return quality.Errorf(quality.KindInvalid, "id of %d bytes, want 1 to %d", len(n.ID), maxNoticeID)
	case (n.Incident == "") == (n.Maintenance == ""):
		return quality.Errorf(quality.KindInvalid, "want an incident or a maintenance")
	case len(n.Features) > maxFeatures:
		return quality.Errorf(quality.KindInvalid, "%d features", len(n.Features))
	}
	return nil
}

// persist does something again and again until it works, or ctx ends. It logs the first failure.
func (s *Service) persist(ctx context.Context, doing string, do func(context.Context) error) error {
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 10*time.Second) {
		err := do(ctx)
		if err == nil || ctx.Err() != nil {
			return ctx.Err()
		}
		if wait == 100*time.Millisecond {
			s.o.Logger.Error(doing+" failed; trying again", "err", err)
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
}

// Package ledger keeps the ledger of changes: what could have changed the behaviour of a feature, declared by
// API, command line and deploy webhooks, or seen in the samples and declared by nobody. A change is on disk
// before its sender gets an answer.
//
// It owns the entries, what explains what was seen, and who has been told. It leaves out how new values are
// noticed (package tracker), the forms of webhooks (package hooks), ranking suspects, and how people are
// reached: it only says whom to tell.
package ledger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/asgood-dev/asgood/collector/ledger/tracker"
	"github.com/asgood-dev/asgood/internal/quality"
)

// Store keeps small documents by key, durable when a write returns. Get of a missing key is an error of kind
// not found; Create of a present one, and Update of an old revision, are conflicts.
type Store interface {
	Get(ctx context.Context, key string) (data []byte, rev uint64, err error)
	Create(ctx context.Context, key string, data []byte) (rev uint64, err error)
	Put(ctx context.Context, key string, data []byte) (rev uint64, err error)
	Update(ctx context.Context, key string, data []byte, rev uint64) (uint64, error)
	Delete(ctx context.Context, key string) error
	Keys(ctx context.Context) ([]string, error)
	// Watch calls fn with what there is and with every change, until ctx ends.
	Watch(ctx context.Context, fn func(key string, data []byte, rev uint64, deleted bool)) error
}

// Observer is told of every sample that was accepted. It is quick and never waits.
type Observer interface {
	Observe(s *quality.Sample)
}

// Options of a Ledger. Changes and State are required.
type Options struct {
	Features  []quality.Feature
	Spec      quality.ChangeSpec // with its defaults filled in
	Changes   Store              // the entries
	State     Store              // what is known of every feature
	Retention time.Duration      // of entries; default 400 days
	// Tell is told of a change that is undeclared or that nobody owns. The same change may come twice.
	Tell func(ctx context.Context, c quality.Change) error // nil: nobody is told
	// Allow returns an error of kind forbidden when the sender of a request may not send for a feature; the
	// empty feature stands for any.
	Allow      func(ctx context.Context, feature string) error // nil: every sender may
	Now        func() time.Time                                // default time.Now
	Logger     *slog.Logger                                    // default discards
	Registerer prometheus.Registerer                           // nil means a private one
}

func (o *Options) defaults() error {
	if o.Changes == nil || o.State == nil {
		return errors.New("ledger: stores for changes and for the state are required")
	}
	if o.Retention <= 0 {
		o.Retention = 400 * 24 * time.Hour
	}
	if o.Tell == nil {
		o.Tell = func(context.Context, quality.Change) error { return nil }
	}
	if o.Allow == nil {
		o.Allow = func(context.Context, string) error { return nil }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Registerer == nil {
		o.Registerer = prometheus.NewRegistry()
	}
	o.Logger = o.Logger.With("component", "ledger")
	return nil
}

// Ledger is the ledger of changes. It answers as soon as it is made; Run must be running for what is seen
// to be entered, for owners to be told, and for old entries to go.
type Ledger struct {
	opts    Options
	owners  map[string]string // by feature, which they also list
	book    *book
	tracker *tracker.Tracker
	metrics *metrics
	wake    chan struct{} // something was found
	reading chan struct{} // slots for bodies, which are held in memory whole

	writing sync.Mutex // held from reading entries to writing what follows from them
	varying map[string]bool
	lost    uint64 // of the tracker's counter, as counted
}

var _ Observer = (*Ledger)(nil)

// New reads what is stored.
func New(ctx context.Context, o Options) (*Ledger, error) {
	if err := o.defaults(); err != nil {
		return nil, err
	}
	m, err := newMetrics(o.Registerer)
	if err != nil {
		return nil, err
	}
	l := &Ledger{
		opts: o, owners: map[string]string{}, book: newBook(o.Changes), tracker: tracker.New(o.Features), metrics: m,
		wake: make(chan struct{}, 1), reading: make(chan struct{}, 4), varying: map[string]bool{},
	}
	for _, f := range o.Features {
		l.owners[f.Name] = f.Owner
	}
	if err := l.book.load(ctx, l.unreadable); err != nil {
		return nil, err
	}
	return l, l.restore(ctx)
}

// unreadable tells of a stored document that cannot be read. It is left where it is.
func (l *Ledger) unreadable(key string, err error) {
	l.metrics.unreadable.Inc()
	l.opts.Logger.Error("document is not readable", "key", key, "err", err)
}

// Register adds the routes by which changes come in.
func (l *Ledger) Register(r gin.IRouter) {
	r.POST("/v1/changes", l.postChanges)
	r.POST("/v1/changes/github", l.postGitHub)
	r.POST("/v1/changes/gitlab", l.postGitLab)
	r.POST("/v1/changes/pagerduty", l.postPagerDuty)
	// Clients of PagerDuty let their users change the host, and keep the path.
	r.POST("/v1/changes/pagerduty/v2/change/enqueue", l.postPagerDuty)
}

// RegisterInternal adds the routes by which the ledger is read.
func (l *Ledger) RegisterInternal(r gin.IRouter) {
	r.GET("/v1/changes", l.getChanges)
}

// Observe notes what a sample was made with.
func (l *Ledger) Observe(s *quality.Sample) {
	if !l.tracker.Observe(s, l.opts.Now()) {
		return
	}
	select {
	case l.wake <- struct{}{}:
	default: // it is awake
	}
}

// How often the ledger looks after itself.
const (
	stepEvery = time.Minute
	stopTime  = 5 * time.Second
)

// Run enters what is seen, tells owners and drops what is old, until ctx ends. What is known of every
// feature is saved then.
func (l *Ledger) Run(ctx context.Context) error {
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return l.book.follow(gctx, l.opts.Logger, l.unreadable) })
	g.Go(func() error { return l.work(gctx) })
	err := g.Wait()
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	return errors.Join(err, l.save(stopping))
}

func (l *Ledger) work(ctx context.Context) error {
	tick := time.NewTicker(stepEvery)
	defer tick.Stop()
	failing := false
	for whole := true; ; {
		err := l.step(ctx, l.opts.Now(), whole)
		if err != nil && ctx.Err() == nil && !failing {
			l.opts.Logger.Error("changes are not looked after; trying again", "err", err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			whole = true
		case <-l.wake:
			whole = false
		}
	}
}

// step does what cannot wait, and, when it is whole, all that is due.
func (l *Ledger) step(ctx context.Context, now time.Time, whole bool) error {
	err := errors.Join(l.enterFindings(ctx, now), l.tellOwners(ctx, now))
	if whole {
		err = errors.Join(err, l.followShares(ctx, now), l.sweep(ctx, now), l.save(ctx))
	}
	l.report()
	return err
}

// report brings the metrics up to date.
func (l *Ledger) report() {
	dropped := l.tracker.Dropped()
	l.metrics.dropped.Add(float64(dropped - l.lost))
	l.lost = dropped
	l.metrics.entries.Set(float64(l.book.size()))
	l.metrics.unexplained.Set(float64(len(l.book.filter((*quality.Change).Unexplained))))
	varying := map[string]bool{}
	for feature, facets := range l.tracker.Varying() {
		for _, facet := range facets {
			key := feature + "/" + facet
			varying[key] = true
			if !l.varying[key] {
				l.opts.Logger.Warn("differs from sample to sample, so its changes are not looked for", "feature", feature, "facet", facet)
			}
		}
	}
	l.varying = varying
	l.metrics.varying.Set(float64(len(varying)))
}

// statePrefix is before a feature's name in the keys of the state.
const statePrefix = "feature/"

func (l *Ledger) restore(ctx context.Context) error {
	for _, name := range l.tracker.Features() {
		data, _, err := l.opts.State.Get(ctx, statePrefix+name)
		if err != nil && quality.KindOf(err) == quality.KindNotFound {
			continue
		}
		if err != nil {
			return fmt.Errorf("reading what is known of feature %q: %w", name, err)
		}
		if err := l.tracker.Restore(name, data); err != nil {
			l.unreadable(statePrefix+name, err) // it is learnt afresh
		}
	}
	return nil
}

// save stores what is known of the features that had traffic.
func (l *Ledger) save(ctx context.Context) error {
	states, err := l.tracker.Save()
	if err != nil {
		return err
	}
	var errs []error
	for name, data := range states {
		if _, err := l.opts.State.Put(ctx, statePrefix+name, data); err != nil {
			l.tracker.Unsaved(name)
			errs = append(errs, fmt.Errorf("storing what is known of feature %q: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

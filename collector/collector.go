// Package collector takes outputs in: the native sample format and OTLP traces over HTTP; package files
// beneath it reads rows of files, and package probe checks availability. It validates each record apart, recognises samples it has seen, and
// answers a sender only after what it sent is durable in the hand-off. Writers carry what was handed
// off to the store.
//
// It leaves out what samples mean: scoring, storing and showing them are other rooms' work. It knows
// neither the bus nor the database, only the small interfaces declared here.
package collector

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/asgood-dev/asgood/collector/redact"
	"github.com/asgood-dev/asgood/collector/spans"
	"github.com/asgood-dev/asgood/internal/quality"
)

// Limits on what a sender may send.
const (
	MaxRecord     = 4 << 20  // bytes of one sample
	MaxBody       = 64 << 20 // bytes of a body, decompressed
	MaxCompressed = 16 << 20 // bytes of a compressed body
	MaxRejections = 100      // rejections listed in a reply; all are counted
)

// Handoff carries accepted samples on. What Publish has returned for is never lost.
type Handoff interface {
	// Publish stores a message that wire.ReadDelivery reads and returns its sequence once it is durable. Sequences
	// rise by one. The same id again stores nothing and returns the first sequence. A message holds
	// about 1 MiB; a larger sample comes alone, up to twice MaxRecord.
	Publish(ctx context.Context, id string, data []byte) (seq uint64, err error)
	// Replay calls fn for each stored message after a sequence, in order, up to the last that was
	// stored when it was called. An error of fn ends it and is returned.
	Replay(ctx context.Context, after uint64, fn func(seq uint64, data []byte) error) error
}

// Staged is a durable stream of records that are not samples yet: where they are put, and where they are
// taken up again.
type Staged struct {
	To   Stage
	From Source
}

// Counts takes the counts of outputs as they become durable, for whoever needs them at once.
type Counts interface {
	Add(feature string, minute time.Time, total, failed uint64)
}

// Observer looks at every output that is taken in, kept or not, after redaction. It must not change it.
type Observer interface {
	Observe(s *quality.Sample)
}

// nobody looks at nothing.
type nobody struct{}

func (nobody) Observe(*quality.Sample) {}

// Options of a Collector. Features, Handoff and Dir are required.
type Options struct {
	Features    []quality.Feature
	Handoff     Handoff
	Feedback    Staged                // scores that come apart from their samples; without it none are taken
	Spans       Staged                // records of spans until they are joined; without it no OTLP is taken
	Held        Staged                // samples about which feedback decides; without it sampling does not wait
	Observer    Observer              // nil: nobody looks
	Key         []byte                // secret for pseudonyms, at least redact.MinKey bytes; default one of this process
	Counts      Counts                // nil: nobody needs them
	Guard       Guard                 // nil: every sender may do everything
	PerCustomer float64               // outputs per second that one customer of a feature may send; 0 means no limit
	Room        func() error          // an error while nothing more may be taken in; nil means never
	Dir         string                // of the index of ids; one process at a time
	Retention   time.Duration         // how long an id is remembered; default 30 days
	QueueBytes  int64                 // samples waiting for the hand-off; default 64 MiB; more are refused
	Now         func() time.Time      // default time.Now
	Logger      *slog.Logger          // default discards
	Registerer  prometheus.Registerer // nil means a private one
}

func (o *Options) defaults() error {
	switch {
	case o.Handoff == nil:
		return errors.New("collector: a hand-off is required")
	case o.Dir == "":
		return errors.New("collector: a directory for the index of ids is required")
	}
	if o.Retention <= 0 {
		o.Retention = 30 * 24 * time.Hour
	}
	if o.QueueBytes <= 0 {
		o.QueueBytes = 64 << 20
	}
	if o.Guard == nil {
		o.Guard = open{}
	}
	if o.Observer == nil {
		o.Observer = nobody{}
	}
	if len(o.Key) == 0 {
		o.Key = make([]byte, redact.MinKey)
		_, _ = rand.Read(o.Key) // never fails: see crypto/rand
	}
	if o.Room == nil {
		o.Room = func() error { return nil }
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
	o.Logger = o.Logger.With("component", "collector")
	return nil
}

// Collector is the way in for samples. Run must be running for anything to be accepted.
type Collector struct {
	opts      Options
	features  *features
	extractor *spans.Extractor
	ids       *ids
	door      *door
	metrics   *metrics
	redact    *redaction
	samplers  samplers
	feedback  *stage // nil when there is no such stream, as are the others
	resolver  *resolver
	spans     *stage
	joining   *joining
	held      *stage
	holding   *holding
	orphans   *orphans
	decoding  chan struct{} // slots for trace bodies, which are held in memory whole
	turns     turns         // of large bodies of samples
	close     func() error
}

// New opens the index of ids. The collector accepts nothing until Run has brought the index up to date.
func New(o Options) (*Collector, error) {
	if err := o.defaults(); err != nil {
		return nil, err
	}
	m, err := newMetrics(o.Registerer)
	if err != nil {
		return nil, fmt.Errorf("registering the collector's metrics: %w", err)
	}
	index, err := openIDs(o.Dir, o.Retention)
	if err != nil {
		return nil, err
	}
	c, err := newCollector(o, index, m)
	if err != nil {
		return nil, errors.Join(err, index.close())
	}
	return c, nil
}

func newCollector(o Options, index *ids, m *metrics) (*Collector, error) {
	waiting, err := openOrphans(index)
	if err != nil {
		return nil, err
	}
	redaction, err := newRedaction(o.Features, o.Key, m)
	if err != nil {
		return nil, err
	}
	samplers, err := newSamplers(o.Features, o.Key, index, o.Logger)
	if err != nil {
		return nil, err
	}
	c := &Collector{
		opts: o, features: newFeatures(o.Features), extractor: spans.New(o.Features), ids: index, metrics: m, orphans: waiting,
		redact: redaction, samplers: samplers,
		door:     newDoor(o, index, waiting, m),
		decoding: make(chan struct{}, 8), turns: newTurns(),
		close: sync.OnceValue(index.close),
	}
	if o.Feedback.To != nil {
		c.feedback = newStage("scores", o.Feedback.To, o.QueueBytes/4, o.Logger, m)
		c.resolver = &resolver{c: c, source: o.Feedback.From, orphans: waiting, log: o.Logger}
	}
	if o.Spans.To != nil {
		c.spans = newStage("spans", o.Spans.To, o.QueueBytes/2, o.Logger, m)
		c.joining = &joining{c: c, source: o.Spans.From, joiner: spans.NewJoiner(spans.JoinerOptions{Features: o.Features}), log: o.Logger}
	}
	if o.Held.To != nil {
		c.held = newStage("held samples", o.Held.To, o.QueueBytes/2, o.Logger, m)
		c.holding = &holding{c: c, source: o.Held.From, log: o.Logger}
	}
	return c, nil
}

// Register adds the collector's routes.
func (c *Collector) Register(r gin.IRouter) {
	r.POST("/v1/samples", c.postSamples)
	if c.spans != nil {
		r.POST("/v1/traces", signalTraces.post(c))
		r.POST("/v1/logs", signalLogs.post(c))
	}
	if c.feedback != nil {
		r.POST("/v1/scores", c.postScores)
	}
}

// Run brings the index of ids up to date and then hands samples off until ctx ends. Samples that wait
// at that moment are still handed off. When Run has returned the collector is closed.
func (c *Collector) Run(ctx context.Context) error {
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return c.door.run(gctx) })
	g.Go(func() error { return c.ids.sync(gctx, c.opts.Logger) })
	g.Go(func() error { return c.ids.sweepDaily(gctx, c.opts.Now, c.opts.Logger) })
	if c.feedback != nil {
		g.Go(func() error { return c.feedback.run(gctx) })
		g.Go(func() error { return c.resolver.run(gctx) })
	}
	if c.spans != nil {
		g.Go(func() error { return c.spans.run(gctx) })
		g.Go(func() error { return c.joining.run(gctx) })
	}
	if c.held != nil {
		g.Go(func() error { return c.held.run(gctx) })
		g.Go(func() error { return c.holding.run(gctx) })
	}
	g.Go(func() error { return c.samplers.run(gctx, c.ids, c.opts.Now, c.opts.Logger) })
	err := g.Wait()
	return errors.Join(err, c.Close())
}

// stopTime is how long the last hand-offs may take.
const stopTime = 5 * time.Second

// Close closes the index of ids. Run does it too; Close is for a collector that never ran.
func (c *Collector) Close() error { return c.close() }

// Ready is closed once samples are accepted.
func (c *Collector) Ready() <-chan struct{} { return c.door.ready }

// Applied returns the sequence up to which the index of ids has durably seen the hand-off's messages.
// The hand-off must keep those after it.
func (c *Collector) Applied() uint64 { return c.ids.durable.Load() }

// Accept takes samples in as a request would: each is validated apart, known ids are duplicates, and
// the rest is durable when it returns. Rejections carry the index. An error means that some samples
// were not stored for a reason that is not theirs; the result says how many were.
func (c *Collector) Accept(ctx context.Context, samples []quality.Sample) (Result, error) {
	if err := c.opts.Room(); err != nil {
		return Result{}, err
	}
	in := c.newIntake(ctx)
	for i := range samples {
		if err := in.add(&samples[i]); err != nil {
			in.reject(atIndex(i), err)
		}
	}
	err := in.finish()
	return in.result, err
}

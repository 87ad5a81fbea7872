// Package collector takes outputs and probes in: the native sample format and OTLP traces over HTTP, CSV
// files, and checks of availability. It validates each record apart, recognises samples it has seen, and
// answers a sender only after what it sent is durable in the hand-off. Writers carry what was handed
// off to the store.
//
// It leaves out what samples mean: scoring, storing and showing them are other rooms' work. It knows
// neither the bus nor the database, only the small interfaces declared here.
package collector

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
	// Publish stores a JSON array of samples and returns its sequence once it is durable. Sequences
	// rise by one. The same id again stores nothing and returns the first sequence. A message holds
	// about 1 MiB; a larger sample comes alone, up to twice MaxRecord.
	Publish(ctx context.Context, id string, data []byte) (seq uint64, err error)
	// Replay calls fn for each stored message after a sequence, in order, up to the last that was
	// stored when it was called. An error of fn ends it and is returned.
	Replay(ctx context.Context, after uint64, fn func(seq uint64, data []byte) error) error
}

// TrafficSink takes the counts of traffic. A count with a minute and slice that came before adds to it.
type TrafficSink interface {
	RecordTraffic(ctx context.Context, counts []quality.Traffic) error
}

// Options of a Collector. Features, Handoff and Dir are required.
type Options struct {
	Features   []quality.Feature
	Handoff    Handoff
	Traffic    TrafficSink           // nil: traffic is not counted
	Dir        string                // of the index of ids; one process at a time
	Retention  time.Duration         // how long an id is remembered; default 30 days
	QueueBytes int64                 // samples waiting for the hand-off; default 64 MiB; more are refused
	Now        func() time.Time      // default time.Now
	Logger     *slog.Logger          // default discards
	Registerer prometheus.Registerer // nil means a private one
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
	traffic   *traffic
	metrics   *metrics
	decoding  chan struct{} // slots for trace bodies, which are held in memory whole
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
	t := newTraffic(o.Traffic, o.Logger, m)
	return &Collector{
		opts: o, features: newFeatures(o.Features), extractor: spans.New(o.Features), ids: index, traffic: t, metrics: m,
		door:     newDoor(o, index, t, m),
		decoding: make(chan struct{}, 8),
		close:    sync.OnceValue(index.close),
	}, nil
}

// Register adds the collector's routes.
func (c *Collector) Register(r gin.IRouter) {
	r.POST("/v1/samples", c.postSamples)
	r.POST("/v1/traces", c.postTraces)
}

// Run brings the index of ids up to date and then hands samples off until ctx ends. Samples that wait
// at that moment are still handed off. When Run has returned the collector is closed.
func (c *Collector) Run(ctx context.Context) error {
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return c.door.run(gctx) })
	g.Go(func() error { return c.traffic.run(gctx) })
	g.Go(func() error { return c.ids.sync(gctx, c.opts.Logger) })
	g.Go(func() error { return c.ids.sweepDaily(gctx, c.opts.Now, c.opts.Logger) })
	err := g.Wait()
	// Traffic of the samples that were handed off while stopping.
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	c.traffic.flush(stopping)
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
	in := c.newIntake(ctx)
	for i := range samples {
		if err := in.add(&samples[i]); err != nil {
			in.reject(atIndex(i), err)
		}
	}
	err := in.finish()
	return in.result, err
}

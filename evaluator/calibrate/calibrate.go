// Package calibrate says how far a judge can be believed. It compares the marks of a judge with those of
// people, corrects the mean of a judge by few labels, and scores a fixed set of anchors again and again, so
// that a judge that has moved is told from a product that got worse.
//
// It owns the mathematics of agreement and correction, the schedule of anchors, and what is known of every
// judge. It leaves out how a judge asks its model, where scores, labels and states are kept, and who is told:
// these are small interfaces.
package calibrate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Scorer is a judge. For a sample whose source is quality.SourceAnchor it asks its model afresh, never a
// cache: what it said before is what is compared.
type Scorer interface {
	Score(ctx context.Context, s quality.Sample) ([]quality.Score, error)
}

// Sink takes the scores of anchors, durable when it returns. The same id again is the same scores.
type Sink interface {
	PublishAnchors(ctx context.Context, id string, scores []quality.Score) error
}

// Ledger takes a change that Asgood saw and nobody declared. The same id again is the same change. It returns
// the id of the entry, which is that of another change where one explains it.
type Ledger interface {
	Observed(ctx context.Context, c quality.Change) (id string, err error)
}

// Store keeps what is known of every judge. A document takes the place of the one before of its feature and
// metric, and is durable when the call returns.
type Store interface {
	Save(ctx context.Context, d Document) error
}

// History reads what was judged and labelled.
type History interface {
	// Judged returns the samples that a judge scored in a period, with the labels that people gave them, the
	// newest first, at most limit.
	Judged(ctx context.Context, feature, metric, human string, from, to time.Time, limit int) ([]quality.Judged, error)
}

// Judge is one judge that is calibrated.
type Judge struct {
	Feature string
	Metric  string
	Human   string              // metric of the labels; empty means Metric
	Bounds  [2]float64          // of the metric
	Anchors *quality.AnchorSpec // nil: it has none
	Scorer  Scorer              // required beside Anchors
}

// Options of a Keeper. Store, Sink, Ledger and History are required.
type Options struct {
	Judges     []Judge
	Store      Store
	Sink       Sink
	Ledger     Ledger
	History    History
	Known      []Document            // from before
	Now        func() time.Time      // default time.Now
	Logger     *slog.Logger          // default discards
	Registerer prometheus.Registerer // nil means a private one
}

func (o *Options) defaults() error {
	if o.Store == nil || o.Sink == nil || o.Ledger == nil || o.History == nil {
		return errors.New("calibrate: a store, a sink, a ledger and a history are required")
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
	o.Logger = o.Logger.With("component", "calibration")
	return nil
}

// Document is all that is stored of a judge.
type Document struct {
	Status quality.JudgeStatus `json:"status"`
	Slot   time.Time           `json:"slot,omitzero"` // the latest that was run or passed over
	Set    string              `json:"set,omitempty"` // digest of the anchors
	Period time.Time           `json:"period,omitzero"`
	Spent  int                 `json:"spent,omitempty"` // scores of the period
	Under  *progress           `json:"under,omitempty"` // the run that is under way
	Watch  *watch              `json:"watch,omitempty"`
}

// Keeper keeps judges calibrated. It is safe for concurrent use.
type Keeper struct {
	opts    Options
	metrics *metrics
	judges  []*judge
	asking  chan struct{} // slots of reports, each of which holds its samples in memory
}

// judge is one judge and what is known of it.
type judge struct {
	Judge
	jitter time.Duration

	mu   sync.Mutex // guards what follows
	doc  Document   // only the judge's own loop changes it
	week *quality.CorrectedMean
}

// New returns a keeper; Run makes it follow the schedules.
func New(o Options) (*Keeper, error) {
	if err := o.defaults(); err != nil {
		return nil, err
	}
	m, err := newMetrics(o.Registerer)
	if err != nil {
		return nil, fmt.Errorf("registering the metrics of calibration: %w", err)
	}
	k := &Keeper{opts: o, metrics: m, asking: make(chan struct{}, 2)}
	for _, j := range o.Judges {
		if err := k.add(j); err != nil {
			return nil, fmt.Errorf("judge %q of feature %q: %w", j.Metric, j.Feature, err)
		}
	}
	return k, nil
}

func (k *Keeper) add(spec Judge) error {
	switch {
	case k.find(spec.Feature, spec.Metric) != nil:
		return errors.New("another judge makes this metric")
	case !(spec.Bounds[1] > spec.Bounds[0]):
		return fmt.Errorf("bounds of %v to %v", spec.Bounds[0], spec.Bounds[1])
	case spec.Anchors != nil && spec.Scorer == nil:
		return errors.New("anchors without a scorer")
	}
	if spec.Human == "" {
		spec.Human = spec.Metric
	}
	j := &judge{Judge: spec}
	for _, d := range k.opts.Known {
		if d.Status.Feature == spec.Feature && d.Status.Metric == spec.Metric {
			j.doc = d
		}
	}
	j.prepare()
	k.judges = append(k.judges, j)
	k.metrics.show(&j.doc.Status)
	return nil
}

// prepare brings what was stored in line with the configuration. Other anchors are another reference.
func (j *judge) prepare() {
	s := &j.doc.Status
	s.Feature, s.Metric, s.Human, s.Anchors, s.NextAt = j.Feature, j.Metric, j.Human, 0, time.Time{}
	if j.Anchors == nil {
		s.Reason = "it has no anchors"
		return
	}
	spec := j.Anchors.WithDefaults()
	j.Anchors, j.jitter = &spec, quality.JitterOf(j.Feature, j.Metric, spec.Every)
	s.Anchors = len(spec.Anchors)
	if set := digest(&j.Judge); j.doc.Set != set {
		j.doc.Set, j.doc.Watch, j.doc.Under = set, nil, nil
		endMove(s, j.doc.Slot)
	}
}

// Run follows the schedule of every judge with anchors until ctx ends. A run that is under way then goes on
// where it was at the next start.
func (k *Keeper) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, j := range k.judges {
		if j.Anchors != nil {
			g.Go(func() error { k.follow(ctx, j); return nil })
		}
	}
	return g.Wait()
}

// Suspect reports whether a judge had moved at a time, so that what its metric shows then may be the judge
// and not the product. A metric without a judge is never suspect.
func (k *Keeper) Suspect(feature, metric string, at time.Time) bool {
	j := k.find(feature, metric)
	if j == nil {
		return false
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.doc.Status.Suspect(at)
}

func (k *Keeper) find(feature, metric string) *judge {
	for _, j := range k.judges {
		if j.Feature == feature && j.Metric == metric {
			return j
		}
	}
	return nil
}

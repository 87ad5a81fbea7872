package evaluator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/wire"
)

// Message is one message of the stream of samples.
type Message struct {
	Seq  uint64
	Data []byte // as wire.ReadDelivery reads it
	// Read returns what is in Data, which somebody else may have read already; nil reads Data. What it returns is
	// shared and is not changed.
	Read func() (*quality.Delivery, error)
}

func (m *Message) delivery() (*quality.Delivery, error) {
	if m.Read != nil {
		return m.Read()
	}
	d, err := wire.ReadDelivery(m.Data)
	return &d, err
}

// Batch is some messages that follow each other in the stream.
type Batch struct {
	First, Last uint64
	Messages    []Message
}

// Source is the durable stream of samples.
type Source interface {
	// Next waits for the next batch. It may be called again before earlier batches are committed; what
	// is not committed is given again after a restart, in the same order.
	Next(ctx context.Context) (Batch, error)
	// Commit says that a batch need not be given again.
	Commit(ctx context.Context, b Batch) error
}

// Sink takes what the evaluator makes. Every call is repeated until it returns no error.
type Sink interface {
	// LastScored returns the sequence of the last message whose scores were published, 0 for none.
	LastScored(ctx context.Context) (uint64, error)
	// PublishScores publishes the scores of one message, durably.
	PublishScores(ctx context.Context, source uint64, scores []quality.Score) error
	// PublishMonitor publishes that a monitor went blind or sees again, durably. An event may come again
	// after a crash, with the same id.
	PublishMonitor(ctx context.Context, ev quality.MonitorEvent) error
	// PublishRegression publishes an event, durably. An event may come again after a crash, with the same id.
	PublishRegression(ctx context.Context, ev quality.RegressionEvent) error
	// OpenRegressions returns the regressions that were put and are open.
	OpenRegressions(ctx context.Context) ([]quality.Regression, error)
	// PutStatus stores the latest status of a monitor in the place of the one before.
	PutStatus(ctx context.Context, st quality.MonitorStatus) error
	// PutRegression stores the latest figures of a regression in the place of those before.
	PutRegression(ctx context.Context, r quality.Regression) error
}

// State stores small documents by key. Keys are made of lower-case letters, digits and hyphens.
type State interface {
	// Get returns a document, or an error of kind not found.
	Get(ctx context.Context, key string) ([]byte, error)
	// Put stores a document of at most MaxDocument bytes, durably. It must not keep the bytes.
	Put(ctx context.Context, key string, data []byte) error
	// Delete removes a document; one that is not there is no error.
	Delete(ctx context.Context, key string) error
}

// Options configures a Service.
type Options struct {
	Engine     EngineOptions
	Source     Source
	Sink       Sink
	State      State
	SaveEvery  time.Duration    // state is saved at most so often; default 1 s
	SaveAfter  int              // or after so many messages; default 1000
	Now        func() time.Time // default time.Now; statuses are told as of it
	Logger     *slog.Logger     // nil means silence
	Registerer prometheus.Registerer
}

func (o Options) withDefaults() (Options, error) {
	if o.Source == nil || o.Sink == nil || o.State == nil {
		return o, errors.New("evaluator: Source, Sink and State are required")
	}
	if o.SaveEvery < 0 || o.SaveAfter < 0 {
		return o, errors.New("evaluator: SaveEvery and SaveAfter must not be negative")
	}
	if o.SaveEvery == 0 {
		o.SaveEvery = time.Second
	}
	if o.SaveAfter == 0 {
		o.SaveAfter = 1000
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Engine.Logger == nil {
		o.Engine.Logger = o.Logger
	}
	return o, nil
}

// Service feeds an engine from the stream of samples, publishes what it finds, and keeps its state so
// that a restart at any moment changes nothing. Its exported methods are safe for concurrent use.
type Service struct {
	o       Options
	log     *slog.Logger
	metrics *metrics
	store   *store

	mu     sync.Mutex
	engine *Engine
	place  progress // what the engine has seen
	quiet  *quiet   // what was told of silent monitors

	scored  uint64            // last message whose scores are published
	pending []Batch           // worked through but not saved
	unsaved int               // messages in pending
	told    map[string]string // documents as last put
	busy    time.Duration     // the last save took so long
	savedAt time.Time
	asks    chan func(context.Context)
}

// progress is where the engine stands in the stream.
type progress struct {
	Seq     uint64 // last message seen
	Samples uint64 // samples read in all, the position of the last one
}

// New builds a service. Nothing is read before Run.
func New(o Options) (*Service, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	engine, err := NewEngine(o.Engine)
	if err != nil {
		return nil, err
	}
	return &Service{o: o, log: o.Logger.With("component", "evaluator"), metrics: newMetrics(o.Registerer),
		store: &store{state: o.State}, engine: engine, quiet: newQuiet(), told: make(map[string]string),
		asks: make(chan func(context.Context))}, nil
}

// Statuses returns what every monitor can tell at a time.
func (s *Service) Statuses(now time.Time) []quality.MonitorStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.engine.Statuses(now)
}

// Regressions returns all known regressions with their figures as they are now.
func (s *Service) Regressions() []quality.Regression {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.engine.Regressions()
}

// Run works until the context ends, then saves what is done. It returns nil when it was the context
// that ended it. A stream, sink or store that is away is tried again until it is back.
func (s *Service) Run(ctx context.Context) error {
	if err := s.resume(ctx); err != nil {
		return ended(ctx, err)
	}
	batches := make(chan Batch)
	var wg sync.WaitGroup
	wg.Go(func() { s.read(ctx, batches) })
	err := s.loop(ctx, batches)
	wg.Wait()
	// What was worked through is saved and committed, so that the next start has less to repeat.
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return errors.Join(ended(ctx, err), s.saveOnce(last))
}

// ended hides the error of a context that ended on purpose.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}

// resume restores the saved state and learns what was published already.
func (s *Service) resume(ctx context.Context) error {
	err := s.reload(ctx)
	if err != nil {
		return err
	}
	err = s.retry(ctx, "reading the last published score", func(ctx context.Context) (err error) {
		s.scored, err = s.o.Sink.LastScored(ctx)
		return err
	})
	if err != nil {
		return err
	}
	return s.retry(ctx, "withdrawing regressions that nobody watches", s.withdraw)
}

// reload restores the saved state.
func (s *Service) reload(ctx context.Context) error {
	const what = "reading the evaluator's state"
	var st saved
	var place progress
	err := s.retry(ctx, what, func(ctx context.Context) (err error) {
		st, place, err = s.store.open(ctx)
		return err
	})
	if err != nil || st.names == nil {
		return err
	}
	read := st.read
	st.read = func(name string) (data []byte, err error) { // what is half restored cannot be begun again
		err = s.retry(ctx, what, func(context.Context) (err error) {
			data, err = read(name)
			return err
		})
		return data, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := errors.Join(s.engine.restore(st), s.quiet.restore(st)); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("restoring the evaluator's state: %w", err)
	}
	s.place = place
	return nil
}

// read hands over batches until the context ends.
func (s *Service) read(ctx context.Context, out chan<- Batch) {
	for ctx.Err() == nil {
		var b Batch
		err := s.retry(ctx, "reading samples", func(ctx context.Context) (err error) {
			b, err = s.o.Source.Next(ctx)
			return err
		})
		if err != nil {
			return
		}
		select {
		case out <- b:
		case <-ctx.Done():
		}
	}
}

func (s *Service) loop(ctx context.Context, batches <-chan Batch) error {
	tick := time.NewTicker(s.o.SaveEvery)
	defer tick.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
			if !s.resting() {
				err = s.save(ctx)
			}
		case do := <-s.asks:
			do(ctx)
		case b := <-batches:
			if err = s.work(ctx, b); err == nil && s.unsaved >= s.o.SaveAfter && !s.resting() {
				err = s.save(ctx)
			}
		}
		if err != nil {
			return err
		}
	}
}

// work takes one batch: every message is observed, unless the saved state has seen it, and what it
// brought is published, unless it was before.
func (s *Service) work(ctx context.Context, b Batch) error {
	for _, m := range b.Messages {
		if m.Seq <= s.place.Seq {
			continue
		}
		scores, events, sights := s.observe(m)
		if err := s.publish(ctx, m.Seq, scores, events); err != nil {
			return err
		}
		if err := s.publishSights(ctx, sights); err != nil {
			return err
		}
	}
	s.unsaved += max(1, len(b.Messages))
	b.Messages = nil // only its place is still needed
	s.pending = append(s.pending, b)
	return nil
}

func (s *Service) observe(m Message) (scores []quality.Score, events []quality.RegressionEvent, sights []quality.MonitorEvent) {
	d, err := m.delivery()
	if err != nil {
		// The collector wrote it; if it cannot be read now it never will be.
		s.metrics.bad.Inc()
		s.log.Error("message of samples is not readable", "seq", m.Seq, "err", err)
		d = &quality.Delivery{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.engine.Counts()
	for _, sample := range d.Samples {
		s.place.Samples++
		sc, ev := s.engine.Observe(sample, s.place.Samples)
		scores, events = append(scores, sc...), append(events, ev...)
	}
	for _, t := range d.Traffic {
		s.engine.ObserveTraffic(t)
	}
	for _, late := range d.Scores {
		sc, ev := s.engine.ObserveScore(late, s.place.Samples)
		scores, events = append(scores, sc...), append(events, ev...)
	}
	s.place.Seq = m.Seq
	s.metrics.observed(before, s.engine.Counts(), m.Seq)
	return scores, events, s.engine.MonitorEvents()
}

// publishSights tells of monitors that went blind or see again.
func (s *Service) publishSights(ctx context.Context, sights []quality.MonitorEvent) error {
	for _, ev := range sights {
		s.log.Info("monitor "+string(ev.Type), "feature", ev.Feature, "metric", ev.Metric, "cause", ev.Cause, "reason", ev.Reason, "id", ev.Blindness)
		s.metrics.blind.WithLabelValues(string(ev.Type), string(ev.Cause)).Inc()
		err := s.retry(ctx, "publishing an event of a monitor", func(ctx context.Context) error { return s.o.Sink.PublishMonitor(ctx, ev) })
		if err != nil {
			return err
		}
	}
	return nil
}

// publish tells the scores before the events: who hears of a regression may look at its scores.
func (s *Service) publish(ctx context.Context, seq uint64, scores []quality.Score, events []quality.RegressionEvent) error {
	if seq > s.scored && len(scores) > 0 {
		err := s.retry(ctx, "publishing scores", func(ctx context.Context) error {
			return s.o.Sink.PublishScores(ctx, seq, scores)
		})
		if err != nil {
			return err
		}
		s.scored = seq
	}
	for _, ev := range events {
		s.log.Info("regression "+string(ev.Type), "feature", ev.Regression.Feature, "metric", ev.Regression.Metric,
			"slice", ev.Regression.Slice.Key(), "id", ev.Regression.ID)
		s.metrics.events.WithLabelValues(string(ev.Type)).Inc()
		err := s.retry(ctx, "publishing a regression", func(ctx context.Context) error {
			return errors.Join(s.o.Sink.PublishRegression(ctx, ev), s.o.Sink.PutRegression(ctx, ev.Regression))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

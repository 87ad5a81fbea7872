package app

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/asgood-dev/asgood/alerts"
	"github.com/asgood-dev/asgood/collector"
	"github.com/asgood-dev/asgood/collector/canary"
	"github.com/asgood-dev/asgood/collector/ledger"
	"github.com/asgood-dev/asgood/collector/probe"
	"github.com/asgood-dev/asgood/evaluator"
	asker "github.com/asgood-dev/asgood/evaluator/ask"
	"github.com/asgood-dev/asgood/evaluator/baseline"
	"github.com/asgood-dev/asgood/evaluator/calibrate"
	"github.com/asgood-dev/asgood/evaluator/explain"
	"github.com/asgood-dev/asgood/internal/auth"
	"github.com/asgood-dev/asgood/internal/auth/links"
	"github.com/asgood-dev/asgood/internal/auth/people"
	"github.com/asgood-dev/asgood/internal/bus"
	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/wording"
	"github.com/asgood-dev/asgood/statuspage"
	"github.com/asgood-dev/asgood/statuspage/console"
	"github.com/asgood-dev/asgood/statuspage/subscribe"
)

// The buckets of small shared documents.
const (
	bucketState        = "evaluator"
	bucketStatuses     = "statuses"
	bucketRegressions  = "regressions"
	bucketProbes       = "probes"
	bucketBeats        = "heartbeats"
	bucketIncidents    = "incidents"
	bucketMaintenances = "maintenances"
	bucketOutbox       = "outbox"
	bucketChanges      = "changes"
	bucketLedger       = "ledger"
	bucketCanaries     = "canaries"
	bucketBehaviours   = "behaviours"

	bucketConversations = "conversations"
	bucketExplained     = "explanations"
	bucketEvidence      = "evidence"
	bucketJudges        = "judges"
	bucketSteps         = "steps"

	bucketSubscribers = "subscribers"
	bucketTellings    = "subscriber_outbox"
)

// The readers of the streams, by which the bus remembers how far each has come.
const (
	readerWriter    = "writer"
	readerEvaluator = "evaluator"
	readerCollector = "collector"
	readerAlerts    = "alerts"
	readerExplain   = "explain"

	readerSubscribe = "subscribe"
)

// writeLimits make batches that ClickHouse likes: rather few and large, but not late.
var writeLimits = bus.BatchLimits{Messages: 1000, Bytes: 12 << 20, Linger: 300 * time.Millisecond}

// stageLimits let what arrives together go on together.
var stageLimits = bus.BatchLimits{Messages: 256, Bytes: 4 << 20, Linger: 20 * time.Millisecond}

// followLimits are for readers that work message by message.
var followLimits = bus.BatchLimits{Messages: 256, Bytes: 4 << 20}

// rooms are the four rooms and what connects them.
type rooms struct {
	audit      auditLog
	keys       *auth.Keys
	people     *people.People
	links      *links.Book
	ledger     *ledger.Ledger
	collector  *collector.Collector
	room       *diskRoom
	recent     *probe.Counts
	prober     *probe.Prober
	probes     *probeSink
	canaries   *canary.Keeper
	baselines  *baseline.Keeper
	scores     *scoreSink
	judges     *calibrate.Keeper
	steps      *stepBook
	evaluator  *evaluator.Service
	deliveries *deliveries
	asking     []*asker.Stage
	explain    *explain.Service
	alerts     *alerts.Service
	page       *statuspage.Page
	reader     *pageReader // of the status page and the console
	console    *console.Console
	subscribe  *subscribe.Service
	work       []runner
}

// runner is something that works until its context ends.
type runner struct {
	name string
	run  func(context.Context) error
}

func (r *rooms) runners() []runner { return r.work }

func (r *rooms) add(name string, run func(context.Context) error) {
	r.work = append(r.work, runner{name: name, run: run})
}

// close frees what a room holds that never ran.
func (r *rooms) close() error {
	if r.collector == nil {
		return nil
	}
	return r.collector.Close()
}

func newRooms(ctx context.Context, a *App) (*rooms, error) {
	r := &rooms{deliveries: newDeliveries(), audit: auditLog{a.engines.bus}}
	for _, step := range []struct {
		name  string
		build func(context.Context, *App) error
	}{
		{"keys", r.buildKeys}, {"people", r.buildPeople}, {"status page", r.buildPage}, {"ledger of changes", r.buildLedger}, {"collector", r.buildCollector}, {"prober", r.buildProber},
		{"canaries", r.buildCanaries},
		{"writers", r.buildWriters}, {"sink of scores", r.buildSink}, {"judges", r.buildJudges}, {"baselines", r.buildBaselines}, {"steps between versions", r.buildSteps}, {"evaluator", r.buildEvaluator}, {"scorers", r.buildAsking}, {"conversations", r.buildConversations}, {"explanations", r.buildExplain}, {"alerts", r.buildAlerts},
		{"subscriptions", r.buildSubscribe}, {"console", r.buildConsole},
	} {
		if err := step.build(ctx, a); err != nil {
			_ = r.close() // the first error is the one to tell
			return nil, fmt.Errorf("building the %s: %w", step.name, err)
		}
	}
	return r, nil
}

func (r *rooms) buildCollector(ctx context.Context, a *App) (err error) {
	b := a.engines.bus
	r.recent = probe.NewCounts(a.opts.Config.Features, a.opts.Now)
	staged := map[string]collector.Staged{}
	for _, stream := range []string{bus.Feedback, bus.Spans, bus.Held} {
		if staged[stream], err = newStaged(ctx, b, stream); err != nil {
			return err
		}
	}
	key, err := secretKey(a.opts.Config.Storage.Dir)
	if err != nil {
		return err
	}
	if r.room, err = newDiskRoom(a.opts.Config.Storage.Dir, int64(a.opts.Config.Storage.MinFree), a.log); err != nil {
		return err
	}
	r.collector, err = collector.New(collector.Options{
		Features: a.opts.Config.Features, Handoff: handoff{b}, Room: r.room.Room, Counts: r.recent, Observer: r.ledger, Key: key,
		Feedback: staged[bus.Feedback], Spans: staged[bus.Spans], Held: staged[bus.Held],
		Guard: auth.Guard{}, PerCustomer: float64(a.opts.Config.Ingest.PerCustomer),
		Dir: filepath.Join(a.opts.Config.Storage.Dir, dirIDs), Retention: a.opts.Config.Retention.Samples,
		Now: a.opts.Now, Logger: a.log, Registerer: a.registry,
	})
	if err != nil {
		return err
	}
	b.Hold(bus.Samples, dirIDs, r.collector.Applied)
	r.add("collector", r.collector.Run)
	return nil
}

func (r *rooms) buildProber(ctx context.Context, a *App) (err error) {
	if r.probes, err = newProbeSink(ctx, a.engines.bus, a.opts.Config.Features); err != nil {
		return err
	}
	beats, known, err := newBeatSink(ctx, a.engines.bus, a.opts.Config.Features)
	if err != nil {
		return err
	}
	r.prober, err = probe.New(probe.Options{
		Features: a.opts.Config.Features, Sink: r.probes, Known: r.probes.known(), Beats: beats, KnownBeats: known,
		Allow: auth.Guard{}.Allow, Traffic: r.recent, Now: a.opts.Now, Logger: a.log, Registerer: a.registry,
	})
	if err != nil {
		return err
	}
	r.add("prober", func(ctx context.Context) error {
		if err := r.prober.Run(ctx); err != nil {
			return err
		}
		<-ctx.Done() // without probes there is nothing to do
		return nil
	})
	return nil
}

func (r *rooms) buildWriters(ctx context.Context, a *App) error {
	store := a.engines.store
	return firstError(
		func() error { return addWriter(ctx, r, a, bus.Samples, insertDeliveries(store), r.deliveries.unpack) },
		func() error { return addWriter(ctx, r, a, bus.Scores, store.InsertScores, unpackScores) },
		func() error { return addWriter(ctx, r, a, bus.Probes, store.InsertProbes, nil) },
		func() error { return addWriter(ctx, r, a, bus.Audit, store.InsertAudits, nil) },
	)
}

func firstError(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func addWriter[T any](ctx context.Context, r *rooms, a *App, stream string,
	insert func(context.Context, string, []T) error, decode func(collector.Message) ([]T, error)) error {
	reader, err := a.engines.bus.Reader(ctx, stream, readerWriter)
	if err != nil {
		return fmt.Errorf("reading stream %q: %w", stream, err)
	}
	w, err := collector.NewWriter(collector.WriterOptions[T]{
		Name: stream, Source: writerSource{reader, writeLimits}, Decode: decode, Logger: a.log, Registerer: a.registry,
		Insert: func(ctx context.Context, token string, rows []T) error {
			err := insert(ctx, token, rows)
			if err == nil {
				r.page.Notify()
			}
			return err
		},
	})
	if err != nil {
		return err
	}
	r.add("writer of "+stream, w.Run)
	return nil
}

func (r *rooms) buildSink(ctx context.Context, a *App) (err error) {
	r.scores, err = newScoreSink(ctx, a.engines.bus, a.opts.Config.Features)
	if err == nil {
		// The judges are made after the sink that they write to, and before anything that asks.
		r.scores.suspect = func(feature, metric string, at time.Time) bool { return r.judges.Suspect(feature, metric, at) }
	}
	return err
}

func (r *rooms) buildEvaluator(ctx context.Context, a *App) error {
	reader, err := a.engines.bus.Reader(ctx, bus.Samples, readerEvaluator)
	if err != nil {
		return fmt.Errorf("reading stream %q: %w", bus.Samples, err)
	}
	state, err := a.engines.bus.Bucket(ctx, bucketState)
	if err != nil {
		return err
	}
	cfg := a.opts.Config
	features, err := inForce(ctx, r.baselines, cfg.Features)
	if err != nil {
		return err
	}
	r.evaluator, err = evaluator.New(evaluator.Options{
		Engine: evaluator.EngineOptions{
			Features: features, FalseAlarms: cfg.FalseAlarms, Location: cfg.Location(),
			Made: a.opts.Now(), Steps: r.steps.step, Baselines: baselines{ctx: context.WithoutCancel(ctx), cfg: cfg, store: a.engines.store, keep: r.baselines}.read,
		},
		Source: followSource{reader, r.deliveries}, Sink: r.scores, State: stateBucket{state},
		Now: a.opts.Now, Logger: a.log, Registerer: a.registry,
	})
	if err != nil {
		return err
	}
	r.add("evaluator", r.evaluator.Run)
	return nil
}

func (r *rooms) buildAlerts(ctx context.Context, a *App) error {
	reader, err := a.engines.bus.Reader(ctx, bus.Events, readerAlerts)
	if err != nil {
		return fmt.Errorf("reading stream %q: %w", bus.Events, err)
	}
	incidents, err := a.engines.bus.Bucket(ctx, bucketIncidents)
	if err != nil {
		return err
	}
	outbox, err := a.engines.bus.Bucket(ctx, bucketOutbox)
	if err != nil {
		return err
	}
	maintenances, err := a.engines.bus.Bucket(ctx, bucketMaintenances)
	if err != nil {
		return err
	}
	cfg := a.opts.Config
	templates, err := wording.New(cfg.StatusPage.Templates)
	if err != nil {
		return err
	}
	r.alerts, err = alerts.New(alerts.Options{
		Features: cfg.Features, Receivers: cfg.Alerts.Receivers, Source: alertSource{reader},
		Incidents: incidents, Outbox: outbox, PageURL: cfg.StatusPage.URL, Location: cfg.Location(),
		Now: a.opts.Now, Changed: r.page.Notify, Explained: r.explain.Sentences, Actor: auth.ActorOf, Audit: r.audit.Append, Logger: a.log, Registerer: a.registry,
		Maintenances: maintenances, Publish: cfg.StatusPage.Publish, Templates: templates, UpdateEvery: cfg.StatusPage.UpdateEvery,
		Notify: noticeSink{a.engines.bus}.give,
	})
	if err != nil {
		return err
	}
	r.add("alerts", r.alerts.Run)
	return nil
}

func (r *rooms) buildPage(ctx context.Context, a *App) (err error) {
	reader, err := newPageReader(ctx, a.engines, func() { r.page.Notify() })
	if err != nil {
		return err
	}
	r.reader = reader
	cfg := a.opts.Config
	r.page, err = statuspage.New(statuspage.Options{
		Title: cfg.StatusPage.Title, URL: cfg.StatusPage.URL, Features: cfg.Features, Location: cfg.Location(),
		Simulated: a.opts.Simulated, Reader: reader, Now: a.opts.Now, Logger: a.log, Registerer: a.registry,
		Groups: cfg.StatusPage.Groups, Hidden: cfg.StatusPage.Hidden,
		Subscribe:   offersSome(cfg),
		Description: cfg.StatusPage.Description, Languages: cfg.StatusPage.Languages, Uptime: cfg.StatusPage.Uptime, Brand: cfg.StatusPage.Brand, Export: cfg.StatusPage.Export,
	})
	if err != nil {
		return err
	}
	r.add("status page", r.page.Run)
	for _, m := range reader.mirrors() {
		r.add("mirror of "+m.name, m.run)
	}
	return nil
}

// monitored lists the monitors of the configuration as keys of their documents.
func monitored(features []quality.Feature) map[string]bool {
	out := map[string]bool{}
	for _, f := range features {
		for _, m := range f.Monitors {
			out[monitorKey(f.Name, m.Metric)] = true
		}
	}
	return out
}

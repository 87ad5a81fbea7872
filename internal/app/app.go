// Package app puts the rooms together: it opens the engines, gives every room what it asks for, starts
// and stops them in order, and binds the listeners.
//
// It owns wiring and lifecycle and the commands that work on stored data. It decides nothing that a room
// could decide. It is the only package that sees them all.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/sync/errgroup"

	"github.com/asgood-dev/asgood/internal/config"
	"github.com/asgood-dev/asgood/internal/quality"
)

// stopTime is how long a stop may take: open requests, the evaluator's last save, the engines.
const stopTime = 20 * time.Second

// Options of an App.
type Options struct {
	Config    *config.Config
	Logger    *slog.Logger     // nil means silence
	Now       func() time.Time // time of samples, monitors and incidents; nil means time.Now
	Simulated bool             // the status page says that the traffic is simulated
	Version   string           // shown in the metrics
	Announce  io.Writer        // where it is told how the first person signs in; nil means nowhere
}

// App is every room of the house in one process.
type App struct {
	opts     Options
	log      *slog.Logger
	registry *prometheus.Registry
	engines  *engines
	rooms    *rooms
	servers  *servers
	addr     map[string]string // of the listeners, also after they are closed

	group  *errgroup.Group
	cancel context.CancelFunc
	failed <-chan struct{} // closed when a room ended, which none should
}

// New opens the engines, brings the schema up to date, builds the rooms and binds the listeners. What it
// opened is closed again when it fails.
func New(ctx context.Context, o Options) (_ *App, err error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	a := &App{opts: o, log: o.Logger, registry: newRegistry(o.Version)}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.close(ctx))
		}
	}()
	if a.engines, err = openEngines(ctx, o.Config, o.Logger, a.registry); err != nil {
		return a, err
	}
	if _, err = a.engines.store.Migrate(ctx); err != nil {
		return a, fmt.Errorf("bringing the schema up to date: %w", err)
	}
	if a.rooms, err = newRooms(ctx, a); err != nil {
		return a, err
	}
	if a.servers, err = a.listen(); err != nil {
		return a, err
	}
	a.addr = a.servers.addr
	return a, nil
}

func newRegistry(version string) *prometheus.Registry {
	r := prometheus.NewRegistry()
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "asgood_build_info", Help: "Always 1; the label tells the version.", ConstLabels: prometheus.Labels{"version": version}})
	build.Set(1)
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), build)
	return r
}

// Start runs the rooms and answers requests, in the background until Stop. It returns when samples are
// taken in.
func (a *App) Start(ctx context.Context) error {
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	a.cancel = cancel
	a.group, run = errgroup.WithContext(run)
	a.failed = run.Done()
	for _, r := range a.rooms.runners() {
		a.group.Go(func() error {
			err := r.run(run)
			if err == nil && run.Err() == nil {
				err = errors.New("ended of its own accord")
			}
			if err != nil && (run.Err() == nil || !errors.Is(err, context.Canceled)) {
				return fmt.Errorf("%s: %w", r.name, err)
			}
			return nil
		})
	}
	for _, s := range a.servers.list {
		a.group.Go(s.Serve)
	}
	select {
	case <-a.rooms.collector.Ready():
		return nil
	case <-a.failed:
		return a.Stop(ctx)
	case <-ctx.Done():
		return errors.Join(ctx.Err(), a.Stop(context.WithoutCancel(ctx)))
	}
}

// Stop lets open requests end, saves what is under way and closes the engines. The error is also that of
// a room that failed before.
func (a *App) Stop(ctx context.Context) error {
	var errs []error
	if a.rooms != nil {
		a.rooms.canaries.Halt()
	}
	if a.servers != nil {
		errs = append(errs, a.servers.shutdown(ctx))
	}
	if a.cancel != nil {
		a.cancel()
		errs = append(errs, a.group.Wait())
	}
	return errors.Join(append(errs, a.close(ctx))...)
}

// close frees what New took. It may be called again.
func (a *App) close(ctx context.Context) error {
	var errs []error
	if a.servers != nil {
		errs = append(errs, a.servers.shutdown(ctx))
		a.servers = nil
	}
	if a.rooms != nil {
		errs = append(errs, a.rooms.close())
		a.rooms = nil
	}
	if a.engines != nil {
		errs = append(errs, a.engines.close())
		a.engines = nil
	}
	return errors.Join(errs...)
}

// Run serves until ctx ends or a room fails.
func Run(ctx context.Context, o Options) error {
	a, err := New(ctx, o)
	if err != nil {
		return err
	}
	if err := a.Start(ctx); err != nil {
		return err
	}
	if err := a.announce(ctx); err != nil {
		a.log.Warn("nobody can sign in by the first link: asgood person link makes another", "err", err)
	}
	a.log.Info("serving", "status_page", a.Addr(listenerPublic), "ingest", a.Addr(listenerIngest), "grpc", a.Addr(listenerGRPC), "internal", a.Addr(listenerInternal))
	select {
	case <-ctx.Done():
	case <-a.failed:
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	return a.Stop(stopping)
}

// Addr returns the bound address of a listener: public, ingest or internal.
func (a *App) Addr(listener string) string { return a.addr[listener] }

// RecordProbes stores availability checks that were made elsewhere or earlier.
func (a *App) RecordProbes(ctx context.Context, results []quality.ProbeResult) error {
	return a.rooms.probes.recordAll(ctx, results)
}

// Migrate opens the store, brings its schema up to date and closes it. It returns what it applied.
func Migrate(ctx context.Context, cfg *config.Config, logger *slog.Logger) (_ []string, err error) {
	store, err := openStore(ctx, cfg, logger, prometheus.NewRegistry())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	return store.Migrate(ctx)
}

package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/asgood-dev/asgood/collector"
	"github.com/asgood-dev/asgood/internal/bus"
	"github.com/asgood-dev/asgood/internal/config"
	"github.com/asgood-dev/asgood/internal/quality"
)

// taker takes samples somewhere, in order. What it has returned for is durable there.
type taker interface {
	take(ctx context.Context, samples []quality.Sample) (collector.Result, error)
	close() error
}

// destination opens where the samples go. The name tells it from others.
func destination(ctx context.Context, o *ImportOptions, result *ImportResult) (to taker, name string, err error) {
	switch {
	case o.DryRun:
		return dryTaker{o.Config, result}, "", nil
	case o.Output != nil:
		return fileTaker{json.NewEncoder(o.Output)}, "", nil
	case o.Server != "":
		s := newServerTaker(o.Server, o.Key, o.Note)
		return s, s.url, nil
	case answers(ctx, o.Config.Listen.Ingest):
		s := newServerTaker(reachable(o.Config.Listen.Ingest), o.Key, o.Note)
		return s, s.url, nil
	default:
		dir, err := filepath.Abs(o.Config.Storage.Dir)
		if err != nil {
			return nil, "", fmt.Errorf("data directory: %w", err)
		}
		d, err := openDirectory(ctx, o)
		if err != nil {
			return nil, "", err
		}
		return d, dir, nil
	}
}

// answers reports whether something listens at an address.
func answers(ctx context.Context, addr string) bool {
	d := net.Dialer{Timeout: 2 * time.Second}
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return !errors.Is(err, syscall.ECONNREFUSED)
	}
	_ = conn.Close() // only its opening was of interest
	return true
}

// dryTaker keeps the first samples to be shown, and checks what a configuration would.
type dryTaker struct {
	cfg    *config.Config // nil when there is none
	result *ImportResult
}

func (d dryTaker) take(_ context.Context, samples []quality.Sample) (r collector.Result, _ error) {
	for i := range samples {
		if s := &samples[i]; d.cfg != nil && !d.knows(s.Feature) {
			r.Refused++
			r.Rejected = append(r.Rejected, collector.Rejection{Index: &i, Error: fmt.Sprintf("field %q: the configuration has no feature %q", "feature", s.Feature)})
			continue
		}
		r.Accepted++
		if len(d.result.Samples) < dryRunSamples {
			d.result.Samples = append(d.result.Samples, samples[i])
		}
	}
	return r, nil
}

func (d dryTaker) knows(feature string) bool {
	return slices.ContainsFunc(d.cfg.Features, func(f quality.Feature) bool { return f.Name == feature })
}

func (dryTaker) close() error { return nil }

// fileTaker writes NDJSON.
type fileTaker struct{ enc *json.Encoder }

func (f fileTaker) take(_ context.Context, samples []quality.Sample) (collector.Result, error) {
	for i := range samples {
		if err := f.enc.Encode(&samples[i]); err != nil {
			return collector.Result{}, fmt.Errorf("writing a sample: %w", err)
		}
	}
	return collector.Result{Accepted: len(samples)}, nil
}

func (fileTaker) close() error { return nil }

// directoryTaker puts samples into the data directory of a server that does not run. They are durable
// then, and scored when it runs.
type directoryTaker struct {
	collector *collector.Collector
	bus       *bus.Bus
	cancel    context.CancelFunc
	done      chan error
}

func openDirectory(ctx context.Context, o *ImportOptions) (_ *directoryTaker, err error) {
	room, err := newDiskRoom(o.Config.Storage.Dir, int64(o.Config.Storage.MinFree), o.Logger)
	if err != nil {
		return nil, err
	}
	b, err := openBus(ctx, o.Config, o.Logger, prometheus.NewRegistry())
	if err != nil {
		return nil, err
	}
	key, err := secretKey(o.Config.Storage.Dir)
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	c, err := collector.New(collector.Options{
		Features: unsampled(o.Config.Features), Handoff: handoff{b}, Key: key, Room: room.Room,
		Dir: filepath.Join(o.Config.Storage.Dir, dirIDs), Retention: o.Config.Retention.Samples, Logger: o.Logger,
	})
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	d := &directoryTaker{collector: c, bus: b, cancel: cancel, done: make(chan error, 1)}
	go func() { d.done <- c.Run(run) }()
	select {
	case <-c.Ready():
		return d, nil
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), d.close())
	}
}

// unsampled are the features without their sampling: a file that a person brings is wanted whole.
func unsampled(features []quality.Feature) []quality.Feature {
	out := slices.Clone(features)
	for i := range out {
		out[i].Sampling = nil
	}
	return out
}

func (d *directoryTaker) take(ctx context.Context, samples []quality.Sample) (collector.Result, error) {
	return d.collector.Accept(ctx, samples)
}

func (d *directoryTaker) close() error {
	d.cancel()
	return errors.Join(<-d.done, d.bus.Close())
}

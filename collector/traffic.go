package collector

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Bounds on the counts held in memory. An import of old data fills many minutes at once, so counts are
// also given on when there are many; when the sink stays away, the rest is dropped and counted.
const (
	trafficFlushAt = 4096
	trafficMax     = 65536
)

type trafficKey struct {
	minute                   int64 // Unix minutes
	feature, customer, model string
}

type trafficCount struct{ total, errors uint64 }

// traffic counts what was accepted by minute and slice, and gives the counts on each minute. A crash
// loses the counts since the last time.
type traffic struct {
	sink    TrafficSink
	log     *slog.Logger
	metrics *metrics
	many    chan struct{}

	mu     sync.Mutex
	counts map[trafficKey]trafficCount

	flushing sync.Mutex
	failing  bool // guarded by flushing
}

func newTraffic(sink TrafficSink, log *slog.Logger, m *metrics) *traffic {
	return &traffic{sink: sink, log: log, metrics: m, many: make(chan struct{}, 1), counts: map[trafficKey]trafficCount{}}
}

func (t *traffic) add(items []item) {
	if t.sink == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range items {
		if !items[i].duplicate {
			n := trafficCount{total: 1}
			if items[i].failed {
				n.errors = 1
			}
			t.merge(items[i].slice, n)
		}
	}
	if len(t.counts) >= trafficFlushAt {
		select {
		case t.many <- struct{}{}:
		default: // already said
		}
	}
}

// merge needs the lock.
func (t *traffic) merge(key trafficKey, n trafficCount) {
	have, ok := t.counts[key]
	if !ok && len(t.counts) >= trafficMax {
		t.metrics.trafficDropped.Add(float64(n.total))
		return
	}
	t.counts[key] = trafficCount{total: have.total + n.total, errors: have.errors + n.errors}
}

func (t *traffic) run(ctx context.Context) error {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-t.many:
		}
		t.flush(ctx)
	}
}

// flush gives the counts to the sink; when that fails they are kept for the next time.
func (t *traffic) flush(ctx context.Context) {
	t.flushing.Lock()
	defer t.flushing.Unlock()
	t.mu.Lock()
	counts := t.counts
	t.counts = map[trafficKey]trafficCount{}
	t.mu.Unlock()
	if len(counts) == 0 {
		return
	}
	err := t.sink.RecordTraffic(ctx, trafficRows(counts))
	if err != nil {
		t.mu.Lock()
		for key, n := range counts {
			t.merge(key, n)
		}
		t.mu.Unlock()
	}
	if failing := err != nil; failing != t.failing {
		t.failing = failing
		if failing {
			t.log.Warn("traffic counts are kept back", "err", err)
		} else {
			t.log.Info("traffic counts are taken again")
		}
	}
}

func trafficRows(counts map[trafficKey]trafficCount) []quality.Traffic {
	rows := make([]quality.Traffic, 0, len(counts))
	for key, n := range counts {
		rows = append(rows, quality.Traffic{
			Minute: time.Unix(key.minute*60, 0).UTC(), Feature: key.feature, Customer: key.customer, Model: key.model,
			Total: n.total, Kept: n.total, Errors: n.errors,
		})
	}
	return rows
}

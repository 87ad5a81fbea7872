package collector

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// sweepBatch bounds how many ids are forgotten in one write, and so how long a hand-off waits for it.
const sweepBatch = 1000

// sweepDaily forgets the ids past the retention, at the start and whenever a day has ended.
func (x *ids) sweepDaily(ctx context.Context, now func() time.Time, log *slog.Logger) error {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	var swept uint32
	for {
		if today := unixDay(now()); today != swept {
			swept = today
			if _, err := x.sweep(ctx, today); err != nil && ctx.Err() == nil {
				log.Warn("old ids were not all forgotten", "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// sweep forgets the ids past the retention and returns how many.
func (x *ids) sweep(ctx context.Context, today uint32) (swept int, err error) {
	it, err := x.db.NewIterWithContext(ctx, nil)
	if err != nil {
		return 0, fmt.Errorf("reading old ids: %w", err)
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	var old [][]byte
	for ok := it.First(); ok && ctx.Err() == nil; ok = it.Next() {
		if !bytes.Equal(it.Key(), appliedKey) && x.expired(it.Value(), today) {
			old = append(old, append([]byte(nil), it.Key()...))
		}
		if len(old) == sweepBatch {
			if err := x.forget(old, today); err != nil {
				return swept, err
			}
			swept, old = swept+len(old), old[:0]
		}
	}
	if err := errors.Join(it.Error(), ctx.Err()); err != nil {
		return swept, err
	}
	return swept + len(old), x.forget(old, today)
}

// forget deletes the ids that are still past the retention: one may have been renewed since it was read.
func (x *ids) forget(keys [][]byte, today uint32) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	b := x.db.NewBatch()
	defer b.Close()
	for _, key := range keys {
		value, closer, err := x.db.Get(key)
		if err != nil {
			return fmt.Errorf("reading an old id: %w", err)
		}
		expired := x.expired(value, today)
		if err := closer.Close(); err != nil {
			return fmt.Errorf("reading an old id: %w", err)
		}
		if expired {
			if err := b.Delete(key, nil); err != nil {
				return fmt.Errorf("forgetting an old id: %w", err)
			}
		}
	}
	if err := b.Commit(pebble.NoSync); err != nil {
		return fmt.Errorf("forgetting old ids: %w", err)
	}
	return nil
}

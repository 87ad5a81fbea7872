package collector

import (
	"context"
	"fmt"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/asgood-dev/asgood/internal/quality"
)

// catchUp runs after a message whose fate is unknown: it reads the stream to learn what is in it, and
// marks the samples that turn out to be there.
func (d *door) catchUp(ctx context.Context, batch []*job) error {
	if !d.unsure {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, publishTime)
	defer cancel()
	if err := d.ids.replay(ctx, d.handoff, d.now); err != nil {
		return fmt.Errorf("reading what the hand-off holds: %w", err)
	}
	d.unsure = false
	for _, j := range batch {
		for i := range j.items {
			it := &j.items[i]
			if it.key == "" {
				continue
			}
			known, err := d.ids.known(it.key, d.now())
			if err != nil {
				return err
			}
			it.duplicate = known
		}
	}
	return nil
}

// publish repeats with the same id, so that an attempt that was stored but not answered is not stored twice.
func (d *door) publish(ctx context.Context, batch []*job) error {
	data, entries, err := pack(batch)
	if data == nil {
		return err
	}
	id := ulid.Make().String()
	var seq uint64
	for attempt := 0; ; attempt++ {
		if seq, err = d.attempt(ctx, id, data); err == nil {
			break
		}
		kind := quality.KindOf(err)
		if kind == quality.KindInvalid || kind == quality.KindTooLarge {
			return err
		}
		if attempt == publishRetries || !pause(ctx, 50*time.Millisecond<<(2*attempt)) {
			d.unsure = true
			return err
		}
	}
	return d.index(ctx, seq, entries)
}

func (d *door) attempt(ctx context.Context, id string, data []byte) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, publishTime)
	defer cancel()
	began := time.Now()
	seq, err := d.handoff.Publish(ctx, id, data)
	d.metrics.publish.Observe(time.Since(began).Seconds())
	return seq, err
}

// index adds the ids of a message that is durable. Messages between the last known and this one came
// from an attempt that seemed to fail, or from another collector: their ids are read from the stream.
func (d *door) index(ctx context.Context, seq uint64, entries []entry) error {
	gap, err := d.ids.apply(seq, entries, d.now())
	if err != nil {
		d.unsure = true
		return err
	}
	d.orphans.came(entries)
	if gap {
		if err := d.ids.replay(ctx, d.handoff, d.now); err != nil {
			d.unsure = true // the samples are durable; the gap is closed before the next message
			d.log.Warn("index of ids has a gap until the hand-off can be read", "err", err)
		}
	}
	return nil
}

package bus

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const purgeEvery = 5 * time.Second

// Hold keeps messages of a stream from being purged beyond the sequence that upTo returns.
func (b *Bus) Hold(stream, name string, upTo func() uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.log.Debug("stream is held", "stream", stream, "by", name)
	b.holds[stream] = append(b.holds[stream], upTo)
}

// purge removes, now and again, what every reader has committed.
func (b *Bus) purge(ctx context.Context) {
	tick := time.NewTicker(purgeEvery)
	defer tick.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := b.purgeAll(ctx)
		if err != nil && !failing && ctx.Err() == nil {
			b.log.Warn("streams keep what was read", "err", err)
		}
		failing = err != nil
	}
}

func (b *Bus) purgeAll(ctx context.Context) error {
	positions, err := b.positions(ctx)
	if err != nil {
		return err
	}
	for stream, readers := range positions {
		if err := b.purgeStream(ctx, stream, readers); err != nil {
			return err
		}
	}
	return nil
}

// positions returns what the readers of each stream have committed, by reader.
func (b *Bus) positions(ctx context.Context) (map[string]map[string]uint64, error) {
	keys, err := b.readers.Keys(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string]map[string]uint64{}
	for _, key := range keys {
		data, _, err := b.readers.Get(ctx, key)
		if err != nil {
			return nil, err
		}
		var p position
		if err := json.Unmarshal(data, &p); err != nil {
			return nil, fmt.Errorf("decoding the position of reader %q: %w", key, err)
		}
		stream, name, _ := strings.Cut(key, "/")
		if out[stream] == nil {
			out[stream] = map[string]uint64{}
		}
		out[stream][name] = p.Committed
	}
	return out, nil
}

func (b *Bus) purgeStream(ctx context.Context, stream string, readers map[string]uint64) error {
	s, err := b.js.Stream(ctx, stream)
	if err != nil {
		return failed(err, "looking up stream %q", stream)
	}
	state := s.CachedInfo().State
	done := state.LastSeq
	for name, committed := range readers {
		b.metrics.lag.WithLabelValues(stream, name).Set(float64(state.LastSeq - min(state.LastSeq, committed)))
		done = min(done, committed)
	}
	b.mu.Lock()
	for _, upTo := range b.holds[stream] {
		done = min(done, upTo())
	}
	b.mu.Unlock()
	// The newest message stays: it says where the stream is and what it was made from.
	before := min(done+1, state.LastSeq)
	if before <= state.FirstSeq || state.Msgs == 0 {
		return nil
	}
	if err := s.Purge(ctx, jetstream.WithPurgeSequence(before)); err != nil {
		return failed(err, "purging stream %q", stream)
	}
	return nil
}

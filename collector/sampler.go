package collector

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/asgood-dev/asgood/collector/sampling"
	"github.com/asgood-dev/asgood/internal/quality"
)

// samplerPrefix is that of the index's keys for what the samplers have counted.
const samplerPrefix = "\x00sampler\x00"

// samplers decide, by feature, which outputs are kept. A feature without sampling has none.
type samplers map[string]*sampling.Sampler

// newSamplers goes on where an earlier process stopped counting, so that a restart gives nobody another
// minimum and no hour another budget.
func newSamplers(features []quality.Feature, key []byte, x *ids, log *slog.Logger) (samplers, error) {
	out := samplers{}
	for _, f := range features {
		if f.Sampling == nil {
			continue
		}
		s, err := sampling.New(sampling.Options{Spec: *f.Sampling, Key: samplingKey(key)})
		if err != nil {
			return nil, fmt.Errorf("sampling of feature %q: %w", f.Name, err)
		}
		value, closer, err := x.db.Get([]byte(samplerPrefix + f.Name))
		switch {
		case errors.Is(err, pebble.ErrNotFound):
		case err != nil:
			return nil, fmt.Errorf("reading the counts of sampling of feature %q: %w", f.Name, err)
		default:
			if err := s.Restore(value[min(dayBytes, len(value)):]); err != nil {
				log.Warn("sampling counts anew", "feature", f.Name, "err", err)
			}
			if err := closer.Close(); err != nil {
				return nil, fmt.Errorf("reading the counts of sampling of feature %q: %w", f.Name, err)
			}
		}
		out[f.Name] = s
	}
	return out, nil
}

// samplingKey makes the number that senders cannot foresee of the secret key.
func samplingKey(key []byte) uint64 {
	var b [8]byte
	copy(b[:], key)
	return binary.BigEndian.Uint64(b[:])
}

// samplerSaveEvery bounds what a crash makes samplers forget.
const samplerSaveEvery = 5 * time.Second

func (s samplers) run(ctx context.Context, x *ids, now func() time.Time, log *slog.Logger) error {
	tick := time.NewTicker(samplerSaveEvery)
	defer tick.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return s.save(x, now())
		case <-tick.C:
		}
		err := s.save(x, now())
		if err != nil && !failing {
			log.Warn("the counts of sampling cannot be saved", "err", err)
		}
		failing = err != nil
	}
}

func (s samplers) save(x *ids, now time.Time) error {
	var errs []error
	for name, sampler := range s {
		data, err := sampler.Snapshot()
		if err == nil {
			value := append(binary.BigEndian.AppendUint32(nil, unixDay(now)), data...)
			err = x.db.Set([]byte(samplerPrefix+name), value, pebble.NoSync)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("saving the counts of sampling of feature %q: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

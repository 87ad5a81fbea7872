package app

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/asgood-dev/asgood/collector"
	"github.com/asgood-dev/asgood/internal/bus"
	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/wire"
)

// handoff gives samples to the bus.
type handoff struct{ bus *bus.Bus }

func (h handoff) Publish(ctx context.Context, id string, data []byte) (uint64, error) {
	return h.bus.Publish(ctx, bus.Samples, bus.Message{ID: id, Data: data})
}

func (h handoff) Replay(ctx context.Context, after uint64, fn func(uint64, []byte) error) error {
	return h.bus.Range(ctx, bus.Samples, after, func(m bus.Message) error { return fn(m.Seq, m.Data) })
}

// noticeSink gives notices to subscribers to the bus.
type noticeSink struct{ bus *bus.Bus }

func (s noticeSink) give(ctx context.Context, n quality.Notice) error {
	return publish(ctx, s.bus, bus.Notices, n.ID, n)
}

func publish(ctx context.Context, b *bus.Bus, stream, id string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encoding a message of stream %q: %w", stream, err)
	}
	_, err = b.Publish(ctx, stream, bus.Message{ID: id, Data: data})
	return err
}

// scoreSink gives what the evaluator makes to the bus.
type scoreSink struct {
	bus         *bus.Bus
	statuses    *bus.Documents[quality.MonitorStatus]
	regressions *bus.Documents[quality.Regression]
	zip         *zstd.Encoder
	suspect     func(feature, metric string, at time.Time) bool // nil: no judge is

	mu    sync.Mutex // held while scores are published, so that their order is that of last
	known bool
	last  uint64 // source of the latest scores of the evaluator
}

func newScoreSink(ctx context.Context, b *bus.Bus, features []quality.Feature) (*scoreSink, error) {
	zip, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, fmt.Errorf("making a compressor: %w", err)
	}
	s := &scoreSink{bus: b, zip: zip}
	if s.statuses, err = documents[quality.MonitorStatus](ctx, b, bucketStatuses); err != nil {
		return nil, err
	}
	if s.regressions, err = documents[quality.Regression](ctx, b, bucketRegressions); err != nil {
		return nil, err
	}
	return s, forget(ctx, b, bucketStatuses, monitored(features))
}

func documents[T any](ctx context.Context, b *bus.Bus, bucket string) (*bus.Documents[T], error) {
	kv, err := b.Bucket(ctx, bucket)
	if err != nil {
		return nil, err
	}
	return bus.NewDocuments[T](kv), nil
}

// forget removes the documents of what is no longer configured, which nobody would bring up to date.
func forget(ctx context.Context, b *bus.Bus, bucket string, keep map[string]bool) error {
	kv, err := b.Bucket(ctx, bucket)
	if err != nil {
		return err
	}
	keys, err := kv.Keys(ctx)
	if err != nil {
		return fmt.Errorf("listing bucket %q: %w", bucket, err)
	}
	for _, key := range keys {
		if keep[key] {
			continue
		}
		if err := kv.Delete(ctx, key); err != nil {
			return fmt.Errorf("removing %q from bucket %q: %w", key, bucket, err)
		}
	}
	return nil
}

func (s *scoreSink) LastScored(ctx context.Context) (uint64, error) {
	m, err := s.bus.Last(ctx, bus.Scores)
	if err != nil && quality.KindOf(err) == quality.KindNotFound {
		return 0, nil
	}
	return m.Source, err
}

// PublishScores publishes the scores of one message.
func (s *scoreSink) PublishScores(ctx context.Context, source uint64, scores []quality.Score) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.publish(ctx, fmt.Sprintf("scores-%d", source), source, scores)
	if err == nil {
		s.known, s.last = true, source
	}
	return err
}

// PublishAnchors puts the scores of anchors on the stream of scores, past every monitor. The last message of
// the stream says how far the evaluator has come, so this one repeats what the one before it said.
func (s *scoreSink) PublishAnchors(ctx context.Context, id string, scores []quality.Score) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.known {
		last, err := s.LastScored(ctx)
		if err != nil {
			return err
		}
		s.known, s.last = true, last
	}
	return s.publish(ctx, id, s.last, scores)
}

// publish compresses: a message of small samples makes scores many times its size. It needs the lock.
func (s *scoreSink) publish(ctx context.Context, id string, source uint64, scores []quality.Score) error {
	_, err := s.bus.Publish(ctx, bus.Scores, bus.Message{ID: id, Source: source, Data: s.zip.EncodeAll(wire.WriteScores(scores), nil)})
	return err
}

// maxScores bounds what a message of scores may unpack to.
const maxScores = 512 << 20

// unpackScores reads a message of PublishScores.
func unpackScores(m collector.Message) ([]quality.Score, error) {
	r, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxScores))
	if err != nil {
		return nil, fmt.Errorf("making a decompressor: %w", err)
	}
	defer r.Close()
	data, err := r.DecodeAll(m.Data, nil)
	if err != nil {
		return nil, fmt.Errorf("decompressing scores: %w", err)
	}
	return wire.ReadScores(data)
}

func (s *scoreSink) PublishRegression(ctx context.Context, ev quality.RegressionEvent) error {
	s.mark(&ev.Regression)
	return publish(ctx, s.bus, bus.Events, ev.ID, quality.Event{Regression: &ev})
}

func (s *scoreSink) PublishMonitor(ctx context.Context, ev quality.MonitorEvent) error {
	return publish(ctx, s.bus, bus.Events, ev.ID, quality.Event{Monitor: &ev})
}

func monitorKey(feature, metric string) string { return feature + "/" + metric }

func (s *scoreSink) PutStatus(ctx context.Context, st quality.MonitorStatus) error {
	_, err := s.statuses.Put(ctx, monitorKey(st.Feature, st.Metric), st)
	return err
}

func (s *scoreSink) OpenRegressions(ctx context.Context) ([]quality.Regression, error) {
	all, err := s.regressions.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading regressions: %w", err)
	}
	return slices.DeleteFunc(all, func(r quality.Regression) bool { return !r.Open() }), nil
}

func (s *scoreSink) PutRegression(ctx context.Context, r quality.Regression) error {
	s.mark(&r)
	_, err := s.regressions.Put(ctx, r.ID, r)
	return err
}

// mark says of a regression whether it may be the judge's and not the product's.
func (s *scoreSink) mark(r *quality.Regression) {
	r.JudgeSuspect = s.suspect != nil && s.suspect(r.Feature, r.Metric, r.DetectedAt)
}

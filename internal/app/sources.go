package app

import (
	"context"
	"fmt"
	"time"

	"github.com/asgood-dev/asgood/alerts"
	"github.com/asgood-dev/asgood/collector"
	"github.com/asgood-dev/asgood/evaluator"
	"github.com/asgood-dev/asgood/internal/bus"
	"github.com/asgood-dev/asgood/internal/quality"
)

// writerSource feeds a writer, or a stage of the collector, from a stream.
type writerSource struct {
	reader *bus.Reader
	limits bus.BatchLimits
}

func (s writerSource) Next(ctx context.Context) (collector.Batch, error) {
	b, err := s.reader.Next(ctx, s.limits)
	if err != nil {
		return collector.Batch{}, err
	}
	out := collector.Batch{Token: b.Token(), Ref: b, Messages: make([][]byte, len(b.Messages)), Times: make([]time.Time, len(b.Messages)), Seqs: make([]uint64, len(b.Messages))}
	for i := range b.Messages {
		out.Messages[i], out.Times[i], out.Seqs[i] = b.Messages[i].Data, b.Messages[i].Time, b.Messages[i].Seq
	}
	return out, nil
}

func (s writerSource) Commit(ctx context.Context, b collector.Batch) error {
	ref, ok := b.Ref.(bus.Batch)
	if !ok {
		return quality.Errorf(quality.KindInternal, "batch %q is not from this source", b.Token)
	}
	return s.reader.Commit(ctx, ref)
}

// stagedStream puts records on a stream of the bus and takes them up again.
type stagedStream struct {
	bus    *bus.Bus
	stream string
}

func (s stagedStream) Publish(ctx context.Context, id string, data []byte) error {
	_, err := s.bus.Publish(ctx, s.stream, bus.Message{ID: id, Data: data})
	return err
}

func newStaged(ctx context.Context, b *bus.Bus, stream string) (collector.Staged, error) {
	reader, err := b.Reader(ctx, stream, readerCollector)
	if err != nil {
		return collector.Staged{}, fmt.Errorf("reading stream %q: %w", stream, err)
	}
	return collector.Staged{To: stagedStream{b, stream}, From: writerSource{reader, stageLimits}}, nil
}

// followSource feeds the evaluator.
type followSource struct {
	reader     *bus.Reader
	deliveries *deliveries
}

func (s followSource) Next(ctx context.Context) (evaluator.Batch, error) {
	b, err := s.reader.Next(ctx, followLimits)
	if err != nil {
		return evaluator.Batch{}, err
	}
	out := evaluator.Batch{First: b.First, Last: b.Last, Messages: make([]evaluator.Message, len(b.Messages))}
	for i, m := range b.Messages {
		out.Messages[i] = evaluator.Message{Seq: m.Seq, Data: m.Data, Read: func() (*quality.Delivery, error) {
			return s.deliveries.read(m.Seq, m.Time, m.Data)
		}}
	}
	return out, nil
}

func (s followSource) Commit(ctx context.Context, b evaluator.Batch) error {
	return s.reader.Commit(ctx, bus.Batch{Stream: bus.Samples, First: b.First, Last: b.Last})
}

// alertSource feeds the alerts.
type alertSource struct{ reader *bus.Reader }

func (s alertSource) Next(ctx context.Context) (alerts.Batch, error) {
	b, err := s.reader.Next(ctx, followLimits)
	if err != nil {
		return alerts.Batch{}, err
	}
	out := alerts.Batch{First: b.First, Last: b.Last, Messages: make([]alerts.Message, len(b.Messages))}
	for i, m := range b.Messages {
		out.Messages[i] = alerts.Message{Seq: m.Seq, Data: m.Data}
	}
	return out, nil
}

func (s alertSource) Commit(ctx context.Context, b alerts.Batch) error {
	return s.reader.Commit(ctx, bus.Batch{Stream: bus.Events, First: b.First, Last: b.Last})
}

// stateBucket stores the evaluator's state.
type stateBucket struct{ bucket *bus.Bucket }

func (s stateBucket) Get(ctx context.Context, key string) ([]byte, error) {
	data, _, err := s.bucket.Get(ctx, key)
	return data, err
}

func (s stateBucket) Put(ctx context.Context, key string, data []byte) error {
	_, err := s.bucket.Put(ctx, key, data)
	return err
}

func (s stateBucket) Delete(ctx context.Context, key string) error {
	err := s.bucket.Delete(ctx, key)
	if quality.KindOf(err) == quality.KindNotFound && err != nil {
		return nil
	}
	return err
}

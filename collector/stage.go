package collector

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
	"golang.org/x/sync/semaphore"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Stage keeps records that are not samples yet. What Publish has returned for is never lost; the same
// id again stores nothing.
type Stage interface {
	Publish(ctx context.Context, id string, data []byte) error
}

// stage makes records durable for many requests at once: one goroutine publishes, and what arrives while
// it does so shares the next message. A message is a JSON array of records.
type stage struct {
	name    string
	to      Stage
	log     *slog.Logger
	metrics *metrics

	gate    sync.RWMutex // held for reading while a parcel enters the queue
	stopped bool
	room    *semaphore.Weighted
	queue   chan *parcel
	failing bool // used by run alone
}

// parcel is what one request puts on the stage.
type parcel struct {
	records [][]byte // JSON
	size    int
	weight  int64
	flight  *flight
}

func newStage(name string, to Stage, queueBytes int64, log *slog.Logger, m *metrics) *stage {
	return &stage{name: name, to: to, log: log.With("stage", name), metrics: m,
		room: semaphore.NewWeighted(max(queueBytes, 2*maxEncoded)), queue: make(chan *parcel, queueBytes/minWeight+1)}
}

// put returns when the records are durable. A full queue is an error of kind unavailable, at once.
func (s *stage) put(ctx context.Context, records [][]byte) error {
	var flights []*flight
	for len(records) > 0 {
		p := &parcel{flight: newFlight()}
		for len(records) > 0 && (p.size == 0 || p.size+len(records[0]) <= chunkBytes) {
			p.records, p.size = append(p.records, records[0]), p.size+len(records[0])+1
			records = records[1:]
		}
		if err := s.enqueue(ctx, p, len(flights) > 0); err != nil {
			return err
		}
		flights = append(flights, p.flight)
	}
	for _, f := range flights {
		if err := f.wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

// enqueue waits for room only for the rest of a request that has begun.
func (s *stage) enqueue(ctx context.Context, p *parcel, wait bool) error {
	p.weight = max(int64(p.size), minWeight)
	if !s.room.TryAcquire(p.weight) {
		if !wait {
			return errFull
		}
		ctx, cancel := context.WithTimeout(ctx, roomTime)
		defer cancel()
		if s.room.Acquire(ctx, p.weight) != nil {
			return errFull
		}
	}
	s.gate.RLock()
	defer s.gate.RUnlock()
	if s.stopped {
		s.room.Release(p.weight)
		return errStopping
	}
	s.metrics.queued.Add(float64(p.weight))
	s.queue <- p // never blocks: the weights bound the queue
	return nil
}

// run publishes until ctx ends and what waits is durable, as far as the time goes.
func (s *stage) run(ctx context.Context) error {
	for ctx.Err() == nil {
		select {
		case p := <-s.queue:
			s.publish(context.WithoutCancel(ctx), s.collect(p))
		case <-ctx.Done():
		}
	}
	s.gate.Lock()
	s.stopped = true
	s.gate.Unlock()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	for {
		select {
		case p := <-s.queue:
			s.publish(last, s.collect(p))
		default:
			return nil
		}
	}
}

// collect takes what waits, up to about twice the size of a message.
func (s *stage) collect(first *parcel) []*parcel {
	batch, size := []*parcel{first}, first.size
	for size < chunkBytes {
		select {
		case p := <-s.queue:
			batch, size = append(batch, p), size+p.size
		default:
			return batch
		}
	}
	return batch
}

// publish repeats with the same id, so that an attempt that was stored but not answered is not stored
// twice. When all attempts fail the senders are told to try again.
func (s *stage) publish(ctx context.Context, batch []*parcel) {
	data, id := joinRecords(batch), ulid.Make().String()
	var err error
	for attempt := 0; attempt <= publishRetries; attempt++ {
		if err = s.attempt(ctx, id, data); err == nil || quality.KindOf(err) == quality.KindTooLarge {
			break
		}
		if !pause(ctx, 50*time.Millisecond<<(2*attempt)) {
			break
		}
	}
	if failing := err != nil; failing != s.failing {
		s.failing = failing
		if failing {
			s.log.Error("records cannot be made durable; senders are told to try again", "err", err)
		} else {
			s.log.Info("records are made durable again")
		}
	}
	if err != nil {
		s.metrics.publishFailed.Inc()
		err = quality.Errorf(quality.KindUnavailable, "the %s were not stored: %w", s.name, err)
	}
	for _, p := range batch {
		s.room.Release(p.weight)
		s.metrics.queued.Sub(float64(p.weight))
		p.flight.land(err)
	}
}

func (s *stage) attempt(ctx context.Context, id string, data []byte) error {
	ctx, cancel := context.WithTimeout(ctx, publishTime)
	defer cancel()
	if err := s.to.Publish(ctx, id, data); err != nil {
		return fmt.Errorf("staging %s: %w", s.name, err)
	}
	return nil
}

func joinRecords(batch []*parcel) []byte {
	size := 2
	for _, p := range batch {
		size += p.size
	}
	b := bytes.NewBuffer(make([]byte, 0, size))
	b.WriteByte('[')
	for _, p := range batch {
		for _, r := range p.records {
			if b.Len() > 1 {
				b.WriteByte(',')
			}
			b.Write(r)
		}
	}
	b.WriteByte(']')
	return b.Bytes()
}

package app

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/asgood-dev/asgood/collector"
	"github.com/asgood-dev/asgood/internal/clickhouse"
	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/wire"
)

// sharedBytes bounds the messages of which a delivery is kept until its other reader comes.
const sharedBytes = 24 << 20

// deliveries reads messages of the stream of samples once for both of their readers, the writer and the evaluator.
// What one has read is kept until the other has it too. Readers that are far apart read for themselves: the oldest
// are let go when too much is kept. It is safe for concurrent use; nobody may change what it returns.
type deliveries struct {
	mu    sync.Mutex
	kept  map[place]*delivery
	order []place // from the oldest; those that were taken are still in it
	bytes int
}

// place is where a message stands. The time is in it because a stream that was lost begins with 1 again.
type place struct {
	seq uint64
	at  int64
}

// delivery is read by whoever asks first.
type delivery struct {
	once sync.Once
	size int
	d    quality.Delivery
	err  error
}

func (x *delivery) read(data []byte) (*quality.Delivery, error) {
	x.once.Do(func() {
		if x.d, x.err = wire.ReadDelivery(data); x.err != nil {
			x.err = fmt.Errorf("reading a delivery: %w", x.err)
		}
	})
	return &x.d, x.err
}

func newDeliveries() *deliveries { return &deliveries{kept: map[place]*delivery{}} }

// read returns what is in a message. The second reader takes it away.
func (s *deliveries) read(seq uint64, at time.Time, data []byte) (*quality.Delivery, error) {
	return s.share(place{seq: seq, at: at.UnixNano()}, len(data)).read(data)
}

func (s *deliveries) share(at place, size int) *delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x := s.kept[at]; x != nil {
		delete(s.kept, at)
		s.bytes -= x.size
		return x
	}
	x := &delivery{size: size}
	s.kept[at] = x
	s.order = append(s.order, at)
	s.bytes += size
	s.trim()
	return x
}

// trim lets go of the oldest. Places that were taken leave the order when they are the oldest.
func (s *deliveries) trim() {
	gone := 0
	for _, at := range s.order {
		x := s.kept[at]
		if x != nil && s.bytes <= sharedBytes && len(s.order)-gone <= sharedMessages {
			break
		}
		if x != nil {
			delete(s.kept, at)
			s.bytes -= x.size
		}
		gone++
	}
	if gone > 0 {
		s.order = append(s.order[:0], s.order[gone:]...)
	}
}

// sharedMessages bounds the messages that are kept, however small they are.
const sharedMessages = 4096

// deliveryRow is one row that a delivery of the collector puts into the store: a sample or a count.
type deliveryRow struct {
	sample  *quality.Sample
	traffic *quality.Traffic
}

// unpack makes rows of a message of the stream of samples. Scores in it are the evaluator's to store.
func (s *deliveries) unpack(m collector.Message) ([]deliveryRow, error) {
	d, err := s.read(m.Seq, m.Time, m.Data)
	if err != nil {
		return nil, err
	}
	rows := make([]deliveryRow, 0, len(d.Samples)+len(d.Traffic))
	for i := range d.Samples {
		rows = append(rows, deliveryRow{sample: &d.Samples[i]})
	}
	for i := range d.Traffic {
		rows = append(rows, deliveryRow{traffic: &d.Traffic[i]})
	}
	return rows, nil
}

// insertDeliveries stores both kinds of rows under one token: each table remembers its own.
func insertDeliveries(store *clickhouse.Store) func(context.Context, string, []deliveryRow) error {
	return func(ctx context.Context, token string, rows []deliveryRow) error {
		samples := make([]quality.Sample, 0, len(rows))
		var traffic []quality.Traffic
		for _, r := range rows {
			if r.sample != nil {
				samples = append(samples, *r.sample)
			} else {
				traffic = append(traffic, *r.traffic)
			}
		}
		return firstError(
			func() error { return store.InsertSamples(ctx, token, samples) },
			func() error { return store.InsertTraffic(ctx, token, traffic) },
		)
	}
}

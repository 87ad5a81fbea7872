package collector_test

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/collector"
	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/wire"
)

// stream is a hand-off in memory that behaves as the bus does: sequences without holes, and a message
// id that came before stores nothing.
type stream struct {
	mu       sync.Mutex
	messages [][]byte
	byID     map[string]uint64
	before   func(n int) error // called before a message is stored, with the number of the attempt
	after    func(n int) error // called after; an error is a lost answer
	attempts int
}

func (s *stream) Publish(_ context.Context, id string, data []byte) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.attempts++
	if s.before != nil {
		if err := s.before(s.attempts); err != nil {
			return 0, err
		}
	}
	if s.byID == nil {
		s.byID = map[string]uint64{}
	}
	if _, ok := s.byID[id]; !ok {
		s.messages = append(s.messages, append([]byte(nil), data...))
		s.byID[id] = uint64(len(s.messages))
	}
	if s.after != nil {
		if err := s.after(s.attempts); err != nil {
			return 0, err
		}
	}
	return s.byID[id], nil
}

func (s *stream) Replay(_ context.Context, after uint64, fn func(uint64, []byte) error) error {
	s.mu.Lock()
	messages := s.messages
	s.mu.Unlock()
	for i := after; i < uint64(len(messages)); i++ {
		if err := fn(i+1, messages[i]); err != nil {
			return err
		}
	}
	return nil
}

// stored returns all samples of the stream by feature and id, and how often each is there.
func (s *stream) stored(t testing.TB) (samples []quality.Sample, times map[string]int) {
	t.Helper()
	times = map[string]int{}
	for _, d := range s.deliveries(t) {
		for _, x := range d.Samples {
			samples = append(samples, x)
			times[x.Feature+"/"+x.ID]++
		}
	}
	return samples, times
}

// deliveries returns every message.
func (s *stream) deliveries(t testing.TB) []quality.Delivery {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]quality.Delivery, len(s.messages))
	for i, m := range s.messages {
		var err error
		if out[i], err = wire.ReadDelivery(m); err != nil {
			t.Fatalf("message is not a delivery: %v", err)
		}
	}
	return out
}

var testFeatures = []quality.Feature{
	{Name: "chat", Match: map[string]string{"service.name": "chat-bot"}, Spans: quality.SpanSpec{Join: quality.JoinNone}},
	{Name: "notes"},
}

var testNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

type running struct {
	*collector.Collector
	engine *gin.Engine
	stop   func() // stops and waits
}

// start runs a collector until the test ends or stop is called.
func start(t testing.TB, o collector.Options) *running {
	t.Helper()
	if o.Features == nil {
		o.Features = testFeatures
	}
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	if o.Spans.To == nil {
		o.Spans = newStaged().open()
	}
	if o.Now == nil {
		o.Now = func() time.Time { return testNow }
	}
	c, err := collector.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	r := &running{Collector: c}
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	t.Cleanup(r.stop)
	gin.SetMode(gin.ReleaseMode)
	r.engine = gin.New()
	c.Register(r.engine)
	return r
}

func sample(id string) quality.Sample {
	return quality.Sample{ID: id, Feature: "chat", Output: quality.Text("yes")}
}

// sink is a hand-off that keeps nothing but counts.
type sink struct {
	mu         sync.Mutex
	seq        uint64
	quick      bool // counts messages only
	samples    int
	unreadable error
}

func (s *sink) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.samples, s.unreadable = 0, nil
}

// bad returns the error of a message that could not be read.
func (s *sink) bad() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.unreadable
}

func (s *sink) Publish(_ context.Context, _ string, data []byte) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq++
	if s.quick {
		return s.seq, nil
	}
	d, err := wire.ReadDelivery(data)
	if err != nil {
		s.unreadable = err
	}
	s.samples += len(d.Samples)
	return s.seq, nil
}

func (s *sink) Replay(context.Context, uint64, func(uint64, []byte) error) error { return nil }

func idOf(n int) string { return "sample-" + strconv.Itoa(n) }

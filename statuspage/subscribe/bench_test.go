package subscribe

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/mail"
)

// nowhere takes mails and keeps none.
type nowhere struct{}

func (nowhere) Send(context.Context, mail.Message) error { return nil }
func (nowhere) Domain() string                           { return "acme.example" }
func (nowhere) Flush()                                   {}

// busy takes no mail the first time.
type busy struct{ nowhere }

func (busy) Send(context.Context, mail.Message) error {
	return &mail.Error{Fault: mail.FaultRecipient, Err: context.DeadlineExceeded}
}

// BenchmarkNotice tells subscribers of one notice, all of whom take it, or none; the time for each of them tells
// whether more of them take more than their part.
func BenchmarkNotice(b *testing.B) {
	for _, n := range []int{5_000, 50_000} {
		b.Run(fmt.Sprintf("taken/%d", n), func(b *testing.B) { benchmarkNotice(b, n, nowhere{}) })
		b.Run(fmt.Sprintf("refused/%d", n), func(b *testing.B) { benchmarkNotice(b, n, busy{}) })
	}
}

func benchmarkNotice(b *testing.B, n int, m Mailer) {
	for range b.N {
		b.StopTimer()
		w := newWorld(b, func(o *Options) { o.Mailer = m })
		for i := range n {
			w.active(KindEmail, fmt.Sprintf("p%d@example.com", i), nil)
		}
		before := heap()
		most, stop := watchHeap()
		cancel := w.run()
		b.StartTimer()
		begun := time.Now()
		if err := w.s.take(b.Context(), published("n1")); err != nil {
			b.Fatal(err)
		}
		tick := time.NewTicker(time.Millisecond)
		for !done(w, KindEmail, "n1") {
			<-tick.C
		}
		tick.Stop()
		took := time.Since(begun)
		b.StopTimer()
		stop()
		cancel()
		b.ReportMetric(float64(n)/took.Seconds(), "subscribers/s")
		b.ReportMetric(float64(took.Nanoseconds())/float64(n), "ns/subscriber")
		b.ReportMetric(float64(max(most()-before, 0))/(1<<20), "MiB-more")
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// watchHeap looks at the heap now and then.
func watchHeap() (most func() int64, stop func()) {
	end, over := make(chan struct{}), make(chan struct{})
	high := int64(0)
	go func() {
		defer close(over)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			high = max(high, int64(m.HeapAlloc))
			select {
			case <-end:
				return
			case <-tick.C:
			}
		}
	}()
	return func() int64 { return high }, func() { close(end); <-over }
}

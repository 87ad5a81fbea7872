package statuspage_test

import (
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/sync/errgroup"

	"github.com/asgood-dev/asgood/internal/quality"
)

// The goals for ten thousand viewers, which make viewers measures.
const (
	viewersGoal   = 10_000
	viewersWithin = time.Second
	viewersMemory = 600 << 20
)

// A change reaches every viewer. At full size, by make viewers, it reaches the last one soon and in little memory: that of
// the viewers, who are in this process too, included.
func TestViewers(t *testing.T) {
	count := 300
	if s := os.Getenv("ASGOOD_VIEWERS"); s != "" {
		var err error
		if count, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	w := quiet(t)
	f, r := w.open(t)
	f.refresh(t)
	before := memory()
	conns := f.viewers(t, count)
	used := memory() - before

	w.statuses[0].State = quality.MonitorBlind
	r.statuses = always(w.statuses...)
	took := make([]time.Duration, count)
	var readers sync.WaitGroup
	var began time.Time
	start := make(chan struct{})
	for i, c := range conns {
		readers.Go(func() {
			<-start
			_ = c.SetReadDeadline(time.Now().Add(time.Minute))
			if _, data, err := c.ReadMessage(); err == nil && strings.Contains(string(data), `"cannot-tell"`) {
				took[i] = time.Since(began)
			}
		})
	}
	began = time.Now()
	close(start)
	f.refresh(t)
	readers.Wait()

	var last time.Duration
	for i, d := range took {
		if d == 0 {
			t.Fatalf("viewer %d was not told", i)
		}
		last = max(last, d)
	}
	t.Logf("%d viewers: the last is told after %v, %d MB with the viewers themselves", count, last.Round(time.Millisecond), used>>20)
	if count >= viewersGoal && (last > viewersWithin || used > viewersMemory) {
		t.Errorf("want at most %v and %d MB", viewersWithin, viewersMemory>>20)
	}
}

// viewers connects and has read the greeting of each.
func (f fixture) viewers(t *testing.T, count int) []*websocket.Conn {
	url := "ws" + strings.TrimPrefix(f.serve(t), "http") + "/live"
	dialer := websocket.Dialer{ReadBufferSize: 512, WriteBufferPool: &sync.Pool{}, HandshakeTimeout: time.Minute}
	conns := make([]*websocket.Conn, count)
	var g errgroup.Group
	g.SetLimit(64)
	for i := range conns {
		g.Go(func() error {
			c, _, err := dialer.Dial(url, http.Header{})
			if err != nil {
				return err
			}
			conns[i] = c
			_, _, err = c.ReadMessage()
			return err
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, c := range conns {
			c.Close()
		}
	})
	return conns
}

// memory is what the process holds of the system, without what it could give back.
func memory() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys - m.HeapReleased - (m.HeapIdle - m.HeapReleased))
}

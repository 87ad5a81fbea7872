package statuspage_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
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

// The viewers are a process of their own, which runs this test again and is told so by its environment.
const viewersOf = "ASGOOD_VIEWERS_OF"

// A change reaches every viewer. At full size, by make viewers, it reaches the last one soon and in little memory.
func TestViewers(t *testing.T) {
	count := 300
	if s := os.Getenv("ASGOOD_VIEWERS"); s != "" {
		var err error
		if count, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	if url := os.Getenv(viewersOf); url != "" {
		view(t, url, count)
		return
	}
	w := quiet(t)
	f, r := w.open(t)
	f.refresh(t)
	before := memory()
	told := crowd(t, f.serve(t), count)
	used := memory() - before

	w.statuses[0].State = quality.MonitorBlind
	r.statuses = always(w.statuses...)
	began := time.Now()
	f.refresh(t)
	took := told().Sub(began)
	t.Logf("%d viewers: the last is told after %v, in %d MB", count, took.Round(time.Millisecond), used>>20)
	if count >= viewersGoal && (took > viewersWithin || used > viewersMemory) {
		t.Errorf("want at most %v and %d MB", viewersWithin, viewersMemory>>20)
	}
}

// crowd returns when all viewers are connected; what it returns waits for the last to be told, and says when that was.
func crowd(t *testing.T, url string, count int) func() time.Time {
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestViewers$", "-test.v")
	cmd.Env = append(os.Environ(), viewersOf+"="+url, "ASGOOD_VIEWERS="+strconv.Itoa(count))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	expect := func(word string) string {
		var all []string
		for lines.Scan() {
			if _, after, ok := strings.Cut(lines.Text(), word); ok {
				return strings.TrimSpace(after)
			}
			all = append(all, lines.Text())
		}
		t.Fatalf("the viewers did not say %q but:\n%s", word, strings.Join(all, "\n"))
		return ""
	}
	expect("connected")
	return func() time.Time {
		nanos, err := strconv.ParseInt(expect("last:"), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // it has told what it knows
		return time.Unix(0, nanos)
	}
}

// view is the process of the viewers.
func view(t *testing.T, url string, count int) {
	conns := connect(t, url, count)
	fmt.Println("connected")
	var last atomic.Int64
	var g errgroup.Group
	for _, c := range conns {
		g.Go(func() error {
			_, data, err := c.ReadMessage()
			now := time.Now().UnixNano()
			if err != nil || !strings.Contains(string(data), `"cannot-tell"`) {
				return fmt.Errorf("told %q: %w", data, err)
			}
			for was := last.Load(); was < now && !last.CompareAndSwap(was, now); was = last.Load() {
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	fmt.Println("last:", last.Load())
}

// connect returns live connections that have read their greeting.
func connect(t *testing.T, url string, count int) []*websocket.Conn {
	dialer := websocket.Dialer{ReadBufferSize: 512, WriteBufferPool: &sync.Pool{}, HandshakeTimeout: time.Minute}
	conns := make([]*websocket.Conn, count)
	var g errgroup.Group
	g.SetLimit(64)
	for i := range conns {
		g.Go(func() error {
			c, _, err := dialer.Dial("ws"+strings.TrimPrefix(url, "http")+"/live", nil)
			if err != nil {
				return err
			}
			conns[i] = c
			_ = c.SetReadDeadline(time.Now().Add(5 * time.Minute))
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

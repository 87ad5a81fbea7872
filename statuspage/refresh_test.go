package statuspage_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/statuspage"
)

// counted is a reader that can be changed and counts its reads.
type counted struct {
	mu       sync.Mutex
	statuses []quality.MonitorStatus
	err      error
	reads    int
}

func (c *counted) read() ([]quality.MonitorStatus, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reads++
	return append([]quality.MonitorStatus(nil), c.statuses...), c.err
}

func (c *counted) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reads
}

func (c *counted) set(fn func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fn()
}

// run plays Run in imagined time; step is called in the bubble.
func run(t *testing.T, step func(f fixture, c *counted)) {
	w := quiet(t)
	synctest.Test(t, func(t *testing.T) {
		c := &counted{statuses: w.statuses}
		r := w.reader()
		r.statuses = c.read
		began := time.Now()
		f := newFixture(t, w.options(t, r, func() time.Time { return now.Add(time.Since(began)) }))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- f.page.Run(ctx) }()
		synctest.Wait()
		step(f, c)
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run returned %v", err)
		}
		if f.page.Join() {
			t.Error("a page that has ended lets clients in")
		}
	})
}

// pass lets imagined time go by.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestRunReadsAtOnceAndAfterHints(t *testing.T) {
	run(t, func(f fixture, c *counted) {
		if !strings.Contains(f.get(t, "/"), "As good as usual") {
			t.Error("the page shows nothing after the first read")
		}
		c.set(func() { c.statuses[0].State = quality.MonitorBlind })
		for range 100 {
			f.page.Notify()
		}
		pass(250 * time.Millisecond)
		if !strings.Contains(f.get(t, "/"), "Cannot tell") {
			t.Error("a hint did not lead to a read")
		}
		if n := c.count(); n > 3 {
			t.Errorf("a hundred hints led to %d reads", n)
		}
		before := c.count()
		pass(time.Minute)
		if n := c.count() - before; n < 15 || n > 25 {
			t.Errorf("%d reads in a quiet minute, want about 20", n)
		}
	})
}

// The page goes on with what it has, and says that it is old once it is.
func TestRunOutlivesTheStore(t *testing.T) {
	run(t, func(f fixture, c *counted) {
		c.set(func() { c.err = errAway })
		pass(30 * time.Second)
		if page := f.get(t, "/"); strings.Contains(page, `class="notice"`) || !strings.Contains(page, "As good as usual") {
			t.Error("half a minute is told as old")
		}
		pass(time.Minute)
		page := f.get(t, "/")
		for _, want := range []string{"What follows is of 14:05.", "We cannot see how things are at the moment", "As good as usual"} {
			if !strings.Contains(page, want) {
				t.Errorf("a page of old figures does not say %q", want)
			}
		}
		if f.metric(t, "asgood_statuspage_stale", "") != 1 {
			t.Error("the metric does not say that the page is stale")
		}
		c.set(func() { c.err = nil })
		pass(4 * time.Second)
		if strings.Contains(f.get(t, "/"), `class="notice"`) || f.metric(t, "asgood_statuspage_stale", "") != 0 {
			t.Error("the page is still stale after a good read")
		}
	})
}

// A store that hangs is given up, and read less often.
func TestRunGivesUpOnAStoreThatHangs(t *testing.T) {
	w := quiet(t)
	synctest.Test(t, func(t *testing.T) {
		r := hanging{reader: w.reader()}
		f := newFixture(t, statuspage.Options{Title: "x", Features: w.features, Reader: &r})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- f.page.Run(ctx) }()
		pass(5 * time.Minute)
		if n := r.calls.Load(); n < 2 || n > 5 {
			t.Errorf("%d reads in five minutes of a store that takes all of its ten seconds, want about three", n)
		}
		if !strings.Contains(f.get(t, "/"), "No figures can be read at the moment") {
			t.Error("the page does not say that nothing can be read")
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

type hanging struct {
	*reader
	calls atomic.Int64
}

func (h *hanging) Statuses(ctx context.Context) ([]quality.MonitorStatus, error) {
	h.calls.Add(1)
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestNewRefuses(t *testing.T) {
	for name, o := range map[string]statuspage.Options{"no reader": {}, "address": {Reader: &reader{}, URL: "http://%zz"}} {
		if _, err := statuspage.New(o); err == nil || !strings.Contains(err.Error(), "status page: ") || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

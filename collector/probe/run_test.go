package probe_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/collector/probe"
	"github.com/asgood-dev/asgood/internal/quality"
)

// memory keeps what a prober stores, as a bus would over restarts.
type memory struct {
	mu       sync.Mutex
	results  []quality.ProbeResult
	statuses []quality.ProbeStatus
	beats    map[string]probe.Beat
	saves    int
	err      error
	recorded func(n int)
}

func (m *memory) Record(_ context.Context, r quality.ProbeResult) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.results = append(m.results, r)
	if m.recorded != nil {
		m.recorded(len(m.results))
	}
	return m.err
}

func (m *memory) Status(_ context.Context, s quality.ProbeStatus) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.statuses = append(m.statuses, s)
	return m.err
}

func (m *memory) SaveBeat(_ context.Context, b probe.Beat) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return m.err
	}
	if m.beats == nil {
		m.beats = map[string]probe.Beat{}
	}
	m.saves++
	m.beats[b.Name] = b
	return nil
}

func (m *memory) last() quality.ProbeStatus {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.statuses) == 0 {
		return quality.ProbeStatus{}
	}
	return m.statuses[len(m.statuses)-1]
}

func (m *memory) checks() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.results)
}

// started is a prober that runs on a memory.
type started struct {
	*probe.Prober
	engine *gin.Engine
	stop   func()
}

// run starts a prober of one probe with what an earlier one left in the memory.
func run(t *testing.T, m *memory, spec quality.ProbeSpec, change func(*probe.Options), replace func(context.Context) error) *started {
	t.Helper()
	o := probe.Options{Features: []quality.Feature{{Name: "chat", Probes: []quality.ProbeSpec{spec}}}, Sink: m, Beats: m}
	if s := m.last(); s.Probe != "" {
		o.Known = []quality.ProbeStatus{s}
	}
	for _, b := range m.beats {
		o.KnownBeats = append(o.KnownBeats, b)
	}
	if change != nil {
		change(&o)
	}
	p, err := probe.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if replace != nil {
		probe.Replace(p, 0, replace)
	}
	gin.SetMode(gin.ReleaseMode)
	s := &started{Prober: p, engine: gin.New()}
	p.Register(s.engine)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	s.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(s.stop)
	return s
}

func (s *started) call(method, name, body string) (int, string) {
	w := httptest.NewRecorder()
	s.engine.ServeHTTP(w, httptest.NewRequest(method, "/v1/heartbeats/"+name, strings.NewReader(body)))
	return w.Code, w.Body.String()
}

// wait lets time pass in a bubble.
func wait(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestCadence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, began, tries := &memory{}, time.Now(), 0
		s := run(t, m, quality.ProbeSpec{TCP: "x.example:1", Every: 10 * time.Second}, nil, func(context.Context) error {
			tries++
			if time.Since(began) > 5*time.Minute {
				return errors.New("an error that is not ours " + leak)
			}
			return nil
		})
		wait(10 * time.Minute)
		s.stop()
		// Failed checks take a second longer, for their retry, and that is part of the pace.
		if n := m.checks(); n < 57 || n > 64 {
			t.Errorf("got %d checks in 10 minutes, want about 60", n)
		}
		if extra := tries - m.checks(); extra < 27 || extra > 33 {
			t.Errorf("got %d retries, want one for each check of the second half", extra)
		}
		last := m.last()
		if since := last.Since.Sub(began); last.State != quality.Down || since < 5*time.Minute || since > 5*time.Minute+11*time.Second {
			t.Errorf("got %+v, want down since 5 minutes", last)
		}
		if last.Probe != "tcp x.example:1" || last.Error != "the answer could not be understood" {
			t.Errorf("got probe %q, error %q", last.Probe, last.Error)
		}
	})
}

func TestRetriesPauseAndEndWithTheWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		tries := make(chan time.Time, 10)
		spec := quality.ProbeSpec{TCP: "x:1", Every: time.Hour, Retries: new(2), RetryPause: 3 * time.Second}
		s := run(t, m, spec, nil, func(context.Context) error {
			tries <- time.Now()
			return errors.New("bad")
		})
		first, second, third := <-tries, <-tries, <-tries
		if second.Sub(first) != 3*time.Second || third.Sub(second) != 3*time.Second {
			t.Errorf("got tries at %s, %s and %s, want pauses of 3 s", first, second, third)
		}
		<-tries // the first of the next check
		s.stop()
		if m.checks() != 1 || len(tries) != 0 {
			t.Errorf("got %d checks, want that one cut short in a pause says nothing", m.checks())
		}
	})
}

func TestConfirmationInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, bad := &memory{}, new(atomic.Bool)
		spec := quality.ProbeSpec{TCP: "x:1", Every: 10 * time.Second, Confirm: 3, Recover: 2, Retries: new(0)}
		run(t, m, spec, nil, func(context.Context) error {
			if bad.Load() {
				return errors.New("bad")
			}
			return nil
		})
		for _, step := range []struct {
			after time.Duration
			bad   bool // from then on
			want  quality.UpState
		}{
			{2 * time.Second, true, quality.Up},
			{15 * time.Second, true, quality.Up}, // one failure
			{20 * time.Second, false, quality.Down},
			{10 * time.Second, false, quality.Down}, // one good check
			{11 * time.Second, false, quality.Up},
		} {
			wait(step.after)
			if got := m.last(); got.State != step.want {
				t.Errorf("got %+v, want %q", got, step.want)
			}
			bad.Store(step.bad)
		}
	})
}

func TestARestartGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		spec := quality.ProbeSpec{TCP: "x:1", Every: 10 * time.Second, Retries: new(0)}
		bad := func(context.Context) error { return errors.New("bad") }
		run(t, m, spec, nil, bad).stop()
		s := run(t, m, spec, nil, bad)
		wait(2 * time.Second)
		s.stop()
		first := m.last()
		if first.State != quality.UpUnknown || first.Failures != 1 {
			t.Fatalf("got %+v, want one failure", first)
		}
		s = run(t, m, spec, nil, bad)
		wait(2 * time.Second)
		s.stop()
		if got := m.last(); got.State != quality.Down || !got.Since.Equal(first.CheckedAt) {
			t.Errorf("got %+v, want down since the failure before the restart", got)
		}
	})
}

func TestUnknownIsNotRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var counts *probe.Counts
		spec := quality.ProbeSpec{Every: 10 * time.Second, Traffic: &quality.TrafficProbe{ErrorsAbove: 0.2, Min: 10, Window: 2 * time.Minute}}
		m := &memory{}
		run(t, m, spec, func(o *probe.Options) {
			counts = probe.NewCounts(o.Features, nil)
			o.Traffic = counts
		}, nil)
		add := func(total, failed uint64) { counts.Add("chat", time.Now(), total, failed); wait(11 * time.Second) }
		want := func(state quality.UpState, text string) {
			t.Helper()
			if s := m.last(); s.State != state || !strings.Contains(s.Error, text) {
				t.Errorf("got %+v, want %q with error %q", s, state, text)
			}
		}
		add(9, 0)
		want(quality.UpUnknown, "9 outputs in 2m0s, fewer than 10")
		if n := m.checks(); n != 0 {
			t.Errorf("%d unknown checks are recorded", n)
		}
		add(1, 1)
		want(quality.Up, "")
		add(10, 4)
		want(quality.Down, "5 of 20 outputs in 2m0s carry an error")
		wait(5 * time.Minute)
		want(quality.Down, "0 outputs in 2m0s, fewer than 10") // silence is no recovery
		before := m.checks()
		wait(5 * time.Minute)
		if m.checks() != before {
			t.Error("unknown checks are recorded")
		}
		add(10, 1)
		want(quality.Up, "")
		wait(5 * time.Minute)
		want(quality.UpUnknown, "fewer than 10")
	})
}

func TestLostResultsAreSaidOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{err: errors.New("away")}
		run(t, m, quality.ProbeSpec{TCP: "x:1"}, nil, func(context.Context) error { return nil })
		wait(10 * time.Minute)
		if n := m.checks(); n < 18 {
			t.Errorf("got %d checks, want that it goes on", n)
		}
	})
}

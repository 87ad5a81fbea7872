package probe_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
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

var nightly = quality.ProbeSpec{Heartbeat: "nightly-import", Every: time.Hour, Grace: 5 * time.Minute}

func TestHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		s := run(t, m, nightly, nil, nil)
		want := func(state quality.UpState) {
			t.Helper()
			synctest.Wait()
			if got := m.last(); got.State != state {
				t.Errorf("got %+v, want %q", got, state)
			}
		}
		wait(30 * time.Minute)
		want(quality.UpUnknown)
		if m.checks() != 0 {
			t.Error("waiting for the first beat is recorded as checks")
		}
		if code, body := s.call(http.MethodPost, "nightly-import", ""); code != http.StatusOK || !strings.Contains(body, `"status":"ok"`) {
			t.Errorf("got %d %s", code, body)
		}
		wait(time.Second) // not at the next look, but at once
		want(quality.Up)
		wait(64 * time.Minute)
		want(quality.Up)
		wait(time.Minute)
		want(quality.Down)
		if got := m.last(); time.Since(got.Since) > 2*time.Second {
			t.Errorf("down since %s at %s, want at the moment that the beat is late", got.Since, time.Now())
		}
		s.call(http.MethodGet, "nightly-import", "")
		wait(time.Second)
		want(quality.Up)
		code, _ := s.call(http.MethodPost, "nightly-import", `{"status":"fail","message":"disk\nfull"}`)
		wait(time.Second)
		want(quality.Down)
		if got := m.last().Error; code != http.StatusOK || got != "the last beat says: disk full" {
			t.Errorf("got %d, error %q", code, got)
		}
		s.call(http.MethodHead, "nightly-import", "")
		wait(time.Second)
		want(quality.Up)
	})
}

func TestHeartbeatOverRestarts(t *testing.T) {
	start := func(t *testing.T) (*memory, *started) {
		m := &memory{}
		s := run(t, m, nightly, nil, nil)
		wait(time.Minute)
		s.call(http.MethodPost, "nightly-import", "")
		wait(time.Second)
		return m, s
	}
	state := func(t *testing.T, m *memory, want quality.UpState) {
		t.Helper()
		if got := m.last(); got.State != want {
			t.Errorf("got %+v at %s, want %q", got, time.Now(), want)
		}
	}
	t.Run("a beat that found nobody", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			m, s := start(t)
			wait(55 * time.Minute)
			s.stop()
			wait(15 * time.Minute) // the beat came and was refused, and now it is late
			s = run(t, m, nightly, nil, nil)
			wait(2 * time.Second)
			state(t, m, quality.UpUnknown)
			wait(50 * time.Minute)
			state(t, m, quality.UpUnknown)
			s.call(http.MethodPost, "nightly-import", "")
			wait(time.Second)
			state(t, m, quality.Up)
			for _, s := range m.statuses {
				if s.State == quality.Down {
					t.Fatalf("down by the restart: %+v", s)
				}
			}
		})
	})
	t.Run("the last beat is not forgotten", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			m, s := start(t)
			wait(10 * time.Minute)
			s.stop()
			run(t, m, nightly, nil, nil)
			wait(2 * time.Second)
			state(t, m, quality.Up)
		})
	})
	t.Run("late before, late after", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			m, s := start(t)
			wait(70 * time.Minute)
			state(t, m, quality.Down)
			since := m.last().Since
			s.stop()
			run(t, m, nightly, nil, nil)
			wait(2 * time.Second)
			state(t, m, quality.Down)
			if !m.last().Since.Equal(since) {
				t.Errorf("down since %s, want %s as before", m.last().Since, since)
			}
		})
	})
	t.Run("restarts do not put it off for ever", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			m, s := start(t)
			for range 14 { // 140 minutes, more than two periods
				wait(10 * time.Minute)
				s.stop()
				s = run(t, m, nightly, nil, nil)
			}
			wait(2 * time.Second)
			state(t, m, quality.Down)
		})
	})
	t.Run("what failed stays failed", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			m, s := start(t)
			s.call(http.MethodPost, "nightly-import", `{"status":"fail"}`)
			s.stop()
			run(t, m, nightly, nil, nil)
			wait(2 * time.Second)
			state(t, m, quality.Down)
		})
	})
	t.Run("never seen", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			m := &memory{}
			s := run(t, m, nightly, nil, nil)
			wait(64 * time.Minute)
			s.stop()
			state(t, m, quality.UpUnknown)
			run(t, m, nightly, nil, nil)
			wait(64 * time.Minute)
			state(t, m, quality.UpUnknown)
			wait(2 * time.Minute)
			state(t, m, quality.Down)
		})
	})
}

func TestAFloodOfBeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		s := run(t, m, nightly, nil, nil)
		wait(2 * time.Second)
		saved, before := m.saves, len(m.statuses)
		for range 1000 {
			s.call(http.MethodPost, "nightly-import", "")
			wait(10 * time.Millisecond)
		}
		if n := m.saves - saved; n > 12 {
			t.Errorf("stored %d times in 10 seconds, want about once a second", n)
		}
		for i := range 1000 {
			s.call(http.MethodPost, "nightly-import", fmt.Sprintf(`{"status":%q}`, []string{"ok", "fail"}[i%2]))
			wait(10 * time.Millisecond)
		}
		if n := len(m.statuses) - before; n > 25 {
			t.Errorf("checked %d times in 20 seconds, want at most once a second", n)
		}
		if m.beats["nightly-import"].At.Before(time.Now().Add(-time.Second)) {
			t.Errorf("the last stored beat is of %s at %s", m.beats["nightly-import"].At, time.Now())
		}
	})
}

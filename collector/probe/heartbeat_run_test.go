package probe_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

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

package canary_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/asgood-dev/asgood/collector/canary"
	"github.com/asgood-dev/asgood/internal/quality"
)

func noon() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

func TestDue(t *testing.T) {
	const every, jitter = time.Hour, 7 * time.Minute
	at := func(h, m int) time.Time { return noon().Add(time.Duration(h)*time.Hour + time.Duration(m)*time.Minute) }
	for _, tt := range []struct {
		name      string
		now, last time.Time
		slot      time.Time
		ok        bool
		missed    int
		next      time.Time
	}{
		{"never run", at(0, 30), time.Time{}, at(0, 0), true, 0, at(1, 7)},
		{"done", at(0, 30), at(0, 0), at(0, 0), false, 0, at(1, 7)},
		{"before the jitter", at(1, 6), at(0, 0), at(0, 0), false, 0, at(1, 7)},
		{"on time", at(1, 7), at(0, 0), at(1, 0), true, 0, at(2, 7)},
		{"one missed", at(2, 59), at(1, 0), at(2, 0), true, 0, at(3, 7)},
		{"several missed", at(5, 8), at(1, 0), at(5, 0), true, 3, at(6, 7)},
		{"clock a little back", at(0, 30), at(1, 0), at(0, 0), false, 0, at(1, 7)},
		{"clock far back", at(0, 30), at(90, 0), at(0, 0), true, 0, at(1, 7)},
		{"another interval before", at(0, 30), at(-1, 20), at(0, 0), true, 0, at(1, 7)},
	} {
		slot, ok, missed, next := canary.Due(tt.now, tt.last, every, jitter)
		if !slot.Equal(tt.slot) || ok != tt.ok || missed != tt.missed || !next.Equal(tt.next) {
			t.Errorf("%s: got %s, %v, %d, %s, want %s, %v, %d, %s", tt.name, slot, ok, missed, next, tt.slot, tt.ok, tt.missed, tt.next)
		}
	}
}

// Whatever the times are, a slot is aligned, has begun, and is run once.
func TestDueAlways(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		every := time.Duration(rapid.Int64Range(10, 30*24*3600).Draw(t, "every")) * time.Second
		name := rapid.String().Draw(t, "name")
		jitter := canary.JitterOf("chat", name, every)
		if jitter < 0 || jitter >= every/2+1 || jitter != canary.JitterOf("chat", name, every) || jitter%time.Second != 0 {
			t.Fatalf("jitter %s of %s", jitter, every)
		}
		now := time.Unix(rapid.Int64Range(-1e9, 4e9).Draw(t, "now"), rapid.Int64Range(0, 1e9-1).Draw(t, "ns"))
		slot, ok, missed, next := canary.Due(now, time.Time{}, every, jitter)
		begin := slot.Add(jitter)
		if !ok || missed != 0 || slot.UnixNano()%int64(every) != 0 || begin.After(now) || !now.Before(next) || next.Sub(begin) != every {
			t.Fatalf("now %s, every %s, jitter %s: slot %s, next %s", now, every, jitter, slot, next)
		}
		if _, again, _, _ := canary.Due(now, slot, every, jitter); again {
			t.Fatalf("slot %s is run twice", slot)
		}
		back := rapid.IntRange(1, 1000).Draw(t, "back")
		if _, ok, missed, _ := canary.Due(now, slot.Add(-time.Duration(back)*every), every, jitter); !ok || missed != back-1 {
			t.Fatalf("%d slots later: got %v, %d missed", back, ok, missed)
		}
	})
}

// wait lets time pass in a bubble.
func wait(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func spec(n, repeat int, every time.Duration) quality.CanarySpec {
	return quality.CanarySpec{
		Name: "golden", Every: every, Prompts: prompts(n), Repeat: repeat, Timeout: 5 * time.Second,
		Chat: &quality.CanaryChat{BaseURL: "http://unused.example", Model: "m"},
	}
}

func fine(context.Context, *quality.CanaryPrompt) (string, error) { return "fine", nil }

func TestRunsOnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		k := keeper(t, m, nil, spec(2, 3, time.Hour))
		canary.Replace(k, fine)
		start(t, k)
		wait(24*time.Hour + time.Minute)
		// The slot that had begun at the start, and 24 later ones.
		if n := m.count(); n != 25*6 {
			t.Fatalf("got %d samples, want %d", n, 25*6)
		}
		jitter := canary.JitterOf("chat", "golden", time.Hour)
		var begins []time.Time
		for _, s := range m.taken() {
			if strings.HasSuffix(s.ID, "/a/1") {
				begins = append(begins, s.Time)
			}
			slot := strings.Split(s.ID, "/")[2]
			if begin, err := time.Parse("20060102T150405Z", slot); err != nil || s.Time.Sub(begin) > time.Hour+jitter {
				t.Errorf("id %s of a sample of %s", s.ID, s.Time)
			}
		}
		for _, at := range begins[1:] {
			if got := at.Sub(at.Truncate(time.Hour)); got != jitter {
				t.Errorf("got a run at %s, want %s past the hour", at, jitter)
			}
		}
		if h := m.rate(""); h.Latest.N != 6 || len(h.Before) != 24 || h.Latest.Count != 6 {
			t.Errorf("got %+v", h.Latest)
		}
		if m.repeated() != 0 {
			t.Errorf("%d samples came twice", m.repeated())
		}
	})
}

func TestARestartInTheMiddleMakesNothingTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := &memory{}, spec(3, 4, time.Hour)
		s.Timeout = 10 * time.Minute
		k := keeper(t, m, nil, s)
		started := make(chan struct{}, 100)
		canary.Replace(k, func(ctx context.Context, _ *quality.CanaryPrompt) (string, error) {
			started <- struct{}{}
			if len(started) > 5 {
				<-ctx.Done()
				return "", ctx.Err()
			}
			return "fine", nil
		})
		stop := start(t, k)
		wait(50 * time.Second)
		stop()
		before := m.count()
		if before == 0 || before >= 12 {
			t.Fatalf("got %d samples before the stop, want some", before)
		}
		for _, d := range []time.Duration{135 * time.Second, time.Minute} { // the second has nothing to do: the next slot is not due
			k = keeper(t, m, nil, s)
			canary.Replace(k, fine)
			stop = start(t, k)
			wait(d)
			stop()
		}
		if n := m.count(); n != 12 || m.repeated() != before {
			t.Errorf("got %d samples and %d again, want 12 and the %d of the run that was cut short", n, m.repeated(), before)
		}
		for _, s := range m.taken() {
			if s.Error != "" {
				t.Errorf("a call that the stop cut short is a sample: %+v", s)
			}
		}
	})
}

func TestMissedSlotsAreMadeUpForOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, l := &memory{}, &log{}
		run := func(d time.Duration) {
			k := keeper(t, m, l, spec(1, 1, time.Hour))
			canary.Replace(k, fine)
			stop := start(t, k)
			wait(d)
			stop()
		}
		run(20 * time.Minute)
		wait(10 * time.Hour) // down
		before := m.count()
		run(10 * time.Minute)
		if n := m.count(); n != before+1 {
			t.Errorf("got %d runs after 10 hours, want one", n-before)
		}
	})
}

func TestOverlap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, l := &memory{}, &log{}
		s := spec(1, 1, 10*time.Second)
		s.Timeout = 9 * time.Second
		k := keeper(t, m, l, s)
		var under, most atomic.Int32
		canary.Replace(k, func(ctx context.Context, _ *quality.CanaryPrompt) (string, error) {
			if n := under.Add(1); n > most.Load() {
				most.Store(n)
			}
			defer under.Add(-1)
			timer := time.NewTimer(8 * time.Second)
			defer timer.Stop()
			select {
			case <-timer.C:
				return "slow", nil
			case <-ctx.Done():
				return "", ctx.Err()
			}
		})
		start(t, k)
		wait(time.Minute)
		// One that was asked for meets one of the schedule, and the other way round.
		_, err := k.RunNow(t.Context(), "golden", nil)
		for err != nil && quality.KindOf(err) == quality.KindConflict {
			wait(time.Second)
			_, err = k.RunNow(t.Context(), "golden", nil)
		}
		if err != nil {
			t.Fatal(err)
		}
		wait(30 * time.Second)
		if most.Load() != 1 {
			t.Errorf("%d runs at a time, want 1", most.Load())
		}
		if l.count("why=overlap") == 0 {
			t.Errorf("no run was left out: %s", l)
		}
	})
}

func TestAHangingEndpointEndsBeforeTheNextRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, l := &memory{}, &log{}
		s := spec(20, 5, 10*time.Minute)
		s.Timeout, s.Concurrency = 2*time.Minute, 2
		k := keeper(t, m, l, s)
		canary.Replace(k, func(ctx context.Context, _ *quality.CanaryPrompt) (string, error) { <-ctx.Done(); return "", ctx.Err() })
		start(t, k)
		wait(2 * time.Hour)
		run := m.run("golden")
		for run.FinishedAt.IsZero() {
			wait(time.Minute)
			run = m.run("golden")
		}
		if run.FinishedAt.IsZero() || run.FinishedAt.Sub(run.StartedAt) > 9*time.Minute || run.Calls+run.Unasked != 100 || run.Unasked == 0 {
			t.Errorf("got %+v", run)
		}
		for _, s := range m.taken() {
			if s.Error != "no answer within 2m0s" {
				t.Errorf("got error %q", s.Error)
			}
		}
		if n := l.count("why=overlap"); n > 1 { // the one at the start begins in the middle of its slot
			t.Errorf("runs went into the next %d times: %s", n, l)
		}
	})
}

func TestCallsAreSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		s := spec(20, 10, time.Hour)
		s.Concurrency = 3
		k := keeper(t, m, nil, s)
		var mu sync.Mutex
		var begins []time.Time
		canary.Replace(k, func(context.Context, *quality.CanaryPrompt) (string, error) {
			mu.Lock()
			defer mu.Unlock()
			begins = append(begins, time.Now())
			return "fine", nil
		})
		start(t, k)
		wait(40 * time.Minute)
		mu.Lock()
		defer mu.Unlock()
		if len(begins) < 200 {
			t.Fatalf("got %d calls", len(begins))
		}
		for i := 1; i < 200; i++ {
			if gap := begins[i].Sub(begins[i-1]); gap < 8*time.Second || gap > 10*time.Second {
				t.Fatalf("got %s between two calls, want 9 s: half an hour for 200", gap)
			}
		}
	})
}

func TestConcurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		s := spec(10, 10, time.Hour)
		s.Concurrency = 7
		k := keeper(t, m, nil, s)
		var under, most atomic.Int32
		canary.Replace(k, func(context.Context, *quality.CanaryPrompt) (string, error) {
			if n := under.Add(1); n > most.Load() {
				most.Store(n)
			}
			defer under.Add(-1)
			<-time.After(time.Second)
			return "fine", nil
		})
		var seen []canary.Progress
		report, err := k.RunNow(t.Context(), "golden", func(p canary.Progress) { seen = append(seen, p) })
		if err != nil || report.Run.Calls != 100 || most.Load() != 7 {
			t.Errorf("got %+v, %v with %d calls at a time, want 7", report.Run, err, most.Load())
		}
		if len(seen) != 100 || seen[99] != (canary.Progress{Done: 100, Total: 100}) {
			t.Errorf("got progress %v", seen)
		}
	})
}

package canary_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asgood-dev/asgood/collector/canary"
	"github.com/asgood-dev/asgood/internal/quality"
)

func TestRetriesAndTheirPauses(t *testing.T) {
	for _, tt := range []struct {
		name  string
		err   error
		tries int
		least time.Duration
		most  time.Duration
	}{
		{"busy", canary.Refuse(0), 3, 1500 * time.Millisecond, 4500 * time.Millisecond},
		{"asks for time", canary.Refuse(20 * time.Second), 3, 40 * time.Second, 42 * time.Second},
		{"asks for too much time", canary.Refuse(2 * time.Minute), 1, 0, 0},
		{"not to be asked again", errors.New("odd"), 1, 0, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			m, began, tries := &memory{}, time.Now(), 0
			k := keeper(t, m, nil, spec(1, 1, time.Hour))
			canary.Replace(k, func(context.Context, *quality.CanaryPrompt) (string, error) { tries++; return "", tt.err })
			if _, err := k.RunNow(t.Context(), "golden", nil); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); tries != tt.tries || took < tt.least || took > tt.most || m.taken()[0].Error == "" {
				t.Errorf("%s: got %d tries in %s, %+v", tt.name, tries, took, m.taken())
			}
		})
	}
}

func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, l := &memory{}, &log{}
		s := spec(2, 5, 6*time.Hour)
		s.Budget = quality.Quota{N: 45, Per: 24 * time.Hour}
		k := keeper(t, m, l, s)
		canary.Replace(k, fine)
		for range 4 {
			if _, err := k.RunNow(t.Context(), "golden", nil); err != nil {
				t.Fatal(err)
			}
			wait(time.Second)
		}
		_, err := k.RunNow(t.Context(), "golden", nil)
		if quality.KindOf(err) != quality.KindUnavailable || !strings.Contains(err.Error(), "the budget of 45/d leaves 5 calls until 2000-01-02T00:00:00Z, and a run makes 10") {
			t.Errorf("got %v", err)
		}
		k = keeper(t, m, l, s) // a restart does not forget what is spent
		var calls atomic.Int32
		canary.Replace(k, func(context.Context, *quality.CanaryPrompt) (string, error) {
			calls.Add(1)
			return "", canary.Refuse(0)
		})
		start(t, k)
		wait(23 * time.Hour)
		if m.count() != 40 || l.count("why=budget") != 5 {
			t.Errorf("got %d samples and %d runs left out, want 40 and 5: %s", m.count(), l.count("why=budget"), l)
		}
		wait(13 * time.Hour) // a new day: two or three runs, and what is left for further tries
		if n := calls.Load(); n <= 20 || n > 45 {
			t.Errorf("got %d calls, want more than 20 and at most 45", n)
		}
	})
}

func TestARunThatCannotBeStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, l := &memory{refuse: quality.Errorf(quality.KindFull, "the disk is full"), unsaved: errors.New("away")}, &log{}
		k := keeper(t, m, l, spec(2, 2, time.Hour))
		canary.Replace(k, fine)
		start(t, k)
		wait(3 * time.Hour)
		if got := k.List()[0]; got.Last.Lost != 4 || got.All.Latest.N != 4 || l.count("samples of a canary are lost") > 4 {
			t.Errorf("got %+v and %s", got.Last, l)
		}
	})
}

func TestRatesThatLeaveTheirInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, l, asked := &memory{}, &log{}, map[string]*atomic.Int32{"a": new(atomic.Int32), "b": new(atomic.Int32)}
		s := spec(2, 20, time.Hour)
		s.Prompts[0].Expect = &quality.CanaryExpect{Regex: `^good`}
		k := keeper(t, m, l, s)
		worse := false
		canary.Replace(k, func(_ context.Context, p *quality.CanaryPrompt) (string, error) {
			switch i := asked[p.ID].Add(1); {
			case p.ID == "b" && i%4 == 0:
				return "", errors.New("odd")
			case p.ID == "b":
				return fmt.Sprint(" answer ", i%8 == 1), nil
			case worse && i%3 != 0:
				return "bad", nil
			}
			return "good", nil
		})
		run := func() canary.Report {
			r, err := k.RunNow(t.Context(), "golden", nil)
			if err != nil {
				t.Fatal(err)
			}
			wait(time.Second)
			return r
		}
		first, second := run(), run()
		if a := first.Prompts[0]; *a.Rate != 1 || a.N != 20 || a.Hi != 1 || a.Lo < 0.83 || a.Lo > 0.84 {
			t.Errorf("got %+v", a)
		}
		if b := second.Prompts[1]; b.Failed == 0 || b.N+b.Failed != 20 || b.Kind != quality.BehaviourSame || b.Count <= b.N/2 {
			t.Errorf("got %+v", b)
		}
		if second.All.N != 20 || second.All.Kind != quality.BehaviourExpected || second.All.Failed != second.Prompts[1].Failed {
			t.Errorf("got %+v, want only the prompt that expects something", second.All)
		}
		if l.count("prompt=a") != 0 {
			t.Errorf("nothing changed: %s", l)
		}
		worse = true
		run()
		if l.count("has left its interval") < 2 || l.count("prompt=a") != 1 {
			t.Errorf("got %s", l)
		}
	})
}

func TestUnknownAndHalted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := keeper(t, &memory{}, nil, spec(1, 1, time.Hour))
		canary.Replace(k, func(ctx context.Context, _ *quality.CanaryPrompt) (string, error) { <-ctx.Done(); return "", ctx.Err() })
		if _, err := k.RunNow(t.Context(), "silver", nil); quality.KindOf(err) != quality.KindNotFound {
			t.Errorf("got %v", err)
		}
		done := make(chan error, 1)
		go func() { _, err := k.RunNow(t.Context(), "golden", nil); done <- err }()
		synctest.Wait()
		k.Halt()
		k.Halt()
		if err := <-done; quality.KindOf(err) != quality.KindUnavailable {
			t.Errorf("got %v", err)
		}
	})
}

package ask_test

import (
	"context"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asgood-dev/asgood/evaluator/ask"
	"github.com/asgood-dev/asgood/internal/quality"
)

var three = func(context.Context, *quality.Sample) (float64, error) { return 3, nil }

// Traffic changes tenfold over the day and has a burst; the budget lasts, is nearly used, and the weights of the
// scores sum up to the samples there were.
func TestBudgetLastsTheDay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		berlin, err := time.LoadLocation("Europe/Berlin")
		if err != nil {
			t.Fatal(err)
		}
		f, out, st := newFeed(), &sink{}, &store{}
		o := options(f, out, st, quality.ScorerSpec{Budget: quality.Quota{N: 2000, Per: 24 * time.Hour}}, three)
		o.Location = berlin
		began := quality.StartOfDay(2026, 3, 28, berlin) // the next day has 23 hours
		real := time.Now()
		o.Now = func() time.Time { return began.Add(time.Since(real)) }
		s, stop := start(t, o)
		total, last := 0, time.Duration(0)
		for minute := range 24*60 - 1 {
			time.Sleep(time.Until(real.Add(time.Duration(minute) * time.Minute))) //nolint:forbidigo // the clock of the bubble
			n := 5 + int(45*math.Sin(math.Pi*float64(minute)/1440))
			if minute == 600 {
				n = 5000
			}
			total += n
			f.give(t, uint64(minute+1), n)
			<-f.done
			if used := s.Status().Budget.Used; used < 2000 {
				last = time.Duration(minute) * time.Minute
			}
		}
		status := s.Status()
		stop()
		sum := 0.0
		for _, sc := range out.all() {
			if sc.Failed() {
				t.Fatalf("a score failed: %s", sc.Error)
			}
			sum += sc.Weight / 2 // that of the sample
		}
		t.Logf("%d samples, %d calls, last used up after %s, weights sum up to %.0f", total, status.Budget.Used, last, sum)
		if u := status.Budget.Used; u > 2000 || u < 1700 {
			t.Errorf("%d of 2000 calls used", u)
		}
		if math.Abs(sum/float64(total)-1) > 0.1 {
			t.Errorf("weights sum up to %.0f of %d", sum, total)
		}
	})
}

func TestUsedUpBudgetIsSaidAndRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, out := newFeed(), &sink{}
		s, stop := start(t, options(f, out, &store{}, quality.ScorerSpec{Budget: quality.Quota{N: 2, Per: time.Hour}},
			func(context.Context, *quality.Sample) (float64, error) { return 1, nil }))
		for seq := range uint64(300) {
			f.give(t, seq+1, 1)
			<-f.done
		}
		day := s.Status().Days[0]
		if b := s.Status().Budget; b.Used > 2 {
			t.Errorf("used %d of 2", b.Used)
		}
		time.Sleep(time.Hour) //nolint:forbidigo // the clock of the bubble
		if b := s.Status().Budget; b.Used != 0 || b.Left != 2 {
			t.Errorf("a new period has %+v", b)
		}
		stop()
		if day.Seen != 300 {
			t.Errorf("got %+v", day)
		}
		told := 0
		for _, sc := range out.all() {
			if strings.Contains(sc.Error, "budget of 2/h is used up") {
				told++
			}
		}
		if (told > 0) != (day.Passed["budget"] > 0) || told > 1 {
			t.Errorf("%d failed scores tell of the budget, %d samples were passed over", told, day.Passed["budget"])
		}
	})
}

// An endpoint that is away holds samples for the patience of the scorer and no longer, and none is lost silently.
func TestAwayAndBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var away atomic.Bool
		away.Store(true)
		f, out := newFeed(), &sink{}
		s, stop := start(t, options(f, out, &store{}, quality.ScorerSpec{Patience: 10 * time.Minute},
			func(context.Context, *quality.Sample) (float64, error) {
				if away.Load() {
					return 0, quality.Errorf(quality.KindUnavailable, "connection refused")
				}
				return 4, nil
			}))
		f.give(t, 1, 100)
		<-f.done
		if at := s.Status().AwayUntil; at.IsZero() {
			t.Error("the status does not tell that the endpoint is away")
		}
		away.Store(false)
		f.give(t, 2, 100)
		<-f.done
		stop()
		failed, scored := 0, 0
		for _, sc := range out.all() {
			if sc.Failed() {
				failed++
			} else {
				scored++
			}
		}
		if failed != 100 || scored != 100 {
			t.Errorf("%d failed, %d scored, want 100 and 100", failed, scored)
		}
		if day := s.Status().Days[0]; day.Passed["away"]+day.Passed["late"] == 0 {
			t.Errorf("got %+v", day)
		}
	})
}

func TestRetryAfterIsHonoured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var calls []time.Duration
		f := newFeed()
		_, stop := start(t, options(f, &sink{}, &store{}, quality.ScorerSpec{Concurrency: 1},
			func(context.Context, *quality.Sample) (float64, error) {
				if calls = append(calls, time.Since(began)); len(calls) == 1 {
					return 0, quality.TooMany(40*time.Second, "status 429")
				}
				return 1, nil
			}))
		f.give(t, 1, 1)
		<-f.done
		stop()
		if len(calls) != 2 || calls[1] < 40*time.Second || calls[1] > 42*time.Second {
			t.Errorf("called at %v", calls)
		}
	})
}

func TestPanicsAndBadValuesAreFailedScores(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, out := newFeed(), &sink{}
		_, stop := start(t, options(f, out, &store{}, quality.ScorerSpec{}, func(_ context.Context, s *quality.Sample) (float64, error) {
			if strings.HasSuffix(s.ID, "-0") {
				panic("no")
			}
			return math.NaN(), nil
		}))
		f.give(t, 1, 2)
		<-f.done
		stop()
		for _, sc := range out.all() {
			if !sc.Failed() || sc.Value != 0 || sc.Weight != 2 || !sc.Late {
				t.Errorf("got %+v", sc)
			}
		}
		if n := len(out.all()); n != 2 {
			t.Errorf("%d scores", n)
		}
	})
}

// What anchors cost is told, and takes nothing from the budget of samples.
func TestAnchorsAreInTheAccount(t *testing.T) {
	o := options(newFeed(), &sink{}, &store{}, quality.ScorerSpec{Budget: quality.Quota{N: 10, Per: time.Hour}}, nil)
	s, err := ask.New(o)
	if err != nil {
		t.Fatal(err)
	}
	s.SpentOnAnchors(quality.Spend{Calls: 3, InputTokens: 30, Cost: 0.5})
	st := s.Status()
	if len(st.Days) != 1 || st.Days[0].Anchors.Calls != 3 || st.Days[0].Anchors.Cost != 0.5 || st.Days[0].Calls != 0 || st.Budget.Left != 10 {
		t.Errorf("got %+v, budget %+v", st.Days, st.Budget)
	}
	if !s.Is("support", "faithful") || s.Is("support", "other") {
		t.Error("the stage is not that of its scorer")
	}
}

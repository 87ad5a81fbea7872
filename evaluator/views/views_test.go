package views_test

import (
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asgood-dev/asgood/evaluator/views"
	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
)

var now = time.Date(2026, 4, 6, 10, 0, 0, 0, time.UTC)

// hour makes the sums of n scores of pass and fail with a mean.
func hour(at time.Time, n uint64, mean float64) quality.ScoreHour {
	w := float64(n)
	return quality.ScoreHour{Version: "v1", Hour: at, N: n, W: w, WV: w * mean, WVV: w * mean, WW: w}
}

// hours makes the hours of some days before now.
func hours(days int, mean func(age time.Duration) float64) (out []quality.ScoreHour) {
	for age := time.Hour; age <= time.Duration(days)*24*time.Hour; age += time.Hour {
		out = append(out, hour(now.Add(-age), 100, mean(age)))
	}
	return out
}

const week = 7 * 24 * time.Hour

func TestWeek(t *testing.T) {
	drop := func(age time.Duration) float64 {
		if age <= week {
			return .85
		}
		return .9
	}
	v := views.Week(now, time.UTC, hours(14, drop))
	if v.Change == nil || math.Abs(*v.Change+.05) > 1e-9 || v.HoursCompared != 168 || v.Last.N != 16800 {
		t.Fatalf("got %+v", v)
	}
	if v.Interval == nil || v.Interval[0] > *v.Change || v.Interval[1] < *v.Change {
		t.Errorf("got interval %v", v.Interval)
	}
}

func TestWeekComparesTheSameHours(t *testing.T) {
	// Nights are worse and this week has only them: that alone is no change.
	night := func(age time.Duration) bool { h := now.Add(-age).Hour(); return h < 6 }
	all := hours(14, func(age time.Duration) float64 {
		if night(age) {
			return .7
		}
		return .95
	})
	var some []quality.ScoreHour
	for _, h := range all {
		if age := now.Sub(h.Hour); age > week || night(age) {
			some = append(some, h)
		}
	}
	v := views.Week(now, time.UTC, some)
	if v.Change == nil || math.Abs(*v.Change) > 1e-9 || v.HoursCompared != 42 {
		t.Errorf("got change %v of %d hours, want none of 42", v.Change, v.HoursCompared)
	}
}

func TestWeekThatCannotBeCompared(t *testing.T) {
	steady := func(time.Duration) float64 { return .9 }
	mixed := hours(14, steady)
	mixed[3].Version = "v2"
	for name, tt := range map[string]struct {
		hours []quality.ScoreHour
		note  string
	}{
		"nothing":      {nil, "no hour"},
		"one week":     {hours(7, steady), "no hour"},
		"two versions": {mixed, "2 versions"},
	} {
		v := views.Week(now, time.UTC, tt.hours)
		if v.Change != nil || v.Interval != nil || !strings.Contains(v.Note, tt.note) {
			t.Errorf("%s: got %+v", name, v)
		}
	}
	v := views.Week(now, time.UTC, append(hours(2, steady), hour(now.Add(-time.Hour-week), 100, .9), hour(now.Add(-2*time.Hour-week), 100, .9)))
	if v.Change == nil || v.Interval != nil || v.Note == "" {
		t.Errorf("one day: got %+v, want a change without an interval", v)
	}
}

func TestWeekGoesByTheClock(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("no time zones here")
	}
	now := time.Date(2026, 4, 1, 0, 0, 0, 0, berlin) // clocks went forward on 29 March
	at := func(day int) quality.ScoreHour { return hour(time.Date(2026, 3, day, 9, 0, 0, 0, berlin), 100, .9) }
	if v := views.Week(now, berlin, []quality.ScoreHour{at(23), at(30)}); v.HoursCompared != 1 {
		t.Errorf("9 o'clock was not compared with 9 o'clock: %+v", v)
	}
}

// TestWeekIntervalHolds lets days differ by chance, as days do.
func TestWeekIntervalHolds(t *testing.T) {
	const runs = 2000
	held := 0
	r := rand.New(rand.NewPCG(1, 1))
	for range runs {
		days := map[int]float64{}
		v := views.Week(now, time.UTC, hours(14, func(age time.Duration) float64 {
			day := int((age - time.Hour) / (24 * time.Hour))
			if _, ok := days[day]; !ok {
				days[day] = .02 * r.NormFloat64()
			}
			return .8 + days[day] + .03*r.NormFloat64()
		}))
		if v.Interval[0] <= 0 && 0 <= v.Interval[1] {
			held++
		}
	}
	if share := float64(held) / runs; share < .93 || share > .97 {
		t.Errorf("the 95 %% interval held the truth in %.1f %% of %d runs", 100*share, runs)
	}
}

func status(base float64) quality.MonitorStatus {
	return quality.MonitorStatus{Range: [2]float64{0, 1}, Worse: quality.WorseLower, Baseline: quality.Estimate{N: 500, Mean: &base}}
}

func TestObjective(t *testing.T) {
	spec := quality.ObjectiveSpec{Percent: 95, Over: 28 * 24 * time.Hour}
	for name, tt := range map[string]struct {
		mean           func(time.Duration) float64
		attained, left float64
		burn           float64
	}{
		"as good":   {func(time.Duration) float64 { return .9 }, 100, 1, 0},
		"half used": {func(time.Duration) float64 { return .875 }, 97.5, .5, .5},
		"missed":    {func(time.Duration) float64 { return .8 }, 90, -1, 2},
		"better":    {func(time.Duration) float64 { return .92 }, 102, 1.4, -.4},
		"bad days, mended": {func(age time.Duration) float64 {
			if age > 24*time.Hour && age <= 8*24*time.Hour {
				return .7
			}
			return .9
		}, 95, 0, 0},
	} {
		v := views.Objective(now, time.UTC, spec, status(.9), hours(28, tt.mean))
		if v.Attained == nil || math.Abs(*v.Attained-tt.attained) > 1e-6 || math.Abs(*v.BudgetLeft-tt.left) > 1e-6 ||
			math.Abs(*v.BurnRateDay-tt.burn) > 1e-6 || v.DaysScored < 28 {
			t.Errorf("%s: got attained %v, left %v, burn %v, %d days", name, *v.Attained, *v.BudgetLeft, *v.BurnRateDay, v.DaysScored)
		}
	}
}

func TestObjectiveThatCannotBeTold(t *testing.T) {
	spec := quality.ObjectiveSpec{Percent: 95, Over: 28 * 24 * time.Hour}
	unbounded, none := status(.9), status(.9)
	unbounded.Unbounded, none.Baseline.Mean = true, nil
	scored := hours(28, func(time.Duration) float64 { return .9 })
	for name, tt := range map[string]struct {
		st    quality.MonitorStatus
		hours []quality.ScoreHour
	}{"no scores": {status(.9), nil}, "unbounded": {unbounded, scored}, "no baseline": {none, scored}} {
		if v := views.Objective(now, time.UTC, spec, tt.st, tt.hours); v.Attained != nil || v.BudgetLeft != nil || v.Note == "" {
			t.Errorf("%s: got %+v", name, v)
		}
	}
	scored[len(scored)-1].Version = "v0"
	if v := views.Objective(now, time.UTC, spec, status(.9), scored); !strings.Contains(v.Note, "1 hours") || v.Attained == nil {
		t.Errorf("an earlier version: got %+v", v)
	}
}

// awayStore is a store that does not answer, or not in time.
type awayStore struct{ hangs bool }

func (s awayStore) ScoreHours(ctx context.Context, _, _ time.Time) ([]quality.ScoreHour, error) {
	if s.hangs {
		<-ctx.Done()
	}
	return nil, quality.Errorf(quality.KindUnavailable, "asking 10.0.0.7: connection refused")
}

// What a monitor itself tells is there while the store is away, and the answer says what is missing.
func TestMonitorsWithoutTheStore(t *testing.T) {
	for _, hangs := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			asked := 0
			h := &views.Handler{
				Location: time.UTC, Now: func() time.Time { return now }, Store: awayStore{hangs},
				Features: []quality.Feature{{Name: "bot", Monitors: []quality.MonitorSpec{{Metric: "good", Objective: &quality.ObjectiveSpec{Percent: 95, Over: week}}}}},
				Statuses: func(time.Time) []quality.MonitorStatus {
					return []quality.MonitorStatus{{Feature: "bot", Metric: "good", State: quality.MonitorBlind, Reason: "no scores"}, {Feature: "bot", Metric: "other"}}
				},
				Corrected: func(ctx context.Context, _, _ string) (*quality.CorrectedMean, error) {
					asked++
					return nil, quality.Errorf(quality.KindUnavailable, "asking 10.0.0.7: connection refused")
				},
			}
			began := time.Now()
			w := httptest.NewRecorder()
			e := web.New(web.Options{})
			h.Register(e)
			e.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v1/monitors", nil))
			var answer views.Answer
			if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != http.StatusOK {
				t.Fatalf("got %d %s", w.Code, w.Body)
			}
			if len(answer.Monitors) != 2 || answer.Monitors[0].Reason != "no scores" || answer.Monitors[0].Week != nil || answer.Monitors[0].Objective != nil {
				t.Errorf("got %+v", answer.Monitors)
			}
			if len(answer.Unread) != 2 || answer.Unread[0].Why != "the store is away" || asked != 1 || strings.Contains(w.Body.String(), "10.0.0.7") {
				t.Errorf("asked %d times, got %s", asked, w.Body)
			}
			if took := time.Since(began); took > time.Minute {
				t.Errorf("took %s", took)
			}
		})
	}
}

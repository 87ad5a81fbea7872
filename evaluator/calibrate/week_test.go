package calibrate_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asgood-dev/asgood/evaluator/calibrate"
	"github.com/asgood-dev/asgood/internal/quality"
)

// history counts how often it is asked.
type history struct {
	asked int
	long  time.Duration
	err   error
}

func (h *history) Judged(_ context.Context, _, _, _ string, from, to time.Time, _ int) (out []quality.Judged, err error) {
	h.asked, h.long = h.asked+1, to.Sub(from)
	for range 10 {
		out = append(out, quality.Judged{Time: to.Add(-time.Hour), Version: "v2", Value: 4, Weight: 1})
	}
	return out, h.err
}

func TestWeekIsAskedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, b := &history{}, newBench()
		k, err := calibrate.New(calibrate.Options{Store: b, Sink: b, Ledger: b, History: h,
			Judges: []calibrate.Judge{{Feature: "chat", Metric: "faithful", Bounds: [2]float64{1, 5}}}})
		if err != nil {
			t.Fatal(err)
		}
		if c, err := k.Week(t.Context(), "chat", "length"); c != nil || err != nil {
			t.Errorf("no judge: got %+v, %v", c, err)
		}
		for range 3 {
			c, err := k.Week(t.Context(), "chat", "faithful")
			if err != nil || c.Judged != 10 || c.Version != "v2" || c.Note == "" || c.Method != quality.MethodNone {
				t.Fatalf("got %+v, %v; want ten samples and a note why nothing is corrected", c, err)
			}
		}
		if h.asked != 1 || h.long != 7*24*time.Hour {
			t.Errorf("asked %d times for %s", h.asked, h.long)
		}
		<-time.After(2 * time.Minute)
		h.err = errors.New("away")
		if c, err := k.Week(t.Context(), "chat", "faithful"); err == nil {
			t.Errorf("a store that is away: got %+v", c)
		}
	})
}

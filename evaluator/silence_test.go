package evaluator_test

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/asgood-dev/asgood/evaluator"
	"github.com/asgood-dev/asgood/internal/quality"
)

// runAt runs a service for a while at a time of the clock; fail may end it before.
func runAt(t *testing.T, w *world, now time.Time, fail func(op string) error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		w.fail = nil
		if fail != nil {
			w.fail = func(op string) error {
				err := fail(op)
				if err != nil {
					cancel()
				}
				return err
			}
		}
		o := evaluator.EngineOptions{Features: bot(quality.MonitorSpec{Baseline: quality.BaselineSpec{First: 100}}), FalseAlarms: perSample}
		s, err := evaluator.New(evaluator.Options{Engine: o, Source: w.open(3), Sink: w, State: w,
			Now: func() time.Time { return now }, Registerer: prometheus.NewRegistry()})
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error)
		go func() { done <- s.Run(ctx) }()
		time.Sleep(10 * time.Second) //nolint:forbidigo // the bubble has its own time
		synctest.Wait()
		cancel()
		<-done
	})
}

func (w *world) add(t *testing.T, samples []quality.Sample) {
	t.Helper()
	data, err := json.Marshal(quality.Delivery{Samples: samples})
	if err != nil {
		t.Fatal(err)
	}
	w.messages = append(w.messages, evaluator.Message{Seq: uint64(len(w.messages) + 1), Data: data})
}

// Silence is told once, whatever restarts in between, and so is its end.
func TestSilenceIsToldOnce(t *testing.T) {
	samples := traffic(41, stage{n: 600, pass: .9})
	w := newWorld(samples[:500], 5)
	last := samples[499].Time
	runAt(t, w, last, nil)
	if len(w.sights) != 0 {
		t.Fatalf("got %+v while samples come", w.sights)
	}
	died := errors.New("the process is dead")
	told := false
	runAt(t, w, last.Add(10*24*time.Hour), func(op string) error { // it dies between the event and the state
		if told = told || op == "monitor"; told && op == "put" {
			return died
		}
		return nil
	})
	for day := range 3 {
		runAt(t, w, last.Add(time.Duration(11+day)*24*time.Hour), nil)
	}
	if !told || len(w.sights) != 1 || w.sights[0].Type != quality.MonitorWentBlind || w.sights[0].Cause != quality.BlindStopped || w.sights[0].Metric != "good" {
		t.Fatalf("got %+v, want one event of a silent monitor", w.sights)
	}
	w.add(t, samples[500:])
	for range 2 {
		runAt(t, w, samples[599].Time, nil)
	}
	if len(w.sights) != 2 || w.sights[1].Type != quality.MonitorSees || w.sights[1].Blindness != w.sights[0].Blindness {
		t.Errorf("got %+v, want one more event that it sees again", w.sights)
	}
}

// What was filled from an old file was never at work, and is no news.
func TestOldSamplesAreNoSilence(t *testing.T) {
	w := newWorld(traffic(42, stage{n: 500, pass: .9}), 5)
	for range 2 {
		runAt(t, w, monday.Add(10_000*time.Hour), nil)
	}
	if st := w.statuses["good"]; st.Blind != quality.BlindStopped || len(w.sights) != 0 {
		t.Errorf("got %+v, told %+v", st, w.sights)
	}
}

func TestSizesOfMessagesChangeNothing(t *testing.T) {
	samples := eventful(43)
	want := ""
	for _, size := range []int{1, 7, 1000} {
		w := newWorld(samples, size)
		synctest.Test(t, func(t *testing.T) { runUntil(t, w, 3, 1<<30) })
		w.scores = nil
		if got := w.result(t); want == "" {
			want = got
		} else if got != want {
			t.Errorf("%d samples in a message: got\n%s\nwant\n%s", size, got, want)
		}
	}
}

// A save writes what changed: of many streams, the documents of the few that a sample touched.
func TestSaveWritesWhatChanged(t *testing.T) {
	o := fleetOptions()
	o.Features = o.Features[:1]
	rng := rand.New(rand.NewPCG(5, 6))
	var samples []quality.Sample
	for i := range 2001 {
		samples = append(samples, fleetSample(rng, 0, i%fleetValues, monday.Add(time.Duration(i)*time.Second), uint64(i)))
	}
	w := newWorld(samples[:2000], 50)
	puts := 0
	run := func() {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			w.fail = func(op string) error {
				if op == "put" {
					puts++
				}
				return nil
			}
			s, err := evaluator.New(evaluator.Options{Engine: o, Source: w.open(3), Sink: w, State: w, Registerer: prometheus.NewRegistry(),
				Now: func() time.Time { return samples[2000].Time }})
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan error)
			go func() { done <- s.Run(ctx) }()
			time.Sleep(10 * time.Second) //nolint:forbidigo // the bubble has its own time
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
	run()
	if all := puts; all < 5*fleetValues/64 {
		t.Fatalf("wrote %d documents of %d streams", all, 5*fleetValues)
	}
	puts = 0
	w.add(t, samples[2000:])
	run()
	if puts > 12 { // six streams, the monitor, the ids, the silences and the manifest
		t.Errorf("wrote %d documents for one sample", puts)
	}
}

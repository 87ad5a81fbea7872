package collector_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/collector"
	"github.com/asgood-dev/asgood/internal/quality"
)

func accept(t *testing.T, r *running, ids ...string) collector.Result {
	t.Helper()
	samples := make([]quality.Sample, len(ids))
	for i, id := range ids {
		samples[i] = sample(id)
	}
	result, err := r.Accept(t.Context(), samples)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func wantCounts(t *testing.T, got collector.Result, accepted, duplicates int) {
	t.Helper()
	if got.Accepted != accepted || got.Duplicates != duplicates || got.Refused != 0 {
		t.Errorf("got %+v, want %d accepted, %d duplicates", got, accepted, duplicates)
	}
}

func TestIDsSurviveRestart(t *testing.T) {
	s, dir := &stream{}, t.TempDir()
	r := start(t, collector.Options{Handoff: s, Dir: dir})
	wantCounts(t, accept(t, r, "a", "b"), 2, 0)
	wantCounts(t, accept(t, r, "b", "c"), 1, 1)
	r.stop()
	if r.Applied() != 2 {
		t.Errorf("got applied %d, want 2", r.Applied())
	}
	r = start(t, collector.Options{Handoff: s, Dir: dir})
	wantCounts(t, accept(t, r, "a", "b", "c", "d"), 1, 3)
}

func TestIDsAreReplayed(t *testing.T) {
	s := &stream{}
	r := start(t, collector.Options{Handoff: s})
	wantCounts(t, accept(t, r, "a", "b"), 2, 0)
	r.stop()
	r = start(t, collector.Options{Handoff: s}) // another directory, as if the index had not seen anything
	wantCounts(t, accept(t, r, "a", "c"), 1, 1)
}

func TestIDsAreForgottenAfterRetention(t *testing.T) {
	s, dir := &stream{}, t.TempDir()
	now := atomic.Int64{}
	clock := func() time.Time { return testNow.Add(time.Duration(now.Load())) }
	r := start(t, collector.Options{Handoff: s, Dir: dir, Retention: 48 * time.Hour, Now: clock})
	wantCounts(t, accept(t, r, "a"), 1, 0)
	now.Store(int64(48 * time.Hour))
	wantCounts(t, accept(t, r, "a"), 0, 1)
	now.Store(int64(72 * time.Hour))
	wantCounts(t, accept(t, r, "a"), 1, 0)
	wantCounts(t, accept(t, r, "a"), 0, 1)
}

func TestDirectoryInUse(t *testing.T) {
	dir := t.TempDir()
	start(t, collector.Options{Handoff: &stream{}, Dir: dir})
	_, err := collector.New(collector.Options{Handoff: &stream{}, Dir: dir})
	if quality.KindOf(err) != quality.KindConflict || !strings.Contains(err.Error(), dir) {
		t.Errorf("got %v, want a conflict that names the directory", err)
	}
}

func TestDirectoryUnusable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := collector.New(collector.Options{Handoff: &stream{}, Dir: file}); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("got %v, want an error that names the directory", err)
	}
}

func TestConcurrentRequestsStoreOnce(t *testing.T) {
	s := &stream{}
	r := start(t, collector.Options{Handoff: s})
	var wg sync.WaitGroup
	var accepted, duplicates atomic.Int64
	for range 16 {
		wg.Go(func() {
			for i := range 50 {
				got, err := r.Accept(t.Context(), []quality.Sample{sample(fmt.Sprint(i)), sample(fmt.Sprint(i + 1))})
				if err != nil {
					t.Error(err)
				}
				accepted.Add(int64(got.Accepted))
				duplicates.Add(int64(got.Duplicates))
			}
		})
	}
	wg.Wait()
	_, times := s.stored(t)
	if len(times) != 51 || accepted.Load() != 51 || duplicates.Load() != 16*100-51 {
		t.Errorf("got %d ids stored, %d accepted, %d duplicates", len(times), accepted.Load(), duplicates.Load())
	}
	for id, n := range times {
		if n != 1 {
			t.Errorf("%s is stored %d times", id, n)
		}
	}
}

func TestConcurrentRequestsShareMessages(t *testing.T) {
	release, first := make(chan struct{}), make(chan struct{})
	s := &stream{before: func(n int) error {
		if n == 1 {
			close(first)
			<-release
		}
		return nil
	}}
	r := start(t, collector.Options{Handoff: s})
	var wg sync.WaitGroup
	send := func(id string) {
		wg.Go(func() {
			if _, err := r.Accept(t.Context(), []quality.Sample{sample(id)}); err != nil {
				t.Error(err)
			}
		})
	}
	send("first")
	<-first
	for i := range 20 {
		send(fmt.Sprint(i))
	}
	// All twenty stand in the queue before the first message is let go.
	for collector.Queued(r.Collector) < 20 {
		if !waitABit(t.Context()) {
			t.Fatal("requests did not queue")
		}
	}
	close(release)
	wg.Wait()
	if len(s.messages) != 2 {
		t.Errorf("got %d messages for 21 requests, want 2", len(s.messages))
	}
}

// waitABit lets others run; it is false when the test has no more time.
func waitABit(ctx context.Context) bool {
	timer := time.NewTimer(time.Millisecond)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

func TestLargeRequestIsCutIntoMessages(t *testing.T) {
	s := &stream{}
	r := start(t, collector.Options{Handoff: s})
	var samples []quality.Sample
	for i := range 40 {
		x := sample(fmt.Sprint(i))
		x.Output = quality.Text(strings.Repeat("x", 100<<10))
		if i == 20 {
			x.Output = quality.Text(strings.Repeat("x", 3<<20))
		}
		samples = append(samples, x)
	}
	result, err := r.Accept(t.Context(), samples)
	if err != nil {
		t.Fatal(err)
	}
	wantCounts(t, result, 40, 0)
	for i, m := range s.messages {
		if len(m) > 1<<20+2 && strings.Count(string(m), `"id"`) > 1 {
			t.Errorf("message %d has %d bytes and more than one sample", i, len(m))
		}
	}
}

func TestLostAnswerIsNotStoredTwice(t *testing.T) {
	s := &stream{after: func(n int) error {
		if n == 1 {
			return errors.New("answer lost")
		}
		return nil
	}}
	r := start(t, collector.Options{Handoff: s})
	wantCounts(t, accept(t, r, "a"), 1, 0)
	wantCounts(t, accept(t, r, "a"), 0, 1)
	if len(s.messages) != 1 {
		t.Errorf("got %d messages, want 1", len(s.messages))
	}
}

// The message is stored, but every attempt's answer is lost. The sender tries again.
func TestUnknownOutcomeIsLookedUp(t *testing.T) {
	var broken atomic.Bool
	broken.Store(true)
	s := &stream{after: func(int) error {
		if broken.Load() {
			return quality.Errorf(quality.KindUnavailable, "bus away")
		}
		return nil
	}}
	r := start(t, collector.Options{Handoff: s})
	_, err := r.Accept(t.Context(), []quality.Sample{sample("a")})
	if quality.KindOf(err) != quality.KindUnavailable {
		t.Fatalf("got %v, want unavailable", err)
	}
	broken.Store(false)
	wantCounts(t, accept(t, r, "a", "b"), 1, 1)
	wantCounts(t, accept(t, r, "a", "b"), 0, 2)
	if _, times := s.stored(t); times["chat/a"] != 1 || times["chat/b"] != 1 {
		t.Errorf("got %v, want each once", times)
	}
}

func TestFailureIsTold(t *testing.T) {
	var down atomic.Bool
	down.Store(true)
	s := &stream{before: func(int) error {
		if down.Load() {
			return quality.Errorf(quality.KindUnavailable, "stream is full")
		}
		return nil
	}}
	r := start(t, collector.Options{Handoff: s})
	status, got, header := post(t, r, strings.NewReader(`{"id":"a","feature":"chat","output":"x"}`+"\nbad\n"+good), "Content-Type", ndjson)
	if status != 503 || header.Get("Retry-After") == "" || got.Accepted != 0 || got.Refused != 1 || !strings.Contains(got.Error.Message, "2 samples were not stored") {
		t.Errorf("got %d, %+v, %v, want 503 with Retry-After", status, got, header)
	}
	down.Store(false)
	wantCounts(t, accept(t, r, "a"), 1, 0)
}

func TestFullQueueRefuses(t *testing.T) {
	release := make(chan struct{})
	entered := make(chan struct{}, 100)
	s := &stream{before: func(int) error {
		entered <- struct{}{}
		<-release
		return nil
	}}
	r := start(t, collector.Options{Handoff: s, QueueBytes: 1}) // raised to what two of the largest samples need
	large := func(id string) []quality.Sample {
		x := sample(id)
		x.Output = quality.Text(strings.Repeat("x", 5<<20))
		return []quality.Sample{x}
	}
	var wg sync.WaitGroup
	for i := range 3 {
		wg.Go(func() {
			if _, err := r.Accept(t.Context(), large(fmt.Sprint(i))); err != nil {
				t.Error(err)
			}
		})
	}
	<-entered
	for collector.Queued(r.Collector) < 2 {
		if !waitABit(t.Context()) {
			t.Fatal("requests did not queue")
		}
	}
	if _, err := r.Accept(t.Context(), large("more")); quality.KindOf(err) != quality.KindUnavailable {
		t.Errorf("got %v, want unavailable", err)
	}
	close(release)
	wg.Wait()
	if result, err := r.Accept(t.Context(), large("more")); err != nil || result.Accepted != 1 {
		t.Errorf("got %+v, %v after there was room again", result, err)
	}
}

func TestStoppedCollectorRefuses(t *testing.T) {
	r := start(t, collector.Options{Handoff: &stream{}})
	wantCounts(t, accept(t, r, "a"), 1, 0)
	r.stop()
	for _, id := range []string{"a", "b", ""} {
		if _, err := r.Accept(t.Context(), []quality.Sample{sample(id)}); quality.KindOf(err) != quality.KindUnavailable {
			t.Errorf("id %q: got %v, want unavailable", id, err)
		}
	}
}

func TestGapIsFilled(t *testing.T) {
	s := &stream{}
	r := start(t, collector.Options{Handoff: s})
	wantCounts(t, accept(t, r, "a"), 1, 0)
	// Another collector writes to the same stream.
	if _, err := s.Publish(t.Context(), "other", []byte(`{"samples":[{"id":"x","feature":"chat","output":"y"}]}`)); err != nil {
		t.Fatal(err)
	}
	wantCounts(t, accept(t, r, "b"), 1, 0)
	wantCounts(t, accept(t, r, "x", "b"), 0, 2)
}

// Every output is counted in the message that holds it, by minute and slice; one that came before is not.
func TestTraffic(t *testing.T) {
	s := &stream{}
	features := []quality.Feature{{Name: "chat", Monitors: []quality.MonitorSpec{{Slices: []string{"customer", "language"}}}}}
	r := start(t, collector.Options{Handoff: s, Features: features})
	samples := []quality.Sample{sample("a"), sample("a"), sample("b"), sample("c"), sample("d"), sample("e")}
	samples[3].Customer, samples[3].Model, samples[3].Error = "acme", "m", "timeout"
	samples[3].Attributes = map[string]string{"language": "de", "other": "x"}
	samples[4].Time = testNow.Add(time.Minute + time.Second)
	samples[5].Source = quality.SourceCanary // nobody's traffic
	if _, err := r.Accept(t.Context(), samples); err != nil {
		t.Fatal(err)
	}
	r.stop()
	got := map[string]quality.Traffic{}
	for _, d := range s.deliveries(t) {
		for _, c := range d.Traffic {
			got[c.Minute.Format("15:04")+" "+c.Customer+c.Model+c.Attributes["language"]] = c
		}
	}
	for key, want := range map[string][3]uint64{"12:00 ": {2, 2, 0}, "12:00 acmemde": {1, 1, 1}, "12:01 ": {1, 1, 0}} {
		if c := got[key]; [3]uint64{c.Total, c.Kept, c.Errors} != want || len(c.Attributes) > 1 {
			t.Errorf("%q: got %+v, want total, kept, errors %v", key, c, want)
		}
	}
	if len(got) != 3 {
		t.Errorf("got %v, want three counts", got)
	}
}

func TestSweepForgetsOnlyTheOld(t *testing.T) {
	now := atomic.Int64{}
	r := start(t, collector.Options{Handoff: &stream{}, Retention: 48 * time.Hour, Now: func() time.Time { return testNow.Add(time.Duration(now.Load())) }})
	var old []string
	for i := range 2500 {
		old = append(old, fmt.Sprint("old", i))
	}
	wantCounts(t, accept(t, r, old...), 2500, 0)
	now.Store(int64(72 * time.Hour))
	wantCounts(t, accept(t, r, "new", "old7"), 2, 0) // old7 is renewed
	swept, err := collector.Sweep(t.Context(), r.Collector, testNow.Add(72*time.Hour))
	if err != nil || swept != 2499 {
		t.Errorf("got %d forgotten, %v, want 2499", swept, err)
	}
	wantCounts(t, accept(t, r, "new", "old7"), 0, 2)
	if swept, err = collector.Sweep(t.Context(), r.Collector, testNow.Add(72*time.Hour)); err != nil || swept != 0 {
		t.Errorf("again: got %d, %v, want 0", swept, err)
	}
}

// A crash leaves the directory as it is on disk: behind the stream by what was not yet synced.
func TestCrashLosesNoID(t *testing.T) {
	s, dir, image := &stream{}, t.TempDir(), t.TempDir()
	r := start(t, collector.Options{Handoff: s, Dir: dir})
	for i := range 200 {
		wantCounts(t, accept(t, r, fmt.Sprint(i)), 1, 0)
		if i == 100 {
			if err := os.CopyFS(filepath.Join(image, "ids"), os.DirFS(dir)); err != nil {
				t.Fatal(err)
			}
		}
	}
	crashed := start(t, collector.Options{Handoff: s, Dir: filepath.Join(image, "ids")})
	for i := range 200 {
		wantCounts(t, accept(t, crashed, fmt.Sprint(i)), 0, 1)
	}
}

func TestTimesAheadAreRefused(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	r := start(t, collector.Options{Handoff: &stream{}, Now: func() time.Time { return now }})
	fine, ahead := sample("fine"), sample("ahead")
	fine.Time, ahead.Time = now.Add(24*time.Hour), now.Add(24*time.Hour+time.Second)
	got, err := r.Accept(t.Context(), []quality.Sample{fine, ahead})
	if err != nil {
		t.Fatal(err)
	}
	if got.Accepted != 1 || got.Refused != 1 || !strings.Contains(got.Rejected[0].Error, "ahead of this machine's clock") {
		t.Errorf("got %+v", got)
	}
}

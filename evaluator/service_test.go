package evaluator_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/asgood-dev/asgood/evaluator"
	"github.com/asgood-dev/asgood/internal/quality"
)

// world is a stream, a sink and a store in memory that outlive the services that use them.
type world struct {
	mu        sync.Mutex
	messages  []evaluator.Message
	committed uint64
	docs      map[string][]byte
	scores    map[uint64][]quality.Score
	last      uint64
	twice     []uint64
	events    map[string]quality.RegressionEvent
	order     []string
	statuses  map[string]quality.MonitorStatus
	sights    []quality.MonitorEvent
	puts      map[string]quality.Regression
	fail      func(op string) error // asked before every operation
}

func newWorld(samples []quality.Sample, perMessage int) *world {
	w := &world{docs: map[string][]byte{}, scores: map[uint64][]quality.Score{}, events: map[string]quality.RegressionEvent{},
		statuses: map[string]quality.MonitorStatus{}, puts: map[string]quality.Regression{}}
	for part := range slices.Chunk(samples, perMessage) {
		data, err := json.Marshal(quality.Delivery{Samples: part})
		if err != nil {
			panic(err)
		}
		w.messages = append(w.messages, evaluator.Message{Seq: uint64(len(w.messages) + 1), Data: data})
	}
	return w
}

func (w *world) enter(op string) error {
	w.mu.Lock()
	if w.fail != nil {
		return w.fail(op)
	}
	return nil
}

// source reads the stream from the last commit on.
type source struct {
	*world
	next uint64
	size uint64
}

func (w *world) open(size int) *source {
	w.mu.Lock()
	defer w.mu.Unlock()
	return &source{world: w, next: w.committed, size: uint64(size)}
}

func (s *source) Next(ctx context.Context) (evaluator.Batch, error) {
	s.mu.Lock()
	from, to := s.next, min(s.next+s.size, uint64(len(s.messages)))
	s.next = to
	s.mu.Unlock()
	if from == to {
		<-ctx.Done()
		return evaluator.Batch{}, ctx.Err()
	}
	return evaluator.Batch{First: from + 1, Last: to, Messages: s.messages[from:to]}, nil
}

func (s *source) Commit(_ context.Context, b evaluator.Batch) error {
	defer s.mu.Unlock()
	if err := s.enter("commit"); err != nil {
		return err
	}
	if b.First != s.committed+1 {
		return fmt.Errorf("commit of %d to %d after %d", b.First, b.Last, s.committed)
	}
	s.committed = b.Last
	return nil
}

func (w *world) LastScored(context.Context) (uint64, error) {
	defer w.mu.Unlock()
	return w.last, w.enter("last scored")
}

func (w *world) PublishScores(_ context.Context, source uint64, scores []quality.Score) error {
	defer w.mu.Unlock()
	if err := w.enter("publish"); err != nil {
		return err
	}
	if _, ok := w.scores[source]; ok {
		w.twice = append(w.twice, source)
	}
	w.scores[source], w.last = scores, source
	return nil
}

func (w *world) PublishRegression(_ context.Context, ev quality.RegressionEvent) error {
	defer w.mu.Unlock()
	if err := w.enter("event"); err != nil {
		return err
	}
	if _, ok := w.events[ev.ID]; !ok {
		w.order = append(w.order, ev.ID)
	}
	w.events[ev.ID] = ev
	return nil
}

func (w *world) PublishMonitor(_ context.Context, ev quality.MonitorEvent) error {
	defer w.mu.Unlock()
	if err := w.enter("monitor"); err != nil {
		return err
	}
	if !slices.ContainsFunc(w.sights, func(o quality.MonitorEvent) bool { return o.ID == ev.ID }) {
		w.sights = append(w.sights, ev)
	}
	return nil
}

func (w *world) PutStatus(_ context.Context, st quality.MonitorStatus) error {
	defer w.mu.Unlock()
	err := w.enter("status")
	w.statuses[st.Metric] = st
	return err
}

func (w *world) OpenRegressions(context.Context) (open []quality.Regression, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.puts {
		if r.Open() {
			open = append(open, r)
		}
	}
	return open, nil
}

func (w *world) PutRegression(_ context.Context, r quality.Regression) error {
	defer w.mu.Unlock()
	err := w.enter("regression")
	w.puts[r.ID] = r
	return err
}

func (w *world) Get(_ context.Context, key string) ([]byte, error) {
	defer w.mu.Unlock()
	if err := w.enter("get"); err != nil {
		return nil, err
	}
	if data, ok := w.docs[key]; ok {
		return data, nil
	}
	return nil, quality.Errorf(quality.KindNotFound, "no document %q", key)
}

func (w *world) Put(_ context.Context, key string, data []byte) error {
	defer w.mu.Unlock()
	if err := w.enter("put"); err != nil {
		return err
	}
	if len(data) > evaluator.MaxDocument {
		return fmt.Errorf("document %q of %d bytes", key, len(data))
	}
	w.docs[key] = slices.Clone(data)
	return nil
}

func (w *world) Delete(_ context.Context, key string) error {
	defer w.mu.Unlock()
	err := w.enter("delete")
	if err == nil {
		delete(w.docs, key)
	}
	return err
}

// result is all that a run left behind for others to see.
func (w *world) result(t *testing.T) string {
	t.Helper()
	out := ""
	for _, id := range w.order {
		out += asJSON(t, w.events[id]) + "\n"
	}
	for _, ev := range w.sights {
		out += asJSON(t, ev) + "\n"
	}
	for _, m := range slices.Sorted(maps.Keys(w.statuses)) {
		out += asJSON(t, w.statuses[m]) + "\n"
	}
	for _, id := range slices.Sorted(maps.Keys(w.puts)) {
		out += asJSON(t, w.puts[id]) + "\n"
	}
	for _, seq := range slices.Sorted(maps.Keys(w.scores)) {
		out += fmt.Sprint(seq, len(w.scores[seq]), " ")
	}
	return out
}

func service(t *testing.T, w *world, batch int) *evaluator.Service {
	t.Helper()
	o := restartOptions()
	s, err := evaluator.New(evaluator.Options{Engine: o, Source: w.open(batch), Sink: w, State: w, SaveAfter: 40,
		Now: func() time.Time { return monday.Add(1000 * time.Hour) }, Registerer: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// runUntil runs a service until the stream is committed to its end, or for so many operations.
func runUntil(t *testing.T, w *world, batch, operations int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w.fail = func(string) error {
		if operations--; operations < 0 {
			cancel()
			return errors.New("the process is dead")
		}
		return nil
	}
	s := service(t, w, batch)
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	time.Sleep(time.Minute) //nolint:forbidigo // the bubble has its own time
	synctest.Wait()
	cancel()
	<-done
}

func TestServiceGivesTheSameAfterCrashes(t *testing.T) {
	samples := eventful(31)
	clean := newWorld(samples, 5)
	synctest.Test(t, func(t *testing.T) { runUntil(t, clean, 3, 1<<30) })
	want := clean.result(t)
	if clean.committed != uint64(len(clean.messages)) || len(clean.order) == 0 || len(clean.statuses) != 3 {
		t.Fatalf("got %d of %d messages committed, %d events, %d statuses", clean.committed, len(clean.messages), len(clean.order), len(clean.statuses))
	}
	for _, every := range []int{23, 57, 130} {
		w := newWorld(samples, 5)
		crashes := 0
		for ; w.committed < uint64(len(w.messages)) && crashes < 500; crashes++ {
			synctest.Test(t, func(t *testing.T) { runUntil(t, w, 3, every*(1+crashes%5)) })
		}
		synctest.Test(t, func(t *testing.T) { runUntil(t, w, 3, 1<<30) })
		if crashes < 3 {
			t.Errorf("killed after %d operations: only %d crashes", every, crashes)
		}
		if got := w.result(t); got != want {
			t.Errorf("killed %d times: got\n%s\nwant\n%s", crashes, got, want)
		}
		if len(w.twice) > 0 {
			t.Errorf("scores of messages %v were published twice", w.twice)
		}
	}
}

func TestServiceWaitsForItsNeighbours(t *testing.T) {
	w := newWorld(eventful(32)[:300], 5)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		start := time.Now()
		w.fail = func(string) error {
			if time.Since(start) < time.Minute {
				return errors.New("away")
			}
			return nil
		}
		s := service(t, w, 3)
		done := make(chan error)
		go func() { done <- s.Run(ctx) }()
		time.Sleep(10 * time.Minute) //nolint:forbidigo // the bubble has its own time
		synctest.Wait()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("got %v from Run, want nil when it was stopped", err)
		}
	})
	if w.committed != uint64(len(w.messages)) || len(w.twice) > 0 {
		t.Errorf("got %d of %d messages committed, %v twice", w.committed, len(w.messages), w.twice)
	}
}

func TestServiceClearsAwayOldState(t *testing.T) {
	w := newWorld(eventful(33), 5)
	synctest.Test(t, func(t *testing.T) { runUntil(t, w, 3, 1<<30) })
	var manifest struct{ Chunks map[string][]string }
	if err := json.Unmarshal(w.docs["manifest"], &manifest); err != nil {
		t.Fatal(err)
	}
	used := 1
	for _, keys := range manifest.Chunks {
		used += len(keys)
	}
	if len(w.docs) > used {
		t.Errorf("got %d documents, want the %d that the manifest names", len(w.docs), used)
	}
}

func TestServiceSkipsWhatIsNotReadable(t *testing.T) {
	w := newWorld(eventful(34)[:50], 5)
	w.messages[3].Data = []byte(`[{"feature":`)
	synctest.Test(t, func(t *testing.T) { runUntil(t, w, 3, 1<<30) })
	if w.committed != 10 || len(w.scores) != 9 {
		t.Errorf("got %d messages committed and %d scored, want 10 and 9", w.committed, len(w.scores))
	}
}

func TestServiceRefusesDamagedState(t *testing.T) {
	w := newWorld(eventful(35)[:100], 5)
	synctest.Test(t, func(t *testing.T) { runUntil(t, w, 3, 1<<30) })
	for key := range w.docs {
		if strings.HasPrefix(key, "c-") {
			w.docs[key] = append(w.docs[key], 0)
		}
	}
	w.fail = nil
	if err := service(t, w, 3).Run(t.Context()); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("got %v, want an error that says the state is damaged", err)
	}
}

// A monitor that is changed while its regression is open cannot see it recover: the regression is withdrawn,
// once, and a monitor that stays as it was keeps its own.
func TestChangedMonitorWithdrawsItsRegression(t *testing.T) {
	samples := eventful(31)
	w := newWorld(samples[:len(samples)-1400], 5) // before the recovery
	synctest.Test(t, func(t *testing.T) { runUntil(t, w, 3, 1<<30) })
	open, err := w.OpenRegressions(t.Context())
	if err != nil || len(open) == 0 {
		t.Fatalf("got %d open regressions (%v), want one", len(open), err)
	}
	told := len(w.order)
	changed := restartOptions()
	changed.Features[0].Monitors = changed.Features[0].Monitors[1:]
	for range 2 { // the second start has nothing left to withdraw
		start(t, w, changed, nil)
	}
	withdrawnOnce(t, w, told, open[0])
}

// A process that dies between storing a new baseline and taking it finds it when it starts again: the open
// regression is withdrawn then, and not again by a second start or by whoever asks for the baseline again.
func TestBaselineThatWasStoredBeforeACrash(t *testing.T) {
	samples := eventful(31)
	w := newWorld(samples[:len(samples)-1400], 5)
	synctest.Test(t, func(t *testing.T) { runUntil(t, w, 3, 1<<30) })
	open, err := w.OpenRegressions(t.Context())
	if err != nil || len(open) == 0 {
		t.Fatalf("got %d open regressions (%v), want one", len(open), err)
	}
	told, after := len(w.order), restartOptions()
	i := slices.IndexFunc(after.Features[0].Monitors, func(m quality.MonitorSpec) bool { return m.Metric == open[0].Metric })
	level := quality.BaselineSpec{Pinned: "level"}
	after.Features[0].Monitors[i].Baseline = level
	after.Baselines = func(feature, metric string, _ quality.BaselineSpec) (out []quality.Score, err error) {
		for i := range 200 {
			out = append(out, quality.Score{Feature: feature, Metric: metric, Value: float64(i % 2), Weight: 1, Time: monday})
		}
		return out, nil
	}
	start(t, w, after, nil)
	withdrawnOnce(t, w, told, open[0])
	start(t, w, after, func(ctx context.Context, s *evaluator.Service) {
		if err := s.Rebase(ctx, "bot", open[0].Metric, level, "ann", "the new level"); err != nil {
			t.Error(err)
		}
	})
	withdrawnOnce(t, w, told, open[0])
	if st := w.statuses[open[0].Metric]; st.Regression != "" {
		t.Errorf("got %+v, want no open regression", st)
	}
}

// start runs a service on what a world holds until there is nothing left to do, and asks it something then.
func start(t *testing.T, w *world, o evaluator.EngineOptions, ask func(context.Context, *evaluator.Service)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w.fail = nil
		ctx, cancel := context.WithCancel(t.Context())
		s, err := evaluator.New(evaluator.Options{Engine: o, Source: w.open(3), Sink: w, State: w, Registerer: prometheus.NewRegistry()})
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error)
		go func() { done <- s.Run(ctx) }()
		synctest.Wait()
		if ask != nil {
			ask(ctx, s)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// withdrawnOnce checks that all that was told since is that one regression was withdrawn.
func withdrawnOnce(t *testing.T, w *world, told int, open quality.Regression) {
	t.Helper()
	for _, id := range w.order[told:] {
		if ev := w.events[id]; ev.Type != quality.RegressionWithdrawn || ev.Regression.Metric != open.Metric || ev.Regression.Open() {
			t.Errorf("got %+v", ev)
		}
	}
	if len(w.order) != told+1 {
		t.Errorf("got %d events of the withdrawal, want 1", len(w.order)-told)
	}
}

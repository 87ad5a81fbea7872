package baseline_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/evaluator/baseline"
	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
)

// asked posts a body to the routes of a house.
func (h *house) asked(path, body string) (int, string) {
	e := web.New(web.Options{})
	h.Register(e)
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func TestHostileRequests(t *testing.T) {
	const at = "/v1/baselines/bot/good"
	for _, x := range []struct {
		path, body string
		code       int
		want       string
	}{
		{at + "/pin", `{"by":"ana","reason":"oops"}`, 400, `field \"version\": required`},
		{at + "/pin", `{"version":null,"by":"ana","reason":"oops"}`, 400, `field \"version\": required`},
		{at + "/pin", `{"version":7,"by":"ana","reason":"x"}`, 404, "no version 7"},
		{at + "/pin", `{"version":-1,"by":"ana","reason":"x"}`, 404, "no version -1"},
		{at + "/pin", `{"version":1e99,"by":"ana","reason":"x"}`, 400, "reading the body"},
		{at + "/pin", `{"version":0,"by":"ana","reason":"back"}`, 200, `"in_force":0`},
		{at + "/pin", ``, 400, "reading the body"},
		{at + "/promote", `{"by":" ","reason":"x"}`, 400, `field \"by\": required`},
		{at + "/promote", `{"by":"ana\u001b[2J","reason":"x"}`, 400, "cannot be seen"},
		{at + "/promote", `{"by":"ana","reason":"x","name":"\u202egnirps"}`, 400, `field \"name\"`},
		{at + "/promote", `{"by":"ana","reason":"x","name":"` + strings.Repeat("n", 300) + `"}`, 400, `field \"name\"`},
		{at + "/promote", `{"by":"ana","reason":"x","name":"` + strings.Repeat("n", 70_000) + `"}`, 413, "too_large"},
		{at + "/promote", `{"by":"ana","reason":"x","from":"2026-04-09T00:00:00Z","to":"2026-04-10T00:00:00Z"}`, 400, "the period begins"},
		{at + "/promote", `{"by":"ana","reason":"x","accept":"../../reg"}`, 404, "no open regression"},
		{"/v1/baselines/bot/..%2f..%2fbook/promote", `{"by":"ana","reason":"x"}`, 404, ""},
		{"/v1/baselines/bot/%00/promote", `{"by":"ana","reason":"x"}`, 404, "no monitor"},
		{"/v1/baselines/" + strings.Repeat("b", 5000) + "/good/pin", `{"version":0,"by":"ana","reason":"x"}`, 404, "no monitor"},
	} {
		h := newHouse(t, nil)
		h.facts.hours(now.Add(-7*24*time.Hour), 7*24, 0.9, "v1")
		if code, body := h.asked(x.path, x.body); code != x.code || !strings.Contains(body, x.want) {
			t.Errorf("%.60s %.60s: got %d %.200s, want %d with %q", x.path, x.body, code, body, x.code, x.want)
		}
	}
}

// TestPeriodsAreCutToWhatCanBe: a clock that is wrong does not make a baseline of what has not been.
func TestPeriodsAreCutToWhatCanBe(t *testing.T) {
	h := newHouse(t, nil)
	h.facts.hours(now.Add(-7*24*time.Hour), 8*24, 0.9, "v1")
	v, err := h.promote(t, baseline.Promotion{From: time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC), To: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)})
	if err != nil || v.N != 2016 || !v.To.Before(now) {
		t.Errorf("got %+v, %v", v, err)
	}
}

// TestAStuckScorerIsNoBaseline: an extraction that never matched for a day looks like a day that was all bad.
func TestAStuckScorerIsNoBaseline(t *testing.T) {
	h := newHouse(t, nil)
	h.facts.hours(now.Add(-7*24*time.Hour), 7*24, 0.7, "v1")
	for i := 600; i < 800; i++ {
		h.facts.scores[i].Value = 1
	}
	if _, err := h.promote(t, baseline.Promotion{}); err == nil || !strings.Contains(err.Error(), "in a row from 2026-03-") {
		t.Errorf("got %v, want a refusal", err)
	}
	if _, err := h.promote(t, baseline.Promotion{From: h.facts.scores[810].Time}); err != nil {
		t.Error(err)
	}
	for i := range h.facts.scores {
		h.facts.scores[i].Value = 1
	}
	if _, err := h.promote(t, baseline.Promotion{}); err != nil {
		t.Errorf("a metric that is always 1: %v", err)
	}
}

// guarded is a memory for several at once.
type guarded struct {
	*memory
	mu sync.Mutex
}

func (g *guarded) Get(ctx context.Context, key string) ([]byte, uint64, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.memory.Get(ctx, key)
}

func (g *guarded) Put(ctx context.Context, key string, data []byte) (uint64, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.memory.Put(ctx, key, data)
}

func (g *guarded) Create(ctx context.Context, key string, data []byte) (uint64, error) {
	return g.Update(ctx, key, data, 0)
}

func (g *guarded) Update(ctx context.Context, key string, data []byte, rev uint64) (uint64, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.memory.Update(ctx, key, data, rev)
}

func (g *guarded) Delete(ctx context.Context, key string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.memory.Delete(ctx, key)
}

// TestTwoPromoteAtOnce: of two processes that promote at the same moment each version is there once, and the
// loser is told of the conflict.
func TestTwoPromoteAtOnce(t *testing.T) {
	f := &facts{state: quality.MonitorWatching}
	f.hours(now.Add(-7*24*time.Hour), 7*24, 0.9, "v1")
	bucket := &guarded{memory: newMemory()}
	keepers := make([]*baseline.Keeper, 2)
	for i := range keepers {
		var err error
		keepers[i], err = baseline.New(baseline.Options{Bucket: bucket, Facts: f, Now: func() time.Time { return now },
			Features: []quality.Feature{{Name: "bot", Monitors: []quality.MonitorSpec{{Metric: "good"}}}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	made := map[int]int{}
	for i := range 20 {
		wg.Go(func() {
			v, err := keepers[i%2].Promote(t.Context(), "bot", "good", baseline.Promotion{By: fmt.Sprint("ana ", i), Reason: "checked"})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				made[v.Version]++
			case quality.KindOf(err) != quality.KindConflict:
				t.Errorf("got %v, want a conflict", err)
			}
		})
	}
	wg.Wait()
	b, err := keepers[0].Book(t.Context(), "bot", "good")
	if err != nil || len(b.Versions) != len(made) || b.InForce != len(made) || len(b.Pins) != len(made) {
		t.Errorf("%d promotions succeeded, the book has %d versions, %d pins and %d in force (%v)", len(made), len(b.Versions), len(b.Pins), b.InForce, err)
	}
	for version, n := range made {
		if n != 1 {
			t.Errorf("version %d was made %d times", version, n)
		}
	}
}

// TestTwoMetricsDoNotShareDocuments: external scores of two metrics may be the same in everything but the name.
func TestTwoMetricsDoNotShareDocuments(t *testing.T) {
	f := &facts{state: quality.MonitorWatching}
	f.hours(now.Add(-7*24*time.Hour), 7*24, 0.9, "v1")
	at, bucket := now, newMemory()
	k, err := baseline.New(baseline.Options{Bucket: bucket, Facts: f, Now: func() time.Time { return at },
		Features: []quality.Feature{{Name: "bot", Monitors: []quality.MonitorSpec{{Metric: "good"}, {Metric: "fine"}}}}})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 { // of the same scores
		if _, err := k.Promote(t.Context(), "bot", "fine", baseline.Promotion{By: "ana", Reason: "checked"}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 30 { // of others each time, so that the documents of the first are given up
		if _, err := k.Promote(t.Context(), "bot", "good", baseline.Promotion{From: now.Add(-time.Duration(168-i) * time.Hour), By: "ana", Reason: "checked"}); err != nil {
			t.Fatal(err)
		}
	}
	b, err := k.Book(t.Context(), "bot", "fine")
	if err != nil {
		t.Fatal(err)
	}
	if scores, err := k.Scores(t.Context(), "bot", "fine", b.Versions[2].Pinned()); err != nil || len(scores) != 2016 {
		t.Errorf("got %d scores, %v", len(scores), err)
	}
}

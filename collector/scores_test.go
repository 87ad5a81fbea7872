package collector_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/collector"
	"github.com/asgood-dev/asgood/internal/quality"
)

// staged is a stream in memory that goes back to the last commit when it is opened again.
type staged struct {
	mu        sync.Mutex
	messages  [][]byte
	committed int
	next      int
	changed   chan struct{}
	full      bool
}

func newStaged() *staged { return &staged{changed: make(chan struct{}, 1)} }

func (s *staged) open() collector.Staged {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = s.committed
	s.tell()
	return collector.Staged{To: s, From: s}
}

func (s *staged) tell() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// drained waits until all that was staged is done with.
func (s *staged) drained(t testing.TB) {
	t.Helper()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		s.mu.Lock()
		done := s.committed == len(s.messages)
		s.mu.Unlock()
		if done {
			return
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatal("what was staged is not done with after 20 seconds")
		}
	}
}

func (s *staged) Publish(_ context.Context, _ string, data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full {
		return quality.Errorf(quality.KindUnavailable, "full")
	}
	s.messages = append(s.messages, data)
	s.tell()
	return nil
}

func (s *staged) Next(ctx context.Context) (collector.Batch, error) {
	for {
		s.mu.Lock()
		if s.next < len(s.messages) {
			m := s.messages[s.next]
			s.next++
			n := s.next
			s.mu.Unlock()
			return collector.Batch{Token: fmt.Sprint("staged:", n), Messages: [][]byte{m}, Times: []time.Time{testNow}, Ref: n}, nil
		}
		s.mu.Unlock()
		select {
		case <-ctx.Done():
			return collector.Batch{}, ctx.Err()
		case <-s.changed:
		}
	}
}

func (s *staged) Commit(_ context.Context, b collector.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.committed, _ = b.Ref.(int)
	return nil
}

func postLines(t *testing.T, h http.Handler, path, body string) (int, map[string]any) {
	t.Helper()
	req := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	req.Header.Set("Content-Type", "application/x-ndjson")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	reply := map[string]any{}
	if err := json.Unmarshal(w.Body.Bytes(), &reply); err != nil {
		t.Fatalf("reply %q: %v", w.Body, err)
	}
	return w.Code, reply
}

// awaitScores waits until the stream holds n scores, and returns them.
func awaitScores(t *testing.T, s *stream, n int) (out []quality.Score) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for time.Now().Before(deadline) {
		out = nil
		for _, d := range s.deliveries(t) {
			out = append(out, d.Scores...)
		}
		if len(out) >= n {
			return out
		}
		<-tick.C
	}
	t.Fatalf("got %d scores, want %d", len(out), n)
	return nil
}

func TestScoresFindTheirSample(t *testing.T) {
	s, q, dir := &stream{}, newStaged(), t.TempDir()
	r := start(t, collector.Options{Handoff: s, Feedback: q.open(), Dir: dir})
	early := `{"feature":"chat","sample":"late","metric":"correct","value":0,"kind":"human","by":"anna"}`
	if code, reply := postLines(t, r.engine, "/v1/scores", early); code != 200 || reply["accepted"] != 1.0 {
		t.Fatalf("got %d %v", code, reply)
	}
	x := sample("first")
	x.Customer, x.Model, x.Weight, x.Attributes = "acme", "m-2", 4, map[string]string{"language": "de"}
	if _, err := r.Accept(t.Context(), []quality.Sample{x}); err != nil {
		t.Fatal(err)
	}
	postLines(t, r.engine, "/v1/scores", `{"feature":"chat","sample":"first","thumbs":"down"}
{"feature":"chat","sample":"first","thumbs":"down"}
{"feature":"chat","sample":"first","edit":"Better so."}`)
	got := awaitScores(t, s, 2)
	first := got[0]
	if first.SampleID != "first" || first.Metric != "thumbs" || first.Value != 0 || first.Scorer != "user" || !first.Late ||
		first.Customer != "acme" || first.Model != "m-2" || first.Weight != 4 || first.Attributes["language"] != "de" || !first.Time.Equal(testNow) {
		t.Errorf("got %+v", first)
	}
	if got[1].Metric != "edited" || got[1].Value != 1 || got[1].Explanation != "Better so." {
		t.Errorf("got %+v", got[1])
	}
	r.stop()

	// The early one waits through a restart, also when nothing was committed.
	q.committed = 0
	r = start(t, collector.Options{Handoff: s, Feedback: q.open(), Dir: dir})
	wantCounts(t, accept(t, r, "late"), 1, 0)
	got = awaitScores(t, s, 3)
	if got[2].SampleID != "late" || got[2].By != "anna" || got[2].Scorer != "human" {
		t.Errorf("got %+v", got[2])
	}
	postLines(t, r.engine, "/v1/scores", early) // once more
	wantCounts(t, accept(t, r, "end"), 1, 0)
	postLines(t, r.engine, "/v1/scores", `{"feature":"chat","sample":"end","metric":"x","value":1}`)
	if got = awaitScores(t, s, 4); len(got) != 4 || got[3].SampleID != "end" {
		t.Errorf("got %+v, want four: one that comes again counts once", got)
	}
}

// A score that arrives at the same moment as its sample is never lost between the two.
func TestScoresMeetTheirSamples(t *testing.T) {
	s, q := &stream{}, newStaged()
	r := start(t, collector.Options{Handoff: s, Feedback: q.open()})
	const n = 100
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			postLines(t, r.engine, "/v1/scores", fmt.Sprintf(`{"feature":"chat","sample":"s%d","thumbs":"up"}`, i))
		})
		wg.Go(func() {
			if _, err := r.Accept(context.Background(), []quality.Sample{sample(fmt.Sprint("s", i))}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for _, x := range awaitScores(t, s, n) {
		if seen[x.SampleID] {
			t.Errorf("sample %q has two scores", x.SampleID)
		}
		seen[x.SampleID] = true
	}
}

func TestScoresRefused(t *testing.T) {
	q := newStaged()
	r := start(t, collector.Options{Handoff: &stream{}, Feedback: q.open()})
	for _, tt := range []struct{ name, body, want string }{
		{"no target", `{"metric":"m","value":1}`, `"sample": required`},
		{"no feature", `{"sample":"a","metric":"m","value":1}`, `"feature": required`},
		{"unknown feature", `{"feature":"nope","sample":"a","metric":"m","value":1}`, `no feature "nope"`},
		{"no metric", `{"feature":"chat","sample":"a","value":1}`, `"metric": required`},
		{"no value", `{"feature":"chat","sample":"a","metric":"m"}`, `"value": required`},
		{"text value", `{"feature":"chat","sample":"a","metric":"m","value":"good"}`, `"value": want`},
		{"kind", `{"feature":"chat","sample":"a","metric":"m","value":1,"kind":"cat"}`, `"kind": want human`},
		{"thumbs", `{"feature":"chat","sample":"a","thumbs":"sideways"}`, `"thumbs": want up or down`},
		{"two forms", `{"feature":"chat","sample":"a","thumbs":"up","metric":"m"}`, `want one of`},
		{"unknown field", `{"feature":"chat","sample":"a","metric":"m","value":1,"vaule":2}`, `"vaule"`},
		{"zero byte", `{"feature":"chat","sample":"a\u0000","metric":"m","value":1}`, `zero byte`},
		{"not JSON", `{"feature":`, `broken JSON`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, reply := postLines(t, r.engine, "/v1/scores", tt.body+"\n"+`{"feature":"chat","sample":"ok","thumbs":"up"}`)
			rejected := fmt.Sprint(reply["rejected"])
			if code != 400 || reply["accepted"] != 1.0 || reply["refused"] != 1.0 || !strings.Contains(rejected, tt.want) || !strings.Contains(rejected, "line:1") {
				t.Errorf("got %d %v, want line 1 refused with %q and line 2 taken", code, reply, tt.want)
			}
		})
	}
}

func TestScoresAreNotTakenWithoutRoom(t *testing.T) {
	q := newStaged()
	q.full = true
	r := start(t, collector.Options{Handoff: &stream{}, Feedback: q.open()})
	code, reply := postLines(t, r.engine, "/v1/scores", `{"feature":"chat","sample":"a","thumbs":"up"}`)
	if code != http.StatusServiceUnavailable || reply["accepted"] != 0.0 {
		t.Errorf("got %d %v, want 503 and nothing accepted", code, reply)
	}
}

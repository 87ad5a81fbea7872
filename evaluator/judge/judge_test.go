package judge_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/evaluator/judge"
	"github.com/asgood-dev/asgood/internal/quality"
)

func spec(url string) quality.ScorerSpec {
	return quality.ScorerSpec{Name: "faithful", Type: quality.ScorerJudge, Model: "stub", BaseURL: url, APIKey: "sk-test",
		RubricText: "5: good. 1: bad.", Price: quality.AskPrice{Input: 1, Output: 2}}
}

func newJudge(t *testing.T, o judge.Options) *judge.Judge {
	t.Helper()
	o.Secret = []byte("secret of the data directory")
	j, err := judge.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func sample(output string) quality.Sample {
	return quality.Sample{ID: "s1", Feature: "support", Time: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Weight: 4,
		Input: quality.Text("When do you open?"), Output: quality.Text(output), Reference: new("At nine.")}
}

func one(t *testing.T, j *judge.Judge, s quality.Sample) quality.Score {
	t.Helper()
	scores, err := j.Score(t.Context(), s)
	if err != nil || len(scores) != 1 {
		t.Fatalf("got %v, %v", scores, err)
	}
	return scores[0]
}

// The share of the published attacks that moves the score, with and without the defence.
func TestAttacks(t *testing.T) {
	attacks, err := judge.Attacks()
	if err != nil || len(attacks) < 30 {
		t.Fatalf("%d attacks, %v", len(attacks), err)
	}
	for _, x := range []struct {
		name            string
		naive, gullible bool
		least, most     float64
	}{
		{"without the defence", true, false, 0.9, 1},
		{"with the defence", false, false, 0, 0},
		{"with the defence, a model that obeys quoted data too", false, true, 0, 1},
	} {
		st := &stub{schema: true, gullible: x.gullible}
		r, err := judge.RunAttacks(t.Context(), newJudge(t, judge.Options{Spec: spec(st.start(t)), Naive: x.naive}), attacks, func(int, int) {})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d of %d attacks moved the score (%.0f %%), %d failed, %d noticed", x.name, r.Moved, r.N, 100*r.Share(), r.Failed, r.Noticed)
		if r.Share() < x.least || r.Share() > x.most {
			t.Errorf("%s: share %.2f, want %.2f to %.2f", x.name, r.Share(), x.least, x.most)
		}
		for _, res := range r.Results {
			if !x.naive && !res.Noticed && res.Failed == "" {
				t.Errorf("attack %q is not noticed", res.Name)
			}
		}
	}
}

func TestPlainAnswersAreNotTakenForAttacks(t *testing.T) {
	for _, text := range []string{
		"We open at nine and close at five.", "Your refund of 20 EUR arrives within five working days.",
		"Der Laden öffnet um neun Uhr.", "```go\nfunc main() { fmt.Println(1) }\n```", "营业时间是早上九点。", "Flag: 🏴󠁧󠁢󠁥󠁮󠁧󠁿",
	} {
		if judge.Addresses(text) {
			t.Errorf("%q is taken for an attack", text)
		}
	}
}

func TestScore(t *testing.T) {
	st := &stub{schema: true}
	var spent quality.Spend
	j := newJudge(t, judge.Options{Spec: spec(st.start(t)), Spent: spent.Add})
	sc := one(t, j, sample("Bananas."))
	if sc.Value != 1 || sc.Metric != "faithful" || sc.Weight != 4 || !sc.Late || sc.Version != j.Version() || sc.Explanation == "" {
		t.Errorf("got %+v", sc)
	}
	if spent.Calls != 1 || spent.InputTokens != 100 || math.Abs(spent.Cost-140e-6) > 1e-12 {
		t.Errorf("spent %+v", spent)
	}
	if s := sample(""); true {
		if scores, err := j.Score(t.Context(), s); err != nil || scores != nil {
			t.Errorf("no output: got %v, %v", scores, err)
		}
	}
}

func TestAnswersThatAreNearlyJSON(t *testing.T) {
	const check = "CHECK"
	for _, x := range []struct {
		name, first, second string
		value               float64
		failed              string
	}{
		{"fence", "```json\n{\"score\": 4, \"check\": \"CHECK\"}\n```", "", 4, ""},
		{"words around", `Sure! {"score": "3.5", "check": "CHECK", "explanation": "a } b"} Done.`, "", 3.5, ""},
		{"comma", `{"score": 2, "check": "CHECK",}`, "", 2, ""},
		{"python", `{'score': 2, 'check': 'CHECK', 'addressed_judge': True}`, "", 2, ""},
		{"cut", `{"score": 2, "check": "CHECK", "explanation": "because`, "", 2, ""},
		{"asked again", `four`, `{"score": 4, "check": "CHECK"}`, 4, ""},
		{"out of scale", `{"score": 9, "check": "CHECK"}`, `{"score": 0, "check": "CHECK"}`, 0, "want a number from 1 to 5"},
		{"no check", `{"score": 5}`, `{"score": 5, "check": "x"}`, 0, "check word is missing"},
		{"leak", `{"score": 5, "check": "CHECK", "explanation": "it is CHECK"}`, `nothing`, 0, "no JSON object"},
	} {
		t.Run(x.name, func(t *testing.T) {
			st := &stub{schema: true}
			st.answer = func(n int) string {
				word := checkIn.FindStringSubmatch(st.last.Load().Messages[0].Content)[1]
				if n == 1 {
					return strings.ReplaceAll(x.first, check, word)
				}
				return strings.ReplaceAll(x.second, check, word)
			}
			sc := one(t, newJudge(t, judge.Options{Spec: spec(st.start(t))}), sample("x"))
			if sc.Value != x.value || x.failed == "" && sc.Failed() || !strings.Contains(sc.Error, x.failed) {
				t.Errorf("got %v, error %q", sc.Value, sc.Error)
			}
		})
	}
}

func TestEndpointWithoutSchemas(t *testing.T) {
	st := &stub{}
	j := newJudge(t, judge.Options{Spec: spec(st.start(t))})
	one(t, j, sample("a"))
	one(t, j, sample("b"))
	if n := st.calls.Load(); n != 3 {
		t.Errorf("%d calls, want 3: the refusal is remembered", n)
	}
}

func TestVotes(t *testing.T) {
	st := &stub{schema: true}
	st.answer = func(n int) string {
		return fmt.Sprintf(`{"score": %d, "check": %q}`, []int{1, 5, 2}[n-1], checkIn.FindStringSubmatch(st.last.Load().Messages[0].Content)[1])
	}
	sp := spec(st.start(t))
	sp.Votes = 3
	sc := one(t, newJudge(t, judge.Options{Spec: sp}), sample("x"))
	if sc.Value != 2 || !strings.HasPrefix(sc.Explanation, "3 votes from 1 to 5") {
		t.Errorf("got %v %q", sc.Value, sc.Explanation)
	}
}

func TestPairwise(t *testing.T) {
	for _, x := range []struct {
		first, second string
		value         float64
		swapped       int64
	}{{"first", "second", 1, 0}, {"second", "first", 0, 0}, {"tie", "tie", 0.5, 0}, {"first", "first", 0.5, 1}, {"first", "tie", 0.5, 1}} {
		st := &stub{schema: true}
		st.answer = func(n int) string {
			better := x.first
			if n == 2 {
				better = x.second
			}
			return fmt.Sprintf(`{"better": %q, "check": %q}`, better, checkIn.FindStringSubmatch(st.last.Load().Messages[0].Content)[1])
		}
		sp := spec(st.start(t))
		sp.Mode = quality.JudgePairwise
		j := newJudge(t, judge.Options{Spec: sp})
		sc := one(t, j, sample("x"))
		if b := j.Bias(); sc.Value != x.value || b.Pairs != 1 || b.Swapped != x.swapped {
			t.Errorf("%s, %s: got %v, %+v", x.first, x.second, sc.Value, b)
		}
	}
}

// TestPairwiseWithoutReference compares with what the caller found, and says so.
func TestPairwiseWithoutReference(t *testing.T) {
	st := &stub{schema: true}
	st.answer = func(int) string {
		return fmt.Sprintf(`{"better": "tie", "explanation": "Alike.", "check": %q}`, checkIn.FindStringSubmatch(st.last.Load().Messages[0].Content)[1])
	}
	sp := spec(st.start(t))
	sp.Mode = quality.JudgePairwise
	found, failure := true, error(nil)
	j := newJudge(t, judge.Options{Spec: sp, Baseline: func(context.Context, quality.Sample) (judge.Compared, bool, error) {
		return judge.Compared{Text: "At eight.", From: "the answer of sample s0"}, found, failure
	}})
	if sc := one(t, j, sample("x")); !strings.HasPrefix(sc.Explanation, "Compared with the reference. ") {
		t.Errorf("a reference: got %q", sc.Explanation)
	}
	s := sample("x")
	s.Reference = nil
	if sc := one(t, j, s); sc.Value != .5 || sc.Explanation != "Compared with the answer of sample s0. Alike." || !strings.Contains(st.last.Load().Messages[1].Content, "| At eight.") {
		t.Errorf("got %+v", sc)
	}
	found = false
	if scores, err := j.Score(t.Context(), s); err != nil || scores != nil {
		t.Errorf("nothing to compare with: got %v, %v", scores, err)
	}
	failure = quality.Errorf(quality.KindInvalid, "too slow")
	if sc := one(t, j, s); !sc.Failed() {
		t.Errorf("a failed look: got %+v", sc)
	}
	failure = quality.Errorf(quality.KindUnavailable, "away")
	if scores, err := j.Score(t.Context(), s); err == nil {
		t.Errorf("a store that is away: got %v and no error", scores)
	}
}

type memory struct {
	mu sync.Mutex
	m  map[string][]byte
}

func (m *memory) Get(_ context.Context, key string) ([]byte, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	data, ok := m.m[key]
	return data, ok
}

func (m *memory) Put(_ context.Context, key string, data []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.m[key] = data
}

func TestCacheKnowsContentAndVersion(t *testing.T) {
	st := &stub{schema: true}
	cache := &memory{m: map[string][]byte{}}
	sp := spec(st.start(t))
	for range 2 {
		one(t, newJudge(t, judge.Options{Spec: sp, Cache: cache}), sample("a"))
	}
	one(t, newJudge(t, judge.Options{Spec: sp, Cache: cache}), sample("b"))
	sp.RubricText += " 3: so so."
	one(t, newJudge(t, judge.Options{Spec: sp, Cache: cache}), sample("a"))
	if n := st.calls.Load(); n != 3 {
		t.Errorf("%d calls, want 3", n)
	}
}

func TestFailuresThatPassAndThatStay(t *testing.T) {
	for _, x := range []struct {
		status int
		kind   quality.Kind
		retry  time.Duration
		failed bool
	}{
		{http.StatusTooManyRequests, quality.KindTooMany, 7 * time.Second, false},
		{http.StatusServiceUnavailable, quality.KindUnavailable, 7 * time.Second, false},
		{http.StatusUnauthorized, 0, 0, true},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(x.status)
		}))
		scores, err := newJudge(t, judge.Options{Spec: spec(server.URL)}).Score(t.Context(), sample("x"))
		server.Close()
		if x.failed {
			if err != nil || len(scores) != 1 || !scores[0].Failed() || scores[0].Value != 0 {
				t.Errorf("%d: got %v, %v", x.status, scores, err)
			}
			continue
		}
		if quality.KindOf(err) != x.kind || quality.RetryOf(err) != x.retry {
			t.Errorf("%d: got %v, retry %s", x.status, err, quality.RetryOf(err))
		}
		var q *quality.Error
		if !errors.As(err, &q) || strings.Contains(err.Error(), server.URL) {
			t.Errorf("%d: %v", x.status, err)
		}
	}
}

package ask_test

import (
	"encoding/json"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/evaluator/ask"
	"github.com/asgood-dev/asgood/internal/quality"
)

func answered() quality.Sample {
	return quality.Sample{ID: "s", Feature: "support", Output: quality.Text("We open at nine."), Reference: new("At nine.")}
}

func build(t *testing.T, spec quality.ScorerSpec) ask.Scorer {
	t.Helper()
	spec.Name = "house"
	s, err := ask.Tools{}.Build(spec)(func(quality.Spend) {})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func TestHTTPScorer(t *testing.T) {
	other := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the sample went to another host") })
	for _, x := range []struct {
		name, path, metric, err string
		value                   float64
		passes                  bool
	}{
		{name: "one", path: "/one", metric: "house", value: 0.5},
		{name: "list", path: "/list", metric: "house.tone", value: 1},
		{name: "no value", path: "/none", err: `field "value": required`},
		{name: "not JSON", path: "/text", err: "not JSON"},
		{name: "endless", path: "/endless", err: "more than 4 MiB"},
		{name: "elsewhere", path: "/elsewhere", err: "redirects elsewhere"},
		{name: "down", path: "/down", err: "status 503", passes: true},
		{name: "slow", path: "/slow", err: "no answer within 200ms", passes: true},
	} {
		t.Run(x.name, func(t *testing.T) {
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				var s quality.Sample
				if err := json.NewDecoder(r.Body).Decode(&s); err != nil || s.ID != "s" || r.Header.Get("X-Key") != "k" {
					t.Errorf("got %+v, %v", s, err)
				}
				switch r.URL.Path {
				case "/one":
					_, _ = io.WriteString(w, `{"value":0.5,"label":"so so","explanation":"why"}`)
				case "/list":
					_, _ = io.WriteString(w, `[{"metric":"tone","value":1}]`)
				case "/none":
					_, _ = io.WriteString(w, `{}`)
				case "/text":
					_, _ = io.WriteString(w, `fine`)
				case "/endless":
					_, _ = io.WriteString(w, `"`+strings.Repeat("x", 5<<20)+`"`)
				case "/elsewhere":
					http.Redirect(w, r, other, http.StatusTemporaryRedirect)
				case "/down":
					w.WriteHeader(http.StatusServiceUnavailable)
				case "/slow":
					<-r.Context().Done()
				}
			})
			timeout := 30 * time.Second
			if x.path == "/slow" {
				timeout = 200 * time.Millisecond
			}
			s := build(t, quality.ScorerSpec{Type: quality.ScorerHTTP, URL: url + x.path, Headers: map[string]string{"X-Key": "k"}, Timeout: timeout})
			scores, err := s.Score(t.Context(), answered())
			if x.err != "" {
				if err == nil || !strings.Contains(err.Error(), x.err) || x.passes != (quality.KindOf(err) == quality.KindUnavailable) {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil || len(scores) != 1 || scores[0].Value != x.value || scores[0].Metric != x.metric {
				t.Errorf("got %+v, %v", scores, err)
			}
		})
	}
}

func TestEmbeddingScorer(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/embeddings" {
			t.Errorf("got %s", r.URL.Path)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"object":"list","model":"m","data":[{"object":"embedding","index":0,"embedding":[1,0]},
			{"object":"embedding","index":1,"embedding":[3,4]}],"usage":{"prompt_tokens":7,"total_tokens":7}}`)
	})
	s := build(t, quality.ScorerSpec{Type: quality.ScorerEmbedding, BaseURL: url + "/v1", Model: "m"})
	scores, err := s.Score(t.Context(), answered())
	if err != nil || len(scores) != 1 || math.Abs(scores[0].Value-0.6) > 1e-12 {
		t.Fatalf("got %+v, %v", scores, err)
	}
	plain := answered()
	plain.Reference = nil
	if scores, err := s.Score(t.Context(), plain); scores != nil || err != nil {
		t.Errorf("without a reference: %v, %v", scores, err)
	}
}

func TestCommandScorer(t *testing.T) {
	for _, x := range []struct {
		name, script, err string
		value             float64
	}{
		{name: "score", script: `read -r s; echo '{"value": 2}'`, value: 2},
		{name: "environment", script: `read -r s; [ -z "$HOME" ] && [ "$A" = b ] && echo '{"value": 1}'`, value: 1},
		{name: "fails", script: `exit 3`, err: "the command failed: exit status 3"},
		{name: "slow", script: `read -r s; sleep 60`, err: "no answer within"},
		{name: "endless", script: `while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done`, err: "more than 1024 KiB"},
		{name: "memory", script: `read -r s; x=$(head -c 300000000 /dev/zero | tr '\0' x); echo '{"value": 1}'`, err: "the"},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			timeout := 30 * time.Second
			if x.name == "slow" {
				timeout = time.Second
			}
			s := build(t, quality.ScorerSpec{Type: quality.ScorerCommand, Command: []string{"/bin/sh", "-c", x.script},
				Env: map[string]string{"A": "b", "PATH": "/usr/bin:/bin"}, MemoryMB: 64, Timeout: timeout})
			scores, err := s.Score(t.Context(), answered())
			if x.err != "" {
				if err == nil || !strings.Contains(err.Error(), x.err) {
					t.Errorf("got %+v, %v", scores, err)
				}
				return
			}
			if err != nil || len(scores) != 1 || scores[0].Value != x.value {
				t.Errorf("got %+v, %v", scores, err)
			}
		})
	}
}

func TestPersistentCommand(t *testing.T) {
	script := `n=0; while read -r s; do n=$((n+1)); [ $n = 3 ] && exit 1; echo "{\"value\": $n}"; done`
	s := build(t, quality.ScorerSpec{Type: quality.ScorerCommand, Command: []string{"/bin/sh", "-c", script}, Persistent: true, Timeout: 20 * time.Second})
	for i, want := range []float64{1, 2, 0, 1} {
		scores, err := s.Score(t.Context(), answered())
		if want == 0 {
			if err == nil {
				t.Errorf("call %d: got %+v", i, scores)
			}
			continue
		}
		if err != nil || len(scores) != 1 || scores[0].Value != want {
			t.Errorf("call %d: got %+v, %v", i, scores, err)
		}
	}
}

// A line too many would be taken for the answer to the next sample, and that of every one behind it.
func TestPersistentCommandAnswersOneLine(t *testing.T) {
	script := `while read -r s; do printf '{"value": 1}\n{"value": 2}\n'; done`
	s := build(t, quality.ScorerSpec{Type: quality.ScorerCommand, Command: []string{"/bin/sh", "-c", script}, Persistent: true, Timeout: 20 * time.Second})
	for range 2 {
		if scores, err := s.Score(t.Context(), answered()); err == nil || !strings.Contains(err.Error(), "more than one line") {
			t.Errorf("got %+v, %v", scores, err)
		}
	}
}

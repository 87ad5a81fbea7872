package ask_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/evaluator/ask"
	"github.com/asgood-dev/asgood/internal/quality"
)

// bomb is a gzip of so many MiB of one byte.
func bomb(t *testing.T, mib int) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	part := bytes.Repeat([]byte("["), 1<<20)
	for range mib {
		_, _ = z.Write(part) // a buffer takes all
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// hostile are answers that no endpoint should give, by path.
func hostile(t *testing.T, other string) http.HandlerFunc {
	packed, hops := bomb(t, 64), atomic.Int64{}
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		switch path := strings.TrimSuffix(strings.TrimSuffix(r.URL.Path, "/embeddings"), "/chat/completions"); path {
		case "/circle":
			http.Redirect(w, r, fmt.Sprintf("%s?hop=%d", r.URL.Path, hops.Add(1)), http.StatusTemporaryRedirect)
		case "/elsewhere":
			http.Redirect(w, r, other, http.StatusPermanentRedirect)
		case "/get":
			http.Redirect(w, r, "/one", http.StatusFound)
		case "/nowhere":
			w.WriteHeader(http.StatusTemporaryRedirect)
		case "/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(packed)
		case "/bomb500":
			w.Header().Set("Content-Encoding", "gzip")
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = w.Write(packed)
		case "/notgzip":
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = io.WriteString(w, `{"value":1}`)
		case "/drip":
			for {
				if _, err := io.WriteString(w, " "); err != nil {
					return
				}
				w.(http.Flusher).Flush()
				select {
				case <-r.Context().Done():
					return
				case <-time.After(20 * time.Millisecond):
				}
			}
		case "/headers":
			for i := range 200 {
				w.Header().Set(fmt.Sprintf("X-%d", i), strings.Repeat("x", 1000))
			}
			_, _ = io.WriteString(w, `{"value":1}`)
		case "/html":
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<html><body>Sign in</body></html>")
		case "/deep":
			_, _ = io.WriteString(w, strings.Repeat("[", 3<<20))
		case "/nan":
			_, _ = io.WriteString(w, `{"value":NaN}`)
		case "/huge":
			_, _ = io.WriteString(w, `{"value":1e999}`)
		case "/cut":
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, `{"value":1`)
		default:
			_, _ = io.WriteString(w, `{"value":1}`)
		}
	}
}

// TestHostileEndpoints asks endpoints that lie: each ends soon, in an error that says what is wrong, tells nothing
// secret, and costs little memory.
func TestHostileEndpoints(t *testing.T) {
	other := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("a request with %v went to another host", r.Header)
	})
	url := serve(t, hostile(t, other))
	const key = "sk-not-for-anybody-else"
	for _, x := range []struct{ path, http, embedding string }{
		{"/circle", "redirects more often", "redirects more often"},
		{"/elsewhere", "redirects elsewhere", "redirects elsewhere"},
		{"/get", "redirects elsewhere", "redirects elsewhere"},
		{"/nowhere", "status 307", ""},
		{"/bomb", "more than 4 MiB", "more than 4 MiB"},
		{"/bomb500", "status 500", "more than 4 MiB"},
		{"/notgzip", "could not be understood", "could not be understood"},
		{"/drip", "no answer within", "no answer within"},
		{"/headers", "could not be understood", "could not be understood"},
		{"/html", "not JSON", "could not be understood"},
		{"/deep", "not JSON", ""},
		{"/nan", "not JSON", "could not be understood"},
		{"/huge", "not JSON", "0 embeddings"},
		{"/cut", "closed in the middle", ""},
	} {
		for _, spec := range []quality.ScorerSpec{
			{Type: quality.ScorerHTTP, URL: url + x.path, Headers: map[string]string{"Authorization": "Bearer " + key}},
			{Type: quality.ScorerEmbedding, BaseURL: url + x.path, Model: "m", APIKey: key},
		} {
			spec.Timeout = 300 * time.Millisecond
			want := x.http
			if spec.Type == quality.ScorerEmbedding {
				want = x.embedding
			}
			scores, err := build(t, spec).Score(t.Context(), answered())
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "127.0.0.1") || strings.Contains(err.Error(), key) {
				t.Errorf("%s, %s: got %+v, %v, want %q", spec.Type, x.path, scores, err, want)
			}
		}
	}
}

// TestEmbeddingsThatLie gives embeddings that are none, and counts that nobody has.
func TestEmbeddingsThatLie(t *testing.T) {
	for body, want := range map[string]string{
		`{"data":[{"embedding":[1]},{"embedding":[1]}],"usage":{"prompt_tokens":-9000000000000000000}}`: "",
		`{"data":[{"embedding":[1]},{"embedding":[1]}],"usage":{"prompt_tokens":9000000000000000000}}`:  "",
		`{"data":[{"embedding":[0,0]},{"embedding":[1,0]}]}`:                                            "no direction",
		`{"data":[{"embedding":[1e300,1e300]},{"embedding":[1e300,-1e300]}]}`:                           "no direction",
		`{"data":[{"embedding":["NaN",1]},{"embedding":[1,1]}]}`:                                        "",
		`{"data":[{"embedding":[1,2,3]},{"embedding":[1]}]}`:                                            "3 and 1 numbers",
		`{"data":[]}`: "0 embeddings",
		`null`:        "could not be understood",
	} {
		url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, body)
		})
		var spent quality.Spend
		s, err := ask.Tools{}.Build(quality.ScorerSpec{Name: "near", Type: quality.ScorerEmbedding, BaseURL: url, Model: "m",
			Price: quality.AskPrice{Input: 1e6}})(func(x quality.Spend) { spent.Add(x) })
		if err != nil {
			t.Fatal(err)
		}
		scores, err := s.Score(t.Context(), answered())
		for _, sc := range scores {
			if math.IsNaN(sc.Value) || sc.Value < -1 || sc.Value > 1 {
				t.Errorf("%s: value %v", body, sc.Value)
			}
		}
		if want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v, want %q", body, err, want)
		}
		if spent.InputTokens < 0 || spent.InputTokens > 1e7 || spent.Cost < 0 || spent.Cost > 1e7 {
			t.Errorf("%s: spent %+v", body, spent)
		}
	}
}

// TestNothingComesFromTheEnvironment: a key that lies in the environment of the process is for others.
func TestNothingComesFromTheEnvironment(t *testing.T) {
	for _, name := range []string{"OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_WEBHOOK_SECRET"} {
		t.Setenv(name, "of-the-environment")
	}
	t.Setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/")
	t.Setenv("OPENAI_CUSTOM_HEADERS", "X-Env: of-the-environment")
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		for name, values := range r.Header {
			if strings.Contains(strings.Join(values, " "), "of-the-environment") {
				t.Errorf("header %s comes from the environment", name)
			}
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"data":[{"embedding":[1]},{"embedding":[1]}]}`)
	})
	if _, err := build(t, quality.ScorerSpec{Type: quality.ScorerEmbedding, BaseURL: url, Model: "m"}).Score(t.Context(), answered()); err != nil {
		t.Error(err)
	}
}

// TestMetricsOfAnEndpointAreBounded: a name for each sample would be a series for each sample.
func TestMetricsOfAnEndpointAreBounded(t *testing.T) {
	n := 0
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		n++
		_, _ = fmt.Fprintf(w, `[{"metric":"m%d","value":1}]`, n)
	})
	s, good := build(t, quality.ScorerSpec{Type: quality.ScorerHTTP, URL: url}), 0
	for range 100 {
		scores, err := s.Score(t.Context(), answered())
		if good += len(scores); err != nil && !strings.Contains(err.Error(), "beyond the first 64") {
			t.Fatal(err)
		}
	}
	if good != 64 {
		t.Errorf("%d metrics were taken", good)
	}
}

func TestMetricNamesAreSeen(t *testing.T) {
	for _, name := range []string{`a\u0000b`, `a\nb\u001b[31m`, `\u202egood`, strings.Repeat("x", 300)} {
		url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = fmt.Fprintf(w, `[{"metric":"%s","value":1}]`, name)
		})
		scores, err := build(t, quality.ScorerSpec{Type: quality.ScorerHTTP, URL: url}).Score(t.Context(), answered())
		if name == `a\nb\u001b[31m` && err != nil { // a line break can be seen, what follows cannot
			continue
		}
		if err == nil {
			t.Errorf("%q: got %+v", name, scores)
		}
	}
}

// TestSecretsAndControlsStayOutOfScores has an endpoint that shows its request, as error pages do.
func TestSecretsAndControlsStayOutOfScores(t *testing.T) {
	const token = "tok-0123456789"
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, `[{"value":1,"label":"\u001b]0;owned\u0007","explanation":%q},{"metric":"x","error":%q}]`,
			"I was asked with "+r.Header.Get("Authorization")+" by "+r.URL.RawQuery+" \u202e!", "bad key "+r.Header.Get("X-Api-Key"))
	})
	f, out := newFeed(), &sink{}
	o := options(f, out, &store{}, quality.ScorerSpec{URL: url + "?code=query-secret", Headers: map[string]string{"Authorization": "Bearer " + token, "X-Api-Key": "header-secret"}}, nil)
	o.Spec.Type = quality.ScorerHTTP
	o.Build = ask.Tools{}.Build(o.Spec)
	_, stop := start(t, o)
	f.give(t, 1, 1)
	<-f.done
	stop()
	if len(out.all()) != 2 {
		t.Fatalf("got %+v", out.all())
	}
	for _, sc := range out.all() {
		text := sc.Label + sc.Explanation + sc.Error
		for _, bad := range []string{token, "query-secret", "header-secret", "\x1b", "\x07", "\u202e"} {
			if strings.Contains(text, bad) {
				t.Errorf("%q stands in %q", bad, text)
			}
		}
	}
}

// TestHeadersOfTheConfigurationAreOneLine: what the check of the configuration lets through cannot make a header
// of its own, and what it does not fails without saying it.
func TestHeadersOfTheConfigurationAreOneLine(t *testing.T) {
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("got %v", r.Header) })
	for _, spec := range []quality.ScorerSpec{
		{Type: quality.ScorerHTTP, URL: url, Headers: map[string]string{"X-Key": "secret-a\r\nX-Other: b"}},
		{Type: quality.ScorerHTTP, URL: url, Headers: map[string]string{"X-Key\r\nX-Other": "secret-a"}},
		{Type: quality.ScorerEmbedding, BaseURL: url, Model: "m", APIKey: "secret-a\r\nX-Other: b"},
	} {
		if _, err := build(t, spec).Score(context.Background(), answered()); err == nil || strings.Contains(err.Error(), "secret-a") {
			t.Errorf("%s: got %v", spec.Type, err)
		}
	}
}

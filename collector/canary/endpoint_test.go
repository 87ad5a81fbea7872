package canary_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/collector/canary"
	"github.com/asgood-dev/asgood/internal/quality"
)

const key = "sk-secret-0123456789"

// completion is an answer as OpenAI's reference of POST /v1/chat/completions shows it.
func completion(content string) string {
	return fmt.Sprintf(`{
  "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT", "object": "chat.completion", "created": 1741569952, "model": "support-bot-2026-03",
  "choices": [{"index": 0, "message": {"role": "assistant", "content": %s, "refusal": null, "annotations": []},
    "logprobs": null, "finish_reason": "stop"}],
  "usage": {"prompt_tokens": 19, "completion_tokens": 10, "total_tokens": 29,
    "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0, "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0}},
  "service_tier": "default", "system_fingerprint": "fp_44709d6fcb"
}`, content)
}

// openAI imitates the API: it refuses what the reference does not allow.
func openAI(t *testing.T, answer func(n int, question string) string) *httptest.Server {
	t.Helper()
	var calls atomic.Int32
	refuse := func(w http.ResponseWriter, status int, kind, code string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"error":{"message":"Incorrect API key provided: %s.","type":%q,"param":null,"code":%q}}`, key, kind, code)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			Model       string            `json:"model"`
			Messages    []quality.Message `json:"messages"`
			Temperature *float64          `json:"temperature"`
		}
		dec := json.NewDecoder(r.Body)
		dec.DisallowUnknownFields()
		switch err := dec.Decode(&body); {
		case r.Method != http.MethodPost || r.URL.Path != "/v1/chat/completions":
			refuse(w, http.StatusNotFound, "invalid_request_error", "unknown_url")
		case r.Header.Get("Authorization") != "Bearer "+key:
			refuse(w, http.StatusUnauthorized, "invalid_request_error", "invalid_api_key")
		case err != nil || r.Header.Get("Content-Type") != "application/json" || len(body.Messages) == 0:
			refuse(w, http.StatusBadRequest, "invalid_request_error", "invalid_json")
		case body.Model != "support-bot":
			refuse(w, http.StatusNotFound, "invalid_request_error", "model_not_found")
		default:
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, answer(int(calls.Add(1)), body.Messages[len(body.Messages)-1].Content))
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func chatSpec(url string) quality.CanarySpec {
	return quality.CanarySpec{
		Name: "golden", Prompts: prompts(1), Timeout: 5 * time.Second,
		Chat: &quality.CanaryChat{BaseURL: url + "/v1", Model: "support-bot", Key: key, Params: map[string]any{"temperature": 0}, System: "Be brief."},
	}
}

// now runs the canary once and returns what it found and its samples.
func now(t *testing.T, spec quality.CanarySpec) (canary.Report, []quality.Sample) {
	t.Helper()
	m, l := &memory{}, &log{}
	report, err := keeper(t, m, l, spec).RunNow(t.Context(), spec.Name, nil)
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal([]any{m.samples, report, m.runs, m.rates})
	if err != nil {
		t.Fatal(err)
	}
	if all := string(data) + l.String(); strings.Contains(all, key) {
		t.Errorf("the key is in what is kept or logged: %s", all)
	}
	return report, m.taken()
}

func TestChat(t *testing.T) {
	s := openAI(t, func(n int, question string) string {
		return completion(fmt.Sprintf("%q", fmt.Sprintf(" [Yes] to %s, <b> & %s \n", question, key)))
	})
	spec := chatSpec(s.URL)
	spec.Repeat = 3
	spec.Prompts[0].Reference, spec.Prompts[0].Attributes = new("[Yes]"), map[string]string{"language": "de", "canary": "mine"}
	spec.Prompts[0].Expect = &quality.CanaryExpect{Contains: "[YES]", IgnoreCase: true}
	report, samples := now(t, spec)
	if len(samples) != 3 {
		t.Fatalf("got %d samples, want 3", len(samples))
	}
	slices.SortFunc(samples, func(a, b quality.Sample) int { return strings.Compare(a.ID, b.ID) })
	got := samples[2]
	want := " [Yes] to question a, <b> & [secret] \n"
	if got.Output.Text != want || got.Error != "" || got.Model != "support-bot-2026-03" || got.Source != quality.SourceCanary ||
		got.Feature != "chat" || got.Input.Text != "question a" || *got.Reference != "[Yes]" || got.LatencyMS <= 0 || got.Time.IsZero() ||
		*got.Usage != (quality.Usage{InputTokens: 19, OutputTokens: 10}) || got.Params["temperature"] != 0 {
		t.Errorf("got %+v", got)
	}
	if !maps.Equal(got.Attributes, map[string]string{"canary": "golden", "prompt_id": "a", "language": "de"}) {
		t.Errorf("got attributes %v", got.Attributes)
	}
	if !strings.HasPrefix(got.ID, "canary/golden/run-") || !strings.HasSuffix(got.ID, "Z/a/3") {
		t.Errorf("got id %q", got.ID)
	}
	if r := report.Prompts[0]; r.N != 3 || r.Count != 3 || *r.Rate != 1 || r.Kind != quality.BehaviourExpected || r.Failed != 0 {
		t.Errorf("got %+v", r)
	}
	if report.All.N != 3 || report.Run.Calls != 3 || report.Run.FinishedAt.IsZero() {
		t.Errorf("got %+v", report)
	}
}

// What servers of the same format send beside the plain case.
func TestChatAnswers(t *testing.T) {
	for _, tt := range []struct{ name, body, output, tools, err string }{
		{"empty", completion(`""`), "", "", ""},
		{"null", completion(`null`), "", "", ""},
		{"parts", completion(`[{"type":"text","text":"one"},{"type":"image"},{"type":"text","text":"two"}]`), "one\ntwo", "", ""},
		{"refusal", strings.Replace(completion(`null`), `"refusal": null`, `"refusal": "I cannot help."`, 1), "I cannot help.", "", ""},
		{"tools", strings.Replace(completion(`null`), `"annotations": []`,
			`"tool_calls": [{"id":"call_1","type":"function","function":{"name":"refund","arguments":"{\"id\":7}"}}]`, 1), "", `refund {"id":7}`, ""},
		{"arguments that are an object", strings.Replace(completion(`""`), `"annotations": []`,
			`"tool_calls": [{"function":{"name":"refund","arguments":{"id": 7}}}]`, 1), "", `refund {"id": 7}`, ""},
		{"arguments that are no JSON", strings.Replace(completion(`""`), `"annotations": []`,
			`"tool_calls": [{"function":{"name":"refund","arguments":"id=7"}}]`, 1), "", `refund "id=7"`, ""},
		{"strange usage", strings.Replace(completion(`"x"`), `"prompt_tokens": 19`, `"prompt_tokens": -1e300`, 1), "x", "", ""},
		{"no choices", `{"object":"chat.completion","choices":[]}`, "", "", "holds no choices"},
		{"other JSON", `{"answer":"x"}`, "", "", "holds no choices"},
		{"list", `[]`, "", "", "not JSON of the expected form"},
		{"number for a text", completion(`7`), "", "", "not JSON of the expected form"},
		{"half", completion(`"x"`)[:80], "", "", "not JSON of the expected form"},
		{"nothing", "", "", "", "not JSON"},
		{"long", completion(`"` + strings.Repeat("x", 1<<20+1) + `"`), "", "", "more than 1 MiB"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := openAI(t, func(int, string) string { return tt.body })
			_, samples := now(t, chatSpec(s.URL))
			if len(samples) != 1 {
				t.Fatalf("got %d samples", len(samples))
			}
			got, tools := samples[0], ""
			for _, c := range got.Tools {
				tools += c.Name + " " + string(c.Arguments)
			}
			if got.Output.Last() != tt.output || tools != tt.tools || (got.Error == "") != (tt.err == "") || !strings.Contains(got.Error, tt.err) {
				t.Errorf("got output %.50q, tools %q, error %q", got.Output.Last(), tools, got.Error)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	s := openAI(t, func(int, string) string { return completion(`"x"`) })
	for want, change := range map[string]func(*quality.CanarySpec){
		"status 401 (invalid_api_key)":  func(c *quality.CanarySpec) { c.Chat.Key = "sk-another-0123456" },
		"status 404 (model_not_found)":  func(c *quality.CanarySpec) { c.Chat.Model = "gpt-0" },
		"status 404 (unknown_url)":      func(c *quality.CanarySpec) { c.Chat.BaseURL = s.URL },
		"status 400 (invalid_json)":     func(c *quality.CanarySpec) { c.Chat.Params = map[string]any{"top_k": 1} },
		"connection refused":            func(c *quality.CanarySpec) { c.Chat.BaseURL = "http://" + closedPort(t) + "/v1" },
		"the server does not speak TLS": func(c *quality.CanarySpec) { c.Chat.BaseURL = strings.Replace(s.URL, "http:", "https:", 1) + "/v1" },
	} {
		spec := chatSpec(s.URL)
		change(&spec)
		report, samples := now(t, spec)
		if len(samples) != 1 || samples[0].Error != want || !samples[0].Output.IsZero() {
			t.Errorf("got %+v, want one sample with the error %q", samples, want)
		}
		if r := report.Prompts[0]; r.N != 0 || r.Rate != nil || r.Failed != 1 || r.Problem != want || r.Lo != 0 || r.Hi != 1 {
			t.Errorf("%s: got %+v, want no rate", want, r)
		}
	}
}

func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	return l.Addr().String()
}

func TestTemplated(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPut || r.Header.Get("X-Api-Key") != key || r.Header.Get("Content-Type") != "application/json" ||
			string(body) != `{"question": "Why \"so\"? <b>", "user":"canary", "id":"a", "language":"de"}` {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		fmt.Fprintf(w, `{"data":{"answer":"Because %s","model":"m-1"},"docs":[{"id":7,"text":"first"},{"id":"x","text":"second"},{"title":"third"}],
			"usage":{"in":12345678901234567890,"out":5}}`, key)
	}))
	t.Cleanup(s.Close)
	spec := quality.CanarySpec{Name: "golden", Prompts: prompts(1), HTTP: &quality.CanaryHTTP{
		URL: s.URL, Method: "PUT", Headers: map[string]string{"x-api-key": key},
		Body:   `{"question": {{json .Input}}, "user":"canary", "id":{{json .ID}}, "language":{{json .Attributes.language}}}`,
		Answer: "$.data.answer", Context: "$.docs[*]", Model: "$.data.model",
		Usage: quality.CanaryUsage{InputTokens: "$.usage.in", OutputTokens: "$.usage.out"},
	}}
	spec.Prompts[0].Input, spec.Prompts[0].Attributes = quality.Text(`Why "so"? <b>`), map[string]string{"language": "de"}
	_, samples := now(t, spec)
	got := samples[0]
	if got.Error != "" || got.Output.Text != "Because [secret]" || got.Model != "m-1" || got.Usage.OutputTokens != 5 || got.Usage.InputTokens != 0 {
		t.Errorf("got %+v", got)
	}
	want := []quality.Document{{ID: "7", Text: "first"}, {ID: "x", Text: "second"}, {Text: `{"title":"third"}`}}
	if !slices.Equal(got.Context, want) {
		t.Errorf("got context %+v, want %+v", got.Context, want)
	}
}

func TestPaths(t *testing.T) {
	for _, tt := range []struct{ path, body, want, err string }{
		{"", "plain <b>text</b>", "plain <b>text</b>", ""},
		{"", "", "", ""},
		{"", "\xff\x00", "\uFFFD\x00", ""},
		{"$", `"text"`, "text", ""},
		{"$.a", `{"a":12345678901234567890.10}`, "12345678901234567890.10", ""},
		{"$.a", `{"a":{"b":"<x>"}}`, `{"b":"<x>"}`, ""},
		{"$.a[*].t", `{"a":[{"t":"one"},{"t":"two"}]}`, "one\ntwo", ""},
		{"$..t", `{"a":{"t":true}}`, "true", ""},
		{"$.a", `{"a":""}`, "", ""},
		{"$.a", `{"a":null}`, "", "null at the configured path"},
		{"$.a", `{"b":1}`, "", "nothing at the configured path"},
		{"$.a", `[]`, "", "nothing at the configured path"},
		{"$.a", `{"a":1} {"a":2}`, "", "not JSON"},
		{"$.a", `{"a":1}}`, "", "not JSON"},
		{"$.a", "<html>", "", "not JSON"},
		{"$..a", strings.Repeat("[", 201) + strings.Repeat("]", 201), "", "deeper than 200"},
		{"$.a", `{"a":"` + strings.Repeat("x", 1<<20+1) + `"}`, "", "more than 1 MiB"},
		{"$[?length(@.x) > 1].x", `[{"y":1},{"x":"ab"},7]`, "ab", ""},
	} {
		got, err := canary.ReadPaths(&quality.CanaryHTTP{Answer: tt.path}, []byte(tt.body))
		if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) || err == nil && got.Output.Last() != tt.want {
			t.Errorf("%s of %.40q: got %.40q, %v, want %.40q, %q", tt.path, tt.body, got.Output.Last(), err, tt.want, tt.err)
		}
		if err == nil && got.Validate() != nil {
			t.Errorf("%s of %.40q: %v", tt.path, tt.body, got.Validate())
		}
	}
}

// hostile is an endpoint that misbehaves by its path.
func hostile(t *testing.T) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/slow/chat/completions", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	mux.HandleFunc("/trickle/chat/completions", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `{"choices":`)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	mux.HandleFunc("/huge/chat/completions", func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/html/chat/completions", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, "<html>%s</html>", key)
	})
	mux.HandleFunc("/stream/chat/completions", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "data: {}\n\ndata: [DONE]\n\n")
	})
	mux.HandleFunc("/deep/chat/completions", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, strings.Repeat(`{"choices":[`, 1<<18))
	})
	mux.HandleFunc("/headers/chat/completions", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Long", strings.Repeat("x", 1<<20))
	})
	mux.HandleFunc("/echo/chat/completions", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, `{"error":{"code":%q,"type":"NOT FIT <b>"}}`, r.Header.Get("Authorization"))
	})
	mux.HandleFunc("/cut/chat/completions", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		fmt.Fprint(w, "{")
	})
	mux.HandleFunc("/loop/chat/completions", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Path, http.StatusTemporaryRedirect)
	})
	mux.HandleFunc("/moved/chat/completions", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // a server that has not read it does not see its caller leave
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func TestHostileEndpoints(t *testing.T) {
	s := hostile(t)
	for path, want := range map[string]string{
		"slow": "no answer within 1s", "trickle": "no answer within 1s", "huge": "more than 4 MiB", "html": "a web page, not JSON",
		"stream": "a stream, and none was asked for", "deep": "not JSON", "headers": "could not be understood", "echo": "status 403",
		"cut": "closed in the middle", "loop": "more than 3 redirects", "moved": "in a way that loses the question (method GET)",
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			spec := chatSpec("")
			spec.Chat.BaseURL, spec.Timeout = s.URL+"/"+path, time.Second
			_, samples := now(t, spec)
			if len(samples) != 1 || !strings.Contains(samples[0].Error, want) || len(samples[0].Error) > 100 || !samples[0].Output.IsZero() {
				t.Errorf("got %+v, want one sample with the error %q", samples, want)
			}
		})
	}
}

func TestRedirects(t *testing.T) {
	got := make(chan http.Header, 1)
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got <- r.Header
		fmt.Fprint(w, completion(`"from elsewhere"`))
	}))
	t.Cleanup(other.Close)
	first := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/v1/chat/completions":
			http.Redirect(w, r, "/v2", http.StatusPermanentRedirect)
		case "/v2":
			if r.Header.Get("Authorization") != "Bearer "+key {
				t.Error("the same host lost the key")
			}
			http.Redirect(w, r, other.URL+"/v3", http.StatusTemporaryRedirect)
		}
	}))
	t.Cleanup(first.Close)
	_, samples := now(t, chatSpec(first.URL))
	if samples[0].Output.Text != "from elsewhere" {
		t.Fatalf("got %+v", samples[0])
	}
	if h := <-got; h.Get("Authorization") != "" || h.Get("Referer") != "" || h.Get("Content-Type") != "application/json" {
		t.Errorf("the other host got %v", h)
	}
	spec := chatSpec(first.URL)
	spec.Chat, spec.HTTP = nil, &quality.CanaryHTTP{
		URL: first.URL + "/v2", Method: "POST", Body: `{"key":"` + key + `"}`, Headers: map[string]string{"Authorization": "Bearer " + key},
	}
	spec.Secrets = []string{key}
	_, samples = now(t, spec)
	if len(got) != 0 || !strings.Contains(samples[0].Error, "another host, and the body holds a secret") {
		t.Errorf("got %+v", samples[0])
	}
}

func TestRetryAfter(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for s, want := range map[string]time.Duration{
		"7": 7 * time.Second, "0": 0, "-1": 0, "": 0, "soon": 0, "99999999999999999999": 0,
		"Sun, 01 Mar 2026 12:00:30 GMT": 30 * time.Second, "Sun, 01 Mar 2026 11:00:00 GMT": 0,
	} {
		if got := canary.RetryAfter(s, at); got != want {
			t.Errorf("%q: got %s, want %s", s, got, want)
		}
	}
}

// A server that is busy at first is asked again after the time it named.
func TestRetriesOfARealServer(t *testing.T) {
	var calls atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if calls.Add(1) == 1 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		fmt.Fprint(w, completion(`"x"`))
	}))
	t.Cleanup(s.Close)
	began := time.Now()
	_, samples := now(t, chatSpec(s.URL))
	if samples[0].Output.Text != "x" || calls.Load() != 2 || time.Since(began) < time.Second {
		t.Errorf("got %+v after %d calls and %s", samples[0], calls.Load(), time.Since(began))
	}
}

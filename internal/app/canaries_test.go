package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/asgood-dev/asgood/internal/app"
	"github.com/asgood-dev/asgood/internal/config"
	"github.com/asgood-dev/asgood/internal/quality"
)

const canarySection = `
    canaries:
      - name: golden
        every: 1d
        repeat: 4
        prompts: [{id: greeting, input: Hello, expect: {regex: '^good'}}, {id: other, input: Other}]
        chat: {base_url: %q, model: m, key: sk-canary-0123456}
`

// product is an endpoint of the chat completions that answers as long as it is up.
func product(t *testing.T) (url string, calls *atomic.Int32) {
	t.Helper()
	calls = new(atomic.Int32)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer sk-canary-0123456" || calls.Add(1)%4 == 0 {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		fmt.Fprint(w, `{"model":"m-2","choices":[{"message":{"role":"assistant","content":"good day"}}]}`)
	}))
	t.Cleanup(s.Close)
	return s.URL, calls
}

func withCanary(t *testing.T, url string) *config.Config {
	t.Helper()
	text := fmt.Sprintf(configuration, t.TempDir(), "http://unused", url+"/hook", secret)
	text = strings.Replace(text, "\nalerts:", fmt.Sprintf(canarySection, url)+"alerts:", 1)
	text = strings.Replace(text, "    probes: [{http: \"http://unused\", every: 1s}]\n", "", 1)
	cfg, err := config.Parse("test.yaml", []byte(text), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

type canaryList struct {
	Canaries []app.CanaryStatus `json:"canaries"`
}

func listed(t *testing.T, addr string) (app.CanaryStatus, string) {
	t.Helper()
	text := get("http://" + addr + "/v1/canaries")
	var l canaryList
	if err := json.Unmarshal([]byte(text), &l); err != nil || len(l.Canaries) != 1 {
		t.Fatalf("got %s, %v", text, err)
	}
	return l.Canaries[0], text
}

func TestCanariesOverARestart(t *testing.T) {
	needEngine(t)
	url, calls := product(t)
	cfg := withCanary(t, url)
	a, stop := start(t, cfg)
	o := app.CanaryOptions{Config: cfg, Server: a.Addr("internal")}
	last := 0
	o.Progress = func(done, total int) { last = done*100 + total }
	report, err := app.RunCanary(t.Context(), o, "golden")
	for err != nil && strings.Contains(err.Error(), "is running") {
		report, err = app.RunCanary(t.Context(), o, "golden") // the run of the schedule that is due at the start
	}
	if err != nil {
		t.Fatal(err)
	}
	if last != 808 || report.Run.Calls != 8 || report.Run.Failed != 2 || report.Run.Lost != 0 || report.All.Kind != quality.BehaviourExpected || *report.All.Rate != 1 {
		t.Errorf("got %+v, progress %d", report, last)
	}
	if _, err := app.RunCanary(t.Context(), o, "silver"); err == nil || !strings.Contains(err.Error(), "no canary") {
		t.Errorf("got %v", err)
	}
	eventually(t, "metrics of canaries", func() (string, bool) {
		m := get("http://" + a.Addr("internal") + "/metrics")
		return m, strings.Contains(m, `asgood_behaviour_rate{canary="golden",feature="bot",prompt_id="greeting"} 1`) &&
			strings.Contains(m, `asgood_canary_calls_total{canary="golden",feature="bot",result="failed"}`)
	})
	stop()
	before := calls.Load()
	a, stop = start(t, cfg)
	c, text := listed(t, a.Addr("internal"))
	if c.Last.Calls != 8 && c.Last.ID == report.Run.ID || len(c.Rates) != 2 || c.All.Latest.Rate == nil || strings.Contains(text, "sk-canary") {
		t.Errorf("got %s", text)
	}
	stop()
	list, err := app.ListCanaries(t.Context(), app.CanaryOptions{Config: cfg}) // the directory itself
	if err != nil || len(list) != 1 || list[0].All == nil {
		t.Errorf("got %+v, %v", list, err)
	}
	report, err = app.RunCanary(t.Context(), app.CanaryOptions{Config: cfg}, "golden")
	if err != nil || report.Run.Calls != 8 || report.Run.Lost != 0 {
		t.Errorf("got %+v, %v", report, err)
	}
	if calls.Load() < before+8 {
		t.Errorf("got %d calls, want 8 more than %d", calls.Load(), before)
	}
}

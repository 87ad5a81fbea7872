package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/evaluator/views"
	"github.com/asgood-dev/asgood/internal/config"
)

// question asks and returns the status and the body.
func question(t *testing.T, url string) (int, string) {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	return res.StatusCode, get(url)
}

// TestHostileQuestions asks the internal routes of monitors, scores and regressions for what is not there, what
// cannot be, and what would be another question in SQL; then the store goes away under them.
func TestHostileQuestions(t *testing.T) {
	needEngine(t)
	dsn, away := remoteStore(t)
	text := strings.Replace(fmt.Sprintf(configuration, t.TempDir(), "http://127.0.0.1:1", "http://127.0.0.1:1", secret),
		"storage: {", fmt.Sprintf("storage: {clickhouse: %q, ", dsn), 1)
	cfg, err := config.Parse("test.yaml", []byte(text), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	a, _ := start(t, cfg)
	internal := "http://" + a.Addr("internal")
	period := "&from=2026-03-01T00:00:00Z&to=2026-03-02T00:00:00Z"
	for _, odd := range []string{`' OR 1=1 --`, `\' OR ''='`, "bot\x00", "../../etc", "大きい", "*", ">", "?", strings.Repeat("x", 4000)} {
		q := url.QueryEscape(odd)
		for path, want := range map[string]int{
			"/v1/stored-samples?limit=10&feature=" + q + "&after=" + q + period: 200,
			"/v1/stored-scores?limit=10&feature=" + q + "&metric=" + q + period: 200,
			"/v1/regressions/" + url.PathEscape(odd):                            404,
			"/v1/regressions?feature=" + q:                                      200,
		} {
			if code, body := question(t, internal+path); code != want || strings.Contains(body, "DB::") {
				t.Errorf("%.80s: got %d %.200s, want %d", path, code, body, want)
			}
		}
	}
	for _, path := range []string{
		"/v1/stored-samples", "/v1/stored-samples?limit=1001" + period, "/v1/stored-samples?limit=-1" + period, "/v1/stored-samples?limit=1e3" + period,
		"/v1/stored-scores?limit=1000000000" + period, "/v1/stored-scores?limit=1&from=0001-01-01T00:00:00Z&to=2026-03-01T00:00:00Z",
		"/v1/stored-scores?limit=1&from=2026-03-01T00:00:00Z&to=9999-12-31T23:59:59Z", "/v1/stored-scores?limit=1&from=now&to=now", "/v1/regressions?open=maybe",
	} {
		if code, body := question(t, internal+path); code != 400 {
			t.Errorf("%s: got %d %.200s, want 400", path, code, body)
		}
	}
	away.Store(true)
	for _, path := range []string{"/v1/stored-samples?limit=10&feature=bot" + period, "/v1/stored-scores?limit=10&feature=bot&metric=good" + period} {
		if code, body := question(t, internal+path); code != 503 {
			t.Errorf("%s without the store: got %d %.200s, want 503", path, code, body)
		}
	}
	began := time.Now()
	code, body := question(t, internal+"/v1/monitors")
	var answer views.Answer
	if err := json.Unmarshal([]byte(body), &answer); err != nil || code != 200 || len(answer.Monitors) != 1 || len(answer.Unread) != 1 || answer.Monitors[0].Week != nil {
		t.Errorf("monitors without the store: got %d %s after %s", code, body, time.Since(began))
	}
}

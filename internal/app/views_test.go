package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"encoding/json"

	"github.com/asgood-dev/asgood/evaluator/views"
	"github.com/asgood-dev/asgood/internal/app"
	"github.com/asgood-dev/asgood/internal/config"
)

const conversing = `
name: Test
storage: {dir: %q, min_free: 0}
listen: {public: "127.0.0.1:0", ingest: "127.0.0.1:0", grpc: "127.0.0.1:0", internal: "127.0.0.1:0"}
features:
  - name: bot
    conversation: {idle: 1m}
    scorers:
      - {name: thanked, type: contains, any: [thanks], on: conversation}
      - {name: polite, type: contains, any: [please]}
    monitors:
      - {metric: thanked, baseline: {first: 50}, objective: {percent: 95}}
      - {metric: polite, baseline: {first: 50}}
`

// TestConversationsAreScoredAsOne sends turns of two conversations and lets the clock run.
func TestConversationsAreScoredAsOne(t *testing.T) {
	needEngine(t)
	cfg, err := config.Parse("test.yaml", fmt.Appendf(nil, conversing, t.TempDir()), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	var clock atomic.Int64
	clock.Store(time.Now().UnixNano()) // the store forgets what is old by its own clock
	now := func() time.Time { return time.Unix(0, clock.Load()).UTC() }
	a, err := app.New(t.Context(), app.Options{Config: cfg, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer a.Stop(t.Context())
	internal := "http://" + a.Addr("internal")
	eventually(t, "the first look", func() (string, bool) {
		m := get(internal + "/metrics")
		return m, strings.Contains(m, `asgood_conversations_until_seconds{feature="bot"}`)
	})
	var body strings.Builder
	for i := range 6 {
		fmt.Fprintf(&body, `{"id":"t%d","time":%q,"feature":"bot","conversation":"c%d","input":"please %d","output":"thanks %d"}`+"\n",
			i, now().Add(time.Duration(i)*time.Second).Format(time.RFC3339), i%2, i, i)
	}
	res, err := http.Post("http://"+a.Addr("ingest")+"/v1/samples", "application/x-ndjson", strings.NewReader(body.String()))
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatal(res, err)
	}
	res.Body.Close()
	clock.Add(int64(2 * time.Minute))
	eventually(t, "the conversations", func() (string, bool) {
		text := get(internal + "/v1/monitors")
		var answer struct{ Monitors []views.Monitor }
		if err := json.Unmarshal([]byte(text), &answer); err != nil || len(answer.Monitors) != 2 {
			return text, false
		}
		solved, polite := answer.Monitors[0], answer.Monitors[1]
		return text, strings.Contains(solved.Reason, "2 of 50") && strings.Contains(polite.Reason, "6 of 50") &&
			solved.Objective != nil && polite.Objective == nil && solved.Week.Note != ""
	})
	if m := get(internal + "/metrics"); !strings.Contains(m, `asgood_conversations_total{feature="bot"} 2`) {
		t.Error("not two conversations were joined")
	}
}

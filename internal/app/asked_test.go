package app_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/evaluator/ask"
	"github.com/asgood-dev/asgood/internal/config"
)

// A sample that is taken in comes to a scorer outside, its score goes the way of later scores, and the costs can be
// read.
func TestScorersThatAskGetTheSamples(t *testing.T) {
	needEngine(t)
	scorer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"value": 0.5}`)
	}))
	defer scorer.Close()
	text := fmt.Sprintf(`
storage: {dir: %q}
listen: {public: "127.0.0.1:0", ingest: "127.0.0.1:0", grpc: "127.0.0.1:0", internal: "127.0.0.1:0"}
features:
  - name: bot
    scorers: [{name: tone, type: http, url: %q, price: {call: 0.5}, budget: 100/day}]
    monitors: [{metric: tone, baseline: {first: 200}}]
`, t.TempDir(), scorer.URL)
	cfg, err := config.Parse("test.yaml", []byte(text), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	a, _ := start(t, cfg)
	if status, reply, err := post(a.Addr("ingest"), 0, 20, "good", time.Now()); err != nil || status != http.StatusOK && status != http.StatusAccepted {
		t.Fatalf("got %d %s %v", status, reply, err)
	}
	var list struct {
		Scorers []ask.Status `json:"scorers"`
	}
	eventually(t, "the samples are scored", func() (string, bool) {
		res, err := http.Get("http://" + a.Addr("internal") + "/v1/scorers")
		if err != nil {
			return err.Error(), false
		}
		defer res.Body.Close()
		if err := json.NewDecoder(res.Body).Decode(&list); err != nil {
			return err.Error(), false
		}
		if len(list.Scorers) != 1 || len(list.Scorers[0].Days) != 1 || list.Scorers[0].Days[0].Seen != 20 {
			return fmt.Sprintf("%+v", list), false
		}
		d := list.Scorers[0].Days[0]
		return fmt.Sprintf("%+v", list), d.Scored > 0 && d.Scored == d.Asked
	})
	s := list.Scorers[0]
	if d := s.Days[0]; d.Scored == 0 || d.Scored != d.Calls || d.Cost != 0.5*float64(d.Calls) || s.Budget.Used != d.Calls {
		t.Errorf("got %+v", s)
	}
}

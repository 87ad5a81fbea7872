package app_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/evaluator/views"
	"github.com/asgood-dev/asgood/internal/app"
	"github.com/asgood-dev/asgood/internal/config"
)

func scorerOf(t *testing.T, dir, pattern string) *config.Config {
	t.Helper()
	text := strings.Replace(fmt.Sprintf(configuration, dir, "http://localhost", "http://localhost/hook", secret), "'^good'", "'"+pattern+"'", 1)
	cfg, err := config.Parse("test.yaml", []byte(text), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func monitorOf(t *testing.T, a *app.App) (views.Monitor, string) {
	t.Helper()
	text := get("http://" + a.Addr("internal") + "/v1/monitors")
	var answer struct{ Monitors []views.Monitor }
	if err := json.Unmarshal([]byte(text), &answer); err != nil || len(answer.Monitors) != 1 {
		t.Fatalf("got %s (%v)", text, err)
	}
	return answer.Monitors[0], text
}

// TestAMonitorTellsTheKnownStep estimates the step between two patterns while one is in force, and starts with
// the other.
func TestAMonitorTellsTheKnownStep(t *testing.T) {
	needEngine(t)
	dir := t.TempDir()
	before, after := scorerOf(t, dir, "^good"), scorerOf(t, dir, "^(good|fair)")
	a, stop := start(t, before)
	began := time.Now().UTC().Add(-time.Hour).Truncate(time.Second)
	for i, output := range []string{"good", "fair", "good", "fair"} {
		mustPost(t, a.Addr("ingest"), 40*i, 30-20*(i%2), output, began.Add(time.Duration(i)*10*time.Minute))
	}
	o := app.ScoreOptions{Config: after, Server: a.Addr("internal"), From: began, To: time.Now()}
	var result app.OverlapResult
	eventually(t, "stored samples", func() (string, bool) {
		var err error
		result, err = app.Overlap(t.Context(), o, before)
		return fmt.Sprint(result, err), err == nil && len(result.Steps) == 1 && result.Steps[0].N == 80
	})
	if n, err := app.RecordSteps(t.Context(), o, result.Steps); err != nil || n != 1 {
		t.Fatalf("got %d, %v", n, err)
	}
	eventually(t, "the monitor", func() (string, bool) {
		m, text := monitorOf(t, a)
		return text, m.Version != ""
	})
	for body, want := range map[string]int{`{}`: 400, `{"feature":"x","metric":"good","from":"a","to":"b","n":1}`: 400, `{"feature":"bot","metric":"good","from":"a","to":"b","n":1,"step":1}`: 400,
		`{"feature":"bot","metric":"good","from":"a","to":"b","n":1,"step":1,"interval":[0,2]}`: 200} {
		if got, text := (&caller{}).call(t, "POST", "http://"+a.Addr("internal")+"/v1/steps", body); got != want {
			t.Errorf("%s: got %d %s, want %d", body, got, text, want)
		}
	}
	stop()
	a, stop = start(t, after)
	if text := get("http://" + a.Addr("internal") + "/v1/steps"); strings.Count(text, `"metric":"good"`) != 2 {
		t.Errorf("got %s, want both steps", text)
	}
	eventually(t, "the step", func() (string, bool) {
		m, text := monitorOf(t, a)
		return text, m.VersionStep != nil && m.VersionStep.Step == .25 && m.VersionStep.N == 80
	})
	stop()
	if n, err := app.RecordSteps(t.Context(), o, result.Steps); err == nil {
		t.Errorf("a server that is not there: got %d and no error", n)
	}
	o.Server = ""
	if n, err := app.RecordSteps(t.Context(), o, result.Steps); err != nil || n != 1 {
		t.Errorf("in the directory: got %d, %v", n, err)
	}
}

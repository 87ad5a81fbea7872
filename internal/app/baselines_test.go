package app_test

import (
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/app"
	"github.com/asgood-dev/asgood/internal/quality"
)

// TestANewLevelIsAccepted goes from good scores over a regression to its level being accepted, in a running
// server, and reads the stored scores back for a backtest.
func TestANewLevelIsAccepted(t *testing.T) {
	needEngine(t)
	url, _ := outside(t)
	cfg := parse(t, t.TempDir(), url)
	a, stop := start(t, cfg)
	o := app.BaselineOptions{Config: cfg, Server: a.Addr("internal")}
	began := time.Now().UTC().Add(-20 * time.Hour).Truncate(time.Minute)
	mustPost(t, a.Addr("ingest"), 0, 300, "good", began)
	eventually(t, "scores that can be promoted", func() (string, bool) {
		v, err := app.PromoteBaseline(t.Context(), o, "bot", "good", app.Promotion{By: "ana", Reason: "checked"})
		if err != nil {
			return err.Error(), false
		}
		return "", v.N == 300 && v.Version >= 1
	})
	mustPost(t, a.Addr("ingest"), 300, 150, "bad", began.Add(10*time.Hour))
	var id string
	eventually(t, "the regression", func() (string, bool) {
		word, _ := component(a.Addr("public"))
		return word, strings.Contains(strings.ToLower(word), "worse")
	})
	eventually(t, "a refusal that names the regression", func() (string, bool) {
		_, err := app.PromoteBaseline(t.Context(), o, "bot", "good", app.Promotion{By: "ana", Reason: "checked"})
		if err == nil || !strings.Contains(err.Error(), "--accept ") {
			return "", false
		}
		_, id, _ = strings.Cut(err.Error(), "--accept ")
		return err.Error(), true
	})
	v, err := app.PromoteBaseline(t.Context(), o, "bot", "good", app.Promotion{By: "ana", Reason: "wanted", Accept: id})
	if err != nil || v.Kind != quality.BaselineAccepted {
		t.Fatalf("got %+v, %v; want the new level", v, err)
	}
	b, err := app.ShowBaseline(t.Context(), o, "bot", "good")
	if err != nil || b.InForce != v.Version {
		t.Errorf("got %+v, %v; want version %d in force", b, err, v.Version)
	}
	study, err := app.RunStudy(t.Context(), app.StudyOptions{Config: cfg, Server: a.Addr("internal"), From: began, To: time.Now()})
	if err != nil || study.Samples != 450 || len(study.Regressions) != 1 {
		t.Errorf("got %+v, %v; want the regression in 450 stored scores", study, err)
	}
	stop()
	if list, err := app.ListBaselines(t.Context(), app.BaselineOptions{Config: cfg, Logger: nil}); err != nil || len(list) != 1 || list[0].InForce != v.Version {
		t.Errorf("from the directory: got %+v, %v", list, err)
	}
}

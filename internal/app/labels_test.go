package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/evaluator/calibrate"
	"github.com/asgood-dev/asgood/internal/app"
	"github.com/asgood-dev/asgood/internal/config"
)

func TestLabelsFromAFile(t *testing.T) {
	needEngine(t)
	cfg, err := config.Parse("test.yaml", fmt.Appendf(nil, judged, t.TempDir()), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	a, _ := start(t, cfg)
	p := &workshop{t: t, addr: a.Addr("ingest"), r: newRand(), judge: &marker{r: newRand()}, level: 4}
	p.serve(30, 0, time.Now().Add(-time.Hour))
	file := filepath.Join(t.TempDir(), "marks.csv")
	text := "id,mark,annotator\n"
	for i := range 30 {
		text += fmt.Sprintf("s%d,%d,ann\ns%d,%d,bob\n", i, 3+i%2, i, 3+i%2)
	}
	text += "s1,good,ann\n,4,ann\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	o := app.LabelOptions{Metric: "rated_by_hand", ImportOptions: app.ImportOptions{
		Files: []string{file}, Map: "sample=id,value=mark,by=annotator", Feature: "bot", Server: a.Addr("ingest"), Config: cfg}}
	for range 2 { // the second time counts nothing
		result, err := app.ImportLabels(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if result.Rows != 62 || result.Accepted != 60 || result.Refused != 2 || result.Rejected[0].Line != 62 {
			t.Fatalf("got %+v", result)
		}
	}
	var r calibrate.Report
	eventually(t, "the labels", func() (string, bool) {
		text := get("http://" + a.Addr("internal") + "/v1/judges/bot/rated")
		r = calibrate.Report{}
		return text, json.Unmarshal([]byte(text), &r) == nil && r.Agreement.Labels >= 60
	})
	if r.Agreement.N != 30 || r.Agreement.Labels != 60 || r.Agreement.Labellers != 2 || r.Agreement.Shared != 30 {
		t.Errorf("agreement %+v", r.Agreement)
	}
}

func TestLabelsAreRefused(t *testing.T) {
	for _, x := range []struct{ mapping, want string }{
		{"value=mark", "needs sample"}, {"sample=id", "needs value"}, {"sample=id,value=mark,mood=x", "no field"}, {"sample", "want field=column"},
	} {
		_, err := app.ImportLabels(context.Background(), app.LabelOptions{ImportOptions: app.ImportOptions{Files: []string{"x.csv"}, Map: x.mapping, DryRun: true}})
		if err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: got %v, want %q", x.mapping, err, x.want)
		}
	}
}

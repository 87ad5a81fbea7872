package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/evaluator/calibrate"
	"github.com/asgood-dev/asgood/internal/app"
	"github.com/asgood-dev/asgood/internal/config"
	"github.com/asgood-dev/asgood/internal/quality"
)

const judged = `
name: Test
storage: {dir: %q}
listen: {public: "127.0.0.1:0", ingest: "127.0.0.1:0", grpc: "127.0.0.1:0", internal: "127.0.0.1:0"}
false_alarms: {samples: 10000}
retention: {samples: 3650d, scores: 3650d}
features:
  - name: bot
    scorers: [{name: rated, type: external, metrics: [rated], human: rated_by_hand}]
    monitors: [{metric: rated, range: [1, 5], baseline: {first: 200}}]
`

// marker is a judge that marks an output by the number in it.
type marker struct {
	mu     sync.Mutex // anchors are scored several at a time
	r      *rand.Rand
	offset float64
}

func (m *marker) mark(truth float64) float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return min(max(math.Round(2*(truth+m.offset+.3*m.r.NormFloat64()))/2, 1), 5)
}

func (m *marker) Score(_ context.Context, s quality.Sample) ([]quality.Score, error) {
	var truth float64
	if _, err := fmt.Sscanf(s.Output.Text, "an answer worth %f", &truth); err != nil {
		return nil, err
	}
	return []quality.Score{{Metric: "rated", Value: m.mark(truth), Version: "v1", Scorer: "judge"}}, nil
}

func newRand() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

// workshop makes outputs, has them judged, and has some of them labelled by a person.
type workshop struct {
	t     *testing.T
	addr  string
	r     *rand.Rand
	judge *marker
	next  int
	level float64
	sum   float64 // of what the outputs of the latest call are worth
}

func (p *workshop) serve(n, labels int, from time.Time) {
	p.t.Helper()
	var samples, scores bytes.Buffer
	p.sum = 0
	for i := range n {
		id, truth := fmt.Sprint("s", p.next), min(max(math.Round(p.level+p.r.NormFloat64()), 1), 5)
		p.next, p.sum = p.next+1, p.sum+truth
		fmt.Fprintf(&samples, `{"id":%q,"time":%q,"feature":"bot","output":"an answer worth %.1f"}`+"\n", id, from.Add(time.Duration(i)*time.Minute).Format(time.RFC3339), truth)
		fmt.Fprintf(&scores, `{"feature":"bot","sample":%q,"metric":"rated","value":%v,"kind":"judge","by":"v1"}`+"\n", id, p.judge.mark(truth))
		if i < labels {
			fmt.Fprintf(&scores, `{"feature":"bot","sample":%q,"metric":"rated_by_hand","value":%v,"kind":"human","by":"ann"}`+"\n", id, truth)
		}
	}
	for path, body := range map[string]*bytes.Buffer{"/v1/samples": &samples, "/v1/scores": &scores} {
		res, err := http.Post("http://"+p.addr+path, "application/x-ndjson", body)
		if err != nil || res.StatusCode != http.StatusOK {
			p.t.Fatalf("%s: %v, %v", path, res, err)
		}
		res.Body.Close()
	}
}

// TestTheJudgeOrTheProduct has one of the two get worse, with real stores: a judge that gets stricter is named,
// entered as a change of layer judge, and makes the regression of its metric suspect, and few labels put its
// mean right. A product that gets worse leaves the judge in peace.
func TestTheJudgeOrTheProduct(t *testing.T) {
	needEngine(t)
	for _, x := range []struct {
		name           string
		judge, product float64
		suspect        bool
	}{
		{name: "the judge gets stricter by .3 of a mark", judge: -.3, suspect: true},
		{name: "the product gets worse", product: -.8},
	} {
		t.Run(x.name, func(t *testing.T) {
			cfg, err := config.Parse("test.yaml", fmt.Appendf(nil, judged, t.TempDir()), func(string) (string, bool) { return "", false })
			if err != nil {
				t.Fatal(err)
			}
			a, err := app.New(t.Context(), app.Options{Config: cfg})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := a.Stop(context.WithoutCancel(t.Context())); err != nil {
					t.Error(err)
				}
			})
			judge := &marker{r: newRand()}
			base := time.Now().Add(-17 * 24 * time.Hour)
			now := base
			keeper, err := app.Judges(t.Context(), a, []calibrate.Judge{anchored(judge)}, func() time.Time { return now })
			if err != nil {
				t.Fatal(err)
			}
			if err := a.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			days := func(n int) {
				for range n {
					now = now.Add(24 * time.Hour)
					keeper.Due(t.Context())
				}
			}
			p := &workshop{t: t, addr: a.Addr("ingest"), r: rand.New(rand.NewPCG(3, 4)), judge: judge, level: 4}
			days(10)
			p.serve(600, 0, base.Add(5*24*time.Hour))
			judge.offset, p.level = x.judge, p.level+x.product
			days(6)
			p.serve(1500, 100, now.Add(-24*time.Hour))
			eventually(t, "the regression", func() (string, bool) {
				open, err := app.Regressions(t.Context(), a)
				if err != nil || len(open) != 1 {
					return fmt.Sprint(open, err), false
				}
				if open[0].JudgeSuspect != x.suspect {
					t.Errorf("judge suspect: %v, want %v (%+v)", open[0].JudgeSuspect, x.suspect, open[0])
				}
				return "", true
			})
			moved := keeper.List()[0].Moved
			if (moved != nil) != x.suspect {
				t.Fatalf("moved: %+v", moved)
			}
			checkEntry(t, app.Changes(a), moved)
			checkWeek(t, a, p.sum/1500, x.judge)
		})
	}
}

func anchored(judge *marker) calibrate.Judge {
	spec := &quality.AnchorSpec{Every: 24 * time.Hour}
	for i := range 50 {
		spec.Anchors = append(spec.Anchors, quality.Anchor{Sample: quality.Sample{ID: fmt.Sprint("a", i), Output: quality.Text(fmt.Sprintf("an answer worth %.1f", 2+float64(i%5)/2))}})
	}
	return calibrate.Judge{Feature: "bot", Metric: "rated", Human: "rated_by_hand", Bounds: [2]float64{1, 5}, Anchors: spec, Scorer: judge}
}

func checkEntry(t *testing.T, changes []quality.Change, moved *quality.JudgeMove) {
	t.Helper()
	if moved == nil {
		if len(changes) != 0 {
			t.Errorf("changes %+v, want none", changes)
		}
		return
	}
	if moved.Way != quality.JudgeStricter || moved.Change == nil || math.Abs(*moved.Change+.3) > .1 {
		t.Errorf("moved %+v, want stricter by about .3", moved)
	}
	if len(changes) != 1 || changes[0].ID != moved.Entry || changes[0].Layer != quality.LayerJudge || !changes[0].Undeclared {
		t.Errorf("changes %+v, want one of layer judge, undeclared, %s", changes, moved.Entry)
	}
}

// checkWeek asks for the report of the server: its corrected mean is that of the outputs, whatever the judge says.
func checkWeek(t *testing.T, a *app.App, truth, offset float64) {
	t.Helper()
	var r calibrate.Report
	eventually(t, "the report", func() (string, bool) {
		text := get("http://" + a.Addr("internal") + "/v1/judges/bot/rated")
		r = calibrate.Report{}
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			return err.Error(), false
		}
		return text, r.Week.Judged == 1500 && r.Week.Labels == 100
	})
	if raw := *r.Week.Raw.Value; math.Abs(raw-truth-offset) > .1 {
		t.Errorf("raw mean %.3f, want about %.3f", raw, truth+offset)
	}
	if i := r.Week.Mean.Interval; truth < i[0] || truth > i[1] || r.Week.Method != quality.MethodJudgeLabels || r.Week.Gain < 1.5 {
		t.Errorf("corrected mean %.3f in %v by %s, gain %.1f; want %.3f in it", *r.Week.Mean.Value, *i, r.Week.Method, r.Week.Gain, truth)
	}
	if r.Agreement.N != 100 || r.Agreement.Kappa.Value == nil || *r.Agreement.Kappa.Value < .7 {
		t.Errorf("agreement %+v", r.Agreement)
	}
	m, text := monitorOf(t, a)
	if m.Corrected == nil || m.Corrected.Judged != 1500 || m.Corrected.Mean.Value == nil || math.Abs(*m.Corrected.Mean.Value-*r.Week.Mean.Value) > .05 {
		t.Errorf("the monitor does not tell the corrected mean: %s", text)
	}
}

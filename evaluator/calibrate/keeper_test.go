package calibrate_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/evaluator/calibrate"
	"github.com/asgood-dev/asgood/internal/quality"
)

// bench is all that a keeper needs, held in memory.
type bench struct {
	mu      sync.Mutex
	version string
	offset  float64
	fail    bool
	panics  bool
	asked   int
	after   func(asked int) // called after every score
	r       *rand.Rand

	docs    map[string][]byte
	scores  map[string][]quality.Score
	entries map[string]quality.Change
	deaf    bool // the ledger takes nothing
}

func newBench() *bench {
	return &bench{version: "v1", r: rand.New(rand.NewPCG(1, 2)), docs: map[string][]byte{}, scores: map[string][]quality.Score{}, entries: map[string]quality.Change{}}
}

// Score marks an anchor by its number, in half marks from 1 to 5.
func (b *bench) Score(_ context.Context, s quality.Sample) ([]quality.Score, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked++
	if b.after != nil {
		defer b.after(b.asked)
	}
	if b.panics {
		panic("a library broke")
	}
	if b.fail {
		return nil, errors.New("status 503")
	}
	x := 2 + float64(len(s.Output.Text)%5)/2 + b.offset + .2*b.r.NormFloat64()
	return []quality.Score{
		{Metric: "cost", Value: .01, Version: b.version},
		{Metric: "faithful", Value: min(max(math.Round(2*x)/2, 1), 5), Version: b.version, Scorer: string(quality.FeedbackJudge)},
	}, nil
}

func (b *bench) Save(_ context.Context, d calibrate.Document) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	data, err := json.Marshal(d)
	b.docs[d.Status.Feature+"/"+d.Status.Metric] = data
	return err
}

func (b *bench) PublishAnchors(_ context.Context, id string, scores []quality.Score) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.scores[id] = scores
	return nil
}

func (b *bench) Observed(_ context.Context, c quality.Change) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.deaf {
		return "", errors.New("the ledger is away")
	}
	b.entries[c.ID] = c
	return c.ID, nil
}

func (b *bench) Judged(context.Context, string, string, string, time.Time, time.Time, int) ([]quality.Judged, error) {
	return nil, nil
}

func anchorsOf(n int) *quality.AnchorSpec {
	spec := &quality.AnchorSpec{Every: 24 * time.Hour}
	for i := range n {
		three := 3.0
		spec.Anchors = append(spec.Anchors, quality.Anchor{Sample: quality.Sample{ID: fmt.Sprint("a", i), Output: quality.Text(strings.Repeat("x", i+1))}, Human: &three})
	}
	return spec
}

func (b *bench) keeper(t *testing.T, spec *quality.AnchorSpec) *calibrate.Keeper {
	t.Helper()
	o := calibrate.Options{
		Judges: []calibrate.Judge{{Feature: "chat", Metric: "faithful", Bounds: [2]float64{1, 5}, Anchors: spec, Scorer: b}},
		Store:  b, Sink: b, Ledger: b, History: b,
	}
	b.mu.Lock()
	for _, data := range b.docs {
		var d calibrate.Document
		if err := json.Unmarshal(data, &d); err != nil {
			t.Fatal(err)
		}
		o.Known = append(o.Known, d)
	}
	b.mu.Unlock()
	k, err := calibrate.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// live runs a keeper for some days, within a bubble.
func live(t *testing.T, k *calibrate.Keeper, days int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(days)*24*time.Hour)
	defer cancel()
	if err := k.Run(ctx); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
}

func TestAJudgeThatGetsStricterIsNamed(t *testing.T) {
	for _, x := range []struct {
		name, way string
		offset    float64
	}{{"stricter", quality.JudgeStricter, -.3}, {"milder", quality.JudgeMilder, .3}, {"as before", "", 0}} {
		t.Run(x.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, spec := newBench(), anchorsOf(40)
				live(t, b.keeper(t, spec), 20)
				changed := time.Now()
				b.offset = x.offset
				k := b.keeper(t, spec)
				live(t, k, 20)
				s := k.List()[0]
				if x.way == "" {
					if s.Moved != nil || len(b.entries) != 0 || k.Suspect("chat", "faithful", time.Now()) {
						t.Errorf("moved %+v, entries %v", s.Moved, b.entries)
					}
					return
				}
				if s.Moved == nil || s.Moved.Way != x.way || len(b.entries) != 1 {
					t.Fatalf("moved %+v, entries %v", s.Moved, b.entries)
				}
				if d := s.Moved.Since.Sub(changed).Abs(); d > 3*24*time.Hour {
					t.Errorf("since %s, want about %s", s.Moved.Since, changed)
				}
				if c := s.Moved.Change; c == nil || math.Abs(*c-x.offset) > .1 {
					t.Errorf("change %v, want about %v", c, x.offset)
				}
				c := b.entries[s.Moved.Entry]
				if c.Layer != quality.LayerJudge || c.Validate() != nil || !strings.Contains(c.Description, "40 anchors") {
					t.Errorf("entry %+v: %v", c, c.Validate())
				}
				if !k.Suspect("chat", "faithful", time.Now()) || k.Suspect("chat", "faithful", changed.Add(-10*24*time.Hour)) || k.Suspect("chat", "other", time.Now()) {
					t.Error("suspect at the wrong time or metric")
				}
			})
		})
	}
}

// TestNoSlotRunsTwice stops a keeper in the middle of runs: every slot has each score once.
func TestNoSlotRunsTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, spec := newBench(), anchorsOf(100)
		for range 6 {
			ctx, cancel := context.WithCancel(t.Context())
			stopAt := b.asked + 40
			b.after = func(asked int) {
				if asked == stopAt {
					cancel()
				}
			}
			if err := b.keeper(t, spec).Run(ctx); err != nil {
				t.Fatal(err)
			}
			cancel()
		}
		b.after = nil
		k := b.keeper(t, spec)
		live(t, k, 1)
		runs := k.List()[0].Runs
		if len(runs) == 0 || runs[0].Scored != 100 {
			t.Fatalf("runs %+v, want one with 100 scores", runs)
		}
		seen := map[string]int{}
		for _, list := range b.scores {
			for _, s := range list {
				seen[s.SampleID]++
				if s.Source != quality.SourceAnchor || s.Metric != "faithful" || s.Feature != "chat" {
					t.Fatalf("score %+v", s)
				}
			}
		}
		for id, n := range seen {
			if n != 1 {
				t.Errorf("score %s was stored %d times", id, n)
			}
		}
	})
}

func TestANewVersionIsAStepAndNoMove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, spec := newBench(), anchorsOf(40)
		live(t, b.keeper(t, spec), 10)
		b.version, b.offset = "v2", -.5
		k := b.keeper(t, spec)
		live(t, k, 10)
		report, err := k.Report(t.Context(), "chat", "faithful")
		if err != nil {
			t.Fatal(err)
		}
		if report.Moved != nil || len(b.entries) != 0 || len(report.Steps) != 1 {
			t.Fatalf("moved %+v, steps %+v", report.Moved, report.Steps)
		}
		if s := report.Steps[0]; s.From != "v1" || s.To != "v2" || !(s.Interval[0] < -.5 && -.5 < s.Interval[1]+.1) {
			t.Errorf("step %+v %v, want about -.5", s, *s.Interval)
		}
		if !report.Watching || report.Version != "v2" || report.Runs[0].Human == nil {
			t.Errorf("report %+v", report.JudgeStatus)
		}
	})
}

func TestAJudgeThatIsAwayHasNotMoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, spec := newBench(), anchorsOf(40)
		live(t, b.keeper(t, spec), 10)
		b.fail = true
		live(t, b.keeper(t, spec), 5)
		b.fail, b.panics = false, true
		k := b.keeper(t, spec)
		live(t, k, 5)
		s := k.List()[0]
		if s.Moved != nil || s.Reason == "" || s.Runs[0].Scored != 0 || s.Runs[0].Failed != 40 {
			t.Errorf("status %+v", s)
		}
	})
}

func TestAMoveIsToldWhenTheLedgerIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, spec := newBench(), anchorsOf(40)
		live(t, b.keeper(t, spec), 10)
		b.offset, b.deaf = -1, true
		live(t, b.keeper(t, spec), 5)
		b.deaf = false
		k := b.keeper(t, spec)
		live(t, k, 1)
		if s := k.List()[0]; s.Moved == nil || len(b.entries) != 1 || b.entries[s.Moved.Entry].ID == "" {
			t.Errorf("moved %+v, entries %v", s.Moved, b.entries)
		}
	})
}

func TestTheBudgetHoldsWholeRunsOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, spec := newBench(), anchorsOf(40)
		spec.Every, spec.Budget = 6*time.Hour, quality.Quota{N: 100, Per: 24 * time.Hour}
		live(t, b.keeper(t, spec), 4)
		if most := 5 * 80; b.asked > most || b.asked < 3*80 {
			t.Errorf("%d scores in 4 days, want 80 a day", b.asked)
		}
	})
}

func TestOtherAnchorsAreAnotherReference(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		live(t, b.keeper(t, anchorsOf(40)), 10)
		b.offset = -.5
		k := b.keeper(t, anchorsOf(41))
		live(t, k, 10)
		if s := k.List()[0]; s.Moved != nil || !s.Watching || s.Anchors != 41 {
			t.Errorf("status %+v", s)
		}
	})
}

func TestRoutes(t *testing.T) {
	gin.SetMode(gin.TestMode)
	e := gin.New()
	newBench().keeper(t, nil).Register(e)
	for path, want := range map[string]int{
		"/v1/judges": http.StatusOK, "/v1/judges/chat/faithful": http.StatusOK, "/v1/judges/chat/other": http.StatusNotFound,
	} {
		w := httptest.NewRecorder()
		e.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != want || !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s: %d %s, want %d", path, w.Code, w.Body, want)
		}
	}
}

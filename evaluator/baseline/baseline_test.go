package baseline_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/evaluator/baseline"
	"github.com/asgood-dev/asgood/internal/quality"
)

var now = time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)

// memory is a bucket.
type memory struct {
	docs map[string][]byte
	revs map[string]uint64
}

func newMemory() *memory { return &memory{map[string][]byte{}, map[string]uint64{}} }

func (m *memory) Get(_ context.Context, key string) ([]byte, uint64, error) {
	data, ok := m.docs[key]
	if !ok {
		return nil, 0, quality.Errorf(quality.KindNotFound, "no %q", key)
	}
	return data, m.revs[key], nil
}

func (m *memory) Put(_ context.Context, key string, data []byte) (uint64, error) {
	m.docs[key] = data
	m.revs[key]++
	return m.revs[key], nil
}

func (m *memory) Create(ctx context.Context, key string, data []byte) (uint64, error) {
	return m.Update(ctx, key, data, 0)
}

func (m *memory) Update(ctx context.Context, key string, data []byte, rev uint64) (uint64, error) {
	if m.revs[key] != rev {
		return 0, quality.Errorf(quality.KindConflict, "revision %d, want %d", m.revs[key], rev)
	}
	return m.Put(ctx, key, data)
}

func (m *memory) Delete(_ context.Context, key string) error {
	delete(m.docs, key)
	return nil
}

// facts are made up.
type facts struct {
	scores      []quality.Score
	regressions []quality.Regression
	state       quality.MonitorState
	change      *quality.Change
}

func (f *facts) Scores(_ context.Context, _, _ string, from, to time.Time, limit int) (out []quality.Score, err error) {
	for _, sc := range f.scores {
		if !sc.Time.Before(from) && sc.Time.Before(to) && len(out) < limit {
			out = append(out, sc)
		}
	}
	return out, nil
}

func (f *facts) Regressions(context.Context) ([]quality.Regression, error) { return f.regressions, nil }

func (f *facts) Statuses(context.Context) ([]quality.MonitorStatus, error) {
	return []quality.MonitorStatus{{Feature: "bot", Metric: "good", State: f.state, Reason: "scores fail"}}, nil
}

func (f *facts) ChangedSince(context.Context, string, time.Time) (*quality.Change, error) {
	return f.change, nil
}

// hours adds scores of a pass rate, one each five minutes.
func (f *facts) hours(from time.Time, hours int, rate float64, version string) {
	rng := rand.New(rand.NewPCG(5, uint64(from.Unix())))
	for i := range hours * 12 {
		sc := quality.Score{Feature: "bot", Metric: "good", SampleID: fmt.Sprint(from, i), Scorer: "regex", Version: version,
			Time: from.Add(time.Duration(i) * 5 * time.Minute), Weight: 1, Attributes: map[string]string{"language": []string{"de", "en"}[i%2], "noise": fmt.Sprint(i)}}
		if rng.Float64() < rate {
			sc.Value = 1
		}
		f.scores = append(f.scores, sc)
	}
}

type house struct {
	*baseline.Keeper
	facts  *facts
	bucket *memory
	at     time.Time
	taken  []quality.BaselineSpec
	accept []*baseline.Acceptance
}

func newHouse(t *testing.T, last *quality.LastGoodSpec) *house {
	t.Helper()
	h := &house{facts: &facts{state: quality.MonitorWatching}, bucket: newMemory(), at: now}
	material := 0.02
	var err error
	h.Keeper, err = baseline.New(baseline.Options{Bucket: h.bucket, Facts: h.facts, Now: func() time.Time { return h.at },
		Features: []quality.Feature{{Name: "bot", Monitors: []quality.MonitorSpec{{Metric: "good", Material: &material, Slices: []string{"language"},
			Baseline: quality.BaselineSpec{First: 500, LastGood: last}}}}},
		InForce: func(_ context.Context, _, _ string, spec quality.BaselineSpec, a *baseline.Acceptance) error {
			h.taken, h.accept = append(h.taken, spec), append(h.accept, a)
			return nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *house) promote(t *testing.T, p baseline.Promotion) (quality.Baseline, error) {
	t.Helper()
	if p.By == "" {
		p.By, p.Reason = "ana", "checked"
	}
	return h.Promote(t.Context(), "bot", "good", p)
}

func TestWhatIsBadIsRefused(t *testing.T) {
	start := now.Add(-48 * time.Hour)
	recovered := now.Add(-24 * time.Hour)
	open := quality.Regression{ID: "reg_1", Feature: "bot", Metric: "good", StartedAt: &start, DetectedAt: start.Add(time.Hour),
		Slices: []quality.RegressionSlice{{Slice: quality.Slice{"language": "de"}}}}
	past := open
	past.RecoveredAt = &recovered
	for _, c := range []struct {
		name  string
		given func(*facts)
		p     baseline.Promotion
		want  string
	}{
		{"open regression", func(f *facts) { f.regressions = []quality.Regression{open} }, baseline.Promotion{}, "reg_1 is open since 2026-03-30T00:00:00Z in language=de"},
		{"past regression", func(f *facts) { f.regressions = []quality.Regression{past} }, baseline.Promotion{From: now.Add(-72 * time.Hour)}, "reg_1 lay in the period"},
		{"few scores", func(*facts) {}, baseline.Promotion{From: now.Add(-time.Hour)}, "12 scores in the period, at least 50 needed"},
		{"blind now", func(f *facts) { f.state = quality.MonitorBlind }, baseline.Promotion{}, "the monitor is blind: scores fail"},
		{"was silent", func(f *facts) { f.scores = append(f.scores[:500:500], f.scores[900:]...) }, baseline.Promotion{}, "there is no score for"},
		{"scorer failed", func(f *facts) {
			for i := 600; i < 650; i++ {
				f.scores[i].Error = "timeout"
			}
		}, baseline.Promotion{}, "the scorer failed"},
		{"two scorers", func(f *facts) { f.scores[700].Version = "v2" }, baseline.Promotion{}, "2 versions of the scorer"},
		{"nobody's", func(*facts) {}, baseline.Promotion{By: "ana"}, `field "reason": required`},
		{"no such regression", func(*facts) {}, baseline.Promotion{Accept: "reg_9"}, `no open regression "reg_9"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t, nil)
			h.facts.hours(now.Add(-7*24*time.Hour), 7*24, 0.9, "v1")
			c.given(h.facts)
			_, err := h.promote(t, c.p)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got error %v, want %q in it", err, c.want)
			}
			if len(h.bucket.docs) != 0 || len(h.taken) != 0 {
				t.Errorf("%d documents, %d in force; want nothing", len(h.bucket.docs), len(h.taken))
			}
		})
	}
}

func TestAVersionComesBackAsItWas(t *testing.T) {
	h := newHouse(t, nil)
	h.facts.hours(now.Add(-7*24*time.Hour), 7*24, 0.9, "v1")
	v, err := h.promote(t, baseline.Promotion{Name: "spring"})
	if err != nil {
		t.Fatal(err)
	}
	if v.Version != 1 || v.N != 2016 || v.Mean < 0.88 || v.Mean > 0.92 || v.Scorer != "v1" || len(v.Slices) != 2 || v.Slices[0].N != 1008 {
		t.Errorf("got %+v, want 2016 scores at 0.9 in two slices", v)
	}
	scores, err := h.Scores(t.Context(), "bot", "good", h.taken[0].Pinned)
	if err != nil || len(scores) != 2016 {
		t.Fatalf("got %d scores, %v; want 2016", len(scores), err)
	}
	for i, sc := range scores {
		want := h.facts.scores[i]
		if sc.Value != want.Value || !sc.Time.Equal(want.Time) || sc.Attributes["language"] != want.Attributes["language"] || sc.Attributes["noise"] != "" {
			t.Fatalf("score %d: got %+v, want %+v without what no monitor looks at", i, sc, want)
		}
	}
	if _, err := h.Pin(t.Context(), "bot", "good", quality.BaselinePin{Version: 0, By: "ana", Reason: "back"}); err != nil {
		t.Fatal(err)
	}
	if b, err := h.Book(t.Context(), "bot", "good"); err != nil || b.InForce != 0 || len(b.Pins) != 2 || h.taken[1].First != 500 {
		t.Errorf("got %+v, %v, %+v; want the configured form in force and two pins", b, err, h.taken)
	}
	for key := range h.bucket.docs {
		if strings.HasPrefix(key, "scores/") {
			h.bucket.docs[key] = append(h.bucket.docs[key], 0)
		}
	}
	if _, err := h.Pin(t.Context(), "bot", "good", quality.BaselinePin{Version: 1, By: "ana", Reason: "again"}); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("got error %v, want that the scores are damaged", err)
	}
}

func TestANewLevelIsAcceptedByName(t *testing.T) {
	h := newHouse(t, nil)
	start := now.Add(-24 * time.Hour)
	h.facts.hours(now.Add(-7*24*time.Hour), 6*24, 0.9, "v1")
	h.facts.hours(start, 24, 0.5, "v1")
	h.facts.regressions = []quality.Regression{{ID: "reg_1", Feature: "bot", Metric: "good", StartedAt: &start, DetectedAt: start.Add(time.Hour)}}
	v, err := h.promote(t, baseline.Promotion{Accept: "reg_1", From: now.Add(-72 * time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	if v.Kind != quality.BaselineAccepted || v.Accepted != "reg_1" || !v.From.Equal(start) || v.Mean > 0.6 {
		t.Errorf("got %+v, want the new level from the start of the regression on", v)
	}
	if a := h.accept[0]; a == nil || a.Regression != "reg_1" || a.By != "ana" {
		t.Errorf("got %+v, want the acceptance of reg_1 by ana", a)
	}
}

// TestASlowSlideIsNoticed lowers the rate by half of what matters each week.
func TestASlowSlideIsNoticed(t *testing.T) {
	h := newHouse(t, &quality.LastGoodSpec{Quiet: 7 * 24 * time.Hour, N: 1000})
	const week = 7 * 24 * time.Hour
	h.at = now.Add(week)
	h.facts.hours(now, 7*24, 0.9, "v1")
	for i := range 8 {
		if err := h.Consider(t.Context()); err != nil {
			t.Fatal(err)
		}
		h.facts.hours(h.at, 7*24, 0.9-0.01*float64(i+1), "v1")
		h.at = h.at.Add(week + time.Second)
	}
	b, err := h.Book(t.Context(), "bot", "good")
	if err != nil {
		t.Fatal(err)
	}
	original := b.Original()
	if original == nil || original.Kind != quality.BaselineConfigured || original.N != 500 {
		t.Fatalf("got original %+v, want the first 500 scores", original)
	}
	for _, v := range b.Versions {
		if original.Mean-v.Mean >= 0.02 {
			t.Errorf("version %d has mean %.3f, original %.3f: it slid", v.Version, v.Mean, original.Mean)
		}
	}
	if !strings.Contains(b.Declined, "slid slowly") || len(b.Versions) > 5 {
		t.Errorf("got %d versions and %q, want that the slide is declined", len(b.Versions), b.Declined)
	}
	if _, err := h.promote(t, baseline.Promotion{}); err == nil || !strings.Contains(err.Error(), "--accept slide") {
		t.Errorf("got error %v, want how to accept it", err)
	}
	if _, err := h.promote(t, baseline.Promotion{Accept: baseline.AcceptSlide}); err != nil {
		t.Error(err)
	}
}

func TestNothingIsPromotedUnlessAllIsQuiet(t *testing.T) {
	start := now.Add(-time.Hour)
	for _, c := range []struct {
		name  string
		given func(*facts)
		want  string
	}{
		{"a change", func(f *facts) { f.change = &quality.Change{ID: "chg_1", Layer: "prompt", At: start} }, "chg_1 of layer prompt"},
		{"blind", func(f *facts) { f.state = quality.MonitorBlind }, "it is blind"},
		{"learning", func(f *facts) { f.state = quality.MonitorLearning }, "it is learning"},
		{"a regression", func(f *facts) {
			f.regressions = []quality.Regression{{ID: "reg_1", Feature: "bot", Metric: "good", StartedAt: &start, DetectedAt: start}}
		}, "reg_1 is open"},
		{"few scores", func(f *facts) { f.scores = f.scores[:1500] }, "1500 scores in the last"},
		{"nothing", func(*facts) {}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t, &quality.LastGoodSpec{})
			h.facts.hours(now.Add(-7*24*time.Hour), 7*24, 0.9, "v1")
			c.given(h.facts)
			if err := h.Consider(t.Context()); err != nil {
				t.Fatal(err)
			}
			b, err := h.Book(t.Context(), "bot", "good")
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(b.Declined, c.want) || (c.want == "") != (b.InForce == 2) {
				data, _ := json.Marshal(b)
				t.Errorf("got %s, want %q", data, c.want)
			}
		})
	}
}

package explain

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

var begin = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func period(from, to time.Duration) quality.Period {
	return quality.Period{From: begin.Add(from), To: begin.Add(to)}
}

func TestTimeFit(t *testing.T) {
	start := period(-10*time.Minute, 10*time.Minute)
	for _, c := range []struct {
		at   time.Duration
		want float64
	}{
		{12 * time.Minute, 0}, {11 * time.Minute, 1}, {0, 1}, {-11 * time.Minute, 1},
		{-10*time.Minute - timeScale, math.Exp(-1)}, {-6 * 24 * time.Hour, leastTime},
	} {
		if got := timeFit(begin.Add(c.at), start); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("a change %s after the start: got %v, want %v", c.at, got, c.want)
		}
	}
}

// sumsOf has n scores of which a share pass.
func sumsOf(n int, share float64) (s quality.Sums) {
	for i := range n {
		v := 0.0
		if float64(i) < share*float64(n) {
			v = 1
		}
		s.Add(v, 1)
	}
	return s
}

func TestFit(t *testing.T) {
	usual := sumsOf(2000, 0.9)
	bad := newFit([]quality.SplitCell{
		{Value: "de", Before: usual}, {Value: "de", With: true, After: sumsOf(500, 0.75)}, {Value: "de", After: sumsOf(500, 0.9)},
		{Value: "en", Before: usual}, {Value: "en", With: true, After: sumsOf(500, 0.9)}, {Value: "en", After: sumsOf(500, 0.9)},
	})
	if math.Abs(bad.with.Value+0.075) > 1e-9 || bad.without.Value != 0 || bad.touched != 0.5 || bad.factor(-0.0375) < 10 {
		t.Errorf("only traffic with it fell: got %+v, factor %v", bad, bad.factor(-0.0375))
	}
	both := newFit([]quality.SplitCell{
		{Value: "de", Before: usual, After: sumsOf(500, 0.8)}, {Value: "de", With: true, After: sumsOf(500, 0.8)},
	})
	if f := both.factor(-0.1); f > 0.1 {
		t.Errorf("both fell alike: got factor %v, want one that speaks against it", f)
	}
	// It came to German first, which was always worse: nothing speaks against it.
	german := newFit([]quality.SplitCell{
		{Value: "de", Before: sumsOf(2000, 0.7)}, {Value: "de", With: true, After: sumsOf(500, 0.7)},
		{Value: "en", Before: usual, After: sumsOf(500, 0.9)},
	})
	if german.contrast != nil || german.factor(-0.1) != 1 || german.with.Value != 0 {
		t.Errorf("got %+v, want no comparison between languages", german)
	}
}

func cellsOf(attribute string, values map[string][2]int) (out []quality.ScoreCell) {
	for _, v := range []string{"v12", "v13", "gpt-4"} {
		if n, ok := values[v]; ok {
			out = append(out, quality.ScoreCell{Attribute: attribute, Value: v, First: begin.Add(-time.Minute), Before: sumsOf(n[0], 1), After: sumsOf(n[1], 1)})
		}
	}
	return out
}

func TestCandidates(t *testing.T) {
	by := map[string][]quality.ScoreCell{
		"prompt": cellsOf("prompt", map[string][2]int{"v12": {1000, 500}, "v13": {0, 500}}),
		"model":  cellsOf("model", map[string][2]int{"gpt-4": {1000, 1000}}),
	}
	at := func(d time.Duration) time.Time { return begin.Add(d) }
	changes := []quality.Change{
		{ID: "text", At: at(-6 * time.Minute), Layer: quality.LayerPrompt, Title: "Shorter answers"},
		{ID: "seen", At: at(0), FirstSeen: at(-time.Minute), Undeclared: true, ExplainedBy: "text", Layer: quality.LayerPrompt, Title: "prompt v13", After: "v13"},
		{ID: "index", At: at(-3 * time.Hour), Layer: quality.LayerRetrieval, Title: "Index rebuilt"},
		{ID: "late", At: at(30 * time.Minute), Layer: quality.LayerModel, Title: "Model swapped"},
		{ID: "old", At: at(-30 * 24 * time.Hour), Layer: quality.LayerModel, Title: "Old"},
		{ID: "failed", At: at(-time.Minute), Layer: quality.LayerServing, Title: "Deploy", Flags: []string{quality.FlagFailed}},
	}
	list := candidates(changes, period(-time.Minute, time.Minute), at(time.Hour), by)
	got := map[string]*suspect{}
	for i := range list {
		got[list[i].ID] = &list[i]
		list[i].judge(period(-time.Minute, time.Minute), -0.1, true)
		list[i].tell(period(-time.Minute, time.Minute), begin, [2]float64{0, 1})
	}
	if len(list) != 4 || got["text"] == nil || got["text"].Value != "v13" {
		t.Fatalf("got %+v, want four, and the entry with the value that explains what was seen", list)
	}
	ranked, unknown := rank(nil, list)
	if ranked[0].ID != "text" || got["late"].likely != 0 || got["failed"].likely != 0 {
		t.Errorf("got %+v", ranked)
	}
	sum := unknown
	for _, r := range ranked {
		sum += r.Weight
	}
	if math.Abs(sum-1) > 1e-9 {
		t.Errorf("weights add up to %v, want 1", sum)
	}
	for id, want := range map[string]string{"text": "Prompt v13 came 6 minutes before the start; ", "late": "came 30 minutes after the start: it came after the start",
		"failed": "did not take effect", "index": "came 3 hours before the start; which traffic it touched is not known."} {
		if !strings.Contains(got[id].Evidence, want) {
			t.Errorf("%s: got %q, want %q in it", id, got[id].Evidence, want)
		}
	}
	// Without an entry the new value is a suspect by itself.
	if list := candidates(nil, period(0, 0), begin, by); len(list) != 1 || list[0].ID != "seen:prompt=v13" || list[0].Layer != quality.LayerPrompt {
		t.Errorf("got %+v, want the new prompt", list)
	}
}

func TestNoSuspectFits(t *testing.T) {
	list := []suspect{ofChange(quality.Change{ID: "x", At: begin.Add(-6 * 24 * time.Hour), Layer: quality.LayerServing, Title: "Deploy"})}
	list[0].judge(period(0, 0), -0.1, false)
	e := quality.Explanation{At: begin, Change: &quality.Figure{Value: -0.1, Interval: [2]float64{-0.12, -0.08}}, Range: [2]float64{0, 1}}
	e.Suspects, e.Unknown = rank(nil, list)
	if e.Fits() != nil || !strings.Contains(strings.Join(e.Sentences(), " "), "No suspect fits.") {
		t.Errorf("got %v of %+v", e.Sentences(), e.Suspects)
	}
}

func TestMeasuredParts(t *testing.T) {
	change := figure(-0.1, 1e-4)
	split := &quality.Split{Attribute: "language", Mix: figure(-0.08, 1e-4)}
	judge := judgeSuspect(&quality.JudgeShift{At: begin, Shift: figure(-0.05, 1e-5)}, change, [2]float64{0, 1})
	ranked, unknown := rank(append(trafficSuspect(split, change, [2]float64{0, 1}), judge...), nil)
	if len(ranked) != 2 || ranked[0].Layer != quality.LayerTraffic || math.Abs(ranked[0].Weight-0.8) > 1e-9 || math.Abs(ranked[1].Weight-0.2) > 1e-9 || unknown > 1e-9 {
		t.Errorf("got %+v and %v, want the mix with its part and the judge with what is left", ranked, unknown)
	}
	if s := trafficSuspect(&quality.Split{Mix: figure(0.08, 1e-4)}, change, [2]float64{0, 1}); s != nil {
		t.Errorf("got %+v of a mix that went the other way", s)
	}
}

func TestCanarySuspects(t *testing.T) {
	rate := func(count int, at time.Duration) quality.BehaviourRate {
		r := quality.NewBehaviourRate(count, 50)
		r.Feature, r.Canary, r.Kind, r.At = "bot", "golden", quality.BehaviourExpected, begin.Add(at)
		return r
	}
	h := quality.BehaviourHistory{Latest: rate(20, time.Hour), Before: []quality.BehaviourRate{rate(22, 10*time.Minute), rate(48, -time.Hour), rate(49, -3*time.Hour)}}
	got := canarySuspects("bot", []quality.BehaviourHistory{h}, period(-time.Minute, time.Minute))
	if len(got) != 1 || !got[0].At.Equal(begin.Add(-time.Minute)) || !strings.Contains(got[0].Evidence, "from 96 % to 44 %") {
		t.Errorf("got %+v", got)
	}
}

func TestStartInterval(t *testing.T) {
	held, runs := 0, 300
	for run := range runs {
		var steps []quality.ScoreStep
		change := 120 + run%60
		for i := range 300 {
			s := quality.ScoreStep{Period: period(time.Duration(i)*time.Minute, time.Duration(i+1)*time.Minute)}
			for j := range 5 {
				p := uint32(92)
				if i >= change {
					p = 75
				}
				v := 0.0
				if hash(run, i, j)%100 < p {
					v = 1
				}
				s.Sums.Add(v, 1)
			}
			steps = append(steps, s)
		}
		truth := begin.Add(time.Duration(change) * time.Minute)
		middle := begin.Add(150 * time.Minute)
		got := StartInterval(steps, middle)
		if !got.From.After(truth) && !got.To.Before(truth) {
			held++
		}
		if got.From.After(middle) || got.To.Before(middle) {
			t.Fatalf("got %v, want the estimate in it", got)
		}
	}
	t.Logf("the interval held the start in %d of %d runs", held, runs)
	if held < runs*92/100 {
		t.Errorf("the interval held the start in %d of %d runs, want 92 %%", held, runs)
	}
	if got := StartInterval(nil, begin); got.From != begin || got.To != begin {
		t.Errorf("got %v without scores", got)
	}
}

func hash(a ...int) uint32 {
	h := uint32(2166136261)
	for _, b := range fmt.Sprint(a) {
		h = (h ^ uint32(b)) * 16777619
	}
	h ^= h >> 15
	h *= 2246822519
	return h ^ h>>13
}

func TestMatch(t *testing.T) {
	bad := []quality.ScoredSample{{ID: "b1", Customer: "acme", Input: "How do I cancel my order of shoes?", Value: 0}}
	good := []quality.ScoredSample{
		{ID: "far", Customer: "acme", Input: "What is the weather", Value: 1},
		{ID: "globex", Customer: "globex", Input: "How do I cancel my order of hats?", Value: 1},
		{ID: "acme", Customer: "acme", Input: "How do I cancel my order of hats?", Value: 1},
		{ID: "bad too", Customer: "acme", Input: "How do I cancel my order of shoes?", Value: 0},
	}
	got := match(bad, good, quality.WorseLower, 5)
	if len(got) != 1 || got[0].before.ID != "acme" {
		t.Errorf("got %+v, want the pair of the same customer", got)
	}
	same := []quality.ScoredSample{{ID: "1", Input: "a b c"}, {ID: "2", Input: "a b c"}, {ID: "3", Input: "x y"}}
	if d := diverse(same, 2); d[0].ID != "1" || d[1].ID != "3" {
		t.Errorf("got %+v, want two that differ", d)
	}
}

func TestHalvesOfPairsAreLeftOut(t *testing.T) {
	got := paired([]quality.Example{{Role: quality.ExampleWorst}, {Pair: 1, Role: quality.ExampleBefore}, {Pair: 1, Role: quality.ExampleAfter}, {Pair: 2, Role: quality.ExampleAfter}})
	if len(got) != 3 || got[2].Pair != 1 {
		t.Errorf("got %+v, want the whole pair and the worst", got)
	}
}

func TestShorten(t *testing.T) {
	long := strings.Repeat("ä", maxText)
	s, cut := shorten(quality.Sample{Input: quality.Text(long), Output: quality.Text("short"), Context: make([]quality.Document, 30)})
	if !cut || len(s.Input.Text) > maxText+8 || s.Output.Text != "short" || len(s.Context) != maxDocuments {
		t.Errorf("got %d bytes, %d documents, cut %v", len(s.Input.Text), len(s.Context), cut)
	}
	if _, cut := shorten(quality.Sample{Input: quality.Text("x")}); cut {
		t.Error("a short sample was cut")
	}
}

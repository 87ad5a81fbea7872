package calibrate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

const day = 24 * time.Hour

// panel is a judge of anchors: every anchor has its own mark, and every score noise of its own.
type panel struct {
	r       *rand.Rand
	marks   []float64
	noise   float64
	offset  float64 // of every score
	flutter float64 // further noise
}

func newPanel(seed uint64, anchors int, noise float64) *panel {
	p := &panel{r: rand.New(rand.NewPCG(seed, 1)), noise: noise}
	for range anchors {
		p.marks = append(p.marks, 1.5+3*p.r.Float64())
	}
	return p
}

// run scores every anchor once, in half marks from 1 to 5.
func (p *panel) run() (out []mark) {
	for i, m := range p.marks {
		x := m + p.offset + (p.noise+p.flutter)*p.r.NormFloat64()
		out = append(out, mark{fmt.Sprint(i), min(max(math.Round(2*x)/2, 1), 5)})
	}
	return out
}

// follow watches n runs, of which those from at on are changed, and returns at which the judge is said to
// have moved, and how.
func follow(t *testing.T, p *panel, n, at int, change func(*panel)) (found int, way string, since int) {
	t.Helper()
	w := &watch{Version: "v1", Bounds: [2]float64{1, 5}, Threshold: thresholdOf(len(p.marks), day)}
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range n {
		if i == at {
			change(p)
		}
		way, from, _, err := w.add(start.Add(time.Duration(i)*day), p.run(), "")
		if err != nil {
			t.Fatal(err)
		}
		if way != "" {
			return i, way, int(from.Sub(start) / day)
		}
	}
	return -1, "", -1
}

// TestAnchorsAreQuiet counts the false alarms of judges that do not move: at most one a year.
func TestAnchorsAreQuiet(t *testing.T) {
	judges, days := 120, 368
	if testing.Short() {
		judges = 12
	}
	for _, noise := range []float64{0, .05, .3, .8} {
		alarms := 0
		for seed := range judges {
			if found, _, _ := follow(t, newPanel(uint64(seed), 40, noise), days, -1, nil); found >= 0 {
				alarms++
			}
		}
		t.Logf("noise %.2f of a mark: %d of %d judges are said to have moved within a year", noise, alarms, judges)
		// One a year in the mean lets 63 % see one within a year.
		if share := float64(alarms) / float64(judges); share > .63+2*math.Sqrt(.63*.37/float64(judges)) {
			t.Errorf("noise %.2f: %d of %d judges that did not move", noise, alarms, judges)
		}
	}
}

// TestAnchorsFindAMovedJudge measures how many runs it takes.
func TestAnchorsFindAMovedJudge(t *testing.T) {
	for _, x := range []struct {
		name, want string
		most       int // runs until found, median
		change     func(*panel)
	}{
		{"stricter by .3 of a mark", quality.JudgeStricter, 4, func(p *panel) { p.offset = -.3 }},
		{"milder by .3 of a mark", quality.JudgeMilder, 4, func(p *panel) { p.offset = .3 }},
		{"stricter by .1 of a mark", quality.JudgeStricter, 25, func(p *panel) { p.offset = -.1 }},
		{"erratic by a mark", quality.JudgeErratic, 4, func(p *panel) { p.flutter = 1 }},
	} {
		t.Run(x.name, func(t *testing.T) {
			const at = 20
			var delays, starts []int
			for seed := range 20 {
				found, way, since := follow(t, newPanel(uint64(seed)+1000, 40, .3), 200, at, x.change)
				if found < at {
					continue // a false alarm, which TestAnchorsAreQuiet counts, or none at all
				}
				if way != x.want {
					t.Errorf("seed %d: said %q, want %q", seed, way, x.want)
				}
				delays, starts = append(delays, found-at+1), append(starts, since-at)
			}
			slices.Sort(delays)
			slices.Sort(starts)
			if len(delays) < 17 {
				t.Fatalf("found in %d of 20", len(delays))
			}
			t.Logf("found after %d runs in the median, start told %+d runs off", delays[len(delays)/2], starts[len(starts)/2])
			if d := delays[len(delays)/2]; d > x.most {
				t.Errorf("found after %d runs in the median, want %d", d, x.most)
			}
		})
	}
}

func TestAMovedJudgeComesBack(t *testing.T) {
	p := newPanel(1, 40, .2)
	w := &watch{Version: "v1", Bounds: [2]float64{1, 5}, Threshold: thresholdOf(40, day)}
	moved, at := "", time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 120 {
		p.offset = 0
		if i >= 20 && i < 40 {
			p.offset = -.5
		}
		way, _, back, err := w.add(at.Add(time.Duration(i)*day), p.run(), moved)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case way != "" && (i < 20 || i >= 40):
			t.Fatalf("run %d: moved %q", i, way)
		case way != "":
			moved = way
		case back && i < 40:
			t.Fatalf("run %d: back while it is stricter", i)
		case back:
			return
		}
	}
	t.Errorf("not back after 80 runs; moved: %q", moved)
}

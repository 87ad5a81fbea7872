package calibrate_test

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/asgood-dev/asgood/evaluator/calibrate"
	"github.com/asgood-dev/asgood/internal/quality"
)

// world makes judged samples: what people would say of each, and what the judge says.
type world struct {
	name   string
	bounds *[2]float64
	truth  float64                           // mean of y
	draw   func(r *rand.Rand) (f, y float64) // one sample
}

// binary is a judge that says right of a right output, and of a wrong one, with given probabilities.
func binary(name string, p, right, wrong float64) world {
	return world{name: name, bounds: &[2]float64{0, 1}, truth: p, draw: func(r *rand.Rand) (f, y float64) {
		y, chance := 0.0, wrong
		if r.Float64() < p {
			y, chance = 1, right
		}
		if r.Float64() < chance {
			f = 1
		}
		return f, y
	}}
}

// ordinal marks 1 to 5; the judge is off by a mark at times, and gives half a mark less throughout.
func ordinal(noise float64) world {
	shares := []float64{.02, .05, .13, .35, .45}
	w := world{name: "marks 1 to 5, judge half a mark stricter", bounds: &[2]float64{1, 5}}
	for i, s := range shares {
		w.truth += s * float64(i+1)
	}
	w.draw = func(r *rand.Rand) (f, y float64) {
		x := r.Float64()
		for i, s := range shares {
			y = float64(i + 1)
			if x -= s; x < 0 {
				break
			}
		}
		return min(max(y-.5+noise*r.NormFloat64(), 1), 5), y
	}
	return w
}

func worlds() []world {
	return []world{
		binary("good judge, 80 % right", .8, .95, .1),
		binary("good judge, 92 % right", .92, .97, .2),
		binary("fair judge, 70 % right", .7, .8, .3),
		binary("judge that knows nothing", .8, .7, .7),
		binary("judge that is nearly always right", .9, .99, .03),
		binary("judge that always says yes", .85, 1, 1),
		ordinal(.6),
	}
}

func simulate(r *rand.Rand, w world, judged, labels int) []quality.Judged {
	items := make([]quality.Judged, judged)
	for i := range items {
		f, y := w.draw(r)
		items[i] = quality.Judged{Sample: strconv.Itoa(i), Version: "v1", Value: f, Weight: 1}
		if i < labels {
			items[i].Labels = []quality.HumanLabel{{By: "ann", Value: y}}
		}
	}
	r.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
	return items
}

func covers(m quality.Measure, truth float64) bool {
	return m.Interval != nil && m.Interval[0] <= truth && truth <= m.Interval[1]
}

func width(m quality.Measure) float64 { return m.Interval[1] - m.Interval[0] }

// TestCorrectedMeanCovers measures coverage and width. It is the promise of the interval: at least 93 % where
// 95 % is said, at any number of labels, and hardly ever wider than the labels alone.
func TestCorrectedMeanCovers(t *testing.T) {
	runs := 3000
	if testing.Short() {
		runs = 200
	}
	for _, w := range worlds() {
		for _, labels := range []int{30, 100, 500} {
			r := rand.New(rand.NewPCG(uint64(labels), uint64(len(w.name))))
			hits, alone, narrow, wide, sum := 0, 0, 0.0, 0.0, 0.0
			for range runs {
				got := calibrate.Correct(simulate(r, w, 2000, labels), w.bounds)
				if covers(got.Mean, w.truth) {
					hits++
				}
				if covers(got.Alone, w.truth) {
					alone++
				}
				narrow, wide, sum = narrow+width(got.Mean), wide+width(got.Alone), sum+*got.Mean.Value
			}
			cover, se := float64(hits)/float64(runs), math.Sqrt(.95*.05/float64(runs))
			t.Logf("%-40s %3d labels: covered %.3f (labels alone %.3f), width %.3f of that of the labels, bias %+.4f",
				w.name, labels, cover, float64(alone)/float64(runs), narrow/wide, sum/float64(runs)-w.truth)
			if cover < .93-2*se {
				t.Errorf("%s, %d labels: covered in %.3f of %d runs, want at least 0.93", w.name, labels, cover, runs)
			}
			if narrow > 1.04*wide {
				t.Errorf("%s, %d labels: %.3f times as wide as the labels alone, want at most 1.04", w.name, labels, narrow/wide)
			}
		}
	}
}

// TestCorrectedMeanWithWeights keeps low scores more often and has them labelled more often: with the weights
// and chances of both the interval covers the mean of all. Weights of labels that lie a factor of 12 apart leave
// some thirty labels to tell of three quarters of the traffic, and too little coverage: that limit is held too.
func TestCorrectedMeanWithWeights(t *testing.T) {
	const runs, judged = 400, 3000
	for _, x := range []struct {
		name         string
		kept, chance [2]float64 // of a low score and of a high one
		least        float64
	}{
		{"kept alike, labelled alike", [2]float64{.5, .5}, [2]float64{.1, .1}, .93},
		{"low scores kept more often", [2]float64{.9, .3}, [2]float64{.1, .1}, .93},
		{"low scores labelled more often", [2]float64{1, 1}, [2]float64{.2, .1}, .93},
		{"both", [2]float64{.9, .45}, [2]float64{.2, .1}, .93},
		{"both, 12 times", [2]float64{.9, .3}, [2]float64{.2, .05}, .85},
	} {
		w, r, hits, alone := binary("", .8, .9, .2), rand.New(rand.NewPCG(8, 8)), 0, 0
		for range runs {
			got := calibrate.Correct(weighted(r, w, judged, x.kept, x.chance), w.bounds)
			if covers(got.Mean, w.truth) {
				hits++
			}
			if covers(got.Alone, w.truth) {
				alone++
			}
		}
		cover := float64(hits) / runs
		t.Logf("%-32s covered %.3f (labels alone %.3f)", x.name, cover, float64(alone)/runs)
		if cover < x.least-2*math.Sqrt(.95*.05/runs) {
			t.Errorf("%s: covered in %.3f of %d runs, want at least %.2f", x.name, cover, runs, x.least)
		}
	}
}

// weighted keeps and labels samples with chances that depend on their score.
func weighted(r *rand.Rand, w world, n int, kept, chance [2]float64) (items []quality.Judged) {
	for range n {
		f, y := w.draw(r)
		k := int(f)
		if r.Float64() >= kept[k] {
			continue
		}
		x := quality.Judged{Version: "v1", Value: f, Weight: 1 / kept[k], Chance: chance[k]}
		if r.Float64() < chance[k] {
			x.Labels = []quality.HumanLabel{{By: "ann", Value: y}}
		}
		items = append(items, x)
	}
	return items
}

func TestTooFewLabelsAreSaid(t *testing.T) {
	w, r := binary("", .8, .9, .2), rand.New(rand.NewPCG(9, 9))
	got := calibrate.Correct(simulate(r, w, 500, calibrate.MinLabels-1), w.bounds)
	if got.Method != quality.MethodNone || got.Mean.Value != nil || got.Raw.Value == nil || got.Note == "" {
		t.Errorf("got %+v", got)
	}
	picked := simulate(r, w, 2000, 0)
	for i, n := 0, 0; n < 60; i++ {
		if picked[i].Value == 0 { // people labelled what looked bad
			picked[i].Labels, n = []quality.HumanLabel{{By: "ann", Value: 0}}, n+1
		}
	}
	if got := calibrate.Correct(picked, w.bounds); got.Note == "" {
		t.Error("labels that are no random part are taken without a word")
	}
}

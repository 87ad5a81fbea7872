package calibrate_test

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/asgood-dev/asgood/evaluator/calibrate"
	"github.com/asgood-dev/asgood/internal/quality"
)

func marks(list ...[2]float64) (items []quality.Judged) {
	for i, m := range list {
		items = append(items, quality.Judged{Sample: strconv.Itoa(i), Version: "v1", Value: m[0], Labels: []quality.HumanLabel{{By: "ann", Value: m[1]}}})
	}
	return items
}

// TestKappaOfKnownTables holds kappa against worked examples: the 2x2 table of Cohen's measure with 20, 5, 10
// and 15 of 50 (kappa .4), and a table of three ordered marks worked by hand.
func TestKappaOfKnownTables(t *testing.T) {
	for _, x := range []struct {
		name       string
		categories []float64
		table      [][]int
		want       float64
	}{
		{"two marks", []float64{0, 1}, [][]int{{20, 5}, {10, 15}}, .4},
		{"perfect", []float64{0, 1}, [][]int{{20, 0}, {0, 30}}, 1},
		{"contrary", []float64{0, 1}, [][]int{{0, 25}, {25, 0}}, -1},
		// observed 1/4*20/60; expected 1/4*4/9 + 1*2/9 = 1/3: 1 - .08333/.33333
		{"three marks, quadratic", []float64{1, 2, 3}, [][]int{{15, 5, 0}, {5, 10, 5}, {0, 5, 15}}, .75},
	} {
		got := calibrate.Kappa(x.categories, x.table)
		if got.Value == nil || math.Abs(*got.Value-x.want) > 1e-9 {
			t.Errorf("%s: kappa %v, want %v", x.name, got.Value, x.want)
			continue
		}
		if got.Interval[0] > x.want || got.Interval[1] < x.want || got.Interval[1]-got.Interval[0] < .01 {
			t.Errorf("%s: interval %v around %v", x.name, *got.Interval, x.want)
		}
	}
	if got := calibrate.Kappa([]float64{1}, [][]int{{9}}); got.Value != nil {
		t.Errorf("one category: kappa %v, want none", *got.Value)
	}
}

// TestKappaCovers measures the coverage of the interval of kappa, also on small tables.
func TestKappaCovers(t *testing.T) {
	runs := 1000
	if testing.Short() {
		runs = 60
	}
	for _, w := range []world{binary("good judge", .8, .95, .1), binary("fair judge", .7, .8, .3), binary("nearly perfect judge", .8, .99, .02), ordinal(.6)} {
		truth := *calibrate.Agree("v1", simulate(rand.New(rand.NewPCG(5, 6)), rounded(w), 100_000, 100_000)).Kappa.Value
		for _, n := range []int{30, 100, 300} {
			r, hits, width := rand.New(rand.NewPCG(uint64(n), 9)), 0, 0.0
			for range runs {
				k := calibrate.Agree("v1", simulate(r, rounded(w), n, n)).Kappa
				if covers(k, truth) {
					hits++
				}
				if k.Interval != nil {
					width += k.Interval[1] - k.Interval[0]
				}
			}
			cover := float64(hits) / float64(runs)
			t.Logf("%-40s kappa %.3f, %3d labels: covered %.3f, mean width %.3f", w.name, truth, n, cover, width/float64(runs))
			if cover < .92-2*math.Sqrt(.95*.05/float64(runs)) {
				t.Errorf("%s, %d labels: covered in %.3f of %d runs, want 0.92", w.name, n, cover, runs)
			}
		}
	}
}

// rounded makes the judge give whole marks.
func rounded(w world) world {
	draw := w.draw
	w.draw = func(r *rand.Rand) (f, y float64) {
		f, y = draw(r)
		return math.Round(f), y
	}
	return w
}

func TestAgree(t *testing.T) {
	items := marks([2]float64{1, 1}, [2]float64{1, 0}, [2]float64{0, 0}, [2]float64{1, 1})
	items = append(items, quality.Judged{Version: "v2", Value: 1, Labels: []quality.HumanLabel{{By: "bob", Value: 0}}}, quality.Judged{Version: "v1", Value: 1})
	a := calibrate.Agree("v1", items)
	if a.N != 4 || a.Labels != 4 || a.Labellers != 1 || *a.Raw.Value != .75 || a.Kappa.Value != nil || a.Note == "" {
		t.Errorf("got %+v", a)
	}
	if want := [][]int{{1, 1}, {0, 2}}; !equalTables(a.Confusion, want) {
		t.Errorf("confusion %v, want %v (rows are people)", a.Confusion, want)
	}
	if a := calibrate.Agree("v9", items); a.N != 0 || a.Note == "" || a.Raw.Value != nil {
		t.Errorf("a version that nobody labelled: %+v", a)
	}
}

func equalTables(a, b [][]int) bool {
	for i := range b {
		for j := range b {
			if len(a) != len(b) || a[i][j] != b[i][j] {
				return false
			}
		}
	}
	return true
}

// TestAlphaOfAKnownTable holds alpha against the example of Krippendorff (2011), 4 observers of 12 units:
// alpha of interval data is .849.
func TestAlphaOfAKnownTable(t *testing.T) {
	const n = -1
	table := [][]float64{
		{1, 2, 3, 3, 2, 1, 4, 1, 2, n, n, n}, {1, 2, 3, 3, 2, 2, 4, 1, 2, 5, n, 3},
		{n, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, n}, {1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, n},
	}
	var items []quality.Judged
	for u := range table[0] {
		x := quality.Judged{Version: "v1"}
		for by, row := range table {
			if row[u] != n {
				x.Labels = append(x.Labels, quality.HumanLabel{By: strconv.Itoa(by), Value: row[u]})
			}
		}
		items = append(items, x)
	}
	got := calibrate.Alpha("v1", items)
	if got.Value == nil || math.Abs(*got.Value-.849) > .0005 {
		t.Fatalf("alpha %v, want .849", got.Value)
	}
	if got.Interval == nil || got.Interval[0] > .849 || got.Interval[1] < .849 {
		t.Errorf("interval %v", got.Interval)
	}
}

func TestPeopleWhoDoNotAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var items []quality.Judged
	for range 200 {
		f := float64(r.IntN(2))
		items = append(items, quality.Judged{Version: "v1", Value: f, Labels: []quality.HumanLabel{{By: "ann", Value: f}, {By: "bob", Value: float64(r.IntN(2))}}})
	}
	a := calibrate.Agree("v1", items)
	if a.Shared != 200 || a.Humans.Interval == nil || a.Humans.Interval[1] > .4 || a.Note == "" {
		t.Errorf("got %d shared, alpha %v, note %q", a.Shared, a.Humans.Interval, a.Note)
	}
}

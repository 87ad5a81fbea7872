package quality_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/asgood-dev/asgood/internal/quality"
)

func TestWilson(t *testing.T) {
	for _, tt := range []struct {
		count, n int
		lo, hi   float64
	}{
		{0, 0, 0, 1}, {0, 5, 0, 0.434482}, {5, 5, 0.565518, 1}, {1, 5, 0.036224, 0.624465},
		{8, 10, 0.490162, 0.943318}, {50, 100, 0.403832, 0.596168}, {1, 1000, 0.000177, 0.005642},
	} {
		lo, hi := quality.Wilson(tt.count, tt.n)
		if math.Abs(lo-tt.lo) > 1e-5 || math.Abs(hi-tt.hi) > 1e-5 {
			t.Errorf("%d of %d: got %f to %f, want %f to %f", tt.count, tt.n, lo, hi, tt.lo, tt.hi)
		}
	}
}

func TestWilsonAlways(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 100_000).Draw(t, "n")
		count := rapid.IntRange(0, n).Draw(t, "count")
		lo, hi := quality.Wilson(count, n)
		rate := float64(count) / float64(n)
		if !(0 <= lo && lo <= rate && rate <= hi && hi <= 1 && lo < hi) {
			t.Fatalf("%d of %d: %v to %v", count, n, lo, hi)
		}
		// By its definition the ends are where the score test of the share is just at 5 %.
		for _, end := range []float64{lo, hi} {
			if z := math.Abs(rate-end) / math.Sqrt(end*(1-end)/float64(n)); end > 0 && end < 1 && math.Abs(z-1.959964) > 1e-4 {
				t.Fatalf("%d of %d: the end %v lies %v standard errors away", count, n, end, z)
			}
		}
		if l, h := quality.Wilson(n-count, n); math.Abs(1-l-hi) > 1e-12 || math.Abs(1-h-lo) > 1e-12 {
			t.Fatalf("%d of %d is not the mirror of %d", count, n, n-count)
		}
		if l, h := quality.Wilson(2*count, 2*n); h-l >= hi-lo {
			t.Fatalf("%d of %d: twice as many trials do not say more", count, n)
		}
		if count < n {
			if l, h := quality.Wilson(count+1, n); l <= lo && count > 0 || h <= hi && count < n-1 {
				t.Fatalf("%d of %d: one more does not raise it", count, n)
			}
		}
	})
}

// coverage is the exact chance that the interval of n trials holds the true share p.
func coverage(n int, p float64) (sum float64) {
	for count := range n + 1 {
		lo, hi := quality.Wilson(count, n)
		if lo <= p && p <= hi {
			logC, _ := math.Lgamma(float64(n + 1))
			a, _ := math.Lgamma(float64(count + 1))
			b, _ := math.Lgamma(float64(n - count + 1))
			sum += math.Exp(logC - a - b + float64(count)*math.Log(p) + float64(n-count)*math.Log1p(-p))
		}
	}
	return sum
}

// The interval holds the true share in 95 % of runs on average over shares, and never much less often.
func TestWilsonCovers(t *testing.T) {
	const grid = 999
	for _, n := range []int{3, 5, 10, 20, 50, 100, 300} {
		mean, least := 0.0, 1.0
		for i := 1; i <= grid; i++ {
			c := coverage(n, float64(i)/(grid+1))
			mean, least = mean+c/grid, min(least, c)
		}
		t.Logf("n=%d: %.4f on average, %.4f at least", n, mean, least)
		if mean < 0.945 || least < 0.82 {
			t.Errorf("n=%d: %.4f on average, %.4f at least, want 0.945 and 0.82", n, mean, least)
		}
	}
}

// All prompts together: their shares differ, each is asked equally often. The pooled interval then is too
// wide rather than too narrow.
func TestPooledWilsonCovers(t *testing.T) {
	const n = 5
	shares := []float64{1, 0.9, 0.5, 0.9, 0.2, 1, 0.7, 0.95}
	chances := []float64{1} // of each count so far
	truth := 0.0
	for _, p := range shares {
		truth += p / float64(len(shares))
		for range n {
			next := make([]float64, len(chances)+1)
			for count, c := range chances {
				next[count] += c * (1 - p)
				next[count+1] += c * p
			}
			chances = next
		}
	}
	covered := 0.0
	for count, c := range chances {
		if lo, hi := quality.Wilson(count, n*len(shares)); lo <= truth && truth <= hi {
			covered += c
		}
	}
	if covered < 0.95 {
		t.Errorf("got %.4f, want 0.95 or more", covered)
	}
}

func TestBehaviourHistory(t *testing.T) {
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	var h quality.BehaviourHistory
	for i := range 120 {
		r := quality.NewBehaviourRate(i, 120)
		r.At = at.Add(time.Duration(i) * time.Hour)
		h = h.Add(r)
		if h.Latest.Count != i || len(h.Before) != min(i, quality.MaxBehaviours-1) || i > 0 && h.Before[0].Count != i-1 {
			t.Fatalf("after %d: latest %d, %d before", i, h.Latest.Count, len(h.Before))
		}
	}
	again := quality.NewBehaviourRate(0, 120)
	again.At = h.Latest.At
	if g := h.Add(again); g.Latest.Count != 0 || g.Before[0].Count != 118 || len(g.Before) != len(h.Before) {
		t.Errorf("a run that is repeated stands twice: %+v", g.Before[0])
	}
}

func TestLeft(t *testing.T) {
	rate := func(kind quality.BehaviourKind, count, n int) quality.BehaviourRate {
		r := quality.NewBehaviourRate(count, n)
		r.Kind = kind
		return r
	}
	before := rate(quality.BehaviourExpected, 9, 10) // 0.60 to 0.98
	for _, tt := range []struct {
		r    quality.BehaviourRate
		want bool
	}{
		{rate(quality.BehaviourExpected, 6, 10), false}, {rate(quality.BehaviourExpected, 5, 10), true},
		{rate(quality.BehaviourExpected, 10, 10), true}, {rate(quality.BehaviourSame, 1, 10), false},
		{rate(quality.BehaviourExpected, 0, 0), false},
	} {
		if got := tt.r.Left(&before); got != tt.want {
			t.Errorf("%d of %d: got %v, want %v", tt.r.Count, tt.r.N, got, tt.want)
		}
	}
}

func TestCanaryBody(t *testing.T) {
	p := quality.CanaryPrompt{ID: "a", Input: quality.Content{Messages: []quality.Message{{Role: "system", Content: "s"}, {Role: "user", Content: `"<é` + "\n"}}}}
	for text, want := range map[string]string{
		`{"q": {{json .Input}}}`:                    `{"q": "\"<é\n"}`,
		`{{json .Messages}}`:                        `[{"role":"system","content":"s"},{"role":"user","content":"\"<é\n"}]`,
		`{{range .Messages}}{{.Role}} {{end}}`:      `system user `,
		`{{.Attributes.none}}|{{json .Attributes}}`: `|null`,
	} {
		b, err := quality.CompileCanaryBody(text)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := b.Render(quality.CallOf(&p)); err != nil || string(got) != want {
			t.Errorf("%s: got %q, %v, want %q", text, got, err, want)
		}
	}
	for _, text := range []string{`{{printf "%02000000d" 1}}`, `{{define "x"}}xxxxxxxxxxxxxxxx{{template "x"}}{{end}}{{template "x"}}`, `{{.None}}`, `{{index .Messages 7}}`} {
		b, err := quality.CompileCanaryBody(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Render(quality.CallOf(&p)); err == nil {
			t.Errorf("%s is filled", text)
		}
	}
}

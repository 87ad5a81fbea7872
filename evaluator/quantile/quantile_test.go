package quantile_test

import (
	"math"
	"testing"

	"github.com/asgood-dev/asgood/evaluator/quantile"
)

// TestStudent95 compares with a table.
func TestStudent95(t *testing.T) {
	for df, want := range map[float64]float64{-1: 12.7062, 1: 12.7062, 2: 4.3027, 9: 2.2622, 10: 2.2281, 11: 2.2010, 20: 2.0860, 30: 2.0423, 120: 1.9799} {
		if got := quantile.Student95(df); math.Abs(got-want) > 1e-3 {
			t.Errorf("%v degrees of freedom: got %.4f, want %.4f", df, got, want)
		}
	}
	last := math.Inf(1)
	for df := 1.0; df < 1000; df += .25 {
		got := quantile.Student95(df)
		if got > last || got < quantile.Normal95 {
			t.Fatalf("%v degrees of freedom: %v after %v", df, got, last)
		}
		last = got
	}
}

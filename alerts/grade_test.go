package alerts_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/asgood-dev/asgood/alerts"
	"github.com/asgood-dev/asgood/internal/quality"
)

func TestGrade(t *testing.T) {
	language := quality.Slice{"language": "de"}
	for _, c := range []struct {
		name     string
		change   *float64
		bounds   [2]float64
		baseline *float64
		slice    quality.Slice
		share    float64
		want     quality.Severity
		reason   string
	}{
		{"size not known", nil, [2]float64{0, 1}, ptr(0.9), nil, 1, "minor", "it is confirmed; its size is not known"},
		{"small", ptr(-0.049), [2]float64{0, 1}, ptr(0.9), nil, 1, "minor", "contract is worse by 4.9 % of its range"},
		{"at major", ptr(-0.05), [2]float64{0, 1}, ptr(0.9), nil, 1, "major", "contract is worse by 5.0 % of its range"},
		{"below critical", ptr(-0.149), [2]float64{0, 1}, ptr(0.9), nil, 1, "major", "contract is worse by 14.9 % of its range"},
		{"at critical", ptr(-0.15), [2]float64{0, 1}, ptr(0.9), nil, 1, "critical", "contract is worse by 15.0 % of its range"},
		{"higher is worse", ptr(0.2), [2]float64{0, 1}, ptr(0.1), nil, 1, "critical", "contract is worse by 20.0 % of its range"},
		{"another range", ptr(-0.4), [2]float64{1, 5}, ptr(4.0), nil, 1, "major", "contract is worse by 10.0 % of its range"},
		{"no bounds", ptr(30.0), [2]float64{}, ptr(200.0), nil, 1, "critical", "contract is worse by 15.0 % of its usual value"},
		{"no bounds, below zero", ptr(-3.0), [2]float64{}, ptr(-50.0), nil, 1, "major", "contract is worse by 6.0 % of its usual value"},
		{"no bounds, from zero", ptr(3.0), [2]float64{}, ptr(0.0), nil, 1, "minor", "it is confirmed; its size is not known"},
		{"no bounds, no baseline", ptr(3.0), [2]float64{}, nil, nil, 1, "minor", "it is confirmed; its size is not known"},
		{"slice with traffic", ptr(-0.2), [2]float64{0, 1}, ptr(0.9), language, 0.1, "critical", "contract is worse by 20.0 % of its range"},
		{"slice with little traffic", ptr(-0.2), [2]float64{0, 1}, ptr(0.9), language, 0.09, "major", "contract is worse by 20.0 % of its range; one step less since it touches 9 % of the traffic"},
		{"major in little traffic", ptr(-0.06), [2]float64{0, 1}, ptr(0.9), language, 0.01, "minor", "contract is worse by 6.0 % of its range; one step less since it touches 1 % of the traffic"},
		{"minor stays", ptr(-0.01), [2]float64{0, 1}, ptr(0.9), language, 0.01, "minor", "contract is worse by 1.0 % of its range"},
		{"share not known", ptr(-0.2), [2]float64{0, 1}, ptr(0.9), language, 0, "critical", "contract is worse by 20.0 % of its range"},
		{"whole feature whatever its share", ptr(-0.2), [2]float64{0, 1}, ptr(0.9), nil, 0.01, "critical", "contract is worse by 20.0 % of its range"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := quality.Regression{Metric: "contract", Change: c.change, Range: c.bounds, Baseline: quality.Estimate{Mean: c.baseline}, Slice: c.slice, Share: c.share}
			if got, reason := alerts.Grade(r); got != c.want || reason != c.reason {
				t.Errorf("got %s: %s, want %s: %s", got, reason, c.want, c.reason)
			}
		})
	}
}

// TestWorseIsNeverGradedLess grades two regressions that differ in one thing.
func TestWorseIsNeverGradedLess(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		a := quality.Regression{Change: ptr(rapid.Float64Range(-1, 1).Draw(rt, "change")), Range: [2]float64{0, 1},
			Slice: quality.Slice{"a": "b"}, Share: rapid.Float64Range(0.001, 1).Draw(rt, "share")}
		b := a
		b.Change = ptr(*a.Change * rapid.Float64Range(1, 3).Draw(rt, "more"))
		b.Share = min(1, a.Share*rapid.Float64Range(1, 3).Draw(rt, "wider"))
		before, _ := alerts.Grade(a)
		after, _ := alerts.Grade(b)
		if after.Rank() < before.Rank() || before.Rank() < quality.SeverityMinor.Rank() {
			rt.Fatalf("got %s and then %s for %+v and %+v", before, after, a, b)
		}
	})
}

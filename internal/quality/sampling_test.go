package quality_test

import (
	"maps"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

func TestLowFeedback(t *testing.T) {
	zero := 0.0
	tests := []struct {
		name   string
		spec   quality.LowFeedbackSpec
		scores map[string]float64
		want   quality.Reception
	}{
		{"none", quality.LowFeedbackSpec{}, nil, quality.ReceptionUnknown},
		{"another metric", quality.LowFeedbackSpec{}, map[string]float64{"stars": 1}, quality.ReceptionUnknown},
		{"thumbs down", quality.LowFeedbackSpec{}, map[string]float64{"thumbs": 0}, quality.ReceptionLow},
		{"thumbs up", quality.LowFeedbackSpec{}, map[string]float64{"thumbs": 1}, quality.ReceptionFine},
		{"at the bound", quality.LowFeedbackSpec{}, map[string]float64{"thumbs": 0.5}, quality.ReceptionFine},
		{"below nought", quality.LowFeedbackSpec{Metric: "mood", Below: &zero}, map[string]float64{"mood": -1}, quality.ReceptionLow},
		{"nought is not below nought", quality.LowFeedbackSpec{Metric: "mood", Below: &zero}, map[string]float64{"mood": 0}, quality.ReceptionFine},
	}
	for _, tt := range tests {
		if got := tt.spec.Reception(tt.scores); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestMinimums(t *testing.T) {
	hour, daily := quality.Quota{N: 50, Per: time.Hour}, quality.Quota{N: 20, Per: 24 * time.Hour}
	spec := quality.SamplingSpec{PerCustomerMin: hour, Min: map[string]quality.Quota{"language": daily}}
	want := map[string]quality.Quota{"customer": hour, "language": daily}
	if got := spec.Minimums(); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if len(spec.Min) != 1 {
		t.Errorf("the specification was changed: %v", spec.Min)
	}
}

func TestQuotaString(t *testing.T) {
	for want, q := range map[string]quality.Quota{
		"10/m": {N: 10, Per: time.Minute}, "50/h": {N: 50, Per: time.Hour}, "2000/d": {N: 2000, Per: 24 * time.Hour}, "1/1s": {N: 1, Per: time.Second},
	} {
		if got := q.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

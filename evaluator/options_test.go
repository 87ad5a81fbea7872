package evaluator_test

import (
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/evaluator"
	"github.com/asgood-dev/asgood/evaluator/detect"
	"github.com/asgood-dev/asgood/internal/quality"
)

// TestBoundsOfMonitors holds monitors at their bounds and beyond: what cannot start is refused with the bound.
func TestBoundsOfMonitors(t *testing.T) {
	first := func(n int) quality.MonitorSpec { return quality.MonitorSpec{Baseline: quality.BaselineSpec{First: n}} }
	budget := func(n float64) quality.MonitorSpec {
		return quality.MonitorSpec{FalseAlarms: &quality.FalseAlarms{Samples: n}}
	}
	for _, c := range []struct {
		name string
		spec quality.MonitorSpec
		want string
	}{
		{"smallest baseline", first(50), ""},
		{"baseline too small", first(49), "want at least 50 and at most 100000, got 49"},
		{"largest baseline", first(100_000), ""},
		{"baseline too large", first(100_001), "want at least 50 and at most 100000, got 100001"},
		{"smallest budget", budget(100), ""},
		{"budget too small", budget(99), "want 100 to 1000000000000 samples"},
		{"largest budget", budget(1e12), ""},
		{"budget too large", budget(1.1e12), "want 100 to 1000000000000 samples"},
		{"budget below nothing", budget(-1), "want 100 to 1000000000000 samples"},
		{"period", quality.MonitorSpec{FalseAlarms: &quality.FalseAlarms{Period: time.Minute}}, ""},
		{"adjust by what users bring", quality.MonitorSpec{Adjust: []string{"language"}}, ""},
		{"adjust by what the product chooses", quality.MonitorSpec{Adjust: []string{"language", "Model"}}, `"Model" is chosen by the product`},
	} {
		_, err := evaluator.NewEngine(evaluator.EngineOptions{Features: bot(c.spec)})
		if (err == nil) != (c.want == "") || err != nil && (!strings.Contains(err.Error(), c.want) || quality.KindOf(err) != quality.KindInvalid) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

// The detectors do not know the vocabulary, so their bounds are written twice.
func TestBoundsOfDetectors(t *testing.T) {
	if quality.MinFalseAlarmSamples != detect.MinThreshold || quality.MaxFalseAlarmSamples != detect.MaxThreshold || quality.MinBaseline != detect.MinBaseline {
		t.Error("what a monitor may be configured with is not what a detector takes")
	}
}

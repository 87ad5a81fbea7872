package config_test

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/config"
	"github.com/asgood-dev/asgood/internal/quality"
)

func parseSampling(t *testing.T, sampling string) (*quality.SamplingSpec, error) {
	t.Helper()
	c, err := config.Parse("asgood.yaml", []byte("features:\n  - name: chat\n    sampling: "+sampling+"\n"), func(string) (string, bool) { return "", false })
	if err != nil {
		return nil, err
	}
	return c.Features[0].Sampling, nil
}

func TestSamplingDefaults(t *testing.T) {
	if s, err := parseSampling(t, ""); err != nil || s != nil {
		t.Errorf("left out: got %v, %v, want none: everything is kept", s, err)
	}
	s, err := parseSampling(t, "{per_customer_min: 50/h, min: {language: 1_000 / day}, always: [low_feedback], budget: 10/min}")
	if err != nil {
		t.Fatal(err)
	}
	mins := map[string]quality.Quota{"customer": {N: 50, Per: time.Hour}, "language": {N: 1000, Per: 24 * time.Hour}}
	if s.Rate != 1 || s.Hold != 10*time.Minute || s.LowFeedback.Metric != "thumbs" || *s.LowFeedback.Below != 0.5 ||
		!maps.Equal(s.Min, mins) || s.Budget != (quality.Quota{N: 10, Per: time.Minute}) {
		t.Errorf("got %+v", s)
	}
	if s, err := parseSampling(t, "{rate: 0.25}"); err != nil || s.Rate != 0.25 || s.Hold != 0 {
		t.Errorf("got %+v, %v", s, err)
	}
}

func TestSamplingProblems(t *testing.T) {
	tests := []struct{ text, path, want string }{
		{"{rate: 0}", "rate", "want more than 0"},
		{"{rate: 1.5}", "rate", "at most 1"},
		{"{rate: often}", "rate", "want a number"},
		{"{rates: 1}", "", `did you mean "rate"?`},
		{"{budget: 20000}", "budget", "want a number for each period such as 50/h"},
		{"{budget: 5/s}", "budget", "want a number for each period"},
		{"{budget: 0/h}", "budget", "want 1 to"},
		{"{budget: -1/h}", "budget", "want a number for each period"},
		{"{budget: 3000000000/h}", "budget", "want a number for each period"},
		{"{budget: [1]}", "budget", "got a list"},
		{"{per_customer_min: 0/h}", "per_customer_min", "want 1 to"},
		{"{per_customer_min: 1/h, min: {customer: 2/h}}", "per_customer_min", "min.customer says it already"},
		{`{min: {"a b": 2/h}}`, "min.a b", "want the name of an attribute"},
		{"{min: {language: }}", "min.language", "want 1 to"},
		{"{min: {a: 1/h, b: 1/h, c: 1/h, d: 1/h, e: 1/h, f: 1/h, g: 1/h, h: 1/h, i: 1/h}}", "min", "9 attributes, at most 8"},
		{"{always: [mistakes]}", "always[0]", "known: error, low_feedback, slow"},
		{"{always: [error, error]}", "always[1]", "stands twice"},
		{"{always: [slow]}", "always", "wants slower_than"},
		{"{always: [slow], slower_than: 0s}", "slower_than", "want more than 0"},
		{"{slower_than: 10s}", "slower_than", "has no effect unless always holds slow"},
		{"{hold: 10m}", "hold", "has no effect unless always holds low_feedback"},
		{"{always: [low_feedback], hold: 2d}", "hold", "want 1s to 1d"},
		{"{low_feedback: {below: 1}}", "low_feedback", "has no effect"},
		{`{always: [low_feedback], low_feedback: {metric: ""}}`, "low_feedback.metric", "want the name of a metric"},
	}
	for _, tt := range tests {
		_, err := parseSampling(t, tt.text)
		var problems config.Problems
		if !errors.As(err, &problems) || len(problems) != 1 {
			t.Errorf("%s: got %v, want one problem", tt.text, err)
			continue
		}
		path := strings.TrimSuffix("features[0].sampling."+tt.path, ".")
		p := problems[0]
		if p.Path != path || p.Line != 3 || p.Column < 14 || !strings.Contains(p.Message, tt.want) {
			t.Errorf("%s: got %s at %q, want %q at %q, in line 3", tt.text, fmt.Sprint(p), p.Path, tt.want, path)
		}
	}
}

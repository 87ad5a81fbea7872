package backtest_test

import (
	"strings"
	"testing"

	"github.com/asgood-dev/asgood/evaluator/backtest"
)

// The proposed configuration may watch other metrics, in another order.
func TestPlotOfOtherMonitors(t *testing.T) {
	is := func(metric string, median float64) backtest.Monitor {
		return backtest.Monitor{Feature: "bot", Metric: metric, Drops: []backtest.Drop{{Points: 5, Runs: 20, Found: 20, MedianScores: &median}}}
	}
	svg := backtest.Plot([]backtest.Side{
		{Name: "current", Monitors: []backtest.Monitor{is("gone", 100), is("both", 200)}},
		{Name: "proposed", Monitors: []backtest.Monitor{is("both", 300), is("added", 400)}},
	})
	for _, title := range []string{"bot / gone", "bot / both", "bot / added"} {
		if strings.Count(svg, title) != 1 {
			t.Errorf("%d panels of %q, want 1", strings.Count(svg, title), title)
		}
	}
	if got := strings.Count(svg, "has no monitor of it"); got != 2 {
		t.Errorf("%d times not watched, want once of each configuration", got)
	}
}

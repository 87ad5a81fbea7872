package views_test

import (
	"testing"

	"github.com/asgood-dev/asgood/evaluator/views"
	"github.com/asgood-dev/asgood/internal/quality"
)

func TestSight(t *testing.T) {
	share, stars := [2]float64{0, 1}, [2]float64{1, 5}
	for want, st := range map[string]quality.MonitorStatus{
		"It has no baseline yet and would notice nothing.": {State: quality.MonitorLearning, Range: share},
		"It is blind and would notice nothing.":            {State: quality.MonitorRegressed, Blind: quality.BlindConstant, Range: share},
		"It watches ranks, which have no unit: what it would notice cannot be said in the unit of the metric.": {
			State: quality.MonitorWatching, Unbounded: true},
		"With this traffic, about 2300 scores a day, it would notice a drop of about 4 points within a day. " +
			"It is sure to notice, sooner or later, a drop of about 1 point; a smaller one may be missed.": {
			State: quality.MonitorWatching, Range: share, SamplesPerDay: 2345.6, DetectableDay: new(.0384), Detectable: new(.0142)},
		"With this traffic, about 18 scores a day, it would notice no rise within a day. " +
			"It is sure to notice, sooner or later, a rise of about 0.9 points; a smaller one may be missed.": {
			State: quality.MonitorWatching, Worse: quality.WorseHigher, Range: share, SamplesPerDay: 18.4, Detectable: new(.0088)},
		"How many scores come in a day is not known yet. It is sure to notice, sooner or later, a drop of about 0.2; a smaller one may be missed.": {
			State: quality.MonitorImproved, Range: stars, Detectable: new(.234)},
		"With this traffic, about 0.3 scores a day, it would notice no drop within a day. Its reference is too small to be sure to notice any drop.": {
			State: quality.MonitorWatching, Range: stars, SamplesPerDay: .27},
	} {
		if got := views.Sight(&st); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

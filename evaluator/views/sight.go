package views

import (
	"fmt"
	"math"
	"strings"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Sight says in words what a monitor would notice, so that nobody trusts one that cannot see.
func Sight(st *quality.MonitorStatus) string {
	switch {
	case st.State == quality.MonitorUnknown || st.State == quality.MonitorLearning:
		return "It has no baseline yet and would notice nothing."
	case st.Blind != quality.BlindNone:
		return "It is blind and would notice nothing."
	case st.Unbounded:
		return "It watches ranks, which have no unit: what it would notice cannot be said in the unit of the metric."
	}
	way := "drop"
	if st.Worse == quality.WorseHigher {
		way = "rise"
	}
	return within(st, way) + " " + atAll(st, way)
}

// within says what is noticed within a day.
func within(st *quality.MonitorStatus, way string) string {
	switch {
	case st.SamplesPerDay <= 0:
		return "How many scores come in a day is not known yet."
	case st.DetectableDay == nil:
		return fmt.Sprintf("With this traffic, about %s scores a day, it would notice no %s within a day.", count(st.SamplesPerDay), way)
	default:
		return fmt.Sprintf("With this traffic, about %s scores a day, it would notice a %s of about %s within a day.", count(st.SamplesPerDay), way, about(st.Range, *st.DetectableDay))
	}
}

// atAll says what is noticed in the end.
func atAll(st *quality.MonitorStatus, way string) string {
	if st.Detectable == nil {
		return fmt.Sprintf("Its reference is too small to be sure to notice any %s.", way)
	}
	return fmt.Sprintf("It is sure to notice, sooner or later, a %s of about %s; a smaller one may be missed.", way, about(st.Range, *st.Detectable))
}

// about writes a difference with the one digit that it is good for: in points where the metric is a share.
func about(bounds [2]float64, v float64) string {
	unit := ""
	if bounds == [2]float64{0, 1} {
		v, unit = 100*v, " points"
	}
	text := fmt.Sprintf("%.0f", v)
	if v < 1 {
		text = fmt.Sprintf("%.1g", v)
	}
	if text == "1" {
		unit = strings.TrimSuffix(unit, "s")
	}
	return text + unit
}

// count writes a number with two digits.
func count(n float64) string {
	if n < 10 {
		return fmt.Sprintf("%.1g", n)
	}
	unit := math.Pow(10, math.Floor(math.Log10(n))-1)
	return fmt.Sprintf("%.0f", math.Round(n/unit)*unit)
}

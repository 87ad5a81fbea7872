package alerts

import (
	"fmt"
	"math"

	"github.com/asgood-dev/asgood/internal/quality"
)

// The parts of a metric's range (of the baseline's mean where it has no bounds) from which a change is
// major and critical, and the share of the traffic below which it counts one step less.
const (
	majorPart    = 0.05
	criticalPart = 0.15
	smallShare   = 0.10
)

// Grade returns the severity of a regression and the reason in words. Every confirmed regression is
// minor at least.
func Grade(r quality.Regression) (quality.Severity, string) {
	part, ok := changePart(r)
	if !ok {
		return quality.SeverityMinor, "it is confirmed; its size is not known"
	}
	severity := quality.SeverityMinor
	switch {
	case part >= criticalPart:
		severity = quality.SeverityCritical
	case part >= majorPart:
		severity = quality.SeverityMajor
	}
	reason := fmt.Sprintf("%s is worse by %.1f %% of %s", r.Metric, 100*part, wholeText(r))
	if len(r.Slice) > 0 && r.Share > 0 && r.Share < smallShare && severity != quality.SeverityMinor {
		severity = oneLess(severity)
		reason += fmt.Sprintf("; one step less since it touches %.0f %% of the traffic", 100*r.Share)
	}
	return severity, reason
}

func oneLess(s quality.Severity) quality.Severity {
	if s == quality.SeverityCritical {
		return quality.SeverityMajor
	}
	return quality.SeverityMinor
}

func unbounded(r quality.Regression) bool { return r.Range[1] <= r.Range[0] }

func wholeText(r quality.Regression) string {
	if unbounded(r) {
		return "its usual value"
	}
	return "its range"
}

// changePart is the size of the change relative to what the metric can be.
func changePart(r quality.Regression) (float64, bool) {
	if r.Change == nil {
		return 0, false
	}
	whole := r.Range[1] - r.Range[0]
	if unbounded(r) {
		if r.Baseline.Mean == nil || *r.Baseline.Mean == 0 {
			return 0, false
		}
		whole = math.Abs(*r.Baseline.Mean)
	}
	return math.Abs(*r.Change) / whole, true
}

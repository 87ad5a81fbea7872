package probe

import (
	"context"
	"errors"

	"github.com/asgood-dev/asgood/internal/quality"
)

// trafficChecker looks at the outputs that arrived.
type trafficChecker struct {
	feature string
	spec    quality.TrafficProbe
	traffic Traffic
}

func newTraffic(w *watched, t Traffic) (*trafficChecker, error) {
	if t == nil {
		return nil, errors.New("nothing counts the traffic")
	}
	return &trafficChecker{feature: w.feature, spec: *w.spec.Traffic, traffic: t}, nil
}

func (c *trafficChecker) check(context.Context) error {
	total, bad := c.traffic.Recent(c.feature, c.spec.Window)
	return judgeTraffic(c.spec, total, bad)
}

// judgeTraffic says what counts of a window mean: nil is up, an error down, or unknown where there were too few.
func judgeTraffic(s quality.TrafficProbe, total, bad uint64) error {
	if total == 0 || total < uint64(max(s.Min, 0)) {
		return unknown("%d outputs in %s, fewer than %d", total, s.Window, s.Min)
	}
	if share := float64(bad) / float64(total); share > s.ErrorsAbove {
		return said("%d of %d outputs in %s carry an error", bad, total, s.Window)
	}
	return nil
}

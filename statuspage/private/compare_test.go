package private_test

import (
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/statuspage/private"
)

func ptr[T any](v T) *T { return &v }

func own(n uint64, change, low, high float64) *quality.StreamStatus {
	return &quality.StreamStatus{
		Slice: quality.Slice{"customer": "acme"}, Ready: true, Current: quality.Estimate{N: n},
		Change: &change, Interval: &[2]float64{low, high},
	}
}

func regression(slices ...quality.Slice) *quality.Regression {
	r := &quality.Regression{Change: ptr(-0.1), Interval: &[2]float64{-0.12, -0.08}, DetectedAt: time.Unix(9, 0)}
	for _, s := range slices {
		r.Slices = append(r.Slices, quality.RegressionSlice{
			Slice: s, Change: ptr(-0.2), Interval: &[2]float64{-0.3, -0.1}, Current: quality.Estimate{N: 77}, DetectedAt: time.Unix(9, 0),
		})
	}
	if len(slices) > 0 {
		r.Slice = slices[0]
	}
	return r
}

func TestCompare(t *testing.T) {
	everyone, acme, zenith, german := quality.Slice{}, quality.Slice{"customer": "acme"}, quality.Slice{"customer": "zenith"}, quality.Slice{"language": "de"}
	recovered := regression(acme)
	recovered.Slices[0].RecoveredAt = ptr(time.Unix(10, 0))
	over := regression(everyone)
	over.RecoveredAt = ptr(time.Unix(10, 0))
	for name, tt := range map[string]struct {
		own   *quality.StreamStatus
		r     *quality.Regression
		worse quality.Direction
		hit   private.Hit
		reach private.Reach
		mine  bool // whether the figures are the customer's own
	}{
		"quiet":                             {own: own(500, 0, -0.01, 0.01), mine: true},
		"quiet, too few of their own":       {own: own(50, 0, -0.01, 0.01)},
		"quiet, not watched by itself":      {},
		"a regression that is over":         {own: own(500, 0, -0.01, 0.01), r: over, mine: true},
		"everyone, and it shows here":       {own: own(500, -0.2, -0.3, -0.1), r: regression(everyone, acme), hit: private.HitYes, reach: private.ReachEveryone, mine: true},
		"everyone, ruled out here":          {own: own(500, 0, -0.01, 0.01), r: regression(everyone), hit: private.HitNo, reach: private.ReachEveryone, mine: true},
		"everyone, not to be told here":     {own: own(500, -0.02, -0.06, 0.02), r: regression(everyone), hit: private.HitUnclear, reach: private.ReachEveryone, mine: true},
		"everyone, too few here":            {own: own(50, 0, -0.01, 0.01), r: regression(everyone), hit: private.HitUnclear, reach: private.ReachEveryone},
		"only here":                         {own: own(500, -0.2, -0.3, -0.1), r: regression(acme), hit: private.HitYes, reach: private.ReachYou, mine: true},
		"here, with few but confirmed":      {own: own(50, -0.2, -0.3, -0.1), r: regression(acme), hit: private.HitYes, reach: private.ReachYou, mine: true},
		"here and for others":               {own: own(500, -0.2, -0.3, -0.1), r: regression(zenith, acme), hit: private.HitYes, reach: private.ReachYou, mine: true},
		"only for others":                   {own: own(500, 0, -0.01, 0.01), r: regression(zenith), hit: private.HitNo, reach: private.ReachOthers, mine: true},
		"part of the answers":               {own: own(500, 0, -0.01, 0.01), r: regression(german), hit: private.HitNo, reach: private.ReachPart, mine: true},
		"recovered here":                    {own: own(500, -0.02, -0.06, 0.02), r: recovered, hit: private.HitUnclear, reach: private.ReachOthers, mine: true},
		"worse is higher, ruled out":        {own: own(500, -0.02, -0.06, 0.02), r: regression(everyone), worse: quality.WorseHigher, hit: private.HitNo, reach: private.ReachEveryone, mine: true},
		"worse is higher, not to be told":   {own: own(500, 0.02, -0.01, 0.06), r: regression(everyone), worse: quality.WorseHigher, hit: private.HitUnclear, reach: private.ReachEveryone, mine: true},
		"a slice of two attributes is none": {own: own(500, 0, -0.01, 0.01), r: regression(quality.Slice{"customer": "acme", "language": "de"}), hit: private.HitNo, reach: private.ReachOthers, mine: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := private.Compare(private.Input{
				Customer: "acme", Own: tt.own, Regression: tt.r, Material: 0.03, Least: 200,
				Status: quality.MonitorStatus{State: quality.MonitorWatching, Worse: tt.worse, Change: ptr(0.0), Interval: &[2]float64{-1, 1}},
			})
			if s.Hit != tt.hit || s.Reach != tt.reach {
				t.Errorf("got hit %q, reach %q, want %q, %q", s.Hit, s.Reach, tt.hit, tt.reach)
			}
			if _, mine := s.Basis(); mine != tt.mine {
				t.Errorf("figures are the customer's own: got %v, want %v", mine, tt.mine)
			}
		})
	}
}

func TestCompareFigures(t *testing.T) {
	r := regression(quality.Slice{"customer": "acme"})
	s := private.Compare(private.Input{Customer: "acme", Own: own(500, -0.01, -0.02, 0.03), Regression: r, Material: 0.03, Least: 200})
	if *s.Own.Change != -0.2 || s.Own.N != 77 || !s.Own.Since.Equal(time.Unix(9, 0)) {
		t.Errorf("of a confirmed slice: got change %v of %d since %v, want those of the regression", *s.Own.Change, s.Own.N, s.Own.Since)
	}
}

package private_test

import (
	"math"
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

// streams are those of a monitor: one of everyone, one of another customer, and one's own.
func streams(own *quality.StreamStatus) []quality.StreamStatus {
	out := []quality.StreamStatus{
		{Ready: true, Current: quality.Estimate{N: 9000}, Change: ptr(-0.004), Interval: &[2]float64{-0.01, 0.002}},
		{Slice: quality.Slice{"customer": "zenith"}, Ready: true, Current: quality.Estimate{N: 4321}, Change: ptr(-0.4321), Interval: &[2]float64{-0.5, -0.4}},
	}
	if own != nil {
		out = append(out, *own)
	}
	return out
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
				Names: []string{"acme"}, Streams: streams(tt.own), Regression: tt.r, Material: 0.03, Least: 200,
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
	s := private.Compare(private.Input{Names: []string{"acme"}, Streams: streams(own(500, -0.01, -0.02, 0.03)), Regression: r, Material: 0.03, Least: 200})
	if *s.Own.Change != -0.2 || s.Own.N != 77 || !s.Own.Since.Equal(time.Unix(9, 0)) {
		t.Errorf("of a confirmed slice: got change %v of %d since %v, want those of the regression", *s.Own.Change, s.Own.N, s.Own.Since)
	}
}

// While only another customer is worse, the monitor tells of them: everyone's figure must not be theirs.
func TestCompareEveryone(t *testing.T) {
	zenith := regression(quality.Slice{"customer": "zenith"})
	zenith.Change = ptr(-0.4321)
	st := quality.MonitorStatus{State: quality.MonitorRegressed, Change: ptr(-0.4321), Interval: &[2]float64{-0.5, -0.4}, Regression: "r", Since: ptr(time.Unix(3, 0)),
		Baseline: quality.Estimate{N: 66}, Current: quality.Estimate{N: 4321}}
	s := private.Compare(private.Input{Names: []string{"acme"}, Status: st, Streams: streams(nil), Regression: zenith, Material: 0.03, Least: 200})
	if !s.Fleet.Enough || *s.Fleet.Change != -0.004 || s.Fleet.N != 9000 || s.Fleet.Since != nil {
		t.Errorf("everyone: got %+v (change %v), want the whole feature's", s.Fleet, *s.Fleet.Change)
	}
	if s = private.Compare(private.Input{Names: []string{"acme"}, Status: st, Regression: zenith}); s.Fleet.Enough || s.Fleet.Change != nil {
		t.Errorf("without the stream of the whole feature: got %+v, want no figure", s.Fleet)
	}
	if got, ok := private.Outside(*zenith); ok {
		t.Errorf("a regression of one customer, outside: got %+v, want none", got)
	}
	both := regression(quality.Slice{"customer": "zenith"}, quality.Slice{"language": "de"})
	if got, ok := private.Outside(*both); !ok || got.Slice["language"] != "de" || *got.Change != -0.2 || len(got.Slices) != 0 {
		t.Errorf("of a customer and a language, outside: got %+v %v, want that of the language", got, ok)
	}
}

// The answers under all names of a customer count together.
func TestCompareAliases(t *testing.T) {
	old := own(100, -0.3, -0.4, -0.2)
	old.Slice, old.Baseline = quality.Slice{"customer": "acme-old"}, quality.Estimate{N: 50, Mean: ptr(0.8)}
	new := own(300, 0.1, 0, 0.2)
	new.Baseline = quality.Estimate{N: 150, Mean: ptr(0.9)}
	in := private.Input{Names: []string{"acme", "acme-old"}, Streams: append(streams(new), *old), Material: 0.03, Least: 400}
	s := private.Compare(in)
	if !s.Own.Enough || s.Own.N != 400 || math.Abs(*s.Own.Change) > 1e-12 || math.Abs(s.Own.Interval[0]+0.1) > 1e-12 || math.Abs(s.Own.Interval[1]-0.1) > 1e-12 || math.Abs(*s.Own.Baseline.Mean-0.875) > 1e-12 {
		t.Errorf("got %+v, change %v, interval %v", s.Own, *s.Own.Change, *s.Own.Interval)
	}
	in.Regression = regression(quality.Slice{"customer": "acme-old"})
	if s = private.Compare(in); s.Hit != private.HitYes || s.Own.N != 400 || s.Own.Since == nil {
		t.Errorf("confirmed under one of two names: got %+v, want a hit with the figures of both", s)
	}
}

// The slice of all others together is nobody's own, whatever a customer is called.
func TestCompareACustomerCalledOther(t *testing.T) {
	rest := own(500, -0.2, -0.3, -0.1)
	rest.Slice = quality.Slice{"customer": "other"}
	s := private.Compare(private.Input{Names: []string{"other"}, Streams: streams(rest), Regression: regression(rest.Slice), Least: 200})
	if s.Own.Watched || s.Hit != private.HitUnclear {
		t.Errorf("got %+v", s)
	}
}

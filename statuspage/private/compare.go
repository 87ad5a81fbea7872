package private

import (
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// customerAttribute is the attribute whose slices are customers.
const customerAttribute = "customer"

// Hit says whether an open regression shows in the customer's own answers.
type Hit string

// The answers to "does it hit us".
const (
	HitNone    Hit = ""        // no regression is open
	HitYes     Hit = "yes"     // confirmed in their answers
	HitNo      Hit = "no"      // a drop that matters is ruled out, with 95 %
	HitUnclear Hit = "unclear" // their answers can neither confirm nor rule it out
)

// Reach says whom an open regression is confirmed for.
type Reach string

// The answers to "is it us or everyone".
const (
	ReachNone     Reach = ""
	ReachEveryone Reach = "everyone" // the feature as a whole
	ReachPart     Reach = "part"     // part of the answers, by something else than who asks
	ReachYou      Reach = "you"      // among customers, for this one; what others see is not said
	ReachOthers   Reach = "others"   // not for this one
)

// Side is the figures of one side: the customer's own answers, or everyone's.
type Side struct {
	Enough   bool // there are enough answers to say something
	N        uint64
	Baseline quality.Estimate
	Change   *float64    // in the metric's unit, negative is lower
	Interval *[2]float64 // 95 %
	Since    *time.Time
}

// Input is what a standing is made of. All of it is of one metric of one feature.
type Input struct {
	Customer   string
	Status     quality.MonitorStatus
	Own        *quality.StreamStatus // of the customer's slice; nil when it is not watched by itself
	Regression *quality.Regression   // the open one; nil when there is none
	Material   float64               // smallest drop that matters, in the metric's unit
	Least      uint64                // answers of their own that a figure of their own needs
}

// Standing is what a customer is told of one metric.
type Standing struct {
	Own   Side
	Fleet Side
	Hit   Hit
	Reach Reach
}

// Basis is the side of which the tile speaks: their own where it has enough, else everyone's.
func (s *Standing) Basis() (side Side, own bool) {
	if s.Own.Enough {
		return s.Own, true
	}
	return s.Fleet, false
}

// Compare tells where a customer stands.
func Compare(in Input) Standing {
	s := Standing{Own: ownSide(in), Fleet: fleetSide(in)}
	if in.Regression == nil || !in.Regression.Open() {
		return s
	}
	mine := confirmed(in.Regression, in.Customer)
	s.Hit, s.Reach = hit(in, s.Own, mine), reach(in.Regression, mine)
	if mine != nil {
		s.Own.Enough = true // what is confirmed has shown that it is enough
		s.Own.Baseline, s.Own.N, s.Own.Change, s.Own.Interval = mine.Baseline, mine.Current.N, mine.Change, mine.Interval
		if s.Own.Since = mine.StartedAt; s.Own.Since == nil {
			s.Own.Since = &mine.DetectedAt
		}
	}
	return s
}

func ownSide(in Input) Side {
	if in.Own == nil {
		return Side{}
	}
	o := in.Own
	return Side{
		Enough: o.Ready && o.Current.N >= in.Least && o.Change != nil && o.Interval != nil,
		N:      o.Current.N, Baseline: o.Baseline, Change: o.Change, Interval: o.Interval,
	}
}

func fleetSide(in Input) Side {
	st := in.Status
	s := Side{N: st.Current.N, Baseline: st.Baseline, Change: st.Change, Interval: st.Interval, Since: st.Since}
	s.Enough = st.Change != nil && st.State != quality.MonitorBlind && st.State != quality.MonitorLearning
	r := in.Regression
	if r != nil && r.Open() && len(r.Slice) == 0 {
		s.Enough, s.N, s.Baseline, s.Change, s.Interval, s.Since = r.Change != nil, r.Current.N, r.Baseline, r.Change, r.Interval, r.StartedAt
	}
	return s
}

// confirmed is the customer's own slice in a regression, if it is confirmed and has not recovered.
func confirmed(r *quality.Regression, customer string) *quality.RegressionSlice {
	for i := range r.Slices {
		s := &r.Slices[i]
		if len(s.Slice) == 1 && s.Slice[customerAttribute] == customer && s.RecoveredAt == nil {
			return s
		}
	}
	return nil
}

func hit(in Input, own Side, mine *quality.RegressionSlice) Hit {
	switch {
	case mine != nil:
		return HitYes
	case own.Enough && largestDrop(*own.Interval, in.Status.Worse) < in.Material:
		return HitNo
	default:
		return HitUnclear
	}
}

// largestDrop is the largest drop that an interval of a change does not rule out.
func largestDrop(interval [2]float64, worse quality.Direction) float64 {
	if worse == quality.WorseHigher {
		return interval[1]
	}
	return -interval[0]
}

// reach tells nothing of other customers: of a regression that is confirmed for some of them alone only that this
// one is not among them.
func reach(r *quality.Regression, mine *quality.RegressionSlice) Reach {
	part := false
	for _, s := range r.Slices {
		if s.RecoveredAt != nil {
			continue
		}
		if len(s.Slice) == 0 {
			return ReachEveryone
		}
		if _, customers := s.Slice[customerAttribute]; !customers {
			part = true
		}
	}
	switch {
	case len(r.Slice) == 0:
		return ReachEveryone
	case part:
		return ReachPart
	case mine != nil:
		return ReachYou
	default:
		return ReachOthers
	}
}

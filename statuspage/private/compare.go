package private

import (
	"slices"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// customerAttribute is the attribute whose slices are customers.
const customerAttribute = "customer"

// everyoneElse is the value of the slice of those who are not watched by themselves.
const everyoneElse = "other"

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
	Scores   uint64 // that were ever seen
	Learning bool   // what is usual is not known yet
	Watched  bool   // these answers are watched by themselves
}

// Input is what a standing is made of. All of it is of one metric of one feature.
type Input struct {
	Names      []string // the customer's, as samples carry them
	Status     quality.MonitorStatus
	Streams    []quality.StreamStatus // of the monitor; of those of others nothing is used
	Regression *quality.Regression    // the open one; nil when there is none
	Material   float64                // smallest drop that matters, in the metric's unit
	Least      uint64                 // answers of their own that a figure of their own needs
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
	confirmed := slices.DeleteFunc(Confirmed(*in.Regression, in.Names), func(x quality.RegressionSlice) bool { return x.RecoveredAt != nil })
	s.Hit, s.Reach = hit(in, s.Own, confirmed), reach(in.Regression, len(confirmed) > 0)
	if len(confirmed) > 0 {
		s.Own.confirm(confirmed, len(mine(in.Streams, in.Names)) <= 1)
	}
	return s
}

// confirm takes the figures of the confirmed slice where it holds all answers of the customer. Of a customer with
// several names the figures stay those of all of them together.
func (s *Side) confirm(mine []quality.RegressionSlice, all bool) {
	first := mine[0]
	if all && first.Change != nil {
		s.Enough = true // what is confirmed has shown that it is enough
		s.Baseline, s.N, s.Change, s.Interval = first.Baseline, first.Current.N, first.Change, first.Interval
	}
	for _, x := range mine {
		since := started(x)
		if s.Since == nil || since.Before(*s.Since) {
			s.Since = &since
		}
	}
}

func started(x quality.RegressionSlice) time.Time {
	if x.StartedAt != nil {
		return *x.StartedAt
	}
	return x.DetectedAt
}

func ownSide(in Input) Side {
	o := pool(mine(in.Streams, in.Names))
	if o == nil {
		return Side{}
	}
	return Side{
		Enough: o.Ready && o.Current.N >= in.Least && o.Change != nil && o.Interval != nil, Watched: true, Learning: !o.Ready,
		N: o.Current.N, Scores: o.Scores, Baseline: o.Baseline, Change: o.Change, Interval: o.Interval,
	}
}

// mine are the streams of the customer's own slices.
func mine(streams []quality.StreamStatus, names []string) (out []quality.StreamStatus) {
	for _, s := range streams {
		if isCustomer(s.Slice, names) {
			out = append(out, s)
		}
	}
	return out
}

// isCustomer reports whether a slice is the customer's own. That of all who are not watched by themselves is nobody's,
// also of a customer who has its name.
func isCustomer(s quality.Slice, names []string) bool {
	name, ok := s[customerAttribute]
	return ok && len(s) == 1 && name != everyoneElse && slices.Contains(names, name)
}

// pool puts the streams of the names of one customer together. The interval is the mean of theirs: it is too wide
// rather than too narrow, whatever their baselines have in common. It is nil when there are none.
func pool(streams []quality.StreamStatus) *quality.StreamStatus {
	if len(streams) < 2 {
		if len(streams) == 1 {
			return &streams[0]
		}
		return nil
	}
	var out quality.StreamStatus
	var change, low, high, mean, base, bases float64
	for _, s := range streams {
		out.Scores += s.Scores
		if !s.Ready || s.Change == nil || s.Interval == nil || s.Baseline.Mean == nil || s.Current.N == 0 {
			continue
		}
		n, b := float64(s.Current.N), float64(s.Baseline.N)
		out.Ready, out.Current.N, out.Baseline.N = true, out.Current.N+s.Current.N, out.Baseline.N+s.Baseline.N
		change, low, high = change+n**s.Change, low+n*s.Interval[0], high+n*s.Interval[1]
		base, bases = base+b**s.Baseline.Mean, bases+b
	}
	if n := float64(out.Current.N); n > 0 && bases > 0 {
		change, base = change/n, base/bases
		mean = base + change
		out.Change, out.Interval = &change, &[2]float64{low / n, high / n}
		out.Baseline.Mean, out.Current.Mean = &base, &mean
	}
	return &out
}

// fleetSide is that of the whole feature. While a regression is open, the status of its monitor tells of the widest
// slice that is confirmed, which may be another customer: then the stream of the whole feature tells.
func fleetSide(in Input) Side {
	st, r := Everyone(in.Status, in.Regression, in.Streams), in.Regression
	s := Side{N: st.Current.N, Baseline: st.Baseline, Change: st.Change, Interval: st.Interval, Since: st.Since, Watched: true}
	s.Learning = st.State == quality.MonitorLearning || st.State == quality.MonitorUnknown
	s.Enough = st.Change != nil && st.State != quality.MonitorBlind && !s.Learning
	if r != nil && r.Open() && len(r.Slice) == 0 {
		s.Enough, s.N, s.Baseline, s.Change, s.Interval, s.Since = r.Change != nil, r.Current.N, r.Baseline, r.Change, r.Interval, r.StartedAt
	}
	return s
}

// Everyone is what a monitor says of the whole feature, without what it says of a slice in which a regression is
// confirmed.
func Everyone(st quality.MonitorStatus, r *quality.Regression, streams []quality.StreamStatus) quality.MonitorStatus {
	if st.State != quality.MonitorRegressed || r != nil && len(r.Slice) == 0 {
		return st
	}
	st.State, st.Regression, st.Since, st.Reason = quality.MonitorWatching, "", nil, ""
	st.Baseline, st.Current, st.Change, st.Interval = quality.Estimate{}, quality.Estimate{}, nil, nil
	if st.Blind != quality.BlindNone {
		st.State = quality.MonitorBlind
	}
	for _, s := range streams {
		if len(s.Slice) == 0 {
			st.Baseline, st.Current, st.Change, st.Interval = s.Baseline, s.Current, s.Change, s.Interval
		}
	}
	return st
}

// Confirmed are the slices of a customer in a regression, those that recovered too.
func Confirmed(r quality.Regression, names []string) (out []quality.RegressionSlice) {
	for _, s := range r.Slices {
		if isCustomer(s.Slice, names) {
			out = append(out, s)
		}
	}
	return out
}

// Outside is a regression as everyone may see it: of the whole feature, or of a part that is no customer. Others are
// left out, and it is false when nothing remains.
func Outside(r quality.Regression) (quality.Regression, bool) {
	all := r.Slices
	r.Slices = nil
	if len(r.Slice) == 0 {
		return r, true
	}
	for _, s := range all {
		if _, customer := s.Slice[customerAttribute]; customer || s.RecoveredAt != nil && r.RecoveredAt == nil {
			continue
		}
		since := started(s)
		r.Slice, r.Baseline, r.Current, r.Change, r.Interval = s.Slice, s.Baseline, s.Current, s.Change, s.Interval
		r.StartedAt, r.DetectedAt, r.StartedBetween = &since, s.DetectedAt, s.StartedBetween
		if s.RecoveredAt != nil {
			r.RecoveredAt = s.RecoveredAt
		}
		return r, true
	}
	return quality.Regression{}, false
}

// Own is a regression as it was in the answers of a customer, from its first slice of theirs; false when it was in
// none.
func Own(r quality.Regression, names []string) (quality.Regression, bool) {
	all := Confirmed(r, names)
	if len(all) == 0 {
		return quality.Regression{}, false
	}
	s := all[0]
	since := started(s)
	r.Slices, r.Slice = nil, s.Slice
	r.Baseline, r.Current, r.Change, r.Interval = s.Baseline, s.Current, s.Change, s.Interval
	r.StartedAt, r.DetectedAt, r.StartedBetween = &since, s.DetectedAt, s.StartedBetween
	if s.RecoveredAt != nil {
		r.RecoveredAt = s.RecoveredAt
	}
	return r, true
}

func hit(in Input, own Side, mine []quality.RegressionSlice) Hit {
	switch {
	case len(mine) > 0:
		return HitYes
	case own.Enough && LargestDrop(*own.Interval, in.Status.Worse) < in.Material:
		return HitNo
	default:
		return HitUnclear
	}
}

// LargestDrop is the largest drop that an interval of a change does not rule out.
func LargestDrop(interval [2]float64, worse quality.Direction) float64 {
	if worse == quality.WorseHigher {
		return interval[1]
	}
	return -interval[0]
}

// reach tells nothing of other customers: of a regression that is confirmed for some of them alone only that this
// one is not among them.
func reach(r *quality.Regression, mine bool) Reach {
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
	case mine:
		return ReachYou
	default:
		return ReachOthers
	}
}

// Package explain says why a metric of a feature got worse: how much of the drop is another mix of traffic and
// how much is worse answers, which slices carry it, which changes could have made it, and which samples show
// it.
//
// It owns the decomposition, the tests of slices, the ranking of suspects, the evidence, and the loop that
// keeps an explanation for each regression. It finds no regression, and grades and tells none.
package explain

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Bounds of what is compared.
const (
	longestBefore = 14 * 24 * time.Hour
	startSteps    = 400
	startWindow   = 24 * time.Hour // on either side of the start
	maxAttributes = 24
	groupsOfFit   = 100
)

// Store answers questions about stored scores and samples.
type Store interface {
	ScoreAttributes(ctx context.Context, q quality.ScoreQuery) ([]string, error)
	ScoreCells(ctx context.Context, q quality.ScoreQuery, attributes []string, most int) ([]quality.ScoreCell, error)
	ScoreSplit(ctx context.Context, q quality.ScoreQuery, by, attribute, value string, most int) ([]quality.SplitCell, error)
	ScoreSteps(ctx context.Context, q quality.ScoreQuery, p quality.Period, steps int) ([]quality.ScoreStep, error)
	ExtremeScores(ctx context.Context, q quality.ScoreQuery, p quality.Period, best bool, each, most int) ([]quality.ScoredSample, error)
	SamplesOf(ctx context.Context, feature string, list []quality.ScoredSample) ([]quality.Sample, error)
}

// Ledger tells what changed. Answers may be of a moment ago.
type Ledger interface {
	// Changes returns all entries that touch a feature.
	Changes(ctx context.Context, feature string) ([]quality.Change, error)
	// Behaviours returns what canaries saw of a feature.
	Behaviours(ctx context.Context, feature string) ([]quality.BehaviourHistory, error)
}

// Judges tells whether the judge of a metric moved by itself.
type Judges interface {
	// Moved returns by how much the judge moved from one period to another, or nil when that is not known
	// or the metric has none.
	Moved(ctx context.Context, feature, metric string, before, after quality.Period) (*quality.JudgeShift, error)
}

// ExplainerOptions configures an Explainer. Store and Ledger are required.
type ExplainerOptions struct {
	Features  []quality.Feature
	Customers []quality.Customer
	Store     Store
	Ledger    Ledger
	Judges    Judges // nil: nothing is known of judges
}

// Explainer explains regressions. It is safe for concurrent use.
type Explainer struct {
	o       ExplainerOptions
	consent map[string]bool // of the customers that said yes or no
	refuse  map[string]bool // those that said no, however their names are written
}

// NewExplainer returns an explainer.
func NewExplainer(o ExplainerOptions) (*Explainer, error) {
	if o.Store == nil || o.Ledger == nil {
		return nil, errors.New("explain: Store and Ledger are required")
	}
	x := &Explainer{o: o, consent: map[string]bool{}, refuse: map[string]bool{}}
	for _, c := range o.Customers {
		if c.Examples != nil {
			x.consent[c.Name] = *c.Examples
			x.refuse[written(c.Name)] = x.refuse[written(c.Name)] || !*c.Examples
		}
	}
	return x, nil
}

// Explain explains a regression as of now. since is when the one before it of the same metric was over, zero
// for none: what lies before that is no usual time. The error is that of a store that is away.
func (x *Explainer) Explain(ctx context.Context, r quality.Regression, since, now time.Time) (quality.Explanation, quality.Evidence, error) {
	e := quality.Explanation{Regression: r.ID, Feature: r.Feature, Metric: r.Metric, Range: r.Range, Worse: r.Worse, Material: r.Material,
		At: now, Final: !r.Open(), Splits: []quality.Split{}, Slices: []quality.CarryingPart{}, Suspects: []quality.Suspect{}, Unknown: 1, Facts: []quality.Fact{}}
	q, start, err := x.periods(ctx, &e, r, since, now)
	if err != nil {
		return e, quality.Evidence{}, err
	}
	byAttribute, err := x.cells(ctx, q)
	if err != nil {
		return e, quality.Evidence{}, err
	}
	whole := quality.ScoreCell{}
	if all := byAttribute[""]; len(all) > 0 {
		whole = all[0]
	}
	delete(byAttribute, "")
	e.Usual, e.Current = whole.Before.Estimate(), whole.After.Estimate()
	if whole.Before.N < minTested || whole.After.N < minTested {
		e.Notes = append(e.Notes, fmt.Sprintf("There are %d scores before and %d after the start, too few to explain anything.", whole.Before.N, whole.After.N))
		return e, quality.Evidence{Regression: r.ID, At: now, Examples: []quality.Example{}}, nil
	}
	if sums := whole.Before.WWVV + whole.After.WWVV; math.IsInf(sums, 0) || math.IsNaN(sums) {
		e.Notes = append(e.Notes, "The scores are too large to be summed.")
		e.Usual, e.Current = quality.Estimate{N: e.Usual.N}, quality.Estimate{N: e.Current.N}
		return e, quality.Evidence{Regression: r.ID, At: now, Examples: []quality.Example{}}, nil
	}
	x.split(&e, whole, byAttribute)
	if err := x.suspects(ctx, q, &e, r, start, byAttribute); err != nil {
		return e, quality.Evidence{}, err
	}
	ev, err := x.evidence(ctx, q, &e)
	return e, ev, err
}

// periods chooses what is compared: the time from the start on with the two weeks before it, without the time
// in between where it is not known which it is.
func (x *Explainer) periods(ctx context.Context, e *quality.Explanation, r quality.Regression, since, now time.Time) (quality.ScoreQuery, time.Time, error) {
	start, end := r.DetectedAt, now
	if r.StartedAt != nil {
		start = *r.StartedAt
	}
	for _, t := range []*time.Time{r.RecoveredAt, r.WithdrawnAt} {
		if t != nil && t.After(start) {
			end = *t
		}
	}
	end = later(end, start.Add(time.Second)) // the clocks of senders and ours differ
	q := quality.ScoreQuery{Feature: r.Feature, Metric: r.Metric, Worse: r.Worse, Slice: queried(r.Slice),
		Before: quality.Period{From: later(start.Add(-longestBefore), since), To: start}, After: quality.Period{From: start, To: end}}
	long := min(startWindow, max(end.Sub(start), 10*time.Minute))
	around := quality.Period{From: later(start.Add(-long), q.Before.From), To: end}
	if around.To.Sub(start) > long {
		around.To = start.Add(long)
	}
	if r.StartedBetween != nil {
		e.Start = quality.Period{From: r.StartedBetween[0], To: r.StartedBetween[1]}
	} else {
		steps, err := x.o.Store.ScoreSteps(ctx, q, around, startSteps)
		if err != nil {
			return q, start, err
		}
		e.Start = StartInterval(steps, start)
	}
	q.Before.To = e.Start.From
	if e.Start.To.Sub(start) < end.Sub(start)/2 {
		q.After.From = e.Start.To
	}
	if q.Slice["source"] != quality.SourceCanary {
		q.Slice = nil // slices are compared with the rest of the traffic, of which canaries are no part
	}
	e.Before, e.After = q.Before, q.After
	return q, start, nil
}

// queried is a slice by which scores can be chosen: the values that share a stream cannot be named.
func queried(s quality.Slice) quality.Slice {
	for _, v := range s {
		if v == other {
			return nil
		}
	}
	return s
}

// cells sums the scores by every attribute. What is beyond the largest values becomes one more.
func (x *Explainer) cells(ctx context.Context, q quality.ScoreQuery) (map[string][]quality.ScoreCell, error) {
	found, err := x.o.Store.ScoreAttributes(ctx, q)
	if err != nil {
		return nil, err
	}
	list, err := x.o.Store.ScoreCells(ctx, q, attributesOf(found, x.sliced(q)), maxSegments)
	if err != nil {
		return nil, err
	}
	out := map[string][]quality.ScoreCell{}
	for _, c := range list {
		out[c.Attribute] = append(out[c.Attribute], c)
	}
	if len(out[""]) == 0 {
		return out, nil
	}
	for name, cells := range out {
		rest := out[""][0]
		for _, c := range cells {
			rest.Before, rest.After = rest.Before.Minus(c.Before), rest.After.Minus(c.After)
		}
		if name != "" && rest.Before.N+rest.After.N > 0 {
			out[name] = append(cells, quality.ScoreCell{Attribute: name, Value: other, Before: rest.Before, After: rest.After})
		}
	}
	return out, nil
}

// sliced are the attributes by which the monitor of a metric slices or adjusts.
func (x *Explainer) sliced(q quality.ScoreQuery) (out []string) {
	for _, f := range x.o.Features {
		for _, m := range f.Monitors {
			if f.Name == q.Feature && m.Metric == q.Metric {
				out = slices.Concat(m.Slices, m.Adjust)
			}
		}
	}
	return out
}

// split fills in the change, its splits and the slices that carry it.
func (x *Explainer) split(e *quality.Explanation, whole quality.ScoreCell, byAttribute map[string][]quality.ScoreCell) {
	_, change := Split("", []quality.ScoreCell{whole})
	e.Change = &change
	for name, cells := range byAttribute {
		if len(cells) < 2 {
			continue // one value for all says nothing
		}
		s, _ := Split(name, cells)
		e.Splits = append(e.Splits, s)
	}
	slices.SortFunc(e.Splits, bySplit)
	if s := e.TrafficSplit(); s == nil {
		e.Notes = append(e.Notes, "No attribute of the traffic has more than one value, so its mix cannot be told apart.")
	}
	e.Slices, e.Tested, e.TooSmall = Carrying(byAttribute, change.Value, e.Material, e.Worse)
	if e.Slices == nil {
		e.Slices = []quality.CarryingPart{}
	}
}

// suspects fills in what may have made the change, and the facts.
func (x *Explainer) suspects(ctx context.Context, q quality.ScoreQuery, e *quality.Explanation, r quality.Regression, start time.Time, byAttribute map[string][]quality.ScoreCell) error {
	changes, err := x.o.Ledger.Changes(ctx, r.Feature)
	if err != nil {
		return err
	}
	behaviours, err := x.o.Ledger.Behaviours(ctx, r.Feature)
	if err != nil {
		return err
	}
	traffic, within, by := e.TrafficSplit(), e.Change.Value, quality.AttributeVersion
	if traffic != nil {
		within, by = traffic.Within.Value, traffic.Attribute
	}
	list := candidates(changes, e.Start, r.DetectedAt, byAttribute)
	known := map[string]fit{}
	for i := range list {
		s := &list[i]
		if err := x.fit(ctx, q, s, by, known); err != nil {
			return err
		}
		s.judge(e.Start, within, s.Attribute != "")
		s.tell(e.Start, start, e.Range)
	}
	for _, s := range canarySuspects(r.Feature, behaviours, e.Start) {
		s.judge(e.Start, within, false)
		list = append(list, s)
	}
	measured := trafficSuspect(traffic, *e.Change, e.Range)
	move, err := x.judgeMove(ctx, q)
	if err != nil {
		return err
	}
	measured = append(measured, judgeSuspect(move, *e.Change, e.Range)...)
	e.Suspects, e.Unknown = rank(measured, list)
	if e.Suspects == nil {
		e.Suspects = []quality.Suspect{}
	}
	e.Facts = facts(byAttribute, by, changes, start)
	return nil
}

func (x *Explainer) judgeMove(ctx context.Context, q quality.ScoreQuery) (*quality.JudgeShift, error) {
	if x.o.Judges == nil {
		return nil, nil
	}
	return x.o.Judges.Moved(ctx, q.Feature, q.Metric, q.Before, q.After)
}

// fit compares the traffic of a suspect with the other, within the segments of the split that explains most.
// What one suspect was compared with is known for the others of the same value.
func (x *Explainer) fit(ctx context.Context, q quality.ScoreQuery, s *suspect, by string, known map[string]fit) error {
	if s.Attribute == "" || s.Impossible != "" {
		return nil
	}
	key := s.Attribute + "\x00" + s.Value
	f, ok := known[key]
	if !ok {
		cells, err := x.o.Store.ScoreSplit(ctx, q, by, s.Attribute, s.Value, groupsOfFit)
		if err != nil {
			return err
		}
		f = newFit(cells)
		known[key] = f
	}
	s.fit = f
	s.Touched, s.With, s.Without = &s.fit.touched, s.fit.with, s.fit.without
	return nil
}

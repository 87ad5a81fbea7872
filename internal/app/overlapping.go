package app

import (
	"context"
	"fmt"
	"slices"

	"github.com/asgood-dev/asgood/evaluator/score"
	"github.com/asgood-dev/asgood/evaluator/score/overlap"
	"github.com/asgood-dev/asgood/internal/config"
	"github.com/asgood-dev/asgood/internal/quality"
)

// maxOverlap bounds the samples of which both scores are held; later ones are left out and counted.
const maxOverlap = 200_000

// OverlapResult says how far each metric moves between two configurations.
type OverlapResult struct {
	Feature string        `json:"feature"`
	Samples ScoreResult   `json:"samples"`
	Steps   []OverlapStep `json:"steps"` // of the metrics whose version differs
	Same    []string      `json:"same"`  // metrics of one version in both
	Added   []string      `json:"added"` // metrics that only the new configuration has
	Gone    []string      `json:"gone"`  // metrics that only the old one has
}

// OverlapStep is the step of one metric.
type OverlapStep struct {
	quality.VersionStep
	Agreement float64                `json:"agreement"` // share of the outputs of which both say the same
	Worst     []overlap.Disagreement `json:"worst"`
	OnlyOld   int                    `json:"only_old"`        // samples that only the old version scored
	OnlyNew   int                    `json:"only_new"`        // samples that only the new version scored
	LeftOut   int                    `json:"left_out"`        // pairs beyond what is held
	Error     string                 `json:"error,omitempty"` // why there is no step
}

// Overlap runs the scorers of two configurations over the same samples and estimates the step of every metric
// whose scorer's version differs.
func Overlap(ctx context.Context, o ScoreOptions, old *config.Config) (OverlapResult, error) {
	after, err := featureOf(o.Config, o.Feature)
	if err != nil {
		return OverlapResult{}, err
	}
	before, err := featureOf(old, after.Name)
	if err != nil {
		return OverlapResult{}, fmt.Errorf("the old configuration: %w", err)
	}
	result := OverlapResult{Feature: after.Name, Samples: ScoreResult{Rejected: []RejectedRow{}}, Steps: []OverlapStep{}, Same: []string{}, Added: []string{}, Gone: []string{}}
	changed, err := result.compare(before, after, o.Metric)
	if err != nil || len(changed) == 0 {
		return result, err
	}
	for s, err := range o.samples(ctx, after.Name, &result.Samples) {
		if err != nil {
			return result, err
		}
		for _, c := range changed {
			c.add(s)
		}
	}
	for _, c := range changed {
		result.Steps = append(result.Steps, c.step())
	}
	return result, nil
}

// change is a scorer of two versions at work.
type change struct {
	out      OverlapStep
	old, new score.Scorer
	bounds   *[2]float64
	pairs    []overlap.Pair
}

// compare sorts the metrics by what became of their scorers.
func (r *OverlapResult) compare(before, after quality.Feature, metric string) (out []*change, err error) {
	old := map[string]quality.ScorerSpec{}
	for _, s := range before.Scorers {
		if s.Type != score.TypeExternal && !s.Asks() && (metric == "" || s.Name == metric) {
			old[s.Name] = s
		}
	}
	for _, s := range after.Scorers {
		if s.Type == score.TypeExternal || s.Asks() || metric != "" && s.Name != metric {
			continue
		}
		was, had := old[s.Name]
		delete(old, s.Name)
		switch {
		case !had:
			r.Added = append(r.Added, s.Name)
		case score.Version(was) == score.Version(s):
			r.Same = append(r.Same, s.Name)
		default:
			c, err := newChange(after, was, s)
			if err != nil {
				return nil, err
			}
			out = append(out, c)
		}
	}
	for name := range old {
		r.Gone = append(r.Gone, name)
	}
	slices.Sort(r.Gone)
	if metric != "" && len(out)+len(r.Same)+len(r.Added)+len(r.Gone) == 0 {
		return nil, quality.Errorf(quality.KindInvalid, "no scorer makes the metric %q", metric)
	}
	return out, nil
}

func newChange(f quality.Feature, was, is quality.ScorerSpec) (*change, error) {
	c := &change{bounds: boundsOf(f, was, is)}
	c.out.VersionStep = quality.VersionStep{Feature: f.Name, Metric: is.Name, From: score.Version(was), To: score.Version(is)}
	c.out.Worst = []overlap.Disagreement{}
	var err error
	if c.old, err = score.New(was); err != nil {
		return nil, fmt.Errorf("the old configuration: %w", err)
	}
	if c.new, err = score.New(is); err != nil {
		return nil, err
	}
	return c, nil
}

// boundsOf are those that a monitor gives the metric, or else those of its scorers; nil when one has none.
func boundsOf(f quality.Feature, was, is quality.ScorerSpec) *[2]float64 {
	for _, m := range f.Monitors {
		if m.Metric == is.Name {
			return m.Range
		}
	}
	if score.Unbounded(was) || score.Unbounded(is) {
		return nil
	}
	return &[2]float64{0, 1}
}

// add scores a sample by both versions. One that both leave out says nothing of either.
func (c *change) add(s quality.Sample) {
	was, hadOld := valueOf(c.old, s)
	is, hasNew := valueOf(c.new, s)
	switch {
	case hadOld && hasNew && len(c.pairs) >= maxOverlap:
		c.out.LeftOut++
	case hadOld && hasNew:
		c.pairs = append(c.pairs, overlap.Pair{Sample: s.ID, Old: was, New: is, Weight: s.KeptWeight()})
	case hadOld:
		c.out.OnlyOld++
	case hasNew:
		c.out.OnlyNew++
	}
}

func valueOf(sc score.Scorer, s quality.Sample) (float64, bool) {
	for _, v := range sc.Score(s) {
		if !v.Failed() {
			return v.Value, true
		}
	}
	return 0, false
}

func (c *change) step() OverlapStep {
	r, err := overlap.Estimate(c.pairs, overlap.Options{Range: c.bounds})
	if err != nil {
		c.out.N, c.out.Error = uint64(len(c.pairs)), err.Error()
		return c.out
	}
	c.out.Step, c.out.Interval, c.out.N = r.Step, r.Interval, r.N
	c.out.Agreement, c.out.Worst = r.Agreement, r.Worst
	return c.out
}

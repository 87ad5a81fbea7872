package score

import (
	"maps"
	"slices"

	"github.com/asgood-dev/asgood/internal/quality"
)

// external takes the scores that came with the sample.
type external struct {
	only map[string]bool // nil means every metric
}

func newExternal(spec quality.ScorerSpec) *external {
	x := &external{}
	if len(spec.Metrics) > 0 {
		x.only = make(map[string]bool, len(spec.Metrics))
		for _, m := range spec.Metrics {
			x.only[m] = true
		}
	}
	return x
}

// Score implements Scorer. The scores come in the order of their metrics' names.
func (x *external) Score(s quality.Sample) []quality.Score {
	if len(s.Scores) == 0 {
		return nil
	}
	out := make([]quality.Score, 0, len(s.Scores))
	for _, metric := range slices.Sorted(maps.Keys(s.Scores)) {
		if x.only != nil && !x.only[metric] {
			continue
		}
		sc := newScore(&s, metric, TypeExternal, VersionExternal)
		sc.Value = s.Scores[metric]
		finite(&sc)
		out = append(out, sc)
	}
	return out
}

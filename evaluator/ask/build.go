package ask

import (
	"github.com/asgood-dev/asgood/evaluator/judge"
	"github.com/asgood-dev/asgood/internal/quality"
)

// Tools are what scorers are built with.
type Tools struct {
	Secret   []byte         // of the data directory, for judges
	Cache    Cache          // nil means none
	Baseline judge.Baseline // for judges that compare; nil means that they compare with references only
}

// Build returns a function that builds the scorer of a configuration entry, for Options.Build.
func (t Tools) Build(spec quality.ScorerSpec) func(spent func(quality.Spend)) (Scorer, error) {
	spec = spec.AskingDefaults()
	return func(spent func(quality.Spend)) (Scorer, error) {
		switch spec.Type {
		case quality.ScorerJudge:
			return judge.New(judge.Options{Spec: spec, Secret: t.Secret, Cache: t.Cache, Baseline: t.Baseline, Spent: spent})
		case quality.ScorerEmbedding:
			return NewEmbedding(spec, t.Cache, spent), nil
		case quality.ScorerHTTP:
			return NewHTTP(spec, spent), nil
		case quality.ScorerCommand:
			return NewCommand(spec, spent), nil
		case quality.ScorerWasm:
			return NewWasm(spec, spent)
		default:
			return nil, quality.Errorf(quality.KindInvalid, "field \"type\": a scorer of type %q asks nobody", spec.Type)
		}
	}
}

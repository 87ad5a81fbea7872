package app

import (
	"context"

	"github.com/asgood-dev/asgood/evaluator/judge"
	"github.com/asgood-dev/asgood/internal/config"
	"github.com/asgood-dev/asgood/internal/quality"
)

// AttackReport is what the published attacks did to a judge.
type AttackReport = judge.AttackReport

// AttackJudge asks a configured judge about a bad answer, alone and with each of the published attacks. Naive
// leaves the defence out, to see what it is worth. Nothing is stored, and no budget is kept.
func AttackJudge(ctx context.Context, cfg *config.Config, scorer string, naive bool, progress func(done, total int)) (AttackReport, error) {
	attacks, err := judge.Attacks()
	if err != nil {
		return AttackReport{}, err
	}
	for _, f := range cfg.Features {
		for _, spec := range f.Scorers {
			if spec.Type != quality.ScorerJudge || spec.Name != scorer || spec.Mode == quality.JudgePairwise {
				continue
			}
			j, err := judge.New(judge.Options{Spec: spec, Secret: []byte("attack"), Naive: naive})
			if err != nil {
				return AttackReport{}, err
			}
			return judge.RunAttacks(ctx, j, attacks, progress)
		}
	}
	return AttackReport{}, quality.Errorf(quality.KindNotFound, "no judge of the name %q that scores on a scale", scorer)
}

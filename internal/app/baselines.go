package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/asgood-dev/asgood/collector"
	"github.com/asgood-dev/asgood/evaluator/baseline"
	"github.com/asgood-dev/asgood/evaluator/score"
	"github.com/asgood-dev/asgood/internal/clickhouse"
	"github.com/asgood-dev/asgood/internal/config"
	"github.com/asgood-dev/asgood/internal/quality"
)

// maxBaselineScores bounds a baseline; a longer one is cut there.
const maxBaselineScores = 100_000

// baselines finds the scores of baselines that lie elsewhere than in what is observed.
type baselines struct {
	ctx   context.Context // of the start, when they are read
	cfg   *config.Config
	store *clickhouse.Store // of windows; nil means that there are none stored
	keep  *baseline.Keeper  // of stored versions; nil means that there are none
}

func (b baselines) read(feature, metric string, spec quality.BaselineSpec) ([]quality.Score, error) {
	switch {
	case strings.Contains(spec.Pinned, "@") && b.keep != nil: // no name of a file has one
		return b.keep.Scores(b.ctx, feature, metric, spec.Pinned)
	case spec.Pinned != "":
		return b.pinned(feature, metric, spec.Pinned)
	case spec.Window == nil || b.store == nil:
		return nil, quality.Errorf(quality.KindNotFound, "no stored window")
	}
	scores, err := b.store.Scores(b.ctx, feature, metric, spec.Window.From, spec.Window.To, maxBaselineScores)
	if err != nil {
		return nil, fmt.Errorf("reading a baseline window: %w", err)
	}
	return scores, nil
}

// pinned scores the samples of a file with the scorers of today: what is pinned are the outputs, which a
// change of a scorer must not make look better or worse.
func (b baselines) pinned(feature, metric, name string) (out []quality.Score, err error) {
	path := b.cfg.BaselineFile(name)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, quality.Errorf(quality.KindInvalid, "baseline %q: put its samples into %s, one JSON object per line", name, path)
	}
	if err != nil {
		return nil, fmt.Errorf("opening baseline %q: %w", name, err)
	}
	defer f.Close()
	scorers, err := b.scorers(feature)
	if err != nil {
		return nil, err
	}
	for s, err := range collector.ReadSamples(f) {
		if err != nil {
			return nil, fmt.Errorf("baseline %q, %s: %w", name, path, err)
		}
		if s.Feature != feature || len(out) >= maxBaselineScores {
			continue
		}
		for _, sc := range scorers {
			for _, v := range sc.Score(s) {
				if v.Metric == metric && !v.Failed() {
					out = append(out, v)
				}
			}
		}
	}
	return out, nil
}

func (b baselines) scorers(feature string) (out []score.Scorer, err error) {
	for _, f := range b.cfg.Features {
		if f.Name != feature {
			continue
		}
		for _, spec := range f.Scorers {
			sc, err := score.New(spec)
			if err != nil {
				return nil, fmt.Errorf("feature %q: %w", feature, err)
			}
			out = append(out, sc)
		}
	}
	return out, nil
}

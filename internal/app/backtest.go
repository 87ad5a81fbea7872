package app

import (
	"context"
	"io"
	"iter"

	"github.com/asgood-dev/asgood/collector"
	"github.com/asgood-dev/asgood/evaluator"
	"github.com/asgood-dev/asgood/internal/config"
)

// BacktestResult is what the configured monitors would have found.
type BacktestResult = evaluator.BacktestResult

// Backtest runs the configured scorers and monitors over a file of samples in the native format. It
// needs no engine. progress is told the number of samples read.
func Backtest(ctx context.Context, cfg *config.Config, input io.Reader, progress func(int)) (*BacktestResult, error) {
	result, err := evaluator.Backtest(ctx, evaluator.BacktestOptions{
		Features: cfg.Features, FalseAlarms: cfg.FalseAlarms, Location: cfg.Location(), Baselines: baselines{ctx: ctx, cfg: cfg}.read,
	}, counted(collector.ReadSamples(input), progress))
	if err != nil {
		return nil, err
	}
	return &result, nil
}

// counted tells progress of every item.
func counted[T any](seq iter.Seq2[T, error], progress func(int)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		n := 0
		for v, err := range seq {
			n++
			if progress != nil {
				progress(n)
			}
			if !yield(v, err) {
				return
			}
		}
	}
}

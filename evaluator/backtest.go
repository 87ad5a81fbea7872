package evaluator

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"time"

	"github.com/asgood-dev/asgood/evaluator/score"
	"github.com/asgood-dev/asgood/internal/quality"
)

// BacktestOptions configures a backtest.
type BacktestOptions struct {
	Features    []quality.Feature
	FalseAlarms quality.FalseAlarms
	Location    *time.Location
	Logger      *slog.Logger
	// Baselines gives pinned baselines. Windows are taken from the samples themselves.
	Baselines func(feature, metric string, spec quality.BaselineSpec) ([]quality.Score, error)
	// Scored is told of every score that was made, in the order of their samples' times, with the place of
	// the sample in the input. Nil means that nobody asks.
	Scored func(sc *quality.Score, pos uint64)
}

// BacktestResult is what the configured monitors would have found in a file.
type BacktestResult struct {
	Samples     int                  `json:"samples"` // read, duplicates and other features included
	Streams     int                  `json:"streams"`
	Regressions []BacktestRegression `json:"regressions"`
}

// BacktestRegression is one regression found, in the order of detection. Absent values are null.
type BacktestRegression struct {
	Feature        string           `json:"feature"`
	Metric         string           `json:"metric"`
	Slice          quality.Slice    `json:"slice"`
	Baseline       quality.Estimate `json:"baseline"`
	Current        quality.Estimate `json:"current"`
	Change         *float64         `json:"change"`
	Interval       *[2]float64      `json:"interval"`
	StartedAt      *time.Time       `json:"started_at"`
	StartedSample  uint64           `json:"started_sample"` // 1-based position in the file
	DetectedAt     time.Time        `json:"detected_at"`
	DetectedSample uint64           `json:"detected_sample"`
	RecoveredAt    *time.Time       `json:"recovered_at"`
	StartedBetween *[2]time.Time    `json:"started_between"` // 95 % interval of StartedAt
}

type placed struct {
	sample quality.Sample
	pos    uint64
}

// Backtest runs scorers and monitors over samples in the order of their times; samples of one time keep
// the order of the file. All samples are held in memory. A sample without a time takes that of the one
// before it. A window such as 7d is the first of the file, as if the monitor had been made at its end.
func Backtest(ctx context.Context, o BacktestOptions, samples iter.Seq2[quality.Sample, error]) (BacktestResult, error) {
	all, err := readAll(ctx, samples)
	if err != nil {
		return BacktestResult{}, err
	}
	e, err := o.engine()
	if err != nil {
		return BacktestResult{}, err
	}
	e.fixRosters(all)
	for i, p := range all {
		if i%1024 == 0 && ctx.Err() != nil {
			return BacktestResult{}, fmt.Errorf("running the backtest: %w", ctx.Err())
		}
		scores, _ := e.Observe(p.sample, p.pos)
		for j := range scores {
			if o.Scored != nil {
				o.Scored(&scores[j], p.pos)
			}
		}
	}
	return BacktestResult{Samples: len(all), Streams: e.Streams(), Regressions: render(e.Regressions())}, nil
}

func (o *BacktestOptions) engine() (*Engine, error) {
	return NewEngine(EngineOptions{Features: o.Features, FalseAlarms: o.FalseAlarms, Location: o.Location,
		Logger: o.Logger, Baselines: pinnedOnly(o.Baselines), Remember: -1})
}

// BacktestScores runs the monitors over scores that were made before, in the order in which they are given,
// which must be that of their times. No scorer runs: what they would say is what is given. The place of a
// score is its number, from 1 on.
func BacktestScores(ctx context.Context, o BacktestOptions, scores iter.Seq[quality.Score]) (BacktestResult, error) {
	o.Features = GivenScores(o.Features)
	e, err := o.engine()
	if err != nil {
		return BacktestResult{}, err
	}
	n := 0
	for sc := range scores {
		if n++; n%1024 == 0 && ctx.Err() != nil {
			return BacktestResult{}, fmt.Errorf("running the backtest: %w", ctx.Err())
		}
		e.ObserveScore(sc, uint64(n))
	}
	return BacktestResult{Samples: n, Streams: e.Streams(), Regressions: render(e.Regressions())}, nil
}

// GivenScores returns the features as they are to an engine that is given scores and makes none: their
// monitors watch as they did, and no scorer runs.
func GivenScores(features []quality.Feature) []quality.Feature {
	out := slices.Clone(features)
	for i := range out {
		f := &out[i]
		scorers := f.Scorers
		f.Monitors = slices.Clone(f.Monitors)
		for j := range f.Monitors {
			m := &f.Monitors[j]
			m.Unbounded = m.Unbounded || m.Range == nil && slices.ContainsFunc(scorers, func(s quality.ScorerSpec) bool {
				return s.Type == score.TypeLength && s.Name == m.Metric
			})
		}
		f.Scorers = []quality.ScorerSpec{{Type: score.TypeExternal}}
	}
	return out
}

func readAll(ctx context.Context, samples iter.Seq2[quality.Sample, error]) ([]placed, error) {
	var all []placed
	last := earliest
	for s, err := range samples {
		if err != nil {
			return nil, err
		}
		if len(all)%1024 == 0 && ctx.Err() != nil {
			return nil, fmt.Errorf("reading samples: %w", ctx.Err())
		}
		if s.Time.IsZero() {
			s.Time = last
		}
		last = s.Time
		all = append(all, placed{sample: s, pos: uint64(len(all)) + 1})
	}
	slices.SortStableFunc(all, func(a, b placed) int { return a.sample.Time.Compare(b.sample.Time) })
	return all, nil
}

// pinnedOnly hides stored windows: a backtest's windows are in its file.
func pinnedOnly(f func(string, string, quality.BaselineSpec) ([]quality.Score, error)) func(string, string, quality.BaselineSpec) ([]quality.Score, error) {
	if f == nil {
		return nil
	}
	return func(feature, metric string, spec quality.BaselineSpec) ([]quality.Score, error) {
		if spec.Pinned == "" {
			return nil, quality.Errorf(quality.KindNotFound, "a backtest has no stored window")
		}
		return f(feature, metric, spec)
	}
}

// fixRosters gives the places of sliced attributes to the values with the most samples in the file.
func (e *Engine) fixRosters(all []placed) {
	for _, f := range e.features {
		for _, m := range f.monitors {
			for a, r := range m.rosters {
				counts := make(map[string]uint64)
				for i := range all {
					if v := all[i].sample.Attribute(a); all[i].sample.Feature == f.name && v != "" && v != OtherSlice {
						counts[v]++
					}
				}
				r.fix(counts)
			}
		}
	}
}

func render(found []quality.Regression) []BacktestRegression {
	out := make([]BacktestRegression, 0, len(found))
	for _, r := range found {
		out = append(out, BacktestRegression{Feature: r.Feature, Metric: r.Metric, Slice: r.Slice, Baseline: r.Baseline,
			Current: r.Current, Change: r.Change, Interval: r.Interval, StartedAt: r.StartedAt, StartedSample: r.StartedSample,
			DetectedAt: r.DetectedAt, DetectedSample: r.DetectedSample, RecoveredAt: r.RecoveredAt, StartedBetween: r.StartedBetween})
	}
	slices.SortStableFunc(out, func(a, b BacktestRegression) int {
		return cmp.Or(a.DetectedAt.Compare(b.DetectedAt), cmp.Compare(a.DetectedSample, b.DetectedSample))
	})
	return out
}

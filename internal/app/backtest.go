package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/asgood-dev/asgood/collector"
	"github.com/asgood-dev/asgood/evaluator"
	"github.com/asgood-dev/asgood/evaluator/backtest"
	"github.com/asgood-dev/asgood/internal/config"
	"github.com/asgood-dev/asgood/internal/quality"
)

// BacktestResult is what the configured monitors would have found.
type BacktestResult = evaluator.BacktestResult

// BacktestStudy says how thoroughly a configuration is measured.
type BacktestStudy = backtest.Options

// BacktestMonitor is what was measured of one monitor.
type BacktestMonitor = backtest.Monitor

// Backtest runs the configured scorers and monitors over a file of samples in the native format. It
// needs no engine. progress is told the number of samples read.
func Backtest(ctx context.Context, cfg *config.Config, input io.Reader, progress func(int)) (*BacktestResult, error) {
	result, err := evaluator.Backtest(ctx, backtestOf(ctx, cfg), counted(collector.ReadSamples(input), progress))
	if err != nil {
		return nil, err
	}
	return &result, nil
}

func backtestOf(ctx context.Context, cfg *config.Config) evaluator.BacktestOptions {
	return evaluator.BacktestOptions{
		Features: cfg.Features, FalseAlarms: cfg.FalseAlarms, Location: cfg.Location(), Baselines: baselines{ctx: ctx, cfg: cfg}.read,
	}
}

// StudyOptions say what a study of one or two configurations is made on.
type StudyOptions struct {
	Config   *config.Config
	Against  *config.Config // a proposed configuration; nil means none
	Input    io.Reader      // samples; nil means the stored scores
	From, To time.Time      // of the stored scores
	Server   string         // internal address of a server; empty means the configuration's, or the data directory when nothing answers there
	Measure  bool           // false alarms and delays, beside what would have been found
	Study    BacktestStudy
	Read     func(n int) // told the samples or scores that were read
	Logger   *slog.Logger
}

// StudySide is what one configuration would have found, and what was measured of it.
type StudySide struct {
	BacktestResult
	Monitors []BacktestMonitor `json:"monitors,omitempty"`
}

// Study is the configuration in use and a proposed one, side by side.
type Study struct {
	StudySide
	Proposed *StudySide `json:"proposed,omitempty"`
}

// Plot draws the study as SVG.
func (s *Study) Plot() string {
	sides := []backtest.Side{{Name: "current", Regressions: s.Regressions, Monitors: s.Monitors}}
	if s.Proposed != nil {
		sides = append(sides, backtest.Side{Name: "proposed", Regressions: s.Proposed.Regressions, Monitors: s.Proposed.Monitors})
	}
	return backtest.Plot(sides)
}

// maxStudyInput bounds the samples that are read a second time for a proposed configuration.
const maxStudyInput = 1 << 30

// studySide is a configuration at work.
type studySide struct {
	options evaluator.BacktestOptions
	scores  *backtest.Collector
	out     *StudySide
}

// RunStudy says what one or two configurations would have found in samples or in stored scores, and measures
// their false alarms and delays. Stored scores are taken as they are: no judge is asked again.
func RunStudy(ctx context.Context, o StudyOptions) (*Study, error) {
	study := &Study{}
	sides := []*studySide{newStudySide(ctx, o.Config, &study.StudySide)}
	if o.Against != nil {
		study.Proposed = &StudySide{}
		sides = append(sides, newStudySide(ctx, o.Against, study.Proposed))
	}
	read := o.fromStore
	if o.Input != nil {
		read = o.fromSamples
	}
	if err := read(ctx, sides); err != nil {
		return nil, err
	}
	if !o.Measure {
		return study, nil
	}
	return study, o.measure(ctx, sides)
}

func newStudySide(ctx context.Context, cfg *config.Config, out *StudySide) *studySide {
	return &studySide{options: backtestOf(ctx, cfg), scores: backtest.NewCollector(cfg.Features), out: out}
}

// fromSamples scores samples with the scorers of each side.
func (o *StudyOptions) fromSamples(ctx context.Context, sides []*studySide) error {
	data, err := io.ReadAll(io.LimitReader(o.Input, maxStudyInput+1))
	if err != nil {
		return fmt.Errorf("reading samples: %w", err)
	}
	if len(data) > maxStudyInput {
		return quality.Errorf(quality.KindTooLarge, "more than %d MiB of samples: study a part of them", maxStudyInput>>20)
	}
	for _, s := range sides {
		var problem error
		s.options.Scored = func(sc *quality.Score, _ uint64) {
			problem = firstError(func() error { return problem }, func() error { return s.scores.Add(sc) })
		}
		s.out.BacktestResult, err = evaluator.Backtest(ctx, s.options, counted(collector.ReadSamples(bytes.NewReader(data)), o.Read))
		if err = errors.Join(err, problem); err != nil {
			return err
		}
	}
	return nil
}

// scoreReader reads the stored scores of a metric, the oldest first.
type scoreReader func(ctx context.Context, feature, metric string, from, to time.Time, limit int) ([]quality.Score, error)

// fromStore takes the scores that are stored, a part of the period at a time.
func (o *StudyOptions) fromStore(ctx context.Context, sides []*studySide) error {
	if err := o.withScores(ctx, func(read scoreReader) error { return o.gather(ctx, read, sides) }); err != nil {
		return err
	}
	for _, s := range sides {
		var all []quality.Score
		for _, series := range s.scores.Series() {
			all = append(all, series.Scores()...)
		}
		slices.SortStableFunc(all, func(a, b quality.Score) int { return a.Time.Compare(b.Time) })
		var err error
		if s.out.BacktestResult, err = evaluator.BacktestScores(ctx, s.options, slices.Values(all)); err != nil {
			return err
		}
	}
	return nil
}

func (o *StudyOptions) gather(ctx context.Context, read scoreReader, sides []*studySide) error {
	n := 0
	for pair := range metricsOf(sides) {
		for sc, err := range scorePages(ctx, read, pair[0], pair[1], o.From, o.To) {
			if err != nil {
				return err
			}
			if n++; o.Read != nil {
				o.Read(n)
			}
			for _, s := range sides {
				if err := s.scores.Add(&sc); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// metricsOf gives each feature and metric that some side watches once.
func metricsOf(sides []*studySide) iter.Seq[[2]string] {
	return func(yield func([2]string) bool) {
		seen := map[[2]string]bool{}
		for _, s := range sides {
			for _, f := range s.options.Features {
				for _, m := range f.Monitors {
					key := [2]string{f.Name, m.Metric}
					if !seen[key] && !yield(key) {
						return
					}
					seen[key] = true
				}
			}
		}
	}
}

// scorePage is how many scores are asked for at a time.
const scorePage = 20_000

// scorePages reads the scores of a period page by page. A page ends before the scores of its last moment,
// with which the next one begins, since several may have the same.
func scorePages(ctx context.Context, read scoreReader, feature, metric string, from, to time.Time) iter.Seq2[quality.Score, error] {
	return func(yield func(quality.Score, error) bool) {
		for from.Before(to) {
			page, err := read(ctx, feature, metric, from, to, scorePage)
			if err != nil {
				yield(quality.Score{}, fmt.Errorf("reading the scores of metric %q of feature %q: %w", metric, feature, err))
				return
			}
			end := to
			if len(page) == scorePage {
				if end = page[len(page)-1].Time; !end.After(from) {
					end = from.Add(time.Microsecond) // more of one moment than fit: the rest of it is left out
				}
			}
			for i := range page {
				if page[i].Time.Before(end) && !yield(page[i], nil) {
					return
				}
			}
			from = end
		}
	}
}

// withScores gives fn a reader of the running server, or of the data directory when none runs.
func (o *StudyOptions) withScores(ctx context.Context, fn func(scoreReader) error) (err error) {
	if addr, ok := running(ctx, o.Server, o.Config.Listen.Internal); ok {
		return fn(scoresOf(addr))
	}
	e, err := openEngines(ctx, o.Config, o.Logger, prometheus.NewRegistry())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.close()) }()
	return fn(e.store.Scores)
}

// measure counts false alarms and delays of each side, outside of what any side found: both are then
// measured on the same scores.
func (o *StudyOptions) measure(ctx context.Context, sides []*studySide) error {
	exclude := func(feature, metric string) (out []backtest.Span) {
		for _, s := range sides {
			out = append(out, backtest.Spans(s.out.Regressions, feature, metric)...)
		}
		return out
	}
	var err error
	for _, s := range sides {
		if s.out.Monitors, err = backtest.Run(ctx, o.Study, s.options, s.scores.Series(), exclude); err != nil {
			return err
		}
	}
	return nil
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

package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"time"

	"github.com/asgood-dev/asgood/collector"
	"github.com/asgood-dev/asgood/collector/files"
	"github.com/asgood-dev/asgood/evaluator/score"
	"github.com/asgood-dev/asgood/internal/config"
	"github.com/asgood-dev/asgood/internal/quality"
)

// ScoreOptions say which samples are scored: those of files, or where there is a period those that are stored.
type ScoreOptions struct {
	Config  *config.Config
	Feature string   // empty means the only one of the configuration
	Metric  string   // empty means every metric
	Files   []string // paths; "-" is Stdin
	Stdin   io.Reader
	Format  string // as of an import
	Map     string // as of an import

	From, To time.Time // of stored samples; a zero From means that files are read
	Server   string    // internal address of a server; empty means the configuration's, or the data directory when nothing answers there
	Logger   *slog.Logger
	Progress func(n int) // told the number of samples read; nil for nobody
}

// ScoreResult says what became of the samples.
type ScoreResult struct {
	Samples  int           `json:"samples"` // of the feature
	Other    int           `json:"other"`   // of other features, left out
	Scores   int           `json:"scores"`
	Failed   int           `json:"failed"` // of the scores
	Refused  int           `json:"refused"`
	Rejected []RejectedRow `json:"rejected"` // the first of the refused rows
}

// Score runs the scorers of a feature over samples and hands every score to emit, in the order of the samples.
func Score(ctx context.Context, o ScoreOptions, emit func(quality.Score) error) (ScoreResult, error) {
	result := ScoreResult{Rejected: []RejectedRow{}}
	f, err := featureOf(o.Config, o.Feature)
	if err != nil {
		return result, err
	}
	scorers, err := newScorers(f.Scorers, o.Metric)
	if err != nil {
		return result, fmt.Errorf("feature %q: %w", f.Name, err)
	}
	for s, err := range o.samples(ctx, f.Name, &result) {
		if err != nil {
			return result, err
		}
		for _, sc := range scorers {
			for _, v := range sc.Score(s) {
				if o.Metric != "" && v.Metric != o.Metric {
					continue
				}
				if result.Scores++; v.Failed() {
					result.Failed++
				}
				if err := emit(v); err != nil {
					return result, fmt.Errorf("writing a score: %w", err)
				}
			}
		}
	}
	return result, nil
}

// featureOf finds a feature; without a name the only one there is.
func featureOf(c *config.Config, name string) (quality.Feature, error) {
	if name == "" && len(c.Features) == 1 {
		return c.Features[0], nil
	}
	for _, f := range c.Features {
		if f.Name == name {
			return f, nil
		}
	}
	if name == "" {
		return quality.Feature{}, quality.Errorf(quality.KindInvalid, "the configuration has %d features: name one with --feature", len(c.Features))
	}
	return quality.Feature{}, quality.Errorf(quality.KindInvalid, "no feature %q in the configuration", name)
}

// newScorers builds the scorers that can make a metric, all of them when it is empty.
func newScorers(specs []quality.ScorerSpec, metric string) (out []score.Scorer, err error) {
	for _, spec := range specs {
		if metric != "" && spec.Type != score.TypeExternal && spec.Name != metric {
			continue
		}
		sc, err := score.New(spec)
		if err != nil {
			return nil, err
		}
		out = append(out, sc)
	}
	if len(out) == 0 {
		return nil, quality.Errorf(quality.KindInvalid, "no scorer makes the metric %q", metric)
	}
	return out, nil
}

// samples goes through the samples of a feature and counts those that are left out.
func (o ScoreOptions) samples(ctx context.Context, feature string, result *ScoreResult) iter.Seq2[quality.Sample, error] {
	read := o.fromFiles
	if !o.From.IsZero() {
		read = o.fromStore
	}
	return func(yield func(quality.Sample, error) bool) {
		n := 0
		for s, err := range read(ctx, feature, result) {
			if n++; o.Progress != nil {
				o.Progress(n)
			}
			if err == nil && n%1024 == 0 {
				err = ctx.Err()
			}
			if err == nil && s.Feature != feature {
				result.Other++
				continue
			}
			if err == nil {
				result.Samples++
			}
			if !yield(s, err) || err != nil {
				return
			}
		}
	}
}

// fromFiles reads files as an import does. A row that is wrong is noted and the next ones follow.
func (o ScoreOptions) fromFiles(_ context.Context, feature string, result *ScoreResult) iter.Seq2[quality.Sample, error] {
	return func(yield func(quality.Sample, error) bool) {
		list, err := openFiles(&ImportOptions{Files: o.Files, Stdin: o.Stdin, Format: o.Format, Map: o.Map, Feature: feature, Config: o.Config}, collector.CheckSample)
		defer func() { _ = closeFiles(list) }() // read only: nothing is lost
		if err != nil {
			yield(quality.Sample{}, err)
			return
		}
		for i, f := range list {
			for row, err := range f.Samples() {
				var bad *files.RowError
				if errors.As(err, &bad) {
					result.reject(files.Title(o.Files[i]), bad)
					continue
				}
				if !yield(row.Sample, err) || err != nil {
					return
				}
			}
		}
	}
}

func (r *ScoreResult) reject(file string, bad *files.RowError) {
	if r.Refused += int(bad.Rows); len(r.Rejected) < maxRejections {
		r.Rejected = append(r.Rejected, RejectedRow{File: file, Line: bad.At.Line, Row: bad.At.Row, Error: bad.Err.Error()})
	}
}

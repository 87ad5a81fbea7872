package app

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	asker "github.com/asgood-dev/asgood/evaluator/ask"
	"github.com/asgood-dev/asgood/evaluator/calibrate"
	"github.com/asgood-dev/asgood/internal/bus"
	"github.com/asgood-dev/asgood/internal/clickhouse"
	"github.com/asgood-dev/asgood/internal/config"
	"github.com/asgood-dev/asgood/internal/quality"
)

var _ calibrate.History = (*clickhouse.Store)(nil)

// judgeStore keeps what is known of judges as documents.
type judgeStore struct {
	docs *bus.Documents[calibrate.Document]
}

// Save stores what is known of a judge.
func (s judgeStore) Save(ctx context.Context, d calibrate.Document) error {
	_, err := s.docs.Put(ctx, monitorKey(d.Status.Feature, d.Status.Metric), d)
	return err
}

// judgesOf lists the judges of the configuration. Those of external scores are compared with labels and have no
// anchors.
func judgesOf(features []quality.Feature, scorer func(feature string, s quality.ScorerSpec) (calibrate.Scorer, error)) (out []calibrate.Judge, err error) {
	for _, f := range features {
		for _, s := range f.Scorers {
			metric := s.Name
			switch {
			case s.Type == "external" && s.Human != "" && len(s.Metrics) == 1:
				metric = s.Metrics[0]
			case s.Type != quality.ScorerJudge:
				continue
			}
			j := calibrate.Judge{Feature: f.Name, Metric: metric, Human: s.Human, Bounds: judgeBounds(f, s, metric)}
			if s.Type == quality.ScorerJudge && s.Anchors != nil {
				j.Anchors = s.Anchors
				if j.Scorer, err = scorer(f.Name, s); err != nil {
					return nil, fmt.Errorf("scorer %q of feature %q: %w", s.Name, f.Name, err)
				}
			}
			out = append(out, j)
		}
	}
	return out, nil
}

// judgeBounds are those of the monitor of the metric, else of the kind of scorer.
func judgeBounds(f quality.Feature, s quality.ScorerSpec, metric string) [2]float64 {
	for _, m := range f.Monitors {
		if m.Metric == metric && m.Range != nil && m.Range[1] > m.Range[0] {
			return *m.Range
		}
	}
	if s.Scale != nil {
		return [2]float64{min(s.Scale[0], s.Scale[1]), max(s.Scale[0], s.Scale[1])}
	}
	return [2]float64{0, 1}
}

func (r *rooms) buildJudges(ctx context.Context, a *App) (err error) {
	judges, err := judgesOf(a.opts.Config.Features, anchorScorer(a.opts.Config.Storage.Dir, r.spentOnAnchors))
	if err != nil {
		return err
	}
	keep := map[string]bool{}
	for _, j := range judges {
		keep[monitorKey(j.Feature, j.Metric)] = true
	}
	if err := forget(ctx, a.engines.bus, bucketJudges, keep); err != nil {
		return err
	}
	if r.judges, err = r.openJudges(ctx, a, judges, a.opts.Now, a.registry); err != nil {
		return err
	}
	r.add("calibration", func(ctx context.Context) error {
		if err := r.judges.Run(ctx); err != nil {
			return err
		}
		<-ctx.Done() // without anchors there is nothing to do
		return nil
	})
	return nil
}

// anchorScorer asks a judge about its anchors. It has no cache: what a judge said before tells nothing of what it
// says now. Their calls have a budget of their own; what they cost is told to spent.
func anchorScorer(dir string, spent func(feature, scorer string, x quality.Spend)) func(feature string, s quality.ScorerSpec) (calibrate.Scorer, error) {
	return func(feature string, s quality.ScorerSpec) (calibrate.Scorer, error) {
		key, err := secretKey(dir)
		if err != nil {
			return nil, err
		}
		return asker.Tools{Secret: key}.Build(s)(func(x quality.Spend) { spent(feature, s.Name, x) })
	}
}

// spentOnAnchors puts the costs of anchors into the account of their judge. The scorers that ask are built before
// anything runs.
func (r *rooms) spentOnAnchors(feature, scorer string, x quality.Spend) {
	for _, s := range r.asking {
		if s.Is(feature, scorer) {
			s.SpentOnAnchors(x)
		}
	}
}

func (r *rooms) openJudges(ctx context.Context, a *App, judges []calibrate.Judge, now func() time.Time, reg prometheus.Registerer) (*calibrate.Keeper, error) {
	docs, err := documents[calibrate.Document](ctx, a.engines.bus, bucketJudges)
	if err != nil {
		return nil, err
	}
	known, err := docs.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading what is known of judges: %w", err)
	}
	return calibrate.New(calibrate.Options{
		Judges: judges, Store: judgeStore{docs}, Sink: r.scores, Ledger: r.ledger, History: a.engines.store,
		Known: known, Now: now, Logger: a.log, Registerer: reg,
	})
}

// JudgeOptions say which server is asked of its judges.
type JudgeOptions struct {
	Config *config.Config
	Server string // internal address; empty means the configuration's
	Logger *slog.Logger
}

// JudgeReport is what is known of a judge.
type JudgeReport = calibrate.Report

// ListJudges returns what a running server knows of its judges.
func ListJudges(ctx context.Context, o JudgeOptions) ([]quality.JudgeStatus, error) {
	addr, err := o.server(ctx)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Judges []quality.JudgeStatus `json:"judges"`
	}
	err = ask(ctx, http.MethodGet, addr+"/v1/judges", "", nil, &answer)
	return answer.Judges, err
}

// ShowJudge returns how far the judge of a metric can be believed, by a running server.
func ShowJudge(ctx context.Context, o JudgeOptions, feature, metric string) (report JudgeReport, err error) {
	addr, err := o.server(ctx)
	if err != nil {
		return report, err
	}
	err = ask(ctx, http.MethodGet, addr+"/v1/judges/"+url.PathEscape(feature)+"/"+url.PathEscape(metric), "", nil, &report)
	return report, err
}

// server is the address of a running server, without which there is nobody to ask: scores are in the store.
func (o JudgeOptions) server(ctx context.Context) (string, error) {
	addr, ok := running(ctx, o.Server, o.Config.Listen.Internal)
	if !ok {
		return "", quality.Errorf(quality.KindUnavailable, "no server answers at %s: start one with asgood serve, or name one with --server", o.Config.Listen.Internal)
	}
	return addr, nil
}

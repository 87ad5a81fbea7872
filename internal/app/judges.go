package app

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/prometheus/client_golang/prometheus"

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

// judgesOf lists the judges of the configuration. scorer returns nil where a judge cannot be asked from here:
// then it has no anchors, and is still compared with labels.
func judgesOf(features []quality.Feature, scorer func(feature string, s quality.ScorerSpec) calibrate.Scorer) (out []calibrate.Judge) {
	for _, f := range features {
		for _, s := range f.Scorers {
			metric := s.Name
			switch {
			case s.Type == "external" && s.Human != "" && len(s.Metrics) == 1:
				metric = s.Metrics[0]
			case s.Type != "judge":
				continue
			}
			j := calibrate.Judge{Feature: f.Name, Metric: metric, Human: s.Human, Bounds: judgeBounds(f, s, metric)}
			if ask := scorer(f.Name, s); ask != nil && s.Anchors != nil {
				j.Anchors, j.Scorer = s.Anchors, ask
			}
			out = append(out, j)
		}
	}
	return out
}

// judgeScale is the scale of a judge where nothing else is said.
var judgeScale = [2]float64{1, 5}

// judgeBounds are those of the monitor of the metric, else of the kind of scorer.
func judgeBounds(f quality.Feature, s quality.ScorerSpec, metric string) [2]float64 {
	for _, m := range f.Monitors {
		if m.Metric == metric && m.Range != nil && m.Range[1] > m.Range[0] {
			return *m.Range
		}
	}
	if s.Type == "judge" {
		return judgeScale
	}
	return [2]float64{0, 1}
}

func (r *rooms) buildJudges(ctx context.Context, a *App) (err error) {
	judges := judgesOf(a.opts.Config.Features, a.judgeScorer)
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

// judgeScorer returns what asks a judge. Without judges in the process there is none.
func (a *App) judgeScorer(feature string, s quality.ScorerSpec) calibrate.Scorer {
	if a.opts.Judge == nil {
		if s.Anchors != nil {
			a.log.Warn("anchors are not scored: nothing here asks the judge", "feature", feature, "scorer", s.Name)
		}
		return nil
	}
	return a.opts.Judge(feature, s)
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

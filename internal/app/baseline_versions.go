package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/asgood-dev/asgood/collector/ledger"
	"github.com/asgood-dev/asgood/evaluator/baseline"
	"github.com/asgood-dev/asgood/internal/bus"
	"github.com/asgood-dev/asgood/internal/clickhouse"
	"github.com/asgood-dev/asgood/internal/config"
	"github.com/asgood-dev/asgood/internal/quality"
)

var _ baseline.Bucket = (*bus.Bucket)(nil)

const bucketBaselines = "baselines"

// baselineFacts is what a promotion has to know.
type baselineFacts struct {
	*clickhouse.Store
	statuses    *bus.Documents[quality.MonitorStatus]
	regressions *bus.Documents[quality.Regression]
	ledger      *ledger.Ledger // nil where nothing is promoted without a person
}

// Statuses returns what every monitor told last.
func (f baselineFacts) Statuses(ctx context.Context) ([]quality.MonitorStatus, error) {
	return f.statuses.All(ctx)
}

// Regressions returns all known regressions.
func (f baselineFacts) Regressions(ctx context.Context) ([]quality.Regression, error) {
	return f.regressions.All(ctx)
}

// ChangedSince returns the latest change that may have touched a feature.
func (f baselineFacts) ChangedSince(_ context.Context, feature string, since time.Time) (*quality.Change, error) {
	if f.ledger == nil {
		return nil, nil
	}
	page := f.ledger.List(ledger.Query{Feature: feature, From: since, Limit: 1})
	if len(page.Changes) == 0 {
		return nil, nil
	}
	return &page.Changes[0], nil
}

// openBaselines makes the keeper of baselines. rebase is nil where no monitor runs.
func openBaselines(ctx context.Context, e *engines, cfg *config.Config, l *ledger.Ledger, o baseline.Options) (_ *baseline.Keeper, err error) {
	facts := baselineFacts{Store: e.store, ledger: l}
	if facts.statuses, err = documents[quality.MonitorStatus](ctx, e.bus, bucketStatuses); err != nil {
		return nil, err
	}
	if facts.regressions, err = documents[quality.Regression](ctx, e.bus, bucketRegressions); err != nil {
		return nil, err
	}
	if o.Bucket, err = e.bus.Bucket(ctx, bucketBaselines); err != nil {
		return nil, err
	}
	if o.InForce == nil {
		o.InForce = facts.noteAccepted
	}
	o.Features, o.Facts = cfg.Features, facts
	return baseline.New(o)
}

// noteAccepted writes down who accepted a level while no monitor runs. The next start withdraws the regression.
func (f baselineFacts) noteAccepted(ctx context.Context, _, _ string, _ quality.BaselineSpec, a *baseline.Acceptance) error {
	if a == nil || a.Regression == baseline.AcceptSlide {
		return nil
	}
	r, _, err := f.regressions.Get(ctx, a.Regression)
	if err != nil {
		return err
	}
	r.AcceptedBy, r.AcceptedReason = a.By, a.Reason
	_, err = f.regressions.Put(ctx, r.ID, r)
	return err
}

func (r *rooms) buildBaselines(ctx context.Context, a *App) (err error) {
	r.baselines, err = openBaselines(ctx, a.engines, a.opts.Config, r.ledger, baseline.Options{InForce: r.rebase, Now: a.opts.Now, Logger: a.log})
	if err != nil {
		return err
	}
	r.add("baselines", r.baselines.Run)
	return nil
}

// rebase lets the running monitor start anew from what came in force.
func (r *rooms) rebase(ctx context.Context, feature, metric string, spec quality.BaselineSpec, a *baseline.Acceptance) error {
	if a == nil {
		a = &baseline.Acceptance{}
	}
	ctx, cancel := context.WithTimeout(ctx, askTime/2)
	defer cancel()
	return r.evaluator.Rebase(ctx, feature, metric, spec, a.By, a.Reason)
}

// inForce returns the features with the baselines that are in force in the place of the configured ones.
func inForce(ctx context.Context, k *baseline.Keeper, features []quality.Feature) ([]quality.Feature, error) {
	out := slices.Clone(features)
	for i := range out {
		out[i].Monitors = slices.Clone(out[i].Monitors)
		for j := range out[i].Monitors {
			m := &out[i].Monitors[j]
			spec, ok, err := k.Spec(ctx, out[i].Name, m.Metric)
			if err != nil {
				return nil, err
			}
			if ok {
				m.Baseline = spec
			}
		}
	}
	return out, nil
}

// BaselineOptions say which server's baselines a command works on.
type BaselineOptions struct {
	Config *config.Config
	Server string // address of the internal listener; empty means the configuration's, or the data directory when nothing answers there
	Logger *slog.Logger
}

// Promotion asks for a new version of a baseline from stored scores.
type Promotion = baseline.Promotion

// ListBaselines returns the versions of every monitor's baseline.
func ListBaselines(ctx context.Context, o BaselineOptions) ([]quality.BaselineBook, error) {
	var list baseline.List
	err := o.do(ctx, http.MethodGet, "/v1/baselines", nil, &list, func(k *baseline.Keeper) (err error) {
		list.Baselines, err = k.Books(ctx)
		return err
	})
	return list.Baselines, err
}

// ShowBaseline returns the versions of the baseline of one metric.
func ShowBaseline(ctx context.Context, o BaselineOptions, feature, metric string) (b quality.BaselineBook, err error) {
	err = o.do(ctx, http.MethodGet, baselinePath(feature, metric, ""), nil, &b, func(k *baseline.Keeper) (err error) {
		b, err = k.Book(ctx, feature, metric)
		return err
	})
	return b, err
}

// PromoteBaseline makes a new version and puts it in force.
func PromoteBaseline(ctx context.Context, o BaselineOptions, feature, metric string, p Promotion) (v quality.Baseline, err error) {
	err = o.do(ctx, http.MethodPost, baselinePath(feature, metric, "/promote"), p, &v, func(k *baseline.Keeper) (err error) {
		v, err = k.Promote(ctx, feature, metric, p)
		return err
	})
	return v, err
}

// PinBaseline puts a version in force; version 0 is what the configuration says.
func PinBaseline(ctx context.Context, o BaselineOptions, feature, metric string, p quality.BaselinePin) (b quality.BaselineBook, err error) {
	err = o.do(ctx, http.MethodPost, baselinePath(feature, metric, "/pin"), p, &b, func(k *baseline.Keeper) (err error) {
		b, err = k.Pin(ctx, feature, metric, p)
		return err
	})
	return b, err
}

func baselinePath(feature, metric, act string) string {
	return "/v1/baselines/" + url.PathEscape(feature) + "/" + url.PathEscape(metric) + act
}

// do asks the running server, or does it in the data directory.
func (o BaselineOptions) do(ctx context.Context, method, path string, body, answer any, directly func(*baseline.Keeper) error) (err error) {
	if addr, ok := running(ctx, o.Server, o.Config.Listen.Internal); ok {
		var data []byte
		if body != nil {
			if data, err = json.Marshal(body); err != nil {
				return fmt.Errorf("encoding the request: %w", err)
			}
		}
		return ask(ctx, method, addr+path, "", data, answer)
	}
	e, err := openEngines(ctx, o.Config, o.Logger, prometheus.NewRegistry())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.close()) }()
	if _, err := e.store.Migrate(ctx); err != nil {
		return fmt.Errorf("bringing the schema up to date: %w", err)
	}
	k, err := openBaselines(ctx, e, o.Config, nil, baseline.Options{Logger: o.Logger})
	if err != nil {
		return err
	}
	return directly(k)
}

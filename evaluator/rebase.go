package evaluator

import (
	"context"
	"fmt"
	"slices"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Rebase gives the monitor of a metric another baseline: it starts anew from it. An open regression of it is
// withdrawn; by and reason say who accepted the new level, if somebody did. The baseline must be stored as the
// one in force before, so that a restart finds it. It waits for Run to do it, until ctx ends.
func (s *Service) Rebase(ctx context.Context, feature, metric string, b quality.BaselineSpec, by, reason string) error {
	done := make(chan error, 1)
	ask := func(ctx context.Context) { done <- s.rebase(ctx, feature, metric, b, by, reason) }
	select {
	case s.asks <- ask:
	case <-ctx.Done():
		return fmt.Errorf("waiting for the evaluator: %w", ctx.Err())
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("waiting for the evaluator: %w", ctx.Err())
	}
}

func (s *Service) rebase(ctx context.Context, feature, metric string, b quality.BaselineSpec, by, reason string) error {
	s.mu.Lock()
	open, err := s.engine.rebase(s.o.Engine, feature, metric, b)
	s.mu.Unlock()
	if err != nil || open == nil {
		return err
	}
	now := s.o.Now()
	open.WithdrawnAt, open.AcceptedBy, open.AcceptedReason = &now, by, reason
	return s.publish(ctx, 0, nil, []quality.RegressionEvent{
		{ID: open.ID + "-withdrawn", Type: quality.RegressionWithdrawn, Regression: *open}})
}

// rebase puts a new monitor in the place of one, and returns the regression that was open in it.
func (e *Engine) rebase(o EngineOptions, feature, metric string, b quality.BaselineSpec) (open *quality.Regression, err error) {
	f := e.byName[feature]
	i := slices.IndexFunc(o.Features, func(f quality.Feature) bool { return f.Name == feature })
	if f == nil || f.byMetric[metric] == nil || i < 0 {
		return nil, quality.Errorf(quality.KindNotFound, "no monitor of metric %q of feature %q", metric, feature)
	}
	old := f.byMetric[metric]
	spec := old.config.spec
	spec.Baseline = b
	c, err := newMonitorConfig(o.Features[i], spec, o.withDefaults())
	if err != nil {
		return nil, err
	}
	ref, err := newReference(c, o)
	if err != nil {
		return nil, err
	}
	for _, s := range old.streams {
		e.fleet.leave(old, s)
	}
	m := newMonitor(c, ref, e.fleet)
	m.keep, m.past = old.keep, old.past
	if old.open != nil {
		r := old.regression()
		open = &r
	}
	f.monitors[slices.Index(f.monitors, old)], f.byMetric[metric] = m, m
	return open, nil
}

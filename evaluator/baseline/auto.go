package baseline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Defaults of promotion by itself.
const (
	DefaultQuiet = 7 * 24 * time.Hour
	DefaultN     = 2000

	checkEvery = 15 * time.Minute
	byItself   = "asgood" // in whose name it promotes
)

// Run promotes what was good for a while, where the configuration asks for it, until ctx ends.
func (k *Keeper) Run(ctx context.Context) error {
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	for {
		if err := k.Consider(ctx); err != nil && ctx.Err() == nil {
			k.log.Error("baselines could not be considered", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Consider looks once at every monitor with last_good, and promotes where the period was quiet. Why one was
// not promoted stands in its book.
func (k *Keeper) Consider(ctx context.Context) error {
	var errs []error
	for _, f := range k.o.Features {
		for i := range f.Monitors {
			if f.Monitors[i].Baseline.LastGood == nil {
				continue
			}
			if err := k.consider(ctx, f.Name, &f.Monitors[i]); err != nil {
				errs = append(errs, fmt.Errorf("metric %q of feature %q: %w", f.Monitors[i].Metric, f.Name, err))
			}
		}
	}
	return errors.Join(errs...)
}

func (k *Keeper) consider(ctx context.Context, feature string, m *quality.MonitorSpec) error {
	err := k.promoteQuiet(ctx, feature, m)
	switch quality.KindOf(err) {
	case quality.KindConflict, quality.KindTooLarge:
		if err != nil {
			return k.decline(ctx, feature, m.Metric, err.Error())
		}
	}
	return err
}

func (k *Keeper) promoteQuiet(ctx context.Context, feature string, m *quality.MonitorSpec) error {
	spec, now := m.Baseline.LastGood, k.o.Now()
	quiet, least := cmp.Or(spec.Quiet, DefaultQuiet), cmp.Or(spec.N, DefaultN)
	from := now.Add(-quiet)
	b, err := k.Book(ctx, feature, m.Metric)
	if err != nil {
		return err
	}
	if n := len(b.Pins); n > 0 && b.Pins[n-1].At.After(from) {
		return nil // not so soon again; that is no news
	}
	if err := k.quiet(ctx, feature, m.Metric, from); err != nil {
		return err
	}
	if b.Original() == nil {
		if err := k.capture(ctx, feature, m, now); err != nil {
			return err
		}
	}
	scores, err := k.o.Facts.Scores(ctx, feature, m.Metric, from, now, least)
	if err != nil {
		return fmt.Errorf("reading the scores of the quiet period: %w", err)
	}
	if len(scores) < least {
		return refuse("%d scores in the last %s, %d wanted", len(scores), quiet, least)
	}
	if scores[0].Time.Sub(from) > quiet/4 {
		return refuse("the scores of the last %s begin at %s only", quiet, stamp(scores[0].Time))
	}
	_, err = k.promote(ctx, feature, m, quality.BaselineLastGood, Promotion{From: from, To: now, By: byItself,
		Reason: fmt.Sprintf("no alarm, blindness or change for %s", quiet)})
	return err
}

// quiet refuses unless the monitor watches and nothing was changed since a time.
func (k *Keeper) quiet(ctx context.Context, feature, metric string, since time.Time) error {
	all, err := k.o.Facts.Statuses(ctx)
	if err != nil {
		return fmt.Errorf("reading the states of monitors: %w", err)
	}
	seen := false
	for _, st := range all {
		if st.Feature != feature || st.Metric != metric {
			continue
		}
		if seen = true; st.State != quality.MonitorWatching && st.State != quality.MonitorImproved {
			return refuse("the monitor is not watching: it is %s", st.State)
		}
	}
	if !seen {
		return refuse("the monitor has not run yet")
	}
	c, err := k.o.Facts.ChangedSince(ctx, feature, since)
	if err != nil {
		return fmt.Errorf("reading the changes: %w", err)
	}
	if c != nil {
		return refuse("change %s of layer %s at %s: what it did is not known yet", c.ID, c.Layer, stamp(c.At))
	}
	return nil
}

// capture writes down what the configured form compares with, so that what is promoted later has an original
// to be held against. It does not come in force: it is what is in force.
func (k *Keeper) capture(ctx context.Context, feature string, m *quality.MonitorSpec, now time.Time) error {
	p := Promotion{From: time.Unix(0, 0).UTC(), To: now, By: byItself, Reason: "what the configured form compares with"}
	limit := cmp.Or(m.Baseline.First, DefaultN)
	if w := m.Baseline.Window; w != nil && w.Last == 0 {
		p.From, p.To, limit = w.From, w.To, quality.MaxBaseline
	}
	scores, err := k.o.Facts.Scores(ctx, feature, m.Metric, p.From, p.To, limit)
	if err != nil {
		return fmt.Errorf("reading the scores of the configured baseline: %w", err)
	}
	own := production(scores)
	if err := checkScores(own); err != nil {
		return fmt.Errorf("there is no original to compare with: %w", err)
	}
	scores = without(scores)
	k.mu.Lock()
	defer k.mu.Unlock()
	b, rev, err := k.book(ctx, feature, m.Metric)
	if err != nil {
		return err
	}
	v := k.version(&b, m, quality.BaselineConfigured, p, scores)
	if err := k.store(ctx, m, &v, scores); err != nil {
		return err
	}
	b.Versions = append(b.Versions, v)
	return k.save(ctx, &b, rev)
}

// without leaves out failed scores.
func without(scores []quality.Score) (out []quality.Score) {
	for i := range scores {
		if !scores[i].Failed() {
			out = append(out, scores[i])
		}
	}
	return out
}

// decline writes down why there was no promotion, once for each reason.
func (k *Keeper) decline(ctx context.Context, feature, metric, why string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	b, rev, err := k.book(ctx, feature, metric)
	if err != nil || b.Declined == why {
		return err
	}
	b.Declined = why
	k.log.Info("baseline not promoted", "feature", feature, "metric", metric, "reason", why)
	return k.save(ctx, &b, rev)
}

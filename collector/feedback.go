package collector

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// What became of feedback, as label values.
const (
	feedbackTaken     = "taken"
	feedbackWaits     = "waits"    // for its sample
	feedbackNotKept   = "not_kept" // its output was counted and not kept
	feedbackDropped   = "dropped"  // too much waited
	feedbackForgotten = "forgotten"
	feedbackBad       = "unreadable"
	feedbackKnown     = "known"         // it came with its sample already
	feedbackOther     = "other_feature" // it claims another feature than its sample has
	feedbackNoTarget  = "no_target"     // it names no sample, such as one about a whole conversation
)

// resolver finds the sample that each feedback belongs to and hands the score on. Feedback that comes
// before its sample is kept in the index, durably, until the sample comes.
type resolver struct {
	c       *Collector
	source  Source
	orphans *orphans
	log     *slog.Logger
}

// run works until ctx ends. What it could not do is done again after the next start: scores are known
// by sample, metric and giver, so that none counts twice.
func (r *resolver) run(ctx context.Context) error {
	batches := make(chan Batch)
	go func() {
		defer close(batches)
		feed(ctx, r.log, "reading feedback", r.source, batches)
	}()
	if r.persist(ctx, "adopting scores", r.begin) != nil {
		return nil
	}
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			r.expire()
		case b, ok := <-batches:
			if !ok {
				return nil
			}
			if r.work(ctx, b) != nil {
				return nil
			}
		case <-r.orphans.arrived:
			if r.persist(ctx, "adopting scores", r.adopt) != nil {
				return nil
			}
		}
	}
}

// begin looks once for the samples of what waited in an earlier life.
func (r *resolver) begin(ctx context.Context) error {
	if err := r.c.door.awaitReady(ctx); err != nil {
		return err
	}
	for _, target := range r.orphans.targets() {
		if _, known, err := r.c.ids.get(target, r.c.opts.Now()); err != nil {
			return err
		} else if known {
			r.orphans.call(target)
		}
	}
	return r.adopt(ctx)
}

func (r *resolver) expire() {
	n, err := r.orphans.expire(r.c.opts.Now())
	r.c.metrics.feedback.WithLabelValues(feedbackForgotten).Add(float64(n))
	if err != nil {
		r.log.Warn("scores that waited too long were not all forgotten", "err", err)
	}
}

func (r *resolver) work(ctx context.Context, b Batch) error {
	list := r.decode(b)
	if err := r.persist(ctx, "handing scores on", func(ctx context.Context) error { return r.resolve(ctx, list) }); err != nil {
		return err
	}
	return r.persist(ctx, "committing feedback", func(ctx context.Context) error { return r.source.Commit(ctx, b) })
}

func (r *resolver) decode(b Batch) (list []quality.Feedback) {
	for _, m := range b.Messages {
		var part []quality.Feedback
		if err := json.Unmarshal(m, &part); err != nil {
			r.c.metrics.feedback.WithLabelValues(feedbackBad).Inc()
			r.log.Error("message of feedback is kept out: it cannot be read", "batch", b.Token, "err", err)
		}
		list = append(list, part...)
	}
	return list
}

// resolve hands on the scores of known samples and keeps the others back.
func (r *resolver) resolve(ctx context.Context, list []quality.Feedback) error {
	if err := r.c.door.awaitReady(ctx); err != nil {
		return err
	}
	var waiting []orphan
	in := r.c.newIntake(ctx)
	for i := range list {
		target := targetOf(&list[i])
		known, err := r.give(in, &list[i], target)
		if err != nil {
			return err
		}
		if !known {
			waiting = append(waiting, orphan{target: target, feedback: list[i]})
		}
	}
	if err := in.finish(); err != nil {
		return err
	}
	return r.wait(ctx, waiting)
}

// wait keeps feedback without a sample. The sample may have come meanwhile, so it is looked for again.
func (r *resolver) wait(ctx context.Context, waiting []orphan) error {
	if len(waiting) == 0 {
		return nil
	}
	kept, err := r.orphans.keep(waiting, r.c.opts.Now())
	if err != nil {
		return err
	}
	r.c.metrics.feedback.WithLabelValues(feedbackWaits).Add(float64(kept))
	r.c.metrics.feedback.WithLabelValues(feedbackDropped).Add(float64(len(waiting) - kept))
	for _, o := range waiting {
		if _, known, err := r.c.ids.get(o.target, r.c.opts.Now()); err != nil {
			return err
		} else if known {
			r.orphans.call(o.target)
		}
	}
	return r.adopt(ctx)
}

// adopt hands on the feedback whose samples have come.
func (r *resolver) adopt(ctx context.Context) error {
	for _, target := range r.orphans.called() {
		list, err := r.orphans.of(target)
		if err != nil {
			return err
		}
		in := r.c.newIntake(ctx)
		for i := range list {
			if _, err := r.give(in, &list[i], target); err != nil {
				return err
			}
		}
		if err := in.finish(); err != nil {
			return err
		}
		if err := r.orphans.forget(target); err != nil {
			return err
		}
	}
	return nil
}

// give adds the score to the intake, when the sample that target names is known.
func (r *resolver) give(in *intake, f *quality.Feedback, target string) (known bool, err error) {
	value, known, err := r.c.ids.get(target, in.now)
	if err == nil && known && strings.HasPrefix(target, aliasPrefix) {
		target = string(value)
		value, known, err = r.c.ids.get(target, in.now)
	}
	if err != nil || !known {
		return false, err
	}
	feature, id, _ := strings.Cut(target, "\x00")
	if f.Feature != "" && f.Feature != feature {
		// Whoever may speak of one feature only must not reach another's samples by a trace or response id.
		r.c.metrics.feedback.WithLabelValues(feedbackOther).Inc()
		return true, nil
	}
	if len(value) == 0 {
		r.c.metrics.feedback.WithLabelValues(feedbackNotKept).Inc()
		return true, nil
	}
	var x facts
	if err := json.Unmarshal(value, &x); err != nil {
		return false, fmt.Errorf("reading the facts of sample %.80q: %w", target, err)
	}
	if slices.Contains(x.Said, saidKey(f.Metric, f.By)) {
		r.c.metrics.feedback.WithLabelValues(feedbackKnown).Inc()
		return true, nil
	}

	in.addScore(score(f, quality.SampleKey{Feature: feature, ID: id}, x))
	r.c.metrics.feedback.WithLabelValues(feedbackTaken).Inc()
	return true, nil
}

// targetOf is the key of the index that the feedback's sample has or will have.
func targetOf(f *quality.Feedback) string {
	key, alias := f.Target()
	if alias != "" {
		return aliasKey(alias)
	}
	return idKey(key.Feature, key.ID)
}

// persist does something until it works, and says once that it does not and once that it does again. It
// returns an error only when ctx ends.
func (r *resolver) persist(ctx context.Context, what string, do func(context.Context) error) error {
	return persist(ctx, r.log, what, maxPause, nil, do)
}

package app

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/asgood-dev/asgood/evaluator/judge"
	"github.com/asgood-dev/asgood/internal/quality"
)

const (
	maxBaselineAnswers = 1000
	maxBaselineAnswer  = 64 << 10 // bytes of one that is kept in memory; a judge is not shown more
	answerLookTime     = 10 * time.Second
)

// answerStore finds the earliest sample with the input of another.
type answerStore interface {
	FirstLike(ctx context.Context, x *quality.Sample, p quality.Period) (quality.Sample, error)
}

// baselineAnswers finds what a feature answered to an input first, for the judges of one metric that compare.
// It is safe for concurrent use.
type baselineAnswers struct {
	store  answerStore
	period func(ctx context.Context) (quality.Period, error) // of the baseline; its ends may be zero, which means unbounded

	mu    sync.Mutex
	known map[[sha256.Size]byte]baselineAnswer // at most maxBaselineAnswers; one of them goes when another comes
}

type baselineAnswer struct {
	judge.Compared
	at time.Time
}

func newBaselineAnswers(store answerStore, period func(context.Context) (quality.Period, error)) *baselineAnswers {
	return &baselineAnswers{store: store, period: period, known: map[[sha256.Size]byte]baselineAnswer{}}
}

// of returns the answer that an output is compared with, and false when the input was never answered before.
func (b *baselineAnswers) of(ctx context.Context, s quality.Sample) (judge.Compared, bool, error) {
	if s.Input.IsZero() {
		return judge.Compared{}, false, nil
	}
	period, err := b.period(ctx)
	if err != nil {
		return judge.Compared{}, false, err
	}
	if period.To.IsZero() || period.To.After(s.Time) {
		period.To = s.Time
	}
	key := likeness(&s)
	b.mu.Lock()
	a, ok := b.known[key]
	b.mu.Unlock()
	if ok && !a.at.Before(period.From) && a.at.Before(period.To) {
		return a.Compared, true, nil
	}
	return b.look(ctx, &s, period, key)
}

func (b *baselineAnswers) look(ctx context.Context, s *quality.Sample, p quality.Period, key [sha256.Size]byte) (judge.Compared, bool, error) {
	look, cancel := context.WithTimeout(ctx, answerLookTime)
	defer cancel()
	first, err := b.store.FirstLike(look, s, p)
	switch {
	case err != nil && quality.KindOf(err) == quality.KindNotFound:
		return judge.Compared{}, false, nil
	case errors.Is(look.Err(), context.DeadlineExceeded) && ctx.Err() == nil:
		return judge.Compared{}, false, quality.Errorf(quality.KindInvalid, "the answer to compare with was not found within %s", answerLookTime)
	case err != nil:
		return judge.Compared{}, false, quality.Errorf(quality.KindUnavailable, "%w", err)
	}
	a := baselineAnswer{at: first.Time, Compared: judge.Compared{Text: first.Output.Last(),
		From: fmt.Sprintf("the answer of sample %.100s of %s", first.ID, first.Time.UTC().Format("2006-01-02 15:04 UTC"))}}
	b.keep(key, a)
	return a.Compared, true, nil
}

func (b *baselineAnswers) keep(key [sha256.Size]byte, a baselineAnswer) {
	if len(a.Text) > maxBaselineAnswer {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for k := range b.known {
		if len(b.known) < maxBaselineAnswers {
			break
		}
		delete(b.known, k)
	}
	b.known[key] = a
}

// likeness is the same of samples that are answers to the same.
func likeness(s *quality.Sample) [sha256.Size]byte {
	parts := []any{s.Feature, s.Input, s.Source == quality.SourceCanary}
	if s.Source == quality.SourceCanary {
		parts = append(parts, s.Attributes["canary"], s.Attributes["prompt_id"])
	}
	data, err := json.Marshal(parts)
	if err != nil { // texts always marshal
		data = []byte(s.ID)
	}
	return sha256.Sum256(data)
}

// baselinePeriod is the window of the baseline in force of a metric. Other baselines are of samples that are
// told by no time: the earliest answers of all stand for them.
func (r *rooms) baselinePeriod(f quality.Feature, metric string) func(context.Context) (quality.Period, error) {
	return func(ctx context.Context) (p quality.Period, err error) {
		spec, ok, err := r.baselines.Spec(ctx, f.Name, metric)
		if err != nil {
			return p, err
		}
		for i := range f.Monitors {
			if !ok && f.Monitors[i].Metric == metric {
				spec = f.Monitors[i].Baseline
			}
		}
		if w := spec.Window; w != nil && w.Last == 0 {
			p.From, p.To = w.From, w.To
		}
		return p, nil
	}
}

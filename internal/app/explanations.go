package app

import (
	"context"
	"fmt"

	"github.com/asgood-dev/asgood/evaluator/explain"
	"github.com/asgood-dev/asgood/internal/bus"
	"github.com/asgood-dev/asgood/internal/clickhouse"
	"github.com/asgood-dev/asgood/internal/quality"
)

var _ explain.Store = (*clickhouse.Store)(nil)

// explainSource feeds the explanations.
type explainSource struct{ reader *bus.Reader }

func (s explainSource) Next(ctx context.Context) (explain.Batch, error) {
	b, err := s.reader.Next(ctx, followLimits)
	if err != nil {
		return explain.Batch{}, err
	}
	out := explain.Batch{First: b.First, Last: b.Last, Messages: make([]explain.Message, len(b.Messages))}
	for i, m := range b.Messages {
		out.Messages[i] = explain.Message{Seq: m.Seq, Data: m.Data}
	}
	return out, nil
}

func (s explainSource) Commit(ctx context.Context, b explain.Batch) error {
	return s.reader.Commit(ctx, bus.Batch{Stream: bus.Events, First: b.First, Last: b.Last})
}

// removable are documents that can be removed again.
type removable[T any] struct {
	*bus.Documents[T]
	bucket *bus.Bucket
}

// Delete removes a document; one that is not there is no error.
func (r removable[T]) Delete(ctx context.Context, key string) error { return r.bucket.Delete(ctx, key) }

func newRemovable[T any](ctx context.Context, b *bus.Bus, name string) (r removable[T], err error) {
	if r.bucket, err = b.Bucket(ctx, name); err != nil {
		return r, err
	}
	r.Documents = bus.NewDocuments[T](r.bucket)
	return r, nil
}

// explainLedger reads changes and behaviours from memory. One entry that is not readable does not hide the
// others: the error of a mirror is not told.
type explainLedger struct {
	changes    *mirror[quality.Change]
	behaviours *mirror[quality.BehaviourHistory]
}

func (l explainLedger) Changes(ctx context.Context, feature string) (out []quality.Change, err error) {
	all, _ := l.changes.all(ctx)
	for _, c := range all {
		if c.Touches(feature) {
			out = append(out, c)
		}
	}
	return out, nil
}

func (l explainLedger) Behaviours(ctx context.Context, feature string) (out []quality.BehaviourHistory, err error) {
	all, _ := l.behaviours.all(ctx)
	for _, h := range all {
		if h.Latest.Feature == feature {
			out = append(out, h)
		}
	}
	return out, nil
}

func newExplainLedger(ctx context.Context, b *bus.Bus) (l explainLedger, err error) {
	if l.changes, err = newMirror[quality.Change](ctx, b, bucketChanges, func() {}); err != nil {
		return l, err
	}
	l.behaviours, err = newMirror[quality.BehaviourHistory](ctx, b, bucketBehaviours, func() {})
	return l, err
}

func (r *rooms) buildExplain(ctx context.Context, a *App) error {
	b, cfg := a.engines.bus, a.opts.Config
	ledger, err := newExplainLedger(ctx, b)
	if err != nil {
		return err
	}
	explainer, err := explain.NewExplainer(explain.ExplainerOptions{
		Features: cfg.Features, Customers: cfg.Customers, Store: a.engines.store, Ledger: ledger,
		Judges: judgeShifts{r.judges}})
	if err != nil {
		return err
	}
	o := explain.Options{Explainer: explainer, Keep: cfg.Retention.Scores, Now: a.opts.Now, Logger: a.log, Registerer: a.registry}
	reader, err := b.Reader(ctx, bus.Events, readerExplain)
	if err != nil {
		return fmt.Errorf("reading stream %q: %w", bus.Events, err)
	}
	o.Source = explainSource{reader}
	if o.Regressions, err = newRemovable[quality.Regression](ctx, b, bucketRegressions); err != nil {
		return err
	}
	if o.Explanations, err = newRemovable[quality.Explanation](ctx, b, bucketExplained); err != nil {
		return err
	}
	if o.Evidence, err = newRemovable[quality.Evidence](ctx, b, bucketEvidence); err != nil {
		return err
	}
	if r.explain, err = explain.New(o); err != nil {
		return err
	}
	r.add("mirror of changes", ledger.changes.run)
	r.add("mirror of behaviours", ledger.behaviours.run)
	r.add("explanations", r.explain.Run)
	return nil
}

package collector

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/wire"
)

// heldSample is a sample whose probability of being kept depends on feedback that may still come.
type heldSample struct {
	Sample  quality.Sample     `json:"sample"`
	Aliases []string           `json:"aliases,omitempty"`
	State   string             `json:"state,omitempty"` // W3C trace state
	Said    []quality.Feedback `json:"said,omitempty"`  // whose numbers are in the sample's scores
}

// holding settles what was held. The stream is read in order, each message not before its time, so what
// waits takes no memory, and what a crash interrupts comes again.
type holding struct {
	c      *Collector
	source Source
	log    *slog.Logger
}

func (h *holding) run(ctx context.Context) error {
	if persist(ctx, h.log, "waiting for the index of ids", maxPause, nil, h.c.door.awaitReady) != nil {
		return nil
	}
	for {
		var b Batch
		err := persist(ctx, h.log, "reading held samples", maxPause, nil, func(ctx context.Context) (err error) {
			b, err = h.source.Next(ctx)
			return err
		})
		if err != nil {
			return nil
		}
		if h.work(ctx, b) != nil {
			return nil
		}
		if persist(ctx, h.log, "committing held samples", maxPause, nil, func(ctx context.Context) error { return h.source.Commit(ctx, b) }) != nil {
			return nil
		}
	}
}

func (h *holding) work(ctx context.Context, b Batch) error {
	for i, m := range b.Messages {
		var list []heldSample
		if err := wire.Unmarshal(m, &list); err != nil {
			h.log.Error("message of held samples is kept out: it cannot be read", "batch", b.Token, "err", err)
			continue
		}
		if !pause(ctx, time.Until(b.Times[i].Add(h.longest(list)))) {
			return ctx.Err()
		}
		if err := persist(ctx, h.log, "settling held samples", maxPause, nil, func(ctx context.Context) error { return h.settle(ctx, list) }); err != nil {
			return err
		}
	}
	return nil
}

func (h *holding) longest(list []heldSample) (hold time.Duration) {
	for i := range list {
		if s := h.c.samplers[list[i].Sample.Feature]; s != nil {
			hold = max(hold, s.Hold())
		}
	}
	return hold
}

// settle decides with the feedback that came. It may be repeated: what went through is known by its id.
func (h *holding) settle(ctx context.Context, list []heldSample) error {
	in := h.c.newIntake(ctx)
	in.redacted = true
	for i := range list {
		x := &list[i]
		said, err := h.c.reception(x)
		if err != nil {
			return err
		}
		if err := in.put(&x.Sample, origin{aliases: x.Aliases, state: x.State, said: x.Said, settled: true, reception: said}); err != nil {
			in.reject(atIndex(i), err)
		}
	}
	return in.finish()
}

// reception is what people have said of a held sample so far, with it or apart from it. The scores that
// came apart are only looked at: they are handed on when the sample is known.
func (c *Collector) reception(x *heldSample) (quality.Reception, error) {
	spec := c.features.sampling[x.Sample.Feature]
	if spec == nil {
		return quality.ReceptionFine, nil
	}
	said := spec.LowFeedback.Reception(x.Sample.Scores)
	targets := []string{idKey(x.Sample.Feature, x.Sample.ID)}
	for _, name := range x.Aliases {
		targets = append(targets, aliasKey(name))
	}
	for _, target := range targets {
		if said == quality.ReceptionLow || !c.orphans.waitsFor(target) {
			continue
		}
		list, err := c.orphans.of(target)
		if err != nil {
			return said, fmt.Errorf("looking for feedback of sample %q: %w", x.Sample.ID, err)
		}
		for _, f := range list {
			if f.Value != nil {
				said = max(said, spec.LowFeedback.Reception(map[string]float64{f.Metric: *f.Value}))
			}
		}
	}
	return max(said, quality.ReceptionFine), nil // nobody spoke in time
}

func (x *heldSample) encode() ([]byte, error) {
	data, err := wire.Marshal(x)
	if err != nil {
		return nil, quality.Errorf(quality.KindInvalid, "sample cannot be written as JSON: %w", err)
	}
	return data, nil
}

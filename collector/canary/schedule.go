package canary

import (
	"context"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// maxRest bounds a pause, so that a clock that is set, or a machine that slept, is noticed.
const maxRest = time.Minute

// watch follows the schedule of one canary. What a stop cuts short is not noted as run.
func (k *Keeper) watch(ctx context.Context, c *canary) {
	if !pause(ctx, firstRest(c.jitter)) {
		return
	}
	for {
		c.mu.Lock()
		last := c.run.Slot
		c.mu.Unlock()
		now := k.opts.Now()
		slot, ok, missed, next := quality.DueSlot(now, last, c.spec.Every, c.jitter)
		c.mu.Lock()
		c.next = next
		c.mu.Unlock()
		if missed > 0 {
			k.metrics.skip(c, skippedMissed, missed)
		}
		if ok {
			k.scheduled(ctx, c, slot)
			now = k.opts.Now()
		}
		if !pause(ctx, min(max(next.Sub(now), 0), maxRest)) {
			return
		}
	}
}

// firstRest keeps many canaries that are due at a start from asking at once.
func firstRest(jitter time.Duration) time.Duration { return jitter % (30 * time.Second) }

// scheduled runs a slot, and passes over those that came due while a run was under way.
func (k *Keeper) scheduled(ctx context.Context, c *canary, slot time.Time) {
	select {
	case c.busy <- struct{}{}:
	default:
		k.pass(ctx, c, slot, skippedOverlap, 1)
		return
	}
	_, err := k.perform(ctx, c, plan{id: slot.Format(idTime), slot: slot, spread: spreadOf(c.spec)})
	<-c.busy
	if ctx.Err() != nil {
		return
	}
	if quality.KindOf(err) == quality.KindUnavailable {
		k.pass(ctx, c, slot, skippedBudget, 1)
		return
	}
	now := quality.SlotAt(k.opts.Now(), c.spec.Every, c.jitter)
	if n := int(now.Sub(slot) / c.spec.Every); n > 0 {
		k.pass(ctx, c, now, skippedOverlap, n)
	}
}

// pass notes that slots up to one are not run.
func (k *Keeper) pass(ctx context.Context, c *canary, slot time.Time, why string, n int) {
	k.metrics.skip(c, why, n)
	k.opts.Logger.Warn("a run of a canary is left out", "feature", c.feature, "canary", c.spec.Name, "slot", slot, "why", why, "runs", n)
	c.mu.Lock()
	c.run.Slot = slot
	run := c.run
	c.mu.Unlock()
	k.saveRun(ctx, run)
}

// maxSpacing is the most time between the begins of two calls of a run.
const maxSpacing = 10 * time.Second

// spreadOf is the time between the begins of two calls: many calls take up to half of the interval, so that
// an endpoint sees no burst.
func spreadOf(spec quality.CanarySpec) time.Duration {
	return min(spec.Every/2/time.Duration(max(spec.Calls(), 1)), maxSpacing)
}

// limitOf bounds a run, so that it has ended before the next is due.
func limitOf(every time.Duration) time.Duration { return every * 9 / 10 }

func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return ctx.Err() == nil
	}
}

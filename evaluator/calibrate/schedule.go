package calibrate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// maxRest bounds a pause, so that a clock that is set, or a machine that slept, is noticed.
const maxRest = time.Minute

// follow keeps to the schedule of one judge. A slot counts as run when its document is stored, together with
// what the run found, so that no crash makes it count twice.
func (k *Keeper) follow(ctx context.Context, j *judge) {
	for {
		next, ok := k.step(ctx, j)
		if !ok || !pause(ctx, min(max(next.Sub(k.opts.Now()), 0), maxRest)) {
			return
		}
	}
}

// Due runs what is due now, and returns; Run does so as time goes by. They are not to be used together.
func (k *Keeper) Due(ctx context.Context) {
	for _, j := range k.judges {
		if j.Anchors != nil {
			k.step(ctx, j)
		}
	}
}

// step does what is due. It returns when something is due again, and false when ctx has ended.
func (k *Keeper) step(ctx context.Context, j *judge) (next time.Time, ok bool) {
	k.tell(ctx, j)
	now := k.opts.Now()
	if u := j.doc.Under; u != nil && !u.Slot.Equal(quality.SlotAt(now, j.Anchors.Every, j.jitter)) {
		k.skip(ctx, j, u.Slot, skippedStopped, 1)
	}
	slot, due, missed, next := quality.DueSlot(now, j.doc.Slot, j.Anchors.Every, j.jitter)
	if missed > 0 {
		k.skip(ctx, j, slot.Add(-j.Anchors.Every), skippedMissed, missed)
	}
	j.mu.Lock()
	j.doc.Status.NextAt = next
	j.mu.Unlock()
	if due && !k.due(ctx, j, slot) {
		return next, false
	}
	return next, ctx.Err() == nil
}

// due runs a slot, or passes over it when the budget does not hold it as a whole. It returns false when ctx
// has ended.
func (k *Keeper) due(ctx context.Context, j *judge, slot time.Time) bool {
	if j.doc.Under == nil && !k.begin(ctx, j, slot) {
		k.skip(ctx, j, slot, skippedBudget, 1)
		return ctx.Err() == nil
	}
	limited, cancel := context.WithTimeout(ctx, j.Anchors.Every*9/10)
	defer cancel()
	k.ask(limited, j)
	if ctx.Err() != nil {
		return false
	}
	k.finish(ctx, j)
	k.tell(ctx, j)
	return true
}

// begin takes a run from the budget before its first call.
func (k *Keeper) begin(ctx context.Context, j *judge, slot time.Time) bool {
	now, b := k.opts.Now().UTC(), j.Anchors.Budget
	d := j.doc
	if !b.IsZero() {
		if period := now.Truncate(b.Per); !d.Period.Equal(period) {
			d.Period, d.Spent = period, 0
		}
		if d.Spent+j.Anchors.Calls() > b.N {
			return false
		}
		d.Spent += j.Anchors.Calls()
	}
	d.Under = &progress{Slot: slot, At: now}
	k.keep(ctx, j, d)
	return true
}

// skip notes that slots up to one are not run.
func (k *Keeper) skip(ctx context.Context, j *judge, slot time.Time, why string, n int) {
	k.metrics.skipped.WithLabelValues(j.Feature, j.Metric, why).Add(float64(n))
	k.opts.Logger.Warn("a run of anchors is left out", "feature", j.Feature, "metric", j.Metric, "slot", slot, "why", why, "runs", n)
	d := j.doc
	d.Under = nil
	d.Status.Skipped += n
	if slot.After(d.Slot) {
		d.Slot = slot
	}
	k.keep(ctx, j, d)
}

// keep takes up a document and stores it. It goes on without the store, which is told, because what is known
// is worth more than its record; the next time everything is stored again.
func (k *Keeper) keep(ctx context.Context, j *judge, d Document) {
	j.mu.Lock()
	j.doc = d
	j.mu.Unlock()
	k.metrics.show(&d.Status)
	if err := k.opts.Store.Save(ctx, d); err != nil && ctx.Err() == nil {
		k.metrics.unsaved.Inc()
		k.opts.Logger.Warn("state of a judge is not stored", "feature", j.Feature, "metric", j.Metric, "err", err)
	}
}

// digest tells anchor sets apart, and what changes the meaning of their marks.
func digest(j *Judge) string {
	h := sha256.New()
	enc := json.NewEncoder(h)
	_ = enc.Encode(j.Bounds) // a hash takes everything, and all of it has been read from JSON or YAML
	for i := range j.Anchors.Anchors {
		_ = enc.Encode(j.Anchors.Anchors[i].Sample)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

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

package alerts

import "context"

// maxEntries bounds the outbox. When it is full the oldest message that is done goes first, then the
// oldest that waits, which is counted as given up.
const maxEntries = 10_000

// makeRoom removes an entry when there are too many.
func (b *outbox) makeRoom(ctx context.Context) {
	e := b.surplus()
	if e == nil {
		return
	}
	if e.State == statePending {
		b.metrics.failed.WithLabelValues(e.Receiver, reasonFull).Inc()
		b.log.Error("message given up: the outbox is full", "receiver", e.Receiver, "id", e.ID, "incident", e.Incident)
	}
	if err := b.kv.Delete(ctx, e.ID); err != nil {
		b.log.Warn("message not removed from the outbox", "id", e.ID, "err", err)
	}
}

// surplus takes the entry that can be missed most out of memory; nil when there is room.
func (b *outbox) surplus() *entry {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.entries) <= maxEntries {
		return nil
	}
	var least *entry
	for _, e := range b.entries {
		if least == nil || e.State != statePending && least.State == statePending ||
			(e.State == statePending) == (least.State == statePending) && order(e, least) < 0 {
			least = e
		}
	}
	b.dropLocked(least.ID)
	return least
}

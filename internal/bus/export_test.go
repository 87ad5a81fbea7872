package bus

import "context"

// Purge runs the purge at once.
func Purge(ctx context.Context, b *Bus) error { return b.purgeAll(ctx) }

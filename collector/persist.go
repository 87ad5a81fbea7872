package collector

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"
)

// maxPause is the longest pause between attempts at what has to be done.
const maxPause = 30 * time.Second

// persist does something until it works, with growing pauses of at most longest, and says once that it does not
// work and once that it works again. failed, when not nil, is told of each failure. It returns an error only when ctx ends.
func persist(ctx context.Context, log *slog.Logger, what string, longest time.Duration, failed func(), do func(context.Context) error) error {
	began := time.Now()
	for attempt := 0; ; attempt++ {
		err := do(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil {
			if attempt > 0 {
				log.Info("works again", "doing", what, "after", time.Since(began).Round(time.Millisecond), "attempts", attempt+1)
			}
			return nil
		}
		if attempt == 0 {
			log.Error("does not work; trying until it does", "doing", what, "err", err)
		}
		if failed != nil {
			failed()
		}
		if !pause(ctx, backoff(attempt, longest, rand.Float64())) {
			return ctx.Err()
		}
	}
}

// backoff grows from 100 ms to most; chance (0 to 1) takes away up to half, so that several writers do
// not return at once.
func backoff(attempt int, most time.Duration, chance float64) time.Duration {
	d := most
	if attempt < 16 {
		d = min(100*time.Millisecond<<attempt, most)
	}
	return d - time.Duration(chance/2*float64(d))
}

// pause waits and reports whether the context still lives.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

package evaluator

import (
	"context"
	"errors"
	"time"
)

// Bounds of the wait between two tries.
const (
	firstWait   = 100 * time.Millisecond
	longestWait = 10 * time.Second
)

// permanent marks an error that trying again will not cure.
type permanent struct{ error }

// Unwrap returns the error itself.
func (p permanent) Unwrap() error { return p.error }

// retry tries until it succeeds, the context ends, or the error is permanent. A failure is logged when
// it begins and when it is over, not each time.
func (s *Service) retry(ctx context.Context, what string, try func(context.Context) error) error {
	wait := firstWait
	for failures := 0; ; failures++ {
		err := try(ctx)
		if err == nil {
			if failures > 0 {
				s.log.Info("works again", "what", what, "failures", failures)
			}
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if p := (permanent{}); errors.As(err, &p) {
			return err
		}
		s.metrics.retries.Inc()
		if failures == 0 {
			s.log.Error("does not work, trying again", "what", what, "err", err)
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
		wait = min(2*wait, longestWait)
	}
}

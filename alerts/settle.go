package alerts

import (
	"errors"
	"time"

	"github.com/asgood-dev/asgood/internal/retry"
	"github.com/asgood-dev/asgood/internal/webhook"
)

// Reasons of our own why a message is given up, beside those of the channel.
const (
	reasonRemoved = "removed" // its receiver is no longer configured
	reasonFull    = "full"    // the outbox held too many
	reasonUnknown = "unknown"
)

func reasons() []string { return append(webhook.Reasons(), reasonRemoved, reasonFull, reasonUnknown) }

func reasonOf(err error) string {
	var failed *webhook.Error
	if errors.As(err, &failed) {
		return failed.Reason
	}
	return reasonUnknown
}

// settle returns the entry after an attempt. chance is 0 to 1.
func settle(e entry, err error, now time.Time, chance float64) entry {
	e.Attempts++
	e.Error = ""
	if err == nil {
		e.State, e.DoneAt = stateDelivered, now
		return e
	}
	e.Error = err.Error()
	var failed *webhook.Error
	if errors.As(err, &failed) && !failed.Retry || now.Sub(e.CreatedAt) >= giveUpAfter {
		e.State, e.DoneAt = stateFailed, now
		return e
	}
	wait := retry.Backoff(e.Attempts, chance)
	if failed != nil {
		wait = max(wait, min(failed.RetryAfter, time.Hour))
	}
	e.NextAt = now.Add(wait)
	return e
}

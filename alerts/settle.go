package alerts

import (
	"errors"
	"time"

	"github.com/asgood-dev/asgood/alerts/webhook"
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
	wait := backoff(e.Attempts, chance)
	if failed != nil {
		wait = max(wait, min(failed.RetryAfter, time.Hour))
	}
	e.NextAt = now.Add(wait)
	return e
}

// backoff doubles from two seconds to an hour, and varies by a fifth, so that what failed together does
// not return together.
func backoff(attempts int, chance float64) time.Duration {
	wait := 2 * time.Second << min(attempts-1, 11)
	wait = min(wait, time.Hour)
	return time.Duration(float64(wait) * (0.8 + 0.4*chance))
}

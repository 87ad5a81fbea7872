// Package retry says when what failed is tried again.
//
// It decides and does nothing: who sends keeps the time and the attempts.
package retry

import "time"

// Backoff is the time to wait after so many failed attempts, at least 1: it doubles from two seconds to an hour,
// and varies by a fifth with chance, 0 to 1, so that what failed together does not return together.
func Backoff(attempts int, chance float64) time.Duration {
	wait := 2 * time.Second << min(attempts-1, 11)
	wait = min(wait, time.Hour)
	return time.Duration(float64(wait) * (0.8 + 0.4*chance))
}

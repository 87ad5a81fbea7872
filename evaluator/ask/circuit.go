package ask

import (
	"sync"
	"time"
)

const (
	openAfter    = 5 // failures in a row
	firstPause   = time.Second
	longestPause = time.Minute
	lookAgain    = 250 * time.Millisecond // while another sample tries whether the endpoint is back
)

// circuit keeps calls from an endpoint that is away, or that asks to be left alone. One sample tries now and
// again whether it is back. It is safe for concurrent use.
type circuit struct {
	mu       sync.Mutex
	failures int // in a row
	open     bool
	until    time.Time // when to try next, while open
	pause    time.Duration
	trying   bool
}

// enter returns 0 when a call may be made now, or how long to wait before asking again.
func (c *circuit) enter(now time.Time) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !c.open:
		return 0
	case now.Before(c.until):
		return c.until.Sub(now)
	case c.trying:
		return lookAgain
	default:
		c.trying = true
		return 0
	}
}

// report tells how a call ended: ok when the endpoint answered, whatever it said; retry is how long it asks
// to wait, or 0.
func (c *circuit) report(now time.Time, ok bool, retry time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.trying = false
	if ok {
		c.failures, c.open, c.pause = 0, false, 0
		return
	}
	c.failures++
	switch {
	case retry > 0:
		c.open, c.until = true, now.Add(retry)
	case c.failures >= openAfter:
		c.pause = min(max(2*c.pause, firstPause), longestPause)
		c.open, c.until = true, now.Add(c.pause)
	}
}

// away returns until when the endpoint is left alone, the zero time when it is not.
func (c *circuit) away() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.open {
		return time.Time{}
	}
	return c.until
}

package demo

import (
	"sync"
	"time"
)

// clock is the simulation's time: set by hand while the week is played, then running.
type clock struct {
	mu      sync.Mutex
	at      time.Time
	running time.Time // wall time at which it was let go; zero while set by hand
}

func newClock(at time.Time) *clock { return &clock{at: at} }

// Now returns the simulated time.
func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running.IsZero() {
		return c.at
	}
	return c.at.Add(time.Since(c.running))
}

// Set moves the clock while it is set by hand.
func (c *clock) Set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
}

// Go lets the clock run from where it stands.
func (c *clock) Go() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running = time.Now()
}

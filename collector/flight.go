package collector

import (
	"context"
	"sync"

	"github.com/asgood-dev/asgood/internal/quality"
)

// flight is the shared outcome of the samples of a job.
type flight struct {
	done chan struct{}
	err  error // to be read after done
}

func newFlight() *flight { return &flight{done: make(chan struct{})} }

func (f *flight) land(err error) {
	f.err = err
	close(f.done)
}

func (f *flight) wait(ctx context.Context) error {
	select {
	case <-f.done:
		return f.err
	case <-ctx.Done():
		return quality.Errorf(quality.KindUnavailable, "gave up waiting for the hand-off: %w", ctx.Err())
	}
}

// airspace knows which ids are on their way, so that two requests with one id store it once.
type airspace struct {
	mu      sync.Mutex
	flights map[string]*flight
}

// enter notes that an id is on its way with f, or returns the flight it is on already.
func (a *airspace) enter(key string, f *flight) *flight {
	a.mu.Lock()
	defer a.mu.Unlock()
	if have, ok := a.flights[key]; ok {
		return have
	}
	a.flights[key] = f
	return nil
}

func (a *airspace) leave(items []item) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range items {
		if items[i].key != "" {
			delete(a.flights, items[i].key)
		}
	}
}

package collector

import (
	"context"
	"runtime"

	"github.com/asgood-dev/asgood/internal/quality"
)

// freeBytes is how much of a request is read without waiting for a turn.
const freeBytes = 64 << 10

// turns bound how many large requests are decoded at the same time, so that some of the machine is left for the
// small ones, however many large ones there are.
type turns chan struct{}

func newTurns() turns { return make(turns, max(runtime.GOMAXPROCS(0)-1, 1)) }

// turn is one request's.
type turn struct {
	turns turns
	read  int // bytes so far
	held  bool
}

// take waits for a turn when the request is large; done ends it.
func (t *turn) take(ctx context.Context, bytes int) error {
	if t.read += bytes; t.read <= freeBytes || t.turns == nil {
		return nil
	}
	select {
	case t.turns <- struct{}{}:
		t.held = true
		return nil
	case <-ctx.Done():
		return quality.Errorf(quality.KindUnavailable, "gave up waiting to be read: %w", ctx.Err())
	}
}

func (t *turn) done() {
	if t.held {
		t.held = false
		<-t.turns
	}
}

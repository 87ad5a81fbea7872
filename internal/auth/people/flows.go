package people

import (
	"sync"
	"time"

	"github.com/asgood-dev/asgood/internal/auth/oidc"
)

// Bounds of sign-ins that have begun and not ended.
const (
	maxFlows = 1000
	flowLife = 10 * time.Minute
)

// flows are the sign-ins that are under way at a sign-in service, by state. They live in memory: who comes back
// to a process that was started anew begins again.
type flows struct {
	mu sync.Mutex
	by map[string]flow
}

type flow struct {
	oidc.Flow
	next  string // where the person wanted to go
	begun time.Time
}

func newFlows() *flows { return &flows{by: map[string]flow{}} }

// add notes one that begins. When there are too many the oldest gives way.
func (f *flows) add(x flow) {
	f.mu.Lock()
	defer f.mu.Unlock()
	oldest := ""
	for state, y := range f.by {
		if x.begun.Sub(y.begun) >= flowLife {
			delete(f.by, state)
		} else if oldest == "" || y.begun.Before(f.by[oldest].begun) {
			oldest = state
		}
	}
	if len(f.by) >= maxFlows {
		delete(f.by, oldest)
	}
	f.by[x.State] = x
}

// take returns one that ends, once.
func (f *flows) take(state string, now time.Time) (flow, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	x, ok := f.by[state]
	delete(f.by, state)
	return x, ok && now.Sub(x.begun) < flowLife
}

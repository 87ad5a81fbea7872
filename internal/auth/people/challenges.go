package people

import (
	"net/netip"
	"sync"
	"time"

	"github.com/asgood-dev/asgood/internal/auth/passkey"
)

// Bounds of questions to authenticators that are not answered yet.
const (
	maxChallenges   = 5000
	maxChallengesOf = 500 // of one address, so that nobody crowds out the others
	challengeLife   = 5 * time.Minute
)

// challenge is a question that waits for its answer. Only the browser that asked may answer, which a cookie shows,
// and only once.
type challenge struct {
	passkey.Question
	session string // of the person who makes a passkey; empty for signing in
	handle  []byte // of that person
	next    string // where a person who signs in wanted to go
	from    netip.Addr
	begun   time.Time
}

// challenges are the questions by what the browser's cookie holds. They live in memory: who comes back to another
// process begins again.
type challenges struct {
	mu sync.Mutex
	by map[string]challenge
}

func newChallenges() *challenges { return &challenges{by: map[string]challenge{}} }

// add notes a question. When there are too many, of an address or of all, the oldest of these gives way.
func (c *challenges) add(key string, x challenge) {
	c.mu.Lock()
	defer c.mu.Unlock()
	oldest, oldestOf, of := "", "", 0
	for k, y := range c.by {
		if x.begun.Sub(y.begun) >= challengeLife {
			delete(c.by, k)
			continue
		}
		oldest = c.older(oldest, k)
		if y.from == x.from {
			oldestOf, of = c.older(oldestOf, k), of+1
		}
	}
	switch {
	case of >= maxChallengesOf:
		delete(c.by, oldestOf)
	case len(c.by) >= maxChallenges:
		delete(c.by, oldest)
	}
	c.by[key] = x
}

// older returns which of two keys has the older question; best may be empty.
func (c *challenges) older(best, k string) string {
	if best == "" || c.by[k].begun.Before(c.by[best].begun) {
		return k
	}
	return best
}

// take returns a question that is answered, once. One that a person of a session was asked is for that session
// alone, and one for signing in for no session.
func (c *challenges) take(key, session string, now time.Time) (challenge, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	x, ok := c.by[key]
	delete(c.by, key)
	return x, ok && x.session == session && now.Sub(x.begun) < challengeLife
}

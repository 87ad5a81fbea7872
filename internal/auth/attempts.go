package auth

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// An address may fail so often at once, and then so often; what is above is answered 429. A good key is never
// refused for it: others may stand behind the same address.
const (
	failBurst    = 20
	failEvery    = 3 * time.Second
	logEvery     = time.Minute
	maxAddresses = 4096
)

// Attempts counts the failed attempts of each address. When more addresses fail than it holds, those beyond
// share one allowance.
type Attempts struct {
	mu     sync.Mutex
	by     map[netip.Prefix]*attempt
	rest   *attempt
	pruned time.Time
}

type attempt struct {
	allowed    *rate.Limiter
	logged     time.Time
	suppressed int // failures since then
}

// NewAttempts returns a count of nothing.
func NewAttempts() *Attempts {
	return &Attempts{by: map[netip.Prefix]*attempt{}, rest: newAttempt()}
}

func newAttempt() *attempt {
	return &attempt{allowed: rate.NewLimiter(rate.Every(failEvery), failBurst)}
}

// Verdict says what is to be done about a failed attempt.
type Verdict struct {
	Wait       time.Duration // 0 when the address may go on trying
	Log        bool          // about once a minute for each address
	Suppressed int           // failures of this address that were not logged
}

// Fail notes a failed attempt from an address.
func (a *Attempts) Fail(addr netip.Addr, now time.Time) Verdict {
	a.mu.Lock()
	defer a.mu.Unlock()
	x := a.of(networkOf(addr), now)
	var v Verdict
	if !x.allowed.AllowN(now, 1) {
		v.Wait = failEvery
	}
	if v.Log = x.logged.IsZero() || now.Sub(x.logged) >= logEvery; !v.Log {
		x.suppressed++
		return v
	}
	v.Suppressed, x.suppressed, x.logged = x.suppressed, 0, now
	return v
}

// of returns the entry of an address.
func (a *Attempts) of(p netip.Prefix, now time.Time) *attempt {
	if x := a.by[p]; x != nil {
		return x
	}
	if len(a.by) >= maxAddresses && now.Sub(a.pruned) >= time.Second {
		a.prune(now)
	}
	if len(a.by) >= maxAddresses {
		return a.rest
	}
	x := newAttempt()
	a.by[p] = x
	return x
}

// prune forgets the addresses that have not failed for long.
func (a *Attempts) prune(now time.Time) {
	a.pruned = now
	for p, x := range a.by {
		if x.allowed.TokensAt(now) >= failBurst && now.Sub(x.logged) >= logEvery {
			delete(a.by, p)
		}
	}
}

// networkOf is what one caller has of addresses: of IPv6 a whole network of 64 bits.
func networkOf(addr netip.Addr) netip.Prefix {
	addr = addr.Unmap().WithZone("")
	bits := addr.BitLen()
	if addr.Is6() {
		bits = 64
	}
	p, _ := addr.Prefix(bits) // the zero prefix stands for an address that is not known
	return p
}

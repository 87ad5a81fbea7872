package subscribe

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/asgood-dev/asgood/internal/quality"
)

// How often somebody may ask: from one network, for one address, and all together. The moment of an incident
// brings many at once, so the whole may do a lot, and one address hears little of it.
const (
	networkBurst = 20
	networkEvery = 2 * time.Minute
	addressBurst = 3
	addressEvery = 8 * time.Hour
	wholeBurst   = 500
	wholeEvery   = 100 * time.Millisecond
	linkBurst    = 60
	linkEvery    = time.Second
	maxBuckets   = 20_000
)

// buckets hold an allowance for each key. When there are more keys than it holds, those beyond share one.
type buckets struct {
	every time.Duration
	burst int

	mu     sync.Mutex
	by     map[string]*rate.Limiter
	rest   *rate.Limiter
	pruned time.Time
}

func newBuckets(every time.Duration, burst int) *buckets {
	return &buckets{every: every, burst: burst, by: map[string]*rate.Limiter{}, rest: rate.NewLimiter(rate.Every(every), burst)}
}

// take reports whether one more is allowed for a key, and takes it.
func (b *buckets) take(key string, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.by[key]
	if l == nil {
		l = b.addLocked(key, now)
	}
	return l.AllowN(now, 1)
}

func (b *buckets) addLocked(key string, now time.Time) *rate.Limiter {
	if len(b.by) >= maxBuckets && now.Sub(b.pruned) >= time.Minute {
		b.pruned = now
		for k, l := range b.by {
			if l.TokensAt(now) >= float64(b.burst) {
				delete(b.by, k)
			}
		}
	}
	if len(b.by) >= maxBuckets {
		return b.rest
	}
	l := rate.NewLimiter(rate.Every(b.every), b.burst)
	b.by[key] = l
	return l
}

// limits bound what strangers can make us do.
type limits struct {
	networks, addresses, whole, links *buckets
}

func newLimits() *limits {
	return &limits{
		networks: newBuckets(networkEvery, networkBurst), addresses: newBuckets(addressEvery, addressBurst),
		whole: newBuckets(wholeEvery, wholeBurst), links: newBuckets(linkEvery, linkBurst),
	}
}

// request says whether a request of an address of the network is taken.
func (l *limits) request(from netip.Addr, now time.Time) error {
	if !l.networks.take(network(from), now) {
		return refuse(quality.KindTooMany, networkEvery, "subscribe.wrong.network")
	}
	if !l.whole.take("", now) {
		return refuse(quality.KindTooMany, time.Minute, "subscribe.wrong.whole")
	}
	return nil
}

// link says whether a link may be followed from an address of the network: tokens cannot be guessed, and nobody
// shall keep us busy trying.
func (l *limits) link(from netip.Addr, now time.Time) error {
	if !l.links.take(network(from), now) {
		return refuse(quality.KindTooMany, linkEvery, "subscribe.wrong.network")
	}
	return nil
}

// network is what one caller has of addresses: of IPv6 a whole network of 64 bits.
func network(a netip.Addr) string {
	a = a.Unmap().WithZone("")
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return ""
	}
	return p.String()
}

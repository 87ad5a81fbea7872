package collector

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/asgood-dev/asgood/internal/quality"
)

// holder is who holds room in the queue: a customer of a feature.
type holder struct{ feature, customer string }

func holderOf(it *item) holder { return holder{feature: it.slice.feature, customer: it.slice.customer} }

// maxHolders bounds how many customers are told apart; those beyond are one.
const maxHolders = 10_000

// restOf stands for the customers beyond maxHolders.
const restOf = "\x00rest"

// portion is the room that a job takes for a holder.
type portion struct {
	who   holder
	bytes int64
}

// share sees to it that no customer takes the queue from the others. While the queue is half empty everybody
// gets in. From there on a customer gets in as long as it would hold no more than is free then: so one that
// floods stops at half of the queue, two at a third each, and there is always room for who holds nothing yet.
type share struct {
	mu      sync.Mutex
	size    int64
	used    int64
	held    map[holder]int64
	rates   map[holder]*rate.Limiter // nil without a limit
	perSec  rate.Limit
	swept   time.Time
	overall map[string]*rate.Limiter // of the customers beyond maxHolders, by feature
}

// newShare makes the share of a queue of a size in bytes. perSecond limits the outputs of each customer; 0 means
// no limit.
func newShare(size int64, perSecond float64) *share {
	s := &share{size: size, held: map[holder]int64{}}
	if perSecond > 0 {
		s.perSec, s.rates, s.overall = rate.Limit(perSecond), map[holder]*rate.Limiter{}, map[string]*rate.Limiter{}
	}
	return s
}

// part is what a chunk brings of one holder.
type part struct {
	bytes int64
	items int
	err   error // why it is refused
}

// enter holds room for a chunk and returns the items that may go on, what they hold, and how many were refused
// and why. fair is false for what was taken in before: it is counted and never refused.
func (s *share) enter(chunk []item, fair bool, now time.Time) (in []item, held []portion, refused int, err error) {
	parts := partsOf(chunk)
	s.mu.Lock()
	defer s.mu.Unlock()
	for who, p := range parts {
		if fair {
			p.err = s.judge(who, p, now)
		}
		if p.err != nil {
			refused, err = refused+p.items, p.err
			continue
		}
		who = s.known(who)
		s.used += p.bytes
		s.held[who] += p.bytes
		held = append(held, portion{who: who, bytes: p.bytes})
	}
	if refused == 0 {
		return chunk, held, 0, nil
	}
	in = make([]item, 0, len(chunk)-refused)
	for i := range chunk {
		if parts[holderOf(&chunk[i])].err == nil {
			in = append(in, chunk[i])
		}
	}
	return in, held, refused, err
}

// partsOf adds a chunk up by holder. A small chunk takes the least room that the queue gives.
func partsOf(chunk []item) map[holder]*part {
	parts := map[holder]*part{}
	total := int64(0)
	for i := range chunk {
		p := parts[holderOf(&chunk[i])]
		if p == nil {
			p = &part{}
			parts[holderOf(&chunk[i])] = p
		}
		p.items++
		p.bytes += int64(chunk[i].size)
		total += int64(chunk[i].size)
	}
	if total < minWeight {
		for _, p := range parts {
			p.bytes = p.bytes * minWeight / max(total, 1)
		}
	}
	return parts
}

// known returns the holder under which a customer is counted.
func (s *share) known(who holder) holder {
	if _, ok := s.held[who]; ok || len(s.held) < maxHolders {
		return who
	}
	return holder{feature: who.feature, customer: restOf}
}

// judge returns why a customer may not bring more now, or nothing.
func (s *share) judge(who holder, p *part, now time.Time) error {
	held := s.held[s.known(who)]
	used := s.used + p.bytes
	if held > 0 && used > s.size/2 && held+p.bytes > s.size-used {
		return quality.TooMany(shareWait, "customer %.80q of feature %q takes more than its share of the queue; try again shortly", who.customer, who.feature)
	}
	return s.charge(who, p.items, now)
}

// shareWait is how long who floods is asked to wait.
const shareWait = 5 * time.Second

// rateBurst is for how long a customer may have been silent to send that much at once.
const rateBurst = 10 * time.Second

// charge lets a customer in while it owes nothing, and charges what it brings, so that requests of any size
// pass and the rate holds on average.
func (s *share) charge(who holder, items int, now time.Time) error {
	if s.rates == nil {
		return nil
	}
	l := s.limiter(who, now)
	if tokens := l.TokensAt(now); tokens <= 0 {
		wait := time.Duration((1 - tokens) / float64(s.perSec) * float64(time.Second))
		return quality.TooMany(wait, "customer %.80q of feature %q sends more than %g outputs per second", who.customer, who.feature, float64(s.perSec))
	}
	for items > 0 {
		n := min(items, l.Burst())
		l.ReserveN(now, n) // a reservation may be in the future: that is the debt
		items -= n
	}
	return nil
}

func (s *share) limiter(who holder, now time.Time) *rate.Limiter {
	if l := s.rates[who]; l != nil {
		return l
	}
	if len(s.rates) >= maxHolders && now.Sub(s.swept) >= time.Second {
		s.sweep(now)
	}
	if len(s.rates) < maxHolders {
		l := s.newLimiter()
		s.rates[who] = l
		return l
	}
	if s.overall[who.feature] == nil { // the features are those of the configuration
		s.overall[who.feature] = s.newLimiter()
	}
	return s.overall[who.feature]
}

func (s *share) newLimiter() *rate.Limiter {
	return rate.NewLimiter(s.perSec, int(max(float64(s.perSec)*rateBurst.Seconds(), 1)))
}

// sweep forgets the customers that may send as much as those that never sent.
func (s *share) sweep(now time.Time) {
	s.swept = now
	for who, l := range s.rates {
		if l.TokensAt(now) >= float64(l.Burst()) {
			delete(s.rates, who)
		}
	}
}

// leave gives back what a job held.
func (s *share) leave(held []portion) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range held {
		s.used -= h.bytes
		if s.held[h.who] -= h.bytes; s.held[h.who] <= 0 {
			delete(s.held, h.who)
		}
	}
}

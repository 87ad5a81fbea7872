package auth

import (
	"context"
	"math"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Rates allow bursts of burstTime's worth. A request is let in while its key owes nothing, and what it
// brought is charged as it is read; so requests of any size pass, and the rate holds on average. A request
// that runs more than debtTime's worth into debt is cut off.
const (
	burstTime = 10 * time.Second
	debtTime  = time.Minute
)

// Sender is who sent a request, known by its key. It is safe for concurrent use.
type Sender struct {
	id      string
	key     atomic.Pointer[stored] // replaced when the document changes
	used    atomic.Int64           // Unix seconds of the last good check
	records *rate.Limiter          // nil without limit
	bytes   *rate.Limiter
	keys    *Keys
}

// stored is the document of a key.
type stored struct {
	Key
	Hash []byte `json:"hash"` // of the secret

	hash hash
	rev  uint64
}

func newSender(k *Keys, s *stored) *Sender {
	x := &Sender{id: s.ID, keys: k, records: limiter(s.Rate), bytes: limiter(float64(s.Bytes))}
	x.key.Store(s)
	return x
}

func limiter(perSecond float64) *rate.Limiter {
	if perSecond <= 0 {
		return nil
	}
	burst := math.Min(math.Max(perSecond*burstTime.Seconds(), 1), math.MaxInt32)
	return rate.NewLimiter(rate.Limit(perSecond), int(burst))
}

// ID returns the id of the key.
func (s *Sender) ID() string { return s.id }

// Key returns what is known of the key.
func (s *Sender) Key() Key { return s.key.Load().Key }

// state returns why the key is not good now, or nothing.
func (s *Sender) state(now time.Time) Reason {
	k := s.key.Load()
	switch {
	case !k.Revoked.IsZero():
		return ReasonRevoked
	case k.expired(now):
		return ReasonExpired
	default:
		return ""
	}
}

// allow returns an error of kind forbidden when the key may not send for a feature. A record that names
// none could be for any.
func (s *Sender) allow(feature string) error {
	k := s.key.Load()
	switch {
	case !k.Revoked.IsZero():
		s.keys.metrics.refuse(ReasonRevoked)
		return quality.Errorf(quality.KindForbidden, "key %s was revoked", s.id)
	case len(k.Features) == 0 || slices.Contains(k.Features, feature):
		return nil
	}
	s.keys.metrics.refuse(ReasonFeature)
	if feature == "" {
		return quality.Errorf(quality.KindForbidden, "field %q: required, because key %s may send for some features only (%s)", "feature", s.id, few(k.Features))
	}
	return quality.Errorf(quality.KindForbidden, "field %q: key %s may not send for %.80q (it may for: %s)", "feature", s.id, feature, few(k.Features))
}

// owes returns which limit the key is in debt to, or nothing.
func (s *Sender) owes(now time.Time) Reason {
	switch {
	case s.records != nil && s.records.TokensAt(now) <= 0:
		return ReasonRate
	case s.bytes != nil && s.bytes.TokensAt(now) <= 0:
		return ReasonBytes
	default:
		return ""
	}
}

// spend charges n to a limit. It is an error when the debt is too high; n is charged nevertheless.
func (s *Sender) spend(reason Reason, n int, now time.Time) error {
	l := s.limiterOf(reason)
	if l == nil {
		return nil
	}
	for n > 0 {
		part := min(n, l.Burst())
		l.ReserveN(now, part) // a reservation may be in the future: that is the debt
		n -= part
	}
	if l.TokensAt(now) >= -float64(l.Limit())*debtTime.Seconds() {
		return nil
	}
	s.keys.metrics.refuse(reason)
	return s.overdrawn(reason, now)
}

func (s *Sender) limiterOf(reason Reason) *rate.Limiter {
	if reason == ReasonBytes {
		return s.bytes
	}
	return s.records
}

// overdrawn says when the debt will be paid.
func (s *Sender) overdrawn(reason Reason, now time.Time) error {
	l := s.limiterOf(reason)
	wait := time.Duration((1 - l.TokensAt(now)) / float64(l.Limit()) * float64(time.Second))
	unit := "records"
	if reason == ReasonBytes {
		unit = "bytes"
	}
	return quality.TooMany(max(wait, 0), "key %s may send %g %s per second and has sent more", s.id, float64(l.Limit()), unit)
}

func withSender(ctx context.Context, s *Sender) context.Context {
	c := callerOf(ctx)
	c.sender = s
	return withCaller(ctx, c)
}

// SenderOf returns who sent the request of a context; nil when it needed no key and sent none.
func SenderOf(ctx context.Context) *Sender { return callerOf(ctx).sender }

// Guard tells rooms what the sender of a request may do. A request that needed no key may do everything.
type Guard struct{}

// Allow returns an error of kind forbidden when the sender may not send for a feature; the empty feature
// stands for any.
func (Guard) Allow(ctx context.Context, feature string) error {
	if s := SenderOf(ctx); s != nil {
		return s.allow(feature)
	}
	return nil
}

// Spend charges records to the sender. An error of kind too many, with the time to wait, ends the request.
func (Guard) Spend(ctx context.Context, records int) error {
	if s := SenderOf(ctx); s != nil && s.records != nil {
		return s.spend(ReasonRate, records, s.keys.opts.Now())
	}
	return nil
}

// Package links makes the links by which customers come to what is theirs, and knows which of them are good.
// A link is for one customer and one purpose, ends at a time, can be revoked, and its uses are counted.
//
// Of what is handed out only the hash is kept. A check reads memory only; every process watches the links, so
// that one that is revoked fails at its next use. What a link shows is not decided here.
package links

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/asgood-dev/asgood/internal/auth"
	"github.com/asgood-dev/asgood/internal/auth/shelf"
	"github.com/asgood-dev/asgood/internal/quality"
)

// Why a link is not good any more; they are in errors of kind forbidden.
var (
	ErrExpired = errors.New("this link expired")
	ErrRevoked = errors.New("this link was taken back")
)

// Bounds of links.
const (
	MaxLinks    = 100_000
	MaxLife     = 400 * 24 * time.Hour
	forgetAfter = 90 * 24 * time.Hour // of links that are over
)

// Link is a link without its secret, which nobody knows but its holder.
type Link struct {
	ID       string        `json:"id"`
	Customer string        `json:"customer"`
	Purpose  string        `json:"purpose"` // such as private-page
	By       quality.Actor `json:"by"`      // who made it
	Created  time.Time     `json:"created"`
	Expires  time.Time     `json:"expires"`
	Revoked  time.Time     `json:"revoked,omitzero"`
	Uses     uint64        `json:"uses"`
	LastUsed time.Time     `json:"last_used,omitzero"` // in a list of another process to about a minute
}

// State returns active, expired or revoked.
func (l Link) State(now time.Time) string {
	switch {
	case !l.Revoked.IsZero():
		return "revoked"
	case !now.Before(l.Expires):
		return "expired"
	default:
		return "active"
	}
}

// stored is the document of a link.
type stored struct {
	Link
	Hash []byte `json:"hash"`
}

// Options of a Book. Store and Audit are required.
type Options struct {
	Store auth.Store
	// Audit writes down what happens before it does; what cannot be written down does not.
	Audit      func(ctx context.Context, e quality.Audited) error
	Now        func() time.Time      // default time.Now
	Logger     *slog.Logger          // nil discards
	Registerer prometheus.Registerer // nil means a private one
}

// Book holds the links. Run must be running for changes of other processes to be seen and uses to be kept.
type Book struct {
	opts  Options
	links *shelf.Shelf[stored]
	uses  *prometheus.CounterVec

	mu  sync.Mutex
	new map[string]use // uses that are not stored yet, by id
}

// use counts uses since they were stored last.
type use struct {
	n    uint64
	last time.Time
}

// New reads the links that there are.
func New(ctx context.Context, o Options) (b *Book, err error) {
	if o.Audit == nil {
		return nil, errors.New("links: Audit is required")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Registerer == nil {
		o.Registerer = prometheus.NewRegistry()
	}
	o.Logger = o.Logger.With("component", "links")
	b = &Book{opts: o, new: map[string]use{}, uses: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "asgood_auth_link_uses_total", Help: "Uses of customer links by result."}, []string{"result"})}
	for _, r := range []string{"ok", "unknown", "expired", "revoked"} {
		b.uses.WithLabelValues(r)
	}
	if err := o.Registerer.Register(b.uses); err != nil {
		return nil, fmt.Errorf("registering the metrics of links: %w", err)
	}
	b.links, err = shelf.Open[stored](ctx, shelf.Options{Store: o.Store, Name: "customer links", Max: MaxLinks, Logger: o.Logger})
	return b, err
}

var purposeForm = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,63}$`)

// Make makes a link and returns its token, which is not kept and cannot be shown again.
func (b *Book) Make(ctx context.Context, customer, purpose string, expires time.Time, by quality.Actor) (string, Link, error) {
	now := b.opts.Now().UTC()
	switch {
	case customer == "" || len(customer) > quality.MaxNameLen:
		return "", Link{}, quality.Errorf(quality.KindInvalid, "field %q: want 1 to %d bytes", "customer", quality.MaxNameLen)
	case !purposeForm.MatchString(purpose):
		return "", Link{}, quality.Errorf(quality.KindInvalid, "field %q: want up to 64 small letters, digits and dashes, a letter first", "purpose")
	case !expires.After(now):
		return "", Link{}, quality.Errorf(quality.KindInvalid, "field %q: want a time to come", "expires")
	case expires.Sub(now) > MaxLife:
		return "", Link{}, quality.Errorf(quality.KindInvalid, "field %q: want at most %d days from now", "expires", MaxLife/(24*time.Hour))
	}
	secret := auth.NewSecret()
	l := Link{ID: secret.ID, Customer: customer, Purpose: purpose, By: by, Created: now, Expires: expires.UTC()}
	if err := b.audit(ctx, by, "link.made", l, fmt.Sprintf("for customer %s, %s, until %s", customer, purpose, l.Expires.Format(time.RFC3339))); err != nil {
		return "", Link{}, err
	}
	if err := b.links.Create(ctx, l.ID, stored{Link: l, Hash: secret.Hash()}); err != nil {
		return "", Link{}, err
	}
	return secret.String(), l, nil
}

func (b *Book) audit(ctx context.Context, by quality.Actor, action string, l Link, detail string) error {
	err := b.opts.Audit(ctx, quality.Audited{Actor: by, Action: action, Object: "link/" + l.ID, Detail: detail})
	if err != nil {
		return fmt.Errorf("writing down %s of link %q: %w", action, l.ID, err)
	}
	return nil
}

// useWrittenAgain is how long a use of a link stands for those that follow it in the audit log: a page that is
// open reads itself again and again.
const useWrittenAgain = time.Hour

// Check returns the link of a token, and counts its use. A token that is not of this purpose is an error of kind
// not found, like one that nobody made. That a link expired or was revoked is told to who holds it, as an error
// of kind forbidden. The first use of an hour is written into the audit log; when that fails the link fails.
func (b *Book) Check(ctx context.Context, token, purpose string) (Link, error) {
	secret, formed := auth.ParseSecret(token)
	s, known := b.links.Get(secret.ID)
	same := secret.Is(s.Hash)
	if !formed || !known || !same || s.Purpose != purpose {
		b.uses.WithLabelValues("unknown").Inc()
		return Link{}, quality.Errorf(quality.KindNotFound, "this link is not known here; it may be cut short: ask who sent it for another one")
	}
	now := b.opts.Now().UTC()
	state := s.State(now)
	switch state {
	case "expired":
		b.uses.WithLabelValues(state).Inc()
		return Link{}, quality.Errorf(quality.KindForbidden, "%w on %s: ask who sent it for another one", ErrExpired, s.Expires.Format("2 January 2006"))
	case "revoked":
		b.uses.WithLabelValues(state).Inc()
		return Link{}, quality.Errorf(quality.KindForbidden, "%w: ask who sent it for another one", ErrRevoked)
	}
	l := b.counted(s.Link)
	if now.Sub(l.LastUsed) >= useWrittenAgain {
		holder := quality.Actor{Kind: quality.ActorMachine, ID: "link/" + l.ID, Name: l.Customer, Credential: "link"}
		if err := b.audit(ctx, holder, "link.used", l, "for "+purpose); err != nil {
			return Link{}, err
		}
	}
	b.uses.WithLabelValues("ok").Inc()
	return b.count(l, now), nil
}

// counted adds the uses that are not stored yet.
func (b *Book) counted(l Link) Link {
	b.mu.Lock()
	defer b.mu.Unlock()
	u := b.new[l.ID]
	l.Uses += u.n
	if u.last.After(l.LastUsed) {
		l.LastUsed = u.last
	}
	return l
}

func (b *Book) count(l Link, now time.Time) Link {
	b.mu.Lock()
	defer b.mu.Unlock()
	u := b.new[l.ID]
	b.new[l.ID] = use{u.n + 1, now}
	l.Uses, l.LastUsed = l.Uses+1, now
	return l
}

// Revoke ends a link at once and for good. One that is revoked already stays as it is.
func (b *Book) Revoke(ctx context.Context, id string, by quality.Actor) (Link, error) {
	have, ok := b.links.Get(id)
	if !ok {
		return Link{}, quality.Errorf(quality.KindNotFound, "no link has the id %.40q", id)
	}
	if !have.Revoked.IsZero() {
		return have.Link, nil
	}
	if err := b.audit(ctx, by, "link.revoked", have.Link, "for customer "+have.Customer); err != nil {
		return Link{}, err
	}
	s, err := b.links.Revise(ctx, id, func(s *stored) error {
		if !s.Revoked.IsZero() {
			return shelf.ErrSame
		}
		s.Revoked = b.opts.Now().UTC()
		return nil
	})
	return b.counted(s.Link), err
}

// List returns the links of a customer, of all when customer is empty, the newest first.
func (b *Book) List(customer string) []Link {
	var out []Link
	for _, s := range b.links.All() {
		if customer == "" || s.Customer == customer {
			out = append(out, b.counted(s.Link))
		}
	}
	slices.SortStableFunc(out, func(x, y Link) int {
		if c := y.Created.Compare(x.Created); c != 0 {
			return c
		}
		return strings.Compare(x.ID, y.ID)
	})
	return out
}

// keepEvery is how often uses are stored.
const keepEvery = time.Minute

// Run follows the store, stores uses and forgets links that are over for long, until ctx ends.
func (b *Book) Run(ctx context.Context) error {
	g, run := errgroup.WithContext(ctx)
	g.Go(func() error { return b.links.Run(run) })
	g.Go(func() error { b.keep(run); return nil })
	return g.Wait()
}

func (b *Book) keep(ctx context.Context) {
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			b.last(ctx)
			return
		case <-tick.C:
			b.storeUses(ctx)
			b.forget(ctx, b.opts.Now())
		}
	}
}

// last stores what was counted since, before the process ends.
func (b *Book) last(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	b.storeUses(ctx)
}

// storeUses adds the uses that were counted here to those of the documents.
func (b *Book) storeUses(ctx context.Context) {
	b.mu.Lock()
	counted := b.new
	b.new = make(map[string]use, len(counted))
	b.mu.Unlock()
	for id, u := range counted {
		_, err := b.links.Revise(ctx, id, func(s *stored) error {
			s.Uses += u.n
			if u.last.After(s.LastUsed) {
				s.LastUsed = u.last
			}
			return nil
		})
		if err == nil || quality.KindOf(err) == quality.KindNotFound {
			continue
		}
		b.opts.Logger.Warn("uses of a link are not stored yet", "id", id, "err", err)
		b.putBack(id, u)
	}
}

func (b *Book) putBack(id string, u use) {
	b.mu.Lock()
	defer b.mu.Unlock()
	have := b.new[id]
	have.n += u.n
	if u.last.After(have.last) {
		have.last = u.last
	}
	b.new[id] = have
}

func (b *Book) forget(ctx context.Context, now time.Time) {
	before := now.Add(-forgetAfter)
	for _, s := range b.links.All() {
		if s.Expires.After(before) && (s.Revoked.IsZero() || s.Revoked.After(before)) {
			continue
		}
		if err := b.links.Delete(ctx, s.ID); err != nil {
			b.opts.Logger.Warn("an old link is not forgotten", "id", s.ID, "err", err)
			return
		}
	}
}

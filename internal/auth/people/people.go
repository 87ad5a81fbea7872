// Package people knows persons: their accounts, how they sign in, and their sessions. It owns the pages by
// which they do, and the one-time links by which the first comes in, and who has no other way.
//
// Sessions are kept by the server, hashed. Every process watches them, so that one that ends is over at the
// next request. A question who is signed in reads memory only.
//
// It leaves out what a person may do on single routes, which the gate of the package auth asks, and how a
// sign-in service is spoken to, which is the package oidc's.
package people

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/asgood-dev/asgood/internal/auth"
	"github.com/asgood-dev/asgood/internal/auth/oidc"
	"github.com/asgood-dev/asgood/internal/auth/shelf"
	"github.com/asgood-dev/asgood/internal/quality"
)

// Bounds and defaults of sessions.
const (
	DefaultIdle     = 8 * time.Hour
	DefaultLifetime = 24 * time.Hour
	maxAccounts     = 10_000
	maxSessions     = 10_000
	maxOwn          = 10 // sessions of one person; the oldest gives way
)

// Provider is a sign-in service.
type Provider interface {
	// Begin returns where a browser goes to sign in. An error says what is wrong with the service.
	Begin(ctx context.Context) (oidc.Flow, error)
	// Finish judges what the browser came back with.
	Finish(ctx context.Context, f oidc.Flow, answer oidc.Answer) (oidc.Identity, error)
}

// Options of People. The stores, URL and Audit are required.
type Options struct {
	Accounts, Sessions, Links, Passkeys auth.Store

	URL      func() string // where people reach the pages, without a slash at its end
	Home     string        // path where a person goes who asked for no other; default /account
	Provider Provider      // nil without a sign-in service
	Idle     time.Duration // after which a session that is not used ends; default 8 h
	Lifetime time.Duration // of a session; default 24 h

	// Audit writes down what happens before it does; what cannot be written down does not.
	Audit func(ctx context.Context, e quality.Audited) error

	Now        func() time.Time      // default time.Now
	Logger     *slog.Logger          // nil discards
	Registerer prometheus.Registerer // nil means a private one
}

func (o *Options) defaults() error {
	if o.URL == nil || o.Audit == nil {
		return errors.New("people: URL and Audit are required")
	}
	if o.Home == "" {
		o.Home = accountPath
	}
	if o.Idle <= 0 {
		o.Idle = DefaultIdle
	}
	if o.Lifetime <= 0 {
		o.Lifetime = DefaultLifetime
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.Logger = o.Logger.With("component", "people")
	if o.Registerer == nil {
		o.Registerer = prometheus.NewRegistry()
	}
	return nil
}

// People are the persons and their sessions. Questions are answered as soon as it is made; Run must be
// running for changes of other processes to be seen.
type People struct {
	opts     Options
	accounts *shelf.Shelf[Account]
	sessions *shelf.Shelf[session]
	links    *shelf.Shelf[link]
	keys     *shelf.Shelf[key]
	attempts *auth.Attempts
	metrics  *metrics
	pages    *pages
	flows    *flows
	foreign  *http.CrossOriginProtection

	challenges *challenges
	redeeming  sync.Mutex

	mu   sync.Mutex
	seen map[string]time.Time // when sessions were last used, by id
}

var (
	_ auth.People  = (*People)(nil)
	_ auth.Refuser = (*People)(nil)
)

// New reads what there is.
func New(ctx context.Context, o Options) (p *People, err error) {
	if err := o.defaults(); err != nil {
		return nil, err
	}
	p = &People{opts: o, attempts: auth.NewAttempts(), flows: newFlows(), challenges: newChallenges(), foreign: http.NewCrossOriginProtection(), seen: map[string]time.Time{}}
	if p.accounts, err = shelf.Open[Account](ctx, shelf.Options{Store: o.Accounts, Name: "accounts", Max: maxAccounts, Logger: o.Logger}); err != nil {
		return nil, err
	}
	if p.sessions, err = shelf.Open[session](ctx, shelf.Options{Store: o.Sessions, Name: "sessions", Max: maxSessions, Logger: o.Logger}); err != nil {
		return nil, err
	}
	if p.links, err = shelf.Open[link](ctx, shelf.Options{Store: o.Links, Name: "sign-in links", Max: maxLinks, Logger: o.Logger}); err != nil {
		return nil, err
	}
	if p.keys, err = shelf.Open[key](ctx, shelf.Options{Store: o.Passkeys, Name: "passkeys", Max: maxPasskeys, Logger: o.Logger}); err != nil {
		return nil, err
	}
	if p.pages, err = newPages(); err != nil {
		return nil, err
	}
	if p.metrics, err = newMetrics(o.Registerer, p.sessions.Len); err != nil {
		return nil, fmt.Errorf("registering the metrics of people: %w", err)
	}
	return p, nil
}

// Run follows the stores, notes when sessions were used and forgets what is over, until ctx ends.
func (p *People) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return p.accounts.Run(ctx) })
	g.Go(func() error { return p.sessions.Run(ctx) })
	g.Go(func() error { return p.links.Run(ctx) })
	g.Go(func() error { return p.keys.Run(ctx) })
	g.Go(func() error { p.keep(ctx); return nil })
	return g.Wait()
}

// keepEvery is how often it is noted which sessions were used.
const keepEvery = time.Minute

func (p *People) keep(ctx context.Context) {
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			now := p.opts.Now()
			p.noteSeen(ctx)
			p.forgetSessions(ctx, now)
			p.forgetLinks(ctx, now)
			p.forgetLostKeys(ctx)
		}
	}
}

// secure reports whether people reach the pages by https.
func (p *People) secure() bool { return strings.HasPrefix(p.opts.URL(), "https://") }

// audit writes down what an actor does; the one of the context where it has none.
func (p *People) audit(ctx context.Context, actor quality.Actor, action, object, detail string) error {
	return p.opts.Audit(ctx, quality.Audited{Actor: actor, Action: action, Object: object, Detail: detail})
}

// failed notes a failed attempt to sign in and returns what is told of it: its cause, or to come later for who
// fails too often.
func (p *People) failed(r *http.Request, how string, cause error) error {
	p.metrics.signIns.WithLabelValues(how, "failed").Inc()
	v := p.attempts.Fail(auth.AddrOf(r), p.opts.Now())
	if v.Log {
		p.opts.Logger.Warn("somebody could not sign in", "how", how, "from", auth.AddrOf(r).String(), "err", cause, "not_logged", v.Suppressed)
		nobody := quality.Actor{Kind: quality.ActorMachine, ID: "unknown", Credential: how}
		detail := fmt.Sprintf("by %s; %d more from this address not written down", how, v.Suppressed)
		if err := p.audit(r.Context(), nobody, "signin.failed", "", detail); err != nil {
			p.opts.Logger.Warn("a failed sign-in is not in the audit log", "err", err)
		}
	}
	if v.Wait > 0 {
		return quality.TooMany(v.Wait, "too many failed attempts to sign in from your address; try again in a few seconds")
	}
	return cause
}

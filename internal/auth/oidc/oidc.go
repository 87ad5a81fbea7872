// Package oidc signs people in by an OpenID Connect service: authorization code with PKCE, state and nonce. It
// owns how the service is spoken to and how its groups become roles.
//
// It leaves out sessions and pages. It remembers nothing of a sign-in: whoever begins one keeps the Flow and
// hands it back, once.
package oidc

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Options of a Provider. Issuer, ClientID and RedirectURL are required.
type Options struct {
	Issuer       string
	ClientID     string
	ClientSecret string        // empty for a public client
	RedirectURL  func() string // of the callback
	Scopes       []string      // beside openid; default profile and email
	GroupsClaim  string        // default groups; dots lead into objects
	Roles        map[quality.Role][]string
	DefaultRole  quality.Role // of who is in no group with a role; none keeps them out

	Client *http.Client     // default has a timeout of 10 s
	Now    func() time.Time // default time.Now
}

// Name is how people know the service.
func (p *Provider) Name() string {
	if u, err := url.Parse(p.opts.Issuer); err == nil && u.Host != "" {
		return u.Host
	}
	return p.opts.Issuer
}

const (
	callTime   = 10 * time.Second
	retryAfter = 2 * time.Second // a service that is away is not asked more often
	maxSubject = 255             // bytes, after OpenID Connect Core 1.0
	maxName    = 200
)

// Provider is a sign-in service. It is asked for its addresses and keys when somebody first signs in, so that
// a program can start while it is away.
type Provider struct {
	opts Options

	mu      sync.Mutex
	service *gooidc.Provider // nil until it answered
	failed  error
	asked   time.Time
}

// New checks the options. It asks nobody.
func New(o Options) (*Provider, error) {
	if o.Issuer == "" || o.ClientID == "" || o.RedirectURL == nil {
		return nil, errors.New("oidc: an issuer, a client id and a redirect URL are required")
	}
	if len(o.Scopes) == 0 {
		o.Scopes = []string{"profile", "email"}
	}
	if o.GroupsClaim == "" {
		o.GroupsClaim = "groups"
	}
	if o.Client == nil {
		o.Client = &http.Client{Timeout: callTime}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Provider{opts: o}, nil
}

// Flow is a sign-in that has begun.
type Flow struct {
	URL      string // where the browser goes
	State    string
	nonce    string
	verifier string
}

// Answer is what the browser brings to the callback.
type Answer struct {
	State, Code, Issuer, Error string
}

// Identity is who signed in.
type Identity struct {
	Subject string
	Name    string
	Role    quality.Role
}

// discover returns the service, asked for its addresses when it was not yet.
func (p *Provider) discover(ctx context.Context) (*gooidc.Provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.service != nil {
		return p.service, nil
	}
	if p.failed != nil && p.opts.Now().Sub(p.asked) < retryAfter {
		return nil, p.failed
	}
	p.asked = p.opts.Now()
	service, err := gooidc.NewProvider(p.with(ctx), p.opts.Issuer)
	if err != nil {
		p.failed = quality.Errorf(quality.KindUnavailable, "the sign-in service does not answer as it should; check auth.oidc.issuer, and whether this machine reaches it: %w", err)
		return nil, p.failed
	}
	p.service, p.failed = service, nil
	return service, nil
}

// with gives the client to the libraries.
func (p *Provider) with(ctx context.Context) context.Context {
	return gooidc.ClientContext(ctx, p.opts.Client)
}

func (p *Provider) oauth(service *gooidc.Provider) *oauth2.Config {
	return &oauth2.Config{
		ClientID: p.opts.ClientID, ClientSecret: p.opts.ClientSecret, Endpoint: service.Endpoint(),
		RedirectURL: p.opts.RedirectURL(), Scopes: append([]string{gooidc.ScopeOpenID}, p.opts.Scopes...),
	}
}

// Begin returns where a browser goes to sign in. A service that is away is an error of kind unavailable; it is
// asked again the next time.
func (p *Provider) Begin(ctx context.Context) (Flow, error) {
	service, err := p.discover(ctx)
	if err != nil {
		return Flow{}, err
	}
	// Verifiers are 32 random bytes in base64url: as good for state and nonce.
	f := Flow{State: oauth2.GenerateVerifier(), nonce: oauth2.GenerateVerifier(), verifier: oauth2.GenerateVerifier()}
	f.URL = p.oauth(service).AuthCodeURL(f.State, gooidc.Nonce(f.nonce), oauth2.S256ChallengeOption(f.verifier))
	return f, nil
}

// Finish judges what a browser came back with. Errors of kind forbidden are about the person, those of kind
// unauthenticated about the answer, those of kind unavailable about the service.
func (p *Provider) Finish(ctx context.Context, f Flow, a Answer) (Identity, error) {
	switch {
	case f.State == "" || subtle.ConstantTimeCompare([]byte(f.State), []byte(a.State)) != 1:
		return Identity{}, quality.Errorf(quality.KindUnauthenticated, "this answer belongs to another sign-in: begin again")
	case a.Issuer != "" && a.Issuer != p.opts.Issuer: // RFC 9207
		return Identity{}, quality.Errorf(quality.KindUnauthenticated, "this answer is of another sign-in service than auth.oidc.issuer")
	case a.Error != "":
		return Identity{}, quality.Errorf(quality.KindUnauthenticated, "the sign-in service refused: %.100q", a.Error)
	case a.Code == "":
		return Identity{}, quality.Errorf(quality.KindUnauthenticated, "the answer of the sign-in service has no code: begin again")
	}
	service, err := p.discover(ctx)
	if err != nil {
		return Identity{}, err
	}
	token, err := p.oauth(service).Exchange(p.with(ctx), a.Code, oauth2.VerifierOption(f.verifier))
	if err != nil {
		return Identity{}, exchangeError(err)
	}
	return p.identify(ctx, service, f, token)
}

// exchangeError says what went wrong without what the service wrote, which nobody vouches for.
func exchangeError(err error) error {
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) {
		return quality.Errorf(quality.KindUnauthenticated, "the sign-in service did not take the code (%.60q): begin again; if that does not help, check auth.oidc.client_id and client_secret", refused.ErrorCode)
	}
	return quality.Errorf(quality.KindUnavailable, "asking the sign-in service for the token: %w", err)
}

// identify reads who a token is of.
func (p *Provider) identify(ctx context.Context, service *gooidc.Provider, f Flow, token *oauth2.Token) (Identity, error) {
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return Identity{}, quality.Errorf(quality.KindUnauthenticated, "the sign-in service sent no ID token: it may not know the scope openid")
	}
	verifier := service.VerifierContext(p.with(ctx), &gooidc.Config{ClientID: p.opts.ClientID, Now: p.opts.Now})
	id, err := verifier.Verify(p.with(ctx), raw)
	if err != nil {
		return Identity{}, quality.Errorf(quality.KindUnauthenticated, "the ID token is not good: %w", err)
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(f.nonce)) != 1 {
		return Identity{}, quality.Errorf(quality.KindUnauthenticated, "the ID token belongs to another sign-in: begin again")
	}
	if id.Subject == "" || len(id.Subject) > maxSubject {
		return Identity{}, quality.Errorf(quality.KindUnauthenticated, "the ID token has a subject of %d bytes, want 1 to %d", len(id.Subject), maxSubject)
	}
	claims := map[string]any{}
	if err := id.Claims(&claims); err != nil {
		return Identity{}, quality.Errorf(quality.KindUnauthenticated, "reading the ID token: %w", err)
	}
	if err := p.askMore(ctx, service, token, id.Subject, claims); err != nil {
		return Identity{}, err
	}
	return p.judge(id.Subject, claims)
}

// askMore adds what the service tells of the person beside the token, where the token says nothing of groups.
func (p *Provider) askMore(ctx context.Context, service *gooidc.Provider, token *oauth2.Token, subject string, claims map[string]any) error {
	if _, ok := lookUp(claims, p.opts.GroupsClaim); ok || service.UserInfoEndpoint() == "" || len(p.opts.Roles) == 0 {
		return nil
	}
	info, err := service.UserInfo(p.with(ctx), oauth2.StaticTokenSource(token))
	if err != nil {
		return quality.Errorf(quality.KindUnavailable, "asking the sign-in service about the person: %w", err)
	}
	if info.Subject != subject {
		return quality.Errorf(quality.KindUnauthenticated, "the sign-in service told of another person than who signed in")
	}
	more := map[string]any{}
	if err := info.Claims(&more); err != nil {
		return quality.Errorf(quality.KindUnavailable, "reading what the sign-in service tells of the person: %w", err)
	}
	for name, value := range more {
		if _, ok := claims[name]; !ok {
			claims[name] = value
		}
	}
	return nil
}

// judge gives a person the highest role of their groups.
func (p *Provider) judge(subject string, claims map[string]any) (Identity, error) {
	who := Identity{Subject: subject, Name: nameOf(claims, subject), Role: p.opts.DefaultRole}
	value, _ := lookUp(claims, p.opts.GroupsClaim)
	if r := roleOf(texts(value), p.opts.Roles); r > who.Role {
		who.Role = r
	}
	if who.Role == quality.RoleNone {
		return Identity{}, quality.Errorf(quality.KindForbidden, "none of your groups has a role here: ask an administrator to add one to auth.oidc.roles (groups are read from the claim %q)", p.opts.GroupsClaim)
	}
	return who, nil
}

// nameOf is how others know a person.
func nameOf(claims map[string]any, subject string) string {
	for _, claim := range []string{"name", "preferred_username", "email"} {
		if s, ok := claims[claim].(string); ok && s != "" {
			return fmt.Sprintf("%.*s", maxName, s)
		}
	}
	return subject
}

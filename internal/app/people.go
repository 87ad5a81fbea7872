package app

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"

	"github.com/asgood-dev/asgood/internal/auth"
	"github.com/asgood-dev/asgood/internal/auth/links"
	"github.com/asgood-dev/asgood/internal/auth/oidc"
	"github.com/asgood-dev/asgood/internal/auth/people"
	"github.com/asgood-dev/asgood/internal/config"
	"github.com/asgood-dev/asgood/internal/quality"
)

// The buckets of people.
const (
	bucketAccounts    = "accounts"
	bucketSessions    = "sessions"
	bucketSignIns     = "signin_links"
	bucketCustomLinks = "customer_links"
	bucketPasskeys    = "passkeys"
)

func (r *rooms) buildPeople(ctx context.Context, a *App) (err error) {
	stores := map[string]auth.Store{}
	for _, name := range []string{bucketAccounts, bucketSessions, bucketSignIns, bucketCustomLinks, bucketPasskeys} {
		if stores[name], err = a.engines.bus.Bucket(ctx, name); err != nil {
			return err
		}
	}
	cfg := a.opts.Config.Auth
	o := people.Options{
		Accounts: stores[bucketAccounts], Sessions: stores[bucketSessions], Links: stores[bucketSignIns], Passkeys: stores[bucketPasskeys],
		Home: "/console",
		URL:  a.consoleURL, Idle: cfg.Session.Idle, Lifetime: cfg.Session.Lifetime, Audit: r.audit.Append, Logger: a.log, Registerer: a.registry,
	}
	if cfg.OIDC != nil {
		if o.Provider, err = a.provider(*cfg.OIDC); err != nil {
			return err
		}
	}
	if r.people, err = people.New(ctx, o); err != nil {
		return err
	}
	r.add("people", r.people.Run)
	r.links, err = links.New(ctx, links.Options{Store: stores[bucketCustomLinks], Audit: r.audit.Append, Logger: a.log, Registerer: a.registry})
	if err != nil {
		return err
	}
	r.add("customer links", r.links.Run)
	return nil
}

// provider is the sign-in service of the configuration.
func (a *App) provider(c config.OIDC) (*oidc.Provider, error) {
	o := oidc.Options{
		Issuer: c.Issuer, ClientID: c.ClientID, ClientSecret: c.ClientSecret, Scopes: c.Scopes, GroupsClaim: c.GroupsClaim,
		RedirectURL: func() string { return a.consoleURL() + people.CallbackPath }, Roles: map[quality.Role][]string{},
	}
	for name, groups := range c.Roles {
		role, ok := quality.ParseRole(name)
		if !ok {
			return nil, fmt.Errorf("auth.oidc.roles: no role %q", name)
		}
		o.Roles[role] = groups
	}
	o.DefaultRole, _ = quality.ParseRole(c.DefaultRole)
	return oidc.New(o)
}

// consoleURL is where people reach the internal listener.
func (a *App) consoleURL() string {
	if url := a.opts.Config.Auth.URL; url != "" {
		return url
	}
	host, port, err := net.SplitHostPort(a.addr[listenerInternal])
	if err != nil {
		return "http://" + a.addr[listenerInternal]
	}
	return "http://" + net.JoinHostPort(host, port)
}

// FirstLink makes the link by which the first person comes in, as administrator; it is empty when somebody has
// signed in before, and where a sign-in service is configured.
func (a *App) FirstLink(ctx context.Context) (string, error) {
	l, ok, err := a.rooms.people.FirstLink(ctx)
	if err != nil || !ok {
		return "", err
	}
	return l.URL, nil
}

// announce tells how the first person comes in.
func (a *App) announce(ctx context.Context) error {
	if a.opts.Announce == nil {
		return nil
	}
	url, err := a.FirstLink(ctx)
	if err != nil {
		return fmt.Errorf("making the link for who signs in first: %w", err)
	}
	if url != "" {
		fmt.Fprintf(a.opts.Announce, "Nobody has signed in yet. Who opens this link within an hour becomes administrator; it works once:\n  %s\n", url)
	}
	return nil
}

// SignInLink is a link by which a person signs in, once.
type SignInLink = people.Link

// Account is a person who signed in at least once.
type Account = people.Account

// MakeSignInLink asks the running server for a link.
func MakeSignInLink(ctx context.Context, o KeyOptions, name string, role quality.Role) (l SignInLink, err error) {
	return l, o.ask(ctx, http.MethodPost, "/v1/people/links", people.LinkSpec{Name: name, Role: role}, &l)
}

// ListPeople asks the running server for everybody who signed in at least once.
func ListPeople(ctx context.Context, o KeyOptions) ([]Account, error) {
	var list people.List
	err := o.ask(ctx, http.MethodGet, "/v1/people", nil, &list)
	return list.People, err
}

// RemovePerson has the running server end the sessions of a person and forget them.
func RemovePerson(ctx context.Context, o KeyOptions, id string) (gone Account, err error) {
	return gone, o.ask(ctx, http.MethodPost, "/v1/people/remove", map[string]string{"id": id}, &gone)
}

// ask asks the running server; sessions and links are of no use without one.
func (o KeyOptions) ask(ctx context.Context, method, path string, question, answer any) error {
	addr, ok := running(ctx, o.Server, o.Config.Listen.Internal)
	if !ok {
		return quality.Errorf(quality.KindUnavailable, "no server answers at %s: start one (asgood serve), or name its internal address with --server", o.Config.Listen.Internal)
	}
	body, err := json.Marshal(question)
	if err != nil {
		return fmt.Errorf("encoding a question: %w", err)
	}
	return ask(ctx, method, addr+path, "", body, answer)
}

package people

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/asgood-dev/asgood/internal/auth"
	"github.com/asgood-dev/asgood/internal/quality"
)

// Bounds of sign-in links.
const (
	maxLinks  = 1000
	linkLife  = 15 * time.Minute
	firstLife = time.Hour
	firstName = "admin"
)

// link is the document of a sign-in link. Of what is handed out only the hash is kept.
type link struct {
	ID      string       `json:"id"`
	Hash    []byte       `json:"hash"`
	Name    string       `json:"name"`
	Role    quality.Role `json:"role"`
	First   bool         `json:"first,omitempty"` // for who comes first
	Created time.Time    `json:"created"`
	Expires time.Time    `json:"expires"`
	Used    time.Time    `json:"used,omitzero"`
}

// Link is a sign-in link as it is handed out, once.
type Link struct {
	URL     string       `json:"url"` // signs in whoever opens it first
	Name    string       `json:"name"`
	Role    quality.Role `json:"role"`
	Expires time.Time    `json:"expires"`
}

// Link makes a link by which a person of a name signs in, once, within a quarter of an hour. A person that there
// is already has the role from then on.
func (p *People) Link(ctx context.Context, name string, role quality.Role) (Link, error) {
	a, err := localAccount(name, role)
	if err != nil {
		return Link{}, err
	}
	return p.makeLink(ctx, auth.ActorOf(ctx), a, linkLife, false)
}

// FirstLink makes the link for who comes first, and becomes administrator. There is none once somebody has
// signed in, and where there is a sign-in service. The one that was made before is no longer good.
func (p *People) FirstLink(ctx context.Context) (Link, bool, error) {
	if p.opts.Provider != nil || p.accounts.Len() > 0 {
		return Link{}, false, nil
	}
	for _, l := range p.links.All() {
		if !l.First {
			continue
		}
		if err := p.links.Delete(ctx, l.ID); err != nil {
			return Link{}, false, err
		}
	}
	a, err := localAccount(firstName, quality.RoleAdmin)
	if err != nil {
		return Link{}, false, err
	}
	made, err := p.makeLink(ctx, auth.ActorOf(ctx), a, firstLife, true)
	return made, err == nil, err
}

func (p *People) makeLink(ctx context.Context, by quality.Actor, a Account, life time.Duration, first bool) (Link, error) {
	now, secret := p.opts.Now().UTC(), auth.NewSecret()
	l := link{ID: secret.ID, Hash: secret.Hash(), Name: a.Name, Role: a.Role, First: first, Created: now, Expires: now.Add(life)}
	if err := p.audit(ctx, by, "signin_link.made", "person/"+a.ID, fmt.Sprintf("link %s, role %s, until %s", l.ID, l.Role, l.Expires.Format(time.RFC3339))); err != nil {
		return Link{}, fmt.Errorf("writing down that a sign-in link is made: %w", err)
	}
	if err := p.links.Create(ctx, l.ID, l); err != nil {
		return Link{}, err
	}
	return Link{URL: p.opts.URL() + linkPath + "/" + secret.String(), Name: l.Name, Role: l.Role, Expires: l.Expires}, nil
}

// errSpent is all that is told of a link that is not good: who tries one out learns nothing.
var errSpent = quality.Errorf(quality.KindNotFound, "this link is not good (any more): it works once and for a short time. "+
	"Ask whoever runs Asgood for another one, which this command makes: asgood person link --name NAME --role ROLE")

// good returns a link that could be used now.
func (p *People) good(token string) (link, error) {
	secret, formed := auth.ParseSecret(token)
	l, known := p.links.Get(secret.ID)
	same := secret.Is(l.Hash)
	if !formed || !known || !same || l.spent(p.opts.Now()) || l.First && p.accounts.Len() > 0 {
		return link{}, errSpent
	}
	return l, nil
}

func (l link) spent(now time.Time) bool { return !l.Used.IsZero() || !now.Before(l.Expires) }

// redeem signs in by a link, which is used up by it.
func (p *People) redeem(ctx context.Context, r *http.Request, token string) (*http.Cookie, error) {
	p.redeeming.Lock() // of many who use a link at once, one only is written down as signed in
	defer p.redeeming.Unlock()
	l, err := p.good(token)
	if err != nil {
		return nil, p.failed(r, howLink, err)
	}
	a, err := localAccount(l.Name, l.Role)
	if err != nil {
		return nil, err
	}
	return p.begin(ctx, r, signing{Account: a, how: howLink, use: func() error { return p.spendLink(ctx, l.ID) }})
}

// spendLink uses up a link.
func (p *People) spendLink(ctx context.Context, id string) error {
	_, err := p.links.Revise(ctx, id, func(have *link) error {
		if have.spent(p.opts.Now()) {
			return errSpent // somebody was faster
		}
		have.Used = p.opts.Now().UTC()
		return nil
	})
	if err != nil && quality.KindOf(err) == quality.KindNotFound {
		return errSpent
	}
	return err
}

// forgetLinks removes links that are used or over.
func (p *People) forgetLinks(ctx context.Context, now time.Time) {
	for _, l := range p.links.All() {
		if !l.spent(now) {
			continue
		}
		if err := p.links.Delete(ctx, l.ID); err != nil {
			p.opts.Logger.Warn("a sign-in link that is over is not forgotten", "link", l.ID, "err", err)
			return
		}
	}
}

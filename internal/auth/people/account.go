package people

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/auth"
	"github.com/asgood-dev/asgood/internal/quality"
)

// Account is a person who signed in at least once.
type Account struct {
	ID         string       `json:"id"` // begins with where the person comes from, local: or oidc:
	Name       string       `json:"name"`
	Role       quality.Role `json:"role"`
	Created    time.Time    `json:"created"`
	LastSignIn time.Time    `json:"last_sign_in"`
}

// The places that persons come from.
const (
	fromLocal = "local:"
	fromOIDC  = "oidc:"
)

var nameForm = regexp.MustCompile(`^[\pL\pN][\pL\pN ._/@:'-]*$`)

// localAccount is the account of a person that a link is for. Names that differ in case only are one.
func localAccount(name string, role quality.Role) (Account, error) {
	name = strings.Join(strings.Fields(name), " ")
	if len(name) > quality.MaxNameLen || !nameForm.MatchString(name) {
		return Account{}, quality.Errorf(quality.KindInvalid, "field %q: want 1 to %d bytes of letters, digits, spaces and ._/@:'-, a letter or digit first", "name", quality.MaxNameLen)
	}
	if role < quality.RoleViewer || role > quality.RoleAdmin {
		return Account{}, quality.Errorf(quality.KindInvalid, "field %q: required (known: %s)", "role", quality.RoleNames())
	}
	return Account{ID: fromLocal + strings.ToLower(name), Name: name, Role: role}, nil
}

func (a Account) actor(how string) quality.Actor {
	return quality.Actor{Kind: quality.ActorHuman, ID: a.ID, Name: a.Name, Credential: how}
}

// saveAccount notes that a person signed in, with the name and role of now. An account that was made at a certain
// time is not made again when it is gone.
func (p *People) saveAccount(ctx context.Context, a Account) (Account, error) {
	now := p.opts.Now().UTC()
	if _, ok := p.accounts.Get(a.ID); !ok && a.Created.IsZero() {
		fresh := a
		fresh.Created, fresh.LastSignIn = now, now
		err := p.accounts.Create(ctx, a.ID, fresh)
		if err == nil || quality.KindOf(err) != quality.KindConflict || p.accounts.Len() >= maxAccounts {
			return fresh, err
		}
		// Another process made it meanwhile.
	}
	return p.accounts.Revise(ctx, a.ID, func(have *Account) error {
		if have.LastSignIn = now; a.Created.IsZero() {
			have.Name, have.Role = a.Name, a.Role
			return nil
		}
		if !have.Created.Equal(a.Created) {
			return quality.Errorf(quality.KindNotFound, "the account was removed meanwhile")
		}
		return nil
	})
}

// Accounts returns everybody who signed in at least once, in the order of their ids.
func (p *People) Accounts() []Account { return p.accounts.All() }

// Remove ends the sessions of a person and forgets the account and its passkeys. Who comes from a sign-in service may come again
// while that lets them.
func (p *People) Remove(ctx context.Context, id string) (Account, error) {
	a, ok := p.accounts.Get(id)
	if !ok {
		return a, quality.Errorf(quality.KindNotFound, "nobody has the id %.80q (asgood person list shows them)", id)
	}
	if err := p.audit(ctx, auth.ActorOf(ctx), "person.removed", "person/"+id, a.Name); err != nil {
		return a, fmt.Errorf("writing down that person %q is removed: %w", id, err)
	}
	if err := p.accounts.Delete(ctx, id); err != nil { // with it all sessions are over at once
		return a, err
	}
	for _, s := range p.sessions.All() {
		if s.Account == id {
			p.drop(ctx, s.ID)
		}
	}
	p.forgetKeys(ctx, id)
	p.opts.Logger.Info("person removed", "id", id)
	return a, nil
}

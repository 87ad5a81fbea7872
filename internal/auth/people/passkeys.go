package people

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/auth"
	"github.com/asgood-dev/asgood/internal/auth/passkey"
	"github.com/asgood-dev/asgood/internal/quality"
)

// Bounds of passkeys.
const (
	maxPasskeys    = 20_000
	maxOwnPasskeys = 10 // of one person
	maxPasskeyName = 80 // bytes
	passkeyName    = "Passkey"
)

// key is the document of a passkey. It is of an account of a certain age: who is removed and comes again has none.
type key struct {
	ID       string             `json:"id"` // of the document
	Name     string             `json:"name"`
	Account  string             `json:"account"`
	Since    time.Time          `json:"since"` // when the account was made
	Handle   []byte             `json:"handle"`
	Passkey  passkey.Credential `json:"passkey"`
	Created  time.Time          `json:"created"`
	LastUsed time.Time          `json:"last_used,omitzero"`
}

// keyID is the key of the document of a credential, whose own id may be long.
func keyID(credential []byte) string {
	sum := sha256.Sum256(credential)
	return hex.EncodeToString(sum[:16])
}

// holder returns the account that a passkey signs in. People of a sign-in service have none: their roles are read
// there at each sign-in, and who left it stays out.
func (p *People) holder(k key) (Account, bool) {
	a, ok := p.accounts.Get(k.Account)
	return a, ok && a.Created.Equal(k.Since) && a.local()
}

func (a Account) local() bool { return strings.HasPrefix(a.ID, fromLocal) }

// keysOf returns the passkeys of a person, the oldest first.
func (p *People) keysOf(account string) []key {
	var out []key
	for _, k := range p.keys.All() {
		if a, ok := p.holder(k); ok && a.ID == account {
			out = append(out, k)
		}
	}
	slices.SortStableFunc(out, func(a, b key) int { return a.Created.Compare(b.Created) })
	return out
}

var errNoPasskeys = quality.Errorf(quality.KindForbidden, "you come from a sign-in service, which decides at each sign-in what you may do: make a passkey there")

// holding is who a new passkey is for.
func (p *People) holding(me auth.SignedIn) (passkey.Holder, error) {
	a, ok := p.accounts.Get(me.ID)
	if !ok || !a.local() {
		return passkey.Holder{}, errNoPasskeys
	}
	own := p.keysOf(a.ID)
	if len(own) >= maxOwnPasskeys {
		return passkey.Holder{}, quality.Errorf(quality.KindConflict, "you have %d passkeys already: remove one first", len(own))
	}
	h := passkey.Holder{Name: a.Name, Handle: passkey.NewHandle()}
	for _, k := range own {
		h.Handle, h.Has = k.Handle, append(h.Has, k.Passkey)
	}
	return h, nil
}

// addKey keeps a new passkey of the person who acts.
func (p *People) addKey(ctx context.Context, me auth.SignedIn, name string, handle []byte, c passkey.Credential) error {
	a, ok := p.accounts.Get(me.ID)
	if !ok || !a.local() {
		return errNoPasskeys
	}
	name, err := passkeyNamed(name)
	if err != nil {
		return err
	}
	k := key{ID: keyID(c.ID), Name: name, Account: a.ID, Since: a.Created, Handle: handle, Passkey: c, Created: p.opts.Now().UTC()}
	if _, ok := p.keys.Get(k.ID); ok {
		return quality.Errorf(quality.KindConflict, "this passkey is known already")
	}
	if err := p.audit(ctx, auth.ActorOf(ctx), "passkey.made", "passkey/"+k.ID, k.Name); err != nil {
		return fmt.Errorf("writing down that a passkey is made: %w", err)
	}
	if err := p.keys.Create(ctx, k.ID, k); err != nil {
		return err
	}
	p.opts.Logger.Info("passkey made", "person", a.ID, "passkey", k.ID)
	return nil
}

// passkeyNamed checks the name that a person gives a passkey.
func passkeyNamed(name string) (string, error) {
	name = cmp.Or(strings.Join(strings.Fields(name), " "), passkeyName)
	if len(name) > maxPasskeyName || !nameForm.MatchString(name) {
		return "", quality.Errorf(quality.KindInvalid, "name of a passkey: want 1 to %d bytes of letters, digits, spaces and ._/@:'-, a letter or digit first", maxPasskeyName)
	}
	return name, nil
}

// own returns a passkey of the person who acts.
func (p *People) own(ctx context.Context, id string) (key, error) {
	me, ok := auth.SignedInOf(ctx)
	k, found := p.keys.Get(id)
	if !ok || !found || k.Account != me.ID {
		return key{}, quality.Errorf(quality.KindNotFound, "you have no passkey %.40q; it may have been removed", id)
	}
	return k, nil
}

// nameKey gives a passkey of the person who acts another name.
func (p *People) nameKey(ctx context.Context, id, name string) error {
	if _, err := p.own(ctx, id); err != nil {
		return err
	}
	name, err := passkeyNamed(name)
	if err != nil {
		return err
	}
	if err := p.audit(ctx, auth.ActorOf(ctx), "passkey.named", "passkey/"+id, name); err != nil {
		return fmt.Errorf("writing down that a passkey is named: %w", err)
	}
	_, err = p.keys.Revise(ctx, id, func(k *key) error { k.Name = name; return nil })
	return err
}

// removeKey removes a passkey of the person who acts, and ends the sessions that began with it but for the one
// that acts: whoever has the device is out.
func (p *People) removeKey(ctx context.Context, id string) error {
	k, err := p.own(ctx, id)
	if err != nil {
		return err
	}
	if err := p.audit(ctx, auth.ActorOf(ctx), "passkey.removed", "passkey/"+id, k.Name); err != nil {
		return fmt.Errorf("writing down that a passkey is removed: %w", err)
	}
	if err := p.keys.Delete(ctx, id); err != nil {
		return err
	}
	me, _ := auth.SignedInOf(ctx)
	for _, s := range p.sessionsOf(k.Account) {
		if s.Passkey == id && s.ID != me.Session {
			p.drop(ctx, s.ID)
		}
	}
	p.opts.Logger.Info("passkey removed", "person", k.Account, "passkey", id)
	return nil
}

// forgetKeys removes the passkeys of an account that was removed.
func (p *People) forgetKeys(ctx context.Context, account string) {
	for _, k := range p.keys.All() {
		if k.Account != account {
			continue
		}
		if err := p.keys.Delete(ctx, k.ID); err != nil { // it signs nobody in all the same
			p.opts.Logger.Warn("a passkey of a removed person is not forgotten", "passkey", k.ID, "err", err)
		}
	}
}

// forgetLostKeys removes the passkeys whose account is gone.
func (p *People) forgetLostKeys(ctx context.Context) {
	for _, k := range p.keys.All() {
		if _, ok := p.holder(k); ok {
			continue
		}
		if err := p.keys.Delete(ctx, k.ID); err != nil {
			p.opts.Logger.Warn("a passkey without an account is not forgotten", "passkey", k.ID, "err", err)
			return
		}
	}
}

// errCopied is told of a passkey whose counter did not go on.
var errCopied = quality.Errorf(quality.KindUnauthenticated, "this passkey signed with a counter that did not go on, so that there may be a copy of it: sign in another way, remove it and make a new one")

// spend notes the counter of a passkey that signs in. It is asked of the newest version, so that of two answers
// with the same counter one is good at most.
func (p *People) spend(ctx context.Context, c passkey.Credential) error {
	k, err := p.keys.Revise(ctx, keyID(c.ID), func(k *key) error {
		if !passkey.Counts(k.Passkey.Count, c.Count) {
			return errCopied
		}
		k.Passkey.Count, k.LastUsed = c.Count, p.opts.Now().UTC()
		return nil
	})
	switch {
	case errors.Is(err, errCopied):
		p.opts.Logger.Warn("the counter of a passkey did not go on: there may be a copy of it", "person", k.Account, "passkey", k.ID)
		return err
	case err != nil && quality.KindOf(err) == quality.KindNotFound:
		return passkey.ErrRefused // removed meanwhile
	default:
		return err
	}
}

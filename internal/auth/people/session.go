package people

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/auth"
	"github.com/asgood-dev/asgood/internal/auth/shelf"
	"github.com/asgood-dev/asgood/internal/quality"
)

// session is the document of a session. Its id is no secret; of what the browser holds only the hash is kept.
type session struct {
	ID      string    `json:"id"`
	Hash    []byte    `json:"hash"`
	Account string    `json:"account"`
	Since   time.Time `json:"since"`             // when the account was made: who is removed and comes again has other sessions
	How     string    `json:"how"`               // link, oidc or passkey
	Passkey string    `json:"passkey,omitempty"` // by which it began
	Created time.Time `json:"created"`
	Seen    time.Time `json:"seen"` // to about a minute
	Expires time.Time `json:"expires"`
	From    string    `json:"from"`  // address of the browser
	Agent   string    `json:"agent"` // what the browser calls itself
}

// cut bounds a text that comes from outside, in bytes.
func cut(s string, most int) string { return strings.ToValidUTF8(s[:min(len(s), most)], "") }

// The ways to sign in.
const (
	howLink    = "link"
	howOIDC    = "oidc"
	howPasskey = "passkey"
)

const maxAgent = 200 // bytes

// Cookies hold for the host they came from only where the browser sees https.
const (
	sessionCookie = "asgood_session"
	flowCookie    = "asgood_login"
	hostPrefix    = "__Host-"
)

func (p *People) cookieName(name string) string {
	if p.secure() {
		return hostPrefix + name
	}
	return name
}

// cookie makes one that scripts cannot read and other sites cannot make a browser send with a form.
// Lax and not Strict: who follows a link from a page or a chat is signed in there too.
func (p *People) cookie(name, value string, long time.Duration) *http.Cookie {
	c := &http.Cookie{Name: p.cookieName(name), Value: value, Path: "/", HttpOnly: true, Secure: p.secure(), SameSite: http.SameSiteLaxMode}
	if c.MaxAge = int(long.Seconds()); long <= 0 {
		c.MaxAge = -1
	}
	return c
}

const csrfPurpose = "csrf"

// SignedIn returns who sent a request.
func (p *People) SignedIn(r *http.Request) (auth.SignedIn, bool) {
	s, secret, ok := p.sessionOf(r)
	if !ok {
		return auth.SignedIn{}, false
	}
	a, ok := p.accountOf(s)
	if !ok {
		return auth.SignedIn{}, false
	}
	p.touch(s.ID)
	return auth.SignedIn{ID: a.ID, Name: a.Name, Role: a.Role, Session: s.ID, CSRF: secret.Derive(csrfPurpose)}, true
}

// accountOf returns whose a session is.
func (p *People) accountOf(s session) (Account, bool) {
	a, ok := p.accounts.Get(s.Account)
	return a, ok && a.Created.Equal(s.Since)
}

// sessionOf finds the session of a request. An unknown id takes as long as a wrong secret.
func (p *People) sessionOf(r *http.Request) (session, auth.Secret, bool) {
	c, err := r.Cookie(p.cookieName(sessionCookie))
	if err != nil {
		return session{}, auth.Secret{}, false
	}
	secret, formed := auth.ParseSecret(c.Value)
	s, known := p.sessions.Get(secret.ID)
	same := secret.Is(s.Hash)
	return s, secret, formed && known && same && p.open(s, p.opts.Now())
}

// open reports whether a session still holds.
func (p *People) open(s session, now time.Time) bool {
	return now.Before(s.Expires) && now.Sub(p.lastSeen(s)) < p.opts.Idle
}

func (p *People) lastSeen(s session) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at := p.seen[s.ID]; at.After(s.Seen) {
		return at
	}
	return s.Seen
}

func (p *People) touch(id string) {
	now := p.opts.Now().UTC()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen[id] = now
}

// signing is a person who has just shown who they are.
type signing struct {
	Account
	how     string
	passkey string       // by which; empty without one
	use     func() error // uses up what they showed; nil where that is done
}

// begin makes a session for a person and returns its cookie. The session that the browser had before ends: what
// somebody put there is not taken over. What the person showed is used up after the sign-in is written down, so that
// it stays good when that fails.
func (p *People) begin(ctx context.Context, r *http.Request, who signing) (*http.Cookie, error) {
	if err := p.audit(ctx, who.actor(who.how), "signin", "person/"+who.ID, fmt.Sprintf("by %s, with role %s", who.how, who.Role)); err != nil {
		return nil, fmt.Errorf("writing down that person %q signs in: %w", who.ID, err)
	}
	if who.use != nil {
		if err := who.use(); err != nil {
			return nil, p.failed(r, who.how, err)
		}
	}
	a, err := p.saveAccount(ctx, who.Account)
	if err != nil {
		return nil, err
	}
	return p.start(ctx, r, who, a)
}

// start makes the session of an account.
func (p *People) start(ctx context.Context, r *http.Request, who signing, a Account) (*http.Cookie, error) {
	if old, _, ok := p.sessionOf(r); ok {
		p.drop(ctx, old.ID)
	}
	p.makeRoom(ctx, a.ID)
	now, secret := p.opts.Now().UTC(), auth.NewSecret()
	s := session{
		ID: secret.ID, Hash: secret.Hash(), Account: a.ID, Since: a.Created, How: who.how, Passkey: who.passkey, Created: now, Seen: now, Expires: now.Add(p.opts.Lifetime),
		From: auth.AddrOf(r).String(), Agent: cut(r.UserAgent(), maxAgent),
	}
	if err := p.sessions.Create(ctx, s.ID, s); err != nil {
		return nil, err
	}
	p.metrics.signIns.WithLabelValues(who.how, "ok").Inc()
	p.opts.Logger.Info("signed in", "person", a.ID, "role", a.Role.String(), "how", who.how, "from", s.From)
	return p.cookie(sessionCookie, secret.String(), p.opts.Lifetime), nil
}

// makeRoom ends the oldest sessions of a person who has many.
func (p *People) makeRoom(ctx context.Context, account string) {
	own := p.sessionsOf(account)
	for len(own) >= maxOwn {
		p.drop(ctx, own[len(own)-1].ID)
		own = own[:len(own)-1]
	}
}

// drop ends a session. One that cannot be removed is over in this process at least when it expires.
func (p *People) drop(ctx context.Context, id string) {
	if err := p.sessions.Delete(ctx, id); err != nil {
		p.opts.Logger.Warn("a session is not removed", "session", id, "err", err)
	}
	p.unsee(id)
}

func (p *People) unsee(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.seen, id)
}

// sessionsOf returns the sessions of a person that still hold, the newest first.
func (p *People) sessionsOf(account string) []session {
	now := p.opts.Now()
	var out []session
	for _, s := range p.sessions.All() {
		if a, ok := p.accountOf(s); ok && a.ID == account && p.open(s, now) {
			s.Seen = p.lastSeen(s)
			out = append(out, s)
		}
	}
	slices.SortStableFunc(out, func(a, b session) int { return b.Created.Compare(a.Created) })
	return out
}

// end ends a session of the person who acts. Unlike all else it happens also when it cannot be written down:
// who leaves must not stay signed in. The error tells of that.
func (p *People) end(ctx context.Context, id string) error {
	me, ok := auth.SignedInOf(ctx)
	s, found := p.sessions.Get(id)
	if !ok || !found || s.Account != me.ID {
		return quality.Errorf(quality.KindNotFound, "you have no session %.40q; it may be over already", id)
	}
	err := p.sessions.Delete(ctx, id)
	p.unsee(id)
	if err != nil {
		return err
	}
	p.opts.Logger.Info("signed out", "person", me.ID)
	return p.audit(ctx, auth.ActorOf(ctx), "signout", "session/"+id, "")
}

// noteSeen stores when sessions were used, of each at most once a minute.
func (p *People) noteSeen(ctx context.Context) {
	for _, s := range p.sessions.All() {
		at := p.lastSeen(s)
		if at.Sub(s.Seen) < keepEvery {
			continue
		}
		_, err := p.sessions.Revise(ctx, s.ID, func(have *session) error {
			if !at.After(have.Seen) {
				return shelf.ErrSame
			}
			have.Seen = at
			return nil
		})
		if err != nil && ctx.Err() == nil && quality.KindOf(err) != quality.KindNotFound {
			p.opts.Logger.Warn("not noted when a session was used", "session", s.ID, "err", err)
			return // the store is away; the others would fare no better
		}
	}
}

// forgetSessions removes those that are over.
func (p *People) forgetSessions(ctx context.Context, now time.Time) {
	for _, s := range p.sessions.All() {
		if _, ok := p.accountOf(s); !ok || !p.open(s, now) {
			p.drop(ctx, s.ID)
		}
	}
}

package people

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"net/url"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/auth"
	"github.com/asgood-dev/asgood/internal/auth/passkey"
	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
)

// The paths of passkeys.
const (
	passkeyPath     = auth.LoginPath + "/passkey"
	ownPasskeysPath = accountPath + "/passkeys"
)

const passkeyCookie = "asgood_passkey"

func (p *People) registerPasskeys(r gin.IRouter) {
	r.POST(passkeyPath+"/begin", p.handle(p.postPasskeyBegin))
	r.POST(passkeyPath+"/finish", p.handle(p.postPasskeyFinish))
	r.POST(ownPasskeysPath+"/begin", p.handle(p.postOwnBegin))
	r.POST(ownPasskeysPath+"/finish", p.handle(p.postOwnFinish))
	r.POST(ownPasskeysPath+"/name/:id", p.handle(p.postOwnName))
	r.POST(ownPasskeysPath+"/remove/:id", p.handle(p.postOwnRemove))
}

// party asks for the site of the pages.
func (p *People) party() (*passkey.Party, error) {
	site, err := passkey.SiteOf(p.opts.URL())
	if err != nil {
		return nil, err
	}
	return passkey.New(site)
}

// ask hands a question to a browser, and binds it to that.
func (p *People) ask(c *gin.Context, q passkey.Question, x challenge) {
	key := auth.NewSecret().String()
	x.Question, x.from, x.begun = q, auth.AddrOf(c.Request), p.opts.Now()
	p.challenges.add(key, x)
	cookie := p.cookie(passkeyCookie, key, challengeLife)
	cookie.SameSite = http.SameSiteStrictMode
	guard(c)
	http.SetCookie(c.Writer, cookie)
	c.Data(http.StatusOK, "application/json; charset=utf-8", q.Options)
}

// asked returns what the browser was asked, once.
func (p *People) asked(c *gin.Context, session string) (challenge, error) {
	cookie, err := c.Request.Cookie(p.cookieName(passkeyCookie))
	http.SetCookie(c.Writer, p.cookie(passkeyCookie, "", 0))
	if err != nil {
		return challenge{}, passkey.ErrRefused
	}
	x, ok := p.challenges.take(cookie.Value, session, p.opts.Now())
	if !ok {
		return challenge{}, passkey.ErrRefused
	}
	return x, nil
}

// ours keeps pages of elsewhere from signing a browser in, which needs no session.
func (p *People) ours(r *http.Request) error {
	if err := p.foreign.Check(r); err != nil {
		return quality.Errorf(quality.KindForbidden, "not for pages of other origins: %w", err)
	}
	return nil
}

// maxAnswer bounds what an authenticator answers, in bytes.
const maxAnswer = 64 << 10

func (p *People) postPasskeyBegin(c *gin.Context) error {
	if err := p.ours(c.Request); err != nil {
		return err
	}
	party, err := p.party()
	if err != nil {
		return err
	}
	q, err := party.AskAny()
	if err != nil {
		return err
	}
	p.ask(c, q, challenge{next: p.next(c)})
	return nil
}

func (p *People) postPasskeyFinish(c *gin.Context) error {
	if err := p.ours(c.Request); err != nil {
		return err
	}
	var answer struct {
		Credential json.RawMessage `json:"credential"`
	}
	if err := web.ReadJSON(c, &answer, maxAnswer); err != nil {
		return err
	}
	a, got, next, err := p.identify(c, answer.Credential)
	if err != nil {
		p.opts.Logger.Debug("a passkey is refused", "reason", passkey.Reason(err))
		return p.failed(c.Request, howPasskey, err)
	}
	cookie, err := p.begin(c.Request.Context(), c.Request, signing{Account: a, how: howPasskey, passkey: keyID(got.ID), use: func() error {
		return p.spend(c.Request.Context(), got)
	}})
	if err != nil {
		return err
	}
	guard(c)
	http.SetCookie(c.Writer, cookie)
	c.JSON(http.StatusOK, gin.H{"next": next})
	return nil
}

// identify judges whose passkey answered.
func (p *People) identify(c *gin.Context, answer []byte) (a Account, got passkey.Credential, next string, err error) {
	x, err := p.asked(c, "")
	if err != nil {
		return a, got, "", err
	}
	party, err := p.party()
	if err != nil {
		return a, got, "", err
	}
	got, err = party.TakeAny(x.Question, answer, func(id []byte) (passkey.Credential, []byte, bool) {
		k, ok := p.keys.Get(keyID(id))
		if ok {
			a, ok = p.holder(k)
		}
		return k.Passkey, k.Handle, ok
	})
	return a, got, x.next, err
}

func (p *People) postOwnBegin(c *gin.Context) error {
	me, _ := auth.SignedInOf(c.Request.Context())
	party, err := p.party()
	if err != nil {
		return err
	}
	h, err := p.holding(me)
	if err != nil {
		return err
	}
	q, err := party.AskNew(h)
	if err != nil {
		return err
	}
	p.ask(c, q, challenge{session: me.Session, handle: h.Handle})
	return nil
}

func (p *People) postOwnFinish(c *gin.Context) error {
	var answer struct {
		Name       string          `json:"name"`
		Credential json.RawMessage `json:"credential"`
	}
	if err := web.ReadJSON(c, &answer, maxAnswer); err != nil {
		return err
	}
	me, _ := auth.SignedInOf(c.Request.Context())
	x, err := p.asked(c, me.Session)
	if err != nil {
		return err
	}
	party, err := p.party()
	if err != nil {
		return err
	}
	got, err := party.TakeNew(passkey.Holder{Handle: x.handle}, x.Question, answer.Credential)
	if err != nil {
		p.opts.Logger.Info("a new passkey is refused", "person", me.ID, "reason", passkey.Reason(err))
		return err
	}
	if err := p.addKey(c.Request.Context(), me, answer.Name, x.handle, got); err != nil {
		return err
	}
	guard(c)
	c.JSON(http.StatusOK, gin.H{"next": accountPath})
	return nil
}

func (p *People) postOwnName(c *gin.Context) error {
	if err := p.nameKey(c.Request.Context(), c.Param("id"), c.PostForm("name")); err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, accountPath)
	return nil
}

func (p *People) postOwnRemove(c *gin.Context) error {
	if err := p.removeKey(c.Request.Context(), c.Param("id")); err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, accountPath)
	return nil
}

// passkeysAt tells whether the page that a browser asks for can use passkeys, and where else it could: a browser
// on this machine that came by an address must come by the name localhost.
func (p *People) passkeysAt(r *http.Request) (here bool, elsewhere string) {
	site, err := passkey.SiteOf(p.opts.URL())
	if err != nil {
		return false, ""
	}
	u, err := url.Parse("http://" + r.Host)
	if err != nil {
		return false, ""
	}
	if _, err := netip.ParseAddr(u.Hostname()); err == nil {
		return false, site.Origin
	}
	return true, ""
}

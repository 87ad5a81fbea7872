package people

import (
	"crypto/subtle"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/auth"
	"github.com/asgood-dev/asgood/internal/auth/oidc"
	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
)

// The paths.
const (
	linkPath     = auth.LoginPath + "/link"
	oidcPath     = auth.LoginPath + "/oidc"
	callbackPath = auth.LoginPath + "/callback"
	assetPath    = auth.LoginPath + "/assets"
	accountPath  = "/account"
)

// CallbackPath is where a sign-in service sends browsers back to.
const CallbackPath = callbackPath

// Register adds the pages, and the routes by which this machine makes links and lists people.
func (p *People) Register(r gin.IRouter) {
	r.GET(auth.LoginPath, p.handle(p.getLogin))
	r.GET(oidcPath, p.handle(p.getOIDC))
	r.GET(callbackPath, p.handle(p.getCallback))
	r.GET(linkPath+"/:token", p.handle(p.getLink))
	r.POST(linkPath+"/:token", p.handle(p.postLink))
	r.GET(assetPath+"/:file", p.handle(p.serveAsset))
	r.POST("/logout", p.handle(p.postLogout))
	r.GET(accountPath, p.handle(p.getAccount))
	r.POST(accountPath+"/sessions/:id/end", p.handle(p.postEnd))

	p.registerPasskeys(r)

	r.GET("/v1/people", p.handle(p.listPeople))
	r.POST("/v1/people/links", p.handle(p.createLink))
	r.POST("/v1/people/remove", p.handle(p.removePerson))
}

func (p *People) next(c *gin.Context) string { return auth.LocalPath(c.Query("next"), p.opts.Home) }

func (p *People) getLogin(c *gin.Context) error {
	if _, ok := p.SignedIn(c.Request); ok {
		c.Redirect(http.StatusSeeOther, p.next(c))
		return nil
	}
	v := view{Title: "Sign in", Next: p.next(c), Service: p.service()}
	v.Passkeys, v.Elsewhere = p.passkeysAt(c.Request)
	return p.pages.draw(c, http.StatusOK, "login.html", v)
}

// service is how people know the sign-in service; empty without one.
func (p *People) service() string {
	if named, ok := p.opts.Provider.(interface{ Name() string }); ok {
		return named.Name()
	}
	if p.opts.Provider != nil {
		return "your account"
	}
	return ""
}

var errNoService = quality.Errorf(quality.KindNotFound, "no sign-in service is configured (auth.oidc); ask for a link, which this command makes: asgood person link --name NAME --role ROLE")

func (p *People) getOIDC(c *gin.Context) error {
	if p.opts.Provider == nil {
		return errNoService
	}
	f, err := p.opts.Provider.Begin(c.Request.Context())
	if err != nil {
		p.opts.Logger.Warn("the sign-in service does not work", "err", err)
		return err
	}
	p.flows.add(flow{Flow: f, next: p.next(c), begun: p.opts.Now()})
	guard(c)
	http.SetCookie(c.Writer, p.cookie(flowCookie, f.State, flowLife))
	c.Redirect(http.StatusSeeOther, f.URL)
	return nil
}

func (p *People) getCallback(c *gin.Context) error {
	if p.opts.Provider == nil {
		return errNoService
	}
	who, next, err := p.finish(c)
	if err != nil {
		if quality.KindOf(err) == quality.KindUnavailable {
			p.opts.Logger.Warn("the sign-in service does not work", "err", err)
			return err
		}
		return p.failed(c.Request, howOIDC, err)
	}
	a := Account{ID: fromOIDC + who.Subject, Name: who.Name, Role: who.Role}
	cookie, err := p.begin(c.Request.Context(), c.Request, signing{Account: a, how: howOIDC})
	if err != nil {
		return err
	}
	p.enter(c, cookie, next)
	return nil
}

// finish ends a sign-in that the same browser began.
func (p *People) finish(c *gin.Context) (who oidc.Identity, next string, err error) {
	state := c.Query("state")
	began, err := c.Request.Cookie(p.cookieName(flowCookie))
	http.SetCookie(c.Writer, p.cookie(flowCookie, "", 0))
	if err != nil || subtle.ConstantTimeCompare([]byte(began.Value), []byte(state)) != 1 {
		return who, "", quality.Errorf(quality.KindInvalid, "this browser did not begin this sign-in, or its cookies are off: begin again at %s", auth.LoginPath)
	}
	f, ok := p.flows.take(state, p.opts.Now())
	if !ok {
		return who, "", quality.Errorf(quality.KindInvalid, "this sign-in took longer than %s or has ended before: begin again at %s", flowLife, auth.LoginPath)
	}
	who, err = p.opts.Provider.Finish(c.Request.Context(), f.Flow, oidc.Answer{State: state, Code: c.Query("code"), Issuer: c.Query("iss"), Error: c.Query("error")})
	return who, f.next, err
}

// enter lets a browser in.
func (p *People) enter(c *gin.Context, cookie *http.Cookie, next string) {
	guard(c)
	http.SetCookie(c.Writer, cookie)
	c.Redirect(http.StatusSeeOther, next)
}

// getLink shows what a link does. It is the button that does it: programs that look at links in messages would
// else use it up.
func (p *People) getLink(c *gin.Context) error {
	l, err := p.good(c.Param("token"))
	if err != nil {
		return p.failed(c.Request, howLink, err)
	}
	return p.pages.draw(c, http.StatusOK, "link.html", view{Title: "Sign in as " + l.Name, Link: l, Token: c.Param("token")})
}

func (p *People) postLink(c *gin.Context) error {
	if err := p.ours(c.Request); err != nil {
		return err
	}
	cookie, err := p.redeem(c.Request.Context(), c.Request, c.Param("token"))
	if err != nil {
		return err
	}
	p.enter(c, cookie, p.opts.Home)
	return nil
}

func (p *People) postLogout(c *gin.Context) error {
	me, _ := auth.SignedInOf(c.Request.Context())
	http.SetCookie(c.Writer, p.cookie(sessionCookie, "", 0))
	if err := p.end(c.Request.Context(), me.Session); err != nil {
		return err
	}
	guard(c)
	c.Header("Clear-Site-Data", `"cache"`)
	to := auth.LoginPath
	if next := auth.LocalPath(c.PostForm("next"), ""); next != "" { // to go there as somebody else
		to += view{Next: next}.NextQuery()
	}
	c.Redirect(http.StatusSeeOther, to)
	return nil
}

func (p *People) getAccount(c *gin.Context) error {
	me, _ := auth.SignedInOf(c.Request.Context())
	v := view{Title: "Your account", Me: &me, Home: p.opts.Home, Sessions: p.sessionsOf(me.ID)}
	if a, ok := p.accounts.Get(me.ID); ok && a.local() {
		v.Local, v.Keys = true, p.keysOf(me.ID)
		v.Passkeys, v.Elsewhere = p.passkeysAt(c.Request)
	}
	return p.pages.draw(c, http.StatusOK, "account.html", v)
}

func (p *People) postEnd(c *gin.Context) error {
	if err := p.end(c.Request.Context(), c.Param("id")); err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, accountPath)
	return nil
}

// List is the answer to a question for all people.
type List struct {
	People []Account `json:"people"`
}

// LinkSpec asks for a sign-in link.
type LinkSpec struct {
	Name string       `json:"name"`
	Role quality.Role `json:"role"`
}

// maxSpec bounds a body of these routes, in bytes.
const maxSpec = 64 << 10

func (p *People) listPeople(c *gin.Context) error {
	guard(c)
	c.JSON(http.StatusOK, List{People: p.Accounts()})
	return nil
}

func (p *People) createLink(c *gin.Context) error {
	var spec LinkSpec
	if err := web.ReadJSON(c, &spec, maxSpec); err != nil {
		return err
	}
	l, err := p.Link(c.Request.Context(), spec.Name, spec.Role)
	if err != nil {
		return err
	}
	guard(c)
	c.JSON(http.StatusOK, l)
	return nil
}

func (p *People) removePerson(c *gin.Context) error {
	var spec struct {
		ID string `json:"id"`
	}
	if err := web.ReadJSON(c, &spec, maxSpec); err != nil {
		return err
	}
	a, err := p.Remove(c.Request.Context(), spec.ID)
	if err != nil {
		return err
	}
	guard(c)
	c.JSON(http.StatusOK, a)
	return nil
}

// NextQuery carries on where a person wanted to go.
func (v view) NextQuery() string { return "?next=" + url.QueryEscape(v.Next) }

// OIDC is where the sign-in by the service begins.
func (v view) OIDC() string { return oidcPath + v.NextQuery() }

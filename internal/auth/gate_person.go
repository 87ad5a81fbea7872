package auth

import (
	"crypto/subtle"
	"errors"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/quality"
)

// LoginPath is where people sign in. The page is that of the package people.
const LoginPath = "/login"

// What forms and scripts carry to show that a page of ours made the request.
const (
	csrfField  = "csrf"
	csrfHeader = "X-CSRF-Token"
)

// Bounds of forms, in bytes.
const (
	maxForm       = 1 << 20
	maxFormMemory = 1 << 20 // of one with files; the rest goes to disk
)

// note gives the request's context what is known of its caller.
func (g *gate) note(c *gin.Context, p *SignedIn) {
	c.Request = c.Request.WithContext(withCaller(c.Request.Context(), caller{person: p, from: remoteAddr(c.Request.RemoteAddr)}))
}

// refuseFor counts a refusal and answers it.
func (g *gate) refuseFor(c *gin.Context, reason Reason, kind quality.Kind, format string, args ...any) {
	g.keys.metrics.refuse(reason)
	g.tell(c, quality.Errorf(kind, format, args...))
}

// signedIn returns who is signed in.
func (g *gate) signedIn(r *http.Request) *SignedIn {
	if g.opts.People == nil {
		return nil
	}
	if p, ok := g.opts.People.SignedIn(r); ok {
		return &p
	}
	return nil
}

// internal lets in this machine, and keeps out web pages that a browser on it shows: they can send requests to
// loopback addresses, and read the answers when the name of their own host is made to point there. Another
// machine needs a person who may do everything, and a person on this one the least role to change something.
func (g *gate) internal(c *gin.Context, least Role) {
	if g.refuseForeign(c) {
		return
	}
	if fromHere(c.Request) {
		g.acting(c, least)
		return
	}
	p := g.signedIn(c.Request)
	if p == nil || p.Role < RoleAdmin {
		g.refuseFor(c, ReasonElsewhere, quality.KindForbidden, "this route is for the machine that Asgood runs on, and for people with role %s", RoleAdmin)
		return
	}
	g.admitPerson(c, p)
}

// acting lets in this machine. Who sends a session with it acts as that person, and may do no more than that person: else a
// viewer could publish in their own name.
func (g *gate) acting(c *gin.Context, least Role) {
	p := g.signedIn(c.Request)
	if p != nil && p.Role < least && unsafe(c.Request.Method) {
		g.refuseFor(c, ReasonRole, quality.KindForbidden, "this needs role %s, you have role %s: ask an administrator", least, p.Role)
		return
	}
	g.note(c, p)
}

// refuseForeign refuses what pages of elsewhere sent, and reports whether it did.
func (g *gate) refuseForeign(c *gin.Context) bool {
	if err := g.foreign.Check(c.Request); err != nil {
		g.refuseFor(c, ReasonOrigin, quality.KindForbidden, "not for pages of other origins: %w", err)
		return true
	}
	if fromHere(c.Request) && !localHost(c.Request.Host) {
		g.refuseFor(c, ReasonOrigin, quality.KindForbidden, "Host %.80q: want localhost or an address", c.Request.Host)
		return true
	}
	return false
}

// local lets in this machine while nobody is signed in, and who is signed in, here or elsewhere, as far as their
// role goes.
func (g *gate) local(c *gin.Context, least Role) {
	if g.refuseForeign(c) {
		return
	}
	p := g.signedIn(c.Request)
	switch {
	case p == nil && fromHere(c.Request):
		g.note(c, nil)
	case p == nil:
		g.refuseFor(c, ReasonElsewhere, quality.KindForbidden, "this route is for the machine that Asgood runs on, and for people with role %s", least)
	case p.Role < least:
		g.refuseFor(c, ReasonRole, quality.KindForbidden, "this needs role %s, you have role %s: ask an administrator", least, p.Role)
	default:
		g.admitPerson(c, p)
	}
}

// health lets in who reaches the listener without a proxy between.
func (g *gate) health(c *gin.Context) {
	if forwarded(c.Request.Header) {
		g.internal(c, RoleAdmin)
		return
	}
	if fromHere(c.Request) && !localHost(c.Request.Host) {
		g.refuseFor(c, ReasonOrigin, quality.KindForbidden, "Host %.80q: want localhost or an address", c.Request.Host)
		return
	}
	g.note(c, nil)
}

// person lets in who is signed in and may do what the route is for.
func (g *gate) person(c *gin.Context, least Role) {
	if readHeader(c.Request.Header).sent {
		g.refuseFor(c, ReasonPerson, quality.KindForbidden, "this needs a person with role %s who is signed in; a key of a machine cannot do it", least)
		return
	}
	if err := g.foreign.Check(c.Request); err != nil {
		g.refuseFor(c, ReasonOrigin, quality.KindForbidden, "not for pages of other origins: %w", err)
		return
	}
	p := g.signedIn(c.Request)
	switch {
	case p == nil && browses(c.Request):
		g.keys.metrics.refuse(ReasonPerson)
		c.Header("Cache-Control", "no-store")
		c.Redirect(http.StatusSeeOther, LoginPath+"?next="+url.QueryEscape(c.Request.URL.RequestURI()))
		c.Abort()
	case p == nil:
		g.refuseFor(c, ReasonPerson, quality.KindUnauthenticated, "this needs a person with role %s who is signed in: sign in at %s", least, LoginPath)
	case p.Role < least:
		g.refuseFor(c, ReasonRole, quality.KindForbidden, "this needs role %s, you have role %s: ask an administrator", least, p.Role)
	default:
		g.admitPerson(c, p)
	}
}

// admitPerson lets a person in unless the request changes something and no page of ours made it.
func (g *gate) admitPerson(c *gin.Context, p *SignedIn) {
	if unsafe(c.Request.Method) {
		got, err := csrfOf(c)
		if err != nil {
			g.tell(c, err)
			return
		}
		if subtle.ConstantTimeCompare([]byte(got), []byte(p.CSRF)) != 1 {
			g.refuseFor(c, ReasonForm, quality.KindForbidden, "the form's token is missing or is not that of your session: load the page again (field %q or header %s)", csrfField, csrfHeader)
			return
		}
	}
	g.note(c, p)
}

// unsafe reports whether a method may change something.
func unsafe(method string) bool {
	return method != http.MethodGet && method != http.MethodHead && method != http.MethodOptions
}

// csrfOf finds the token of a request, in a header or in its form. The form is read then, and stays for who
// reads it next.
func csrfOf(c *gin.Context) (string, error) {
	if h := c.GetHeader(csrfHeader); h != "" {
		return h, nil
	}
	media, _, err := mime.ParseMediaType(c.GetHeader("Content-Type"))
	if err != nil {
		return "", nil // no form
	}
	switch media {
	case "application/x-www-form-urlencoded":
		c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, maxForm)
		err = c.Request.ParseForm()
	case "multipart/form-data":
		c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, defaultMaxBody)
		err = c.Request.ParseMultipartForm(maxFormMemory)
	default:
		return "", nil
	}
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return "", err
	case err != nil:
		return "", quality.Errorf(quality.KindInvalid, "reading the form: %w", err)
	}
	return c.Request.PostForm.Get(csrfField), nil
}

// browses reports whether a person looks at a page with a browser, which can be shown another one.
func browses(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && strings.Contains(r.Header.Get("Accept"), "text/html")
}

// fromHere reports whether a process of this machine calls, on nobody's behalf.
func fromHere(r *http.Request) bool {
	return remoteAddr(r.RemoteAddr).Unmap().IsLoopback() && !forwarded(r.Header)
}

// forwarded reports whether a proxy says that it calls for somebody else.
func forwarded(h http.Header) bool {
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Via"} {
		if len(h[name]) > 0 {
			return true
		}
	}
	return false
}

// localHost reports whether a Host header names nothing that somebody else's name server could answer for.
func localHost(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil || strings.EqualFold(host, "localhost")
}

// LocalPath returns where a person shall go on after signing in: a path of this listener, never another site;
// home where next is none.
func LocalPath(next, home string) string {
	u, err := url.Parse(next)
	if err != nil || len(next) > 2048 || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(next, "/") || !strings.HasPrefix(u.Path, "/") {
		return home
	}
	// Browsers read a backslash as a slash, and "//" as the beginning of a host.
	if strings.HasPrefix(next, "//") || strings.HasPrefix(u.Path, "//") || strings.ContainsAny(u.Path, "\\\r\n\t") || strings.ContainsAny(next, "\\\r\n\t") {
		return home
	}
	if u.Path == LoginPath || strings.HasPrefix(u.Path, LoginPath+"/") {
		return home
	}
	return next
}

package people

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/auth"
	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
)

//go:embed templates/*.html assets/*
var files embed.FS

// asset is a file that pages load, with its hash in its name.
type asset struct {
	name, kind string
	body       []byte
}

// pages draw what people see when they sign in.
type pages struct {
	templates *template.Template
	assets    map[string]asset // by the name with the hash
	style     string           // path
	script    string           // path
}

func newPages() (p *pages, err error) {
	p = &pages{assets: map[string]asset{}}
	funcs := template.FuncMap{"day": func(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }}
	if p.templates, err = template.New("").Funcs(funcs).ParseFS(files, "templates/*.html"); err != nil {
		return nil, fmt.Errorf("parsing templates: %w", err)
	}
	if p.style, err = p.add("people.css", "text/css; charset=utf-8"); err != nil {
		return nil, err
	}
	p.script, err = p.add("passkey.js", "text/javascript; charset=utf-8")
	return p, err
}

func (p *pages) add(name, kind string) (string, error) {
	body, err := files.ReadFile("assets/" + name)
	if err != nil {
		return "", fmt.Errorf("reading asset %q: %w", name, err)
	}
	sum := sha256.Sum256(body)
	hashed := hex.EncodeToString(sum[:8]) + path.Ext(name)
	p.assets[hashed] = asset{hashed, kind, body}
	return assetPath + "/" + hashed, nil
}

// view is what every page has.
type view struct {
	Title, Style, Script string
	Me                   *auth.SignedIn

	Next    string
	Home    string
	Service string // host of the sign-in service; empty without one

	Link  link   // to be confirmed
	Token string // of it

	Sessions []session

	Passkeys  bool   // this page can use them
	Elsewhere string // origin of the pages that can
	Local     bool   // the person comes from no sign-in service
	Keys      []key

	Status  int // of a problem
	Message string
}

// The pages load nothing of elsewhere, and nothing frames them. Their addresses may hold a secret, which is
// told to nobody.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func (p *pages) draw(c *gin.Context, status int, name string, v view) error {
	v.Style, v.Script = p.style, p.script
	var b bytes.Buffer
	if err := p.templates.ExecuteTemplate(&b, name, v); err != nil {
		return fmt.Errorf("drawing %q: %w", name, err)
	}
	guard(c)
	c.Data(status, "text/html; charset=utf-8", b.Bytes())
	return nil
}

// guard sets the headers of all that has to do with signing in.
func guard(c *gin.Context) {
	c.Header("Cache-Control", "no-store")
	c.Header("Content-Security-Policy", policy)
	c.Header("Referrer-Policy", "no-referrer")
	c.Header("X-Robots-Tag", "noindex")
}

// wantsPage reports whether a browser asks, for a person to read.
func wantsPage(c *gin.Context) bool { return strings.Contains(c.GetHeader("Accept"), "text/html") }

// handle turns a handler that returns an error into gin's; people read errors as a page.
func (p *People) handle(fn func(*gin.Context) error) gin.HandlerFunc {
	return web.Handle(func(c *gin.Context) error {
		err := fn(c)
		if err == nil || !wantsPage(c) || c.Writer.Written() {
			return err
		}
		status, problem := web.ProblemOf(err)
		if status == http.StatusInternalServerError {
			return err // its cause goes to the log, and its id to the caller
		}
		if after := web.RetryAfter(status, err); after > 0 {
			c.Header("Retry-After", strconv.Itoa(after))
		}
		return p.pages.draw(c, status, "problem.html", view{Title: problemTitle(err), Status: status, Message: problem.Message})
	})
}

func problemTitle(err error) string {
	switch quality.KindOf(err) {
	case quality.KindUnauthenticated:
		return "Sign in first"
	case quality.KindForbidden:
		return "You may not"
	case quality.KindTooMany:
		return "Not so fast"
	case quality.KindUnavailable:
		return "Not now"
	default:
		return "That did not work"
	}
}

// Refused shows a person why a route is closed, and the way out: another account, or the page where they begin.
func (p *People) Refused(c *gin.Context, err error) {
	status, problem := web.ProblemOf(err)
	v := view{Title: problemTitle(err), Status: status, Message: problem.Message, Home: p.opts.Home, Next: p.opts.Home}
	if c.Request.Method == http.MethodGet {
		v.Next = auth.LocalPath(c.Request.URL.RequestURI(), p.opts.Home)
	}
	if me, ok := p.SignedIn(c.Request); ok {
		v.Me = &me
	}
	if err := p.pages.draw(c, status, "refused.html", v); err != nil {
		web.Fail(c, err)
	}
}

func (p *People) serveAsset(c *gin.Context) error {
	a, ok := p.pages.assets[c.Param("file")]
	if !ok {
		return quality.Errorf(quality.KindNotFound, "nothing at %s", c.Request.URL.Path)
	}
	c.Header("Cache-Control", "public, max-age=31536000, immutable")
	c.Data(http.StatusOK, a.kind, a.body)
	return nil
}

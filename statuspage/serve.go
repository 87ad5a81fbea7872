package statuspage

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
	"github.com/asgood-dev/asgood/statuspage/speech"
)

// policy lets the page load its own style, script and logo, show the icon that it carries, talk to its own
// server, and nothing else.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Register adds the routes of the page. All are for everyone.
func (p *Page) Register(r gin.IRouter) {
	for _, path := range []string{"/", "/about", "/history", "/history/:month", "/features/:name", "/incidents/:id", "/maintenances/:id"} {
		both(r, path, web.Handle(p.show))
	}
	r.GET("/live", web.Handle(p.live))
	for _, d := range p.render.assets() {
		both(r, d.path, func(c *gin.Context) { send(c, d, http.StatusOK, "public, max-age=31536000, immutable") })
	}
	p.registerPrograms(r)
	p.registerPrivate(r)
	// The listener is the page's, even when another shares it: who follows a bad link reads a page.
	if e, ok := r.(interface{ NoRoute(...gin.HandlerFunc) }); ok {
		e.NoRoute(web.Handle(p.nothing))
	}
}

func both(r gin.IRouter, path string, h gin.HandlerFunc) {
	r.GET(path, h)
	r.HEAD(path, h)
}

// language is the one a visitor asks for, or the one that the browser prefers.
func (p *Page) language(c *gin.Context) *speech.Language {
	all := p.render.languages
	if c.Request.URL.RawQuery != "" {
		if l, ok := all.Named(c.Query("lang")); ok {
			return l
		}
	}
	return all.Match(c.GetHeader("Accept-Language"))
}

// show answers with the page of the path.
func (p *Page) show(c *gin.Context) error {
	l := p.language(c)
	d, ok, err := p.view.Load().document(l, c.Request.URL.Path)
	if err != nil {
		return err
	}
	if !ok {
		return p.lost(c, l)
	}
	p.html(c, d, http.StatusOK)
	return nil
}

func (p *Page) lost(c *gin.Context, l *speech.Language) error {
	d, _, err := p.view.Load().document(l, lostPath)
	if err != nil {
		return err
	}
	p.html(c, d, http.StatusNotFound)
	return nil
}

func (p *Page) html(c *gin.Context, d document, status int) {
	c.Header("Content-Security-Policy", policy)
	p.listed(c)
	if len(p.render.languages.All()) > 1 {
		c.Header("Vary", "Accept-Language")
	}
	send(c, d, status, "public, max-age=0, must-revalidate")
}

// nothing answers for paths that are not there: browsers read HTML, programs JSON.
func (p *Page) nothing(c *gin.Context) error {
	reads := c.Request.Method == http.MethodGet || c.Request.Method == http.MethodHead
	if !reads || !strings.Contains(c.GetHeader("Accept"), "text/html") {
		return quality.Errorf(quality.KindNotFound, "nothing at %s", c.Request.URL.Path)
	}
	return p.lost(c, p.language(c))
}

// send answers with a document, or with 304 to who has it.
func send(c *gin.Context, d document, status int, cache string) {
	h := c.Writer.Header()
	h.Set("Cache-Control", cache)
	h.Add("Vary", "Accept-Encoding")
	body := d.body
	etag := d.etag
	if d.gzip != nil && accepts(c.GetHeader("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		body, etag = d.gzip, strings.TrimSuffix(d.etag, `"`)+`-gzip"`
	}
	if status == http.StatusOK {
		h.Set("ETag", etag)
		if fresh(c.GetHeader("If-None-Match"), etag) {
			h.Del("Content-Encoding")
			c.Status(http.StatusNotModified)
			return
		}
	}
	c.Data(status, d.kind, body)
}

func accepts(header, coding string) bool {
	for part := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(strings.TrimSpace(name), coding) {
			q := strings.ReplaceAll(params, " ", "")
			return q != "q=0" && q != "q=0.0" && q != "q=0.00" && q != "q=0.000"
		}
	}
	return false
}

func fresh(header, etag string) bool {
	for part := range strings.SplitSeq(header, ",") {
		if part = strings.TrimPrefix(strings.TrimSpace(part), "W/"); part == etag || part == "*" {
			return true
		}
	}
	return false
}

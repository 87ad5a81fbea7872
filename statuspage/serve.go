package statuspage

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
)

// policy lets the page load its own style and script, show the icon that it carries, talk to its own
// server, and nothing else.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Register adds the routes of the page. All are for everyone.
func (p *Page) Register(r gin.IRouter) {
	both(r, "/", func(c *gin.Context) { p.html(c, p.view.Load().html, http.StatusOK) })
	both(r, "/incidents/:id", web.Handle(p.incident))
	r.GET("/live", web.Handle(p.live))
	for _, d := range []document{p.render.style, p.render.script} {
		both(r, d.path, func(c *gin.Context) { send(c, d, http.StatusOK, "public, max-age=31536000, immutable") })
	}
	p.registerPrograms(r)
	// The listener is the page's, even when another shares it: who follows a bad link reads a page.
	if e, ok := r.(interface{ NoRoute(...gin.HandlerFunc) }); ok {
		e.NoRoute(web.Handle(p.nothing))
	}
}

func both(r gin.IRouter, path string, h gin.HandlerFunc) {
	r.GET(path, h)
	r.HEAD(path, h)
}

func (p *Page) html(c *gin.Context, d document, status int) {
	c.Header("Content-Security-Policy", policy)
	p.listed(c)
	send(c, d, status, "public, max-age=0, must-revalidate")
}

func (p *Page) incident(c *gin.Context) error {
	draw, ok := p.view.Load().detail[c.Param("id")]
	if !ok {
		p.html(c, p.render.lost, http.StatusNotFound)
		return nil
	}
	d, err := draw()
	if err != nil {
		return err
	}
	p.html(c, d, http.StatusOK)
	return nil
}

// nothing answers for paths that are not there: browsers read HTML, programs JSON.
func (p *Page) nothing(c *gin.Context) error {
	reads := c.Request.Method == http.MethodGet || c.Request.Method == http.MethodHead
	if !reads || !strings.Contains(c.GetHeader("Accept"), "text/html") {
		return quality.Errorf(quality.KindNotFound, "nothing at %s", c.Request.URL.Path)
	}
	p.html(c, p.render.lost, http.StatusNotFound)
	return nil
}

// send answers with a document, or with 304 to who has it.
func send(c *gin.Context, d document, status int, cache string) {
	h := c.Writer.Header()
	h.Set("Cache-Control", cache)
	h.Set("Vary", "Accept-Encoding")
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

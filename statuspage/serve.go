package statuspage

import (
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
)

// policy lets the page load its own style, script and pictures, talk to its own server, and nothing else.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Register adds the routes of the page. All are for everyone.
func (p *Page) Register(r gin.IRouter) {
	both(r, "/", func(c *gin.Context) { p.html(c, p.view.Load().html, http.StatusOK) })
	both(r, "/incidents/:id", p.incident)
	r.GET("/live", web.Handle(p.live))
	for _, d := range []document{p.render.style, p.render.script, p.render.icon} {
		both(r, d.path, func(c *gin.Context) { send(c, d, http.StatusOK, "public, max-age=31536000, immutable") })
	}
	both(r, "/favicon.svg", func(c *gin.Context) { send(c, p.render.icon, http.StatusOK, "public, max-age=86400") })
	for path := range p.view.Load().api {
		both(r, "/api/v2"+path, func(c *gin.Context) {
			c.Header("Access-Control-Allow-Origin", "*")
			send(c, p.view.Load().api[path], http.StatusOK, "public, max-age=5")
		})
	}
}

func both(r gin.IRouter, path string, h gin.HandlerFunc) {
	r.GET(path, h)
	r.HEAD(path, h)
}

func (p *Page) html(c *gin.Context, d document, status int) {
	c.Header("Content-Security-Policy", policy)
	send(c, d, status, "public, max-age=0, must-revalidate")
}

func (p *Page) incident(c *gin.Context) {
	if d, ok := p.view.Load().detail[c.Param("id")]; ok {
		p.html(c, d, http.StatusOK)
		return
	}
	p.html(c, p.render.lost, http.StatusNotFound)
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

// sortedIncidents is newest first.
func sortedIncidents(list []quality.Incident) []quality.Incident {
	out := slices.Clone(list)
	slices.SortStableFunc(out, func(a, b quality.Incident) int { return b.CreatedAt.Compare(a.CreatedAt) })
	return out
}

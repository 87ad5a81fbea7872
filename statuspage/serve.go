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
		both(r, d.path, func(c *gin.Context) { send(c, d, http.StatusOK, cacheAsset) })
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
	return p.tongues.match(all, c.Request.Header.Get("Accept-Language"))
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
	h := c.Writer.Header()
	h["Content-Security-Policy"], h["Cache-Control"], h["Vary"] = policyHeader, validateHeader, varyHeader
	p.listed(c)
	if len(p.render.languages.All()) > 1 {
		h["Vary"] = varyBothHeader
	}
	d.answer(c, status)
}

// nothing answers for paths that are not there: browsers read HTML, programs JSON.
func (p *Page) nothing(c *gin.Context) error {
	reads := c.Request.Method == http.MethodGet || c.Request.Method == http.MethodHead
	if !reads || !strings.Contains(c.GetHeader("Accept"), "text/html") {
		return quality.Errorf(quality.KindNotFound, "nothing at %s", c.Request.URL.Path)
	}
	return p.lost(c, p.language(c))
}

// The headers of many answers, made once.
var (
	policyHeader   = []string{policy}
	validateHeader = []string{"public, max-age=0, must-revalidate"}
	varyHeader     = []string{"Accept-Encoding"}
	varyBothHeader = []string{"Accept-Language, Accept-Encoding"}
	gzipHeader     = []string{"gzip"}
	cacheHeaders   = map[string][]string{
		cacheAPI: {cacheAPI}, cacheFeed: {cacheFeed}, cacheImage: {cacheImage}, cacheScript: {cacheScript}, cacheAsset: {cacheAsset},
	}
)

// cacheAsset is for what is named by its content.
const cacheAsset = "public, max-age=31536000, immutable"

// send answers with a document, or with 304 to who has it.
func send(c *gin.Context, d document, status int, cache string) {
	h := c.Writer.Header()
	if ready, ok := cacheHeaders[cache]; ok {
		h["Cache-Control"] = ready
	} else {
		h.Set("Cache-Control", cache)
	}
	h["Vary"] = varyHeader
	d.answer(c, status)
}

// answer sends the packed form to who takes it. The caller has set the headers of its own, Vary among them.
func (d *document) answer(c *gin.Context, status int) {
	h, a := c.Writer.Header(), d.plain
	if d.packed != nil && accepts(c.Request.Header.Get("Accept-Encoding"), "gzip") {
		a = d.packed
	}
	if status == http.StatusOK {
		h["Etag"] = a.tag
		if fresh(c.Request.Header.Get("If-None-Match"), a.etag) {
			c.Status(http.StatusNotModified)
			return
		}
	}
	if a == d.packed {
		h["Content-Encoding"] = gzipHeader
	}
	h["Content-Type"], h["Content-Length"] = a.kind, a.length
	c.Status(status)
	// An error means that the caller has gone.
	_, _ = c.Writer.Write(a.body)
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
	if header == "" {
		return false
	}
	for part := range strings.SplitSeq(header, ",") {
		if part = strings.TrimPrefix(strings.TrimSpace(part), "W/"); part == etag || part == "*" {
			return true
		}
	}
	return false
}

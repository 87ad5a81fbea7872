package statuspage

import (
	"fmt"
	"net/http"
	"path"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
)

// How long answers may be kept by whoever passes them on.
const (
	cacheAPI    = "public, max-age=5"
	cacheFeed   = "public, max-age=60"
	cacheImage  = "public, max-age=300"
	cacheScript = "public, max-age=3600" // of scripts that stand in other people's pages, at paths that never change
)

// registerPrograms adds what programs and other people's pages read: the JSON interface, feeds, badges, the
// widget. All are for everyone, from any origin.
func (p *Page) registerPrograms(r gin.IRouter) {
	for name := range p.view.Load().api.bodies {
		p.shared(r, "/api/v2"+name, cacheAPI, func(*gin.Context) (document, error) { return p.view.Load().api.json(name) })
	}
	p.shared(r, "/api/v2/components/:id/uptime.json", cacheAPI, func(c *gin.Context) (document, error) {
		return p.view.Load().api.uptime(c.Param("id"))
	})
	for _, f := range formats() {
		p.shared(r, "/"+f.file, cacheFeed, func(c *gin.Context) (document, error) { return p.view.Load().api.history(f, c.Query("feature")) })
		p.shared(r, "/features/:name/"+f.file, cacheFeed, func(c *gin.Context) (document, error) {
			return p.view.Load().api.history(f, c.Param("name"))
		})
	}
	for at, d := range p.fixed {
		p.shared(r, at, cacheScript, func(*gin.Context) (document, error) { return d, nil })
	}
	p.shared(r, "/og.png", cacheImage, func(*gin.Context) (document, error) { return p.card() })
	p.registerBadges(r)
	both(r, "/embed", web.Handle(p.embed))
}

func (p *Page) registerBadges(r gin.IRouter) {
	p.badge(r, "/badges/status.svg", func(_ *gin.Context, v *programs, q badgeQuery) (document, error) { return p.statusBadge(v, q) })
	for _, what := range []string{badgeQuality, badgeUptime} {
		p.badge(r, "/badges/:name/"+what, func(c *gin.Context, v *programs, q badgeQuery) (document, error) {
			return p.featureBadge(v, c.Param("name"), what, q)
		})
	}
}

// shared answers with a document that pages of any origin may read.
func (p *Page) shared(r gin.IRouter, at, cache string, find func(*gin.Context) (document, error)) {
	both(r, at, web.Handle(func(c *gin.Context) error {
		share(c)
		d, err := find(c)
		if err != nil {
			return err
		}
		send(c, d, http.StatusOK, cache)
		return nil
	}))
	r.OPTIONS(at, preflight)
}

func share(c *gin.Context) {
	h := c.Writer.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "ETag")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
}

// preflight lets pages of any origin ask with headers of their own, such as those of conditional requests.
func preflight(c *gin.Context) {
	share(c)
	c.Header("Access-Control-Allow-Methods", "GET, HEAD")
	c.Header("Access-Control-Allow-Headers", "*")
	c.Header("Access-Control-Max-Age", "86400")
	c.Status(http.StatusNoContent)
}

// badge answers with a badge, also where there is none: a picture is put where no text could be read.
func (p *Page) badge(r gin.IRouter, at string, find func(*gin.Context, *programs, badgeQuery) (document, error)) {
	both(r, at, web.Handle(func(c *gin.Context) error {
		share(c)
		q, err := newBadgeQuery(c.GetQuery)
		if err != nil {
			return err
		}
		d, err := find(c, p.view.Load().api, q)
		if err != nil && quality.KindOf(err) == quality.KindNotFound {
			send(c, lostBadge(q), http.StatusNotFound, cacheFeed)
			return nil
		}
		if err != nil {
			return err
		}
		// A badge that is opened by itself runs nothing and loads nothing.
		c.Header("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		send(c, d, http.StatusOK, cacheFeed)
		return nil
	}))
	r.OPTIONS(at, preflight)
}

// robotsText is for programs that list pages. A page that must not be listed has to be read to say so: who may
// not read it may list it from links to it.
func robotsText(hidden bool) []byte {
	text := "User-agent: *\nAllow: /\nDisallow: /live\n"
	if hidden {
		text = "# Every answer carries X-Robots-Tag: noindex, which must be read to be followed.\nUser-agent: *\nAllow: /\n"
	}
	return []byte(text)
}

// fixedDocuments are those that never change while the process runs, by path.
func fixedDocuments(o *Options) (map[string]document, error) {
	out := map[string]document{}
	for at, kind := range map[string]string{
		"/widget.js": "text/javascript; charset=utf-8", "/widget.css": "text/css; charset=utf-8",
		"/embed.js": "text/javascript; charset=utf-8", "/embed.css": "text/css; charset=utf-8", "/api/v2/openapi.json": jsonKind,
	} {
		body, err := files.ReadFile("assets/" + path.Base(at))
		if err != nil {
			return nil, fmt.Errorf("reading what %q answers: %w", at, err)
		}
		if out[at], err = newDocument(kind, body); err != nil {
			return nil, err
		}
	}
	schema, err := schemaOf(out["/api/v2/openapi.json"].body)
	if err != nil {
		return nil, err
	}
	if out["/api/v2/schema.json"], err = newDocument("application/schema+json; charset=utf-8", schema); err != nil {
		return nil, err
	}
	out["/robots.txt"], err = newDocument("text/plain; charset=utf-8", robotsText(o.Hidden))
	return out, err
}

// listed tells search engines what they may do with an answer.
func (p *Page) listed(c *gin.Context) {
	if p.opts.Hidden {
		c.Header("X-Robots-Tag", "noindex, nofollow")
	}
}

// embedPolicy lets any page show this one in a frame.
const embedPolicy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors *"

func (p *Page) embed(c *gin.Context) error {
	d, err := p.framed(c.Query("feature"))
	if err != nil {
		return err
	}
	h := c.Writer.Header()
	h.Del("X-Frame-Options")
	h.Set("Content-Security-Policy", embedPolicy)
	p.listed(c)
	send(c, d, http.StatusOK, "public, max-age=0, must-revalidate")
	return nil
}

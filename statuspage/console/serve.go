package console

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
)

// policy lets a page load its own style and script and send its forms to where it came from, and nothing else.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// readTime bounds how long a page waits for the store.
const readTime = 10 * time.Second

// Route is one route of the console with the role that it needs.
type Route struct {
	Method, Path string
	Role         quality.Role
	handle       func(*Console, *gin.Context) (view, error)
}

// Routes lists the routes. Assets are for everyone who may reach the listener.
func Routes() []Route {
	get := func(path string, role quality.Role, h func(*Console, *gin.Context) (view, error)) Route {
		return Route{http.MethodGet, root + path, role, h}
	}
	post := func(path string, role quality.Role, h func(*Console, *gin.Context) (view, error)) Route {
		return Route{http.MethodPost, root + path, role, h}
	}
	return []Route{
		get("", quality.RoleViewer, (*Console).overview),
		get("/search", quality.RoleViewer, (*Console).search),
		get("/features/:feature", quality.RoleViewer, (*Console).featurePage),
		get("/monitors", quality.RoleViewer, (*Console).monitors),
		get("/monitors/:feature/*metric", quality.RoleViewer, (*Console).monitorPage),
		get("/regressions", quality.RoleViewer, (*Console).regressions),
		get("/regressions/:id", quality.RoleViewer, (*Console).regressionPage),
		get("/samples", quality.RoleViewer, (*Console).samples),
		get("/samples/:feature/*id", quality.RoleViewer, (*Console).samplePage),
		get("/changes", quality.RoleViewer, (*Console).changes),
		get("/changes/:id", quality.RoleViewer, (*Console).changePage),
		post("/changes", quality.RoleEditor, (*Console).recordChange),
		post("/changes/:id/own", quality.RoleEditor, (*Console).ownChange),
		get("/incidents", quality.RoleViewer, (*Console).incidents),
		post("/incidents", quality.RoleResponder, (*Console).reportIncident),
		post("/backfill", quality.RoleEditor, (*Console).backfillIncident),
		get("/incidents/:id", quality.RoleViewer, (*Console).incidentPage),
		post("/incidents/:id/:act", quality.RoleResponder, (*Console).actOnIncident),
		get("/maintenances/:id", quality.RoleViewer, (*Console).maintenancePage),
		post("/maintenances", quality.RoleResponder, (*Console).scheduleMaintenance),
		post("/maintenances/:id/advance", quality.RoleResponder, (*Console).advanceMaintenance),
		post("/maintenances/:id/plan", quality.RoleResponder, (*Console).replanMaintenance),
		get("/baselines", quality.RoleViewer, (*Console).baselines),
		get("/baselines/:feature/*metric", quality.RoleViewer, (*Console).baselinePage),
		post("/baselines/promote", quality.RoleEditor, (*Console).promote),
		post("/baselines/pin", quality.RoleEditor, (*Console).pin),
		get("/judges", quality.RoleViewer, (*Console).judges),
		get("/judges/:feature/*metric", quality.RoleViewer, (*Console).judgePage),
		get("/labels/:feature/*metric", quality.RoleEditor, (*Console).labelPage),
		post("/labels", quality.RoleEditor, (*Console).label),
		get("/switches", quality.RoleViewer, (*Console).switches),
		get("/customers", quality.RoleAccount, (*Console).customers),
		get("/customers/*name", quality.RoleAccount, (*Console).customerPage),
		post("/customers", quality.RoleAccount, (*Console).makeLink),
		post("/links/:id/revoke", quality.RoleAccount, (*Console).revokeLink),
		get("/subscribers", quality.RoleAdmin, (*Console).subscribers),
		get("/keys", quality.RoleAdmin, (*Console).keys),
		post("/keys", quality.RoleAdmin, (*Console).createKey),
		post("/keys/:id/revoke", quality.RoleAdmin, (*Console).revokeKey),
		get("/audit", quality.RoleAdmin, (*Console).audit),
		get("/settings", quality.RoleViewer, (*Console).settings),
	}
}

// Register adds the routes.
func (c *Console) Register(r gin.IRouter) {
	for _, route := range Routes() {
		r.Handle(route.Method, route.Path, c.page(route))
	}
	for _, a := range []asset{c.render.style, c.render.script} {
		r.GET(a.path, func(g *gin.Context) {
			g.Header("Cache-Control", "public, max-age=31536000, immutable")
			g.Data(http.StatusOK, a.kind, a.body)
		})
	}
}

// RegisterRoot lets the root of a listener that has none lead to the console.
func (c *Console) RegisterRoot(r gin.IRouter) {
	r.GET("/", func(g *gin.Context) { g.Redirect(http.StatusFound, root) })
}

// redirect is an answer that leads elsewhere; the message says by a code what was done.
type redirect struct{ to, done string }

func (r redirect) Error() string { return "leads to " + r.to }

// done answers a form: the reader is led to a page that says what was done, and a reload sends nothing again.
func done(to, code string) (view, error) { return view{}, redirect{to, code} }

// page serves one route.
func (c *Console) page(route Route) gin.HandlerFunc {
	return web.Handle(func(g *gin.Context) error {
		ctx, cancel := context.WithTimeout(g.Request.Context(), readTime)
		defer cancel()
		g.Request = g.Request.WithContext(ctx)
		if route.Method == http.MethodPost {
			g.Request.Body = http.MaxBytesReader(g.Writer, g.Request.Body, maxForm)
		}
		v, err := route.handle(c, g)
		var to redirect
		switch {
		case errors.As(err, &to):
			g.Redirect(http.StatusSeeOther, to.target())
			return nil
		case err != nil:
			return c.failed(g, err)
		default:
			return c.show(g, v)
		}
	})
}

func (r redirect) target() string {
	if r.done == "" {
		return r.to
	}
	path, fragment, _ := strings.Cut(r.to, "#")
	sep := "?"
	if strings.Contains(path, "?") {
		sep = "&"
	}
	if path += sep + "done=" + r.done; fragment != "" {
		path += "#" + fragment
	}
	return path
}

// failed shows an error as a page, with the status of its kind.
func (c *Console) failed(g *gin.Context, err error) error {
	status, problem := web.ProblemOf(err)
	if status == http.StatusInternalServerError {
		c.log.Error("console page failed", "route", g.FullPath(), "err", err)
	}
	titles := map[int]string{http.StatusNotFound: "There is no such page", http.StatusServiceUnavailable: "Not available now",
		http.StatusForbidden: "You may not do this", http.StatusBadRequest: "This does not work", http.StatusConflict: "Not now"}
	title := titles[status]
	if title == "" {
		title = "Something went wrong"
	}
	return c.show(g, view{name: "error", status: status, Title: title, Crumbs: []crumb{{"Overview", root}}, Page: problem.Message})
}

func (c *Console) show(g *gin.Context, v view) error {
	ctx := g.Request.Context()
	who := c.o.Actor(ctx)
	body, err := c.render.draw(v.name, &frame{
		view: v, Site: c.o.Title, PageURL: c.o.PageURL, Style: c.render.style.path, Script: c.render.script.path, Menu: menuOf(v.Section),
		Done: doneTexts[g.Query("done")], Query: cutText(g.Query("q"), shortAt), CSRF: c.o.CSRF(ctx), Who: who.String(),
		Zone: c.o.Location.String(), Simulated: c.o.Simulated, may: func(r quality.Role) bool { return c.o.May(ctx, r) },
	})
	if err != nil {
		return err
	}
	h := g.Writer.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("Cache-Control", "no-store") // what a person may see somebody else may not
	h.Set("Referrer-Policy", "same-origin")
	status := v.status
	if status == 0 {
		status = http.StatusOK
	}
	g.Data(status, "text/html; charset=utf-8", body)
	return nil
}

// tail is a parameter that may hold slashes.
func tail(g *gin.Context, name string) string { return strings.TrimPrefix(g.Param(name), "/") }

// note adds to a page what could not be read, and logs nothing: the store's own log has it. It reports whether
// all was well.
func (v *view) note(what string, err error) bool {
	if err == nil {
		return true
	}
	_, problem := web.ProblemOf(err)
	why := problem.Message
	if quality.KindOf(err) == quality.KindUnavailable || errors.Is(err, context.DeadlineExceeded) {
		why = "ClickHouse does not answer; this page shows what is known without it"
	}
	v.Notices = append(v.Notices, what+": "+why+".")
	return false
}

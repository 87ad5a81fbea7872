package console

import (
	"net/url"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/quality"
)

// urlQuery escapes a value of a query.
func urlQuery(s string) string { return url.QueryEscape(s) }

// switches says what is not there yet: no switch can be configured.
func (c *Console) switches(*gin.Context) (view, error) {
	return view{name: "switches", Title: "Switches", Section: "switches", Crumbs: []crumb{{"Overview", root}}}, nil
}

// subscriberList is the page of subscribers.
type subscriberList struct {
	Absent bool
	Rows   []Subscriber
	Left   int
}

// maxSubscribers bounds the list.
const maxSubscribers = 1000

func (c *Console) subscribers(g *gin.Context) (view, error) {
	v := view{name: "subscribers", Title: "Subscribers", Section: "subscribers", Crumbs: []crumb{{"Overview", root}}}
	p := subscriberList{Absent: c.o.Subscribers == nil}
	if !p.Absent {
		all, err := c.o.Subscribers.Subscribers(g.Request.Context())
		v.note("Subscribers", err)
		p.Left = max(0, len(all)-maxSubscribers)
		p.Rows = all[:len(all)-p.Left]
	}
	v.Page = &p
	return v, nil
}

// auditPage is how many entries of the audit log stand on a page.
const auditPage = 100

// auditList is the page of the audit log.
type auditList struct {
	Absent bool
	Object string
	Rows   []quality.Audited
	Next   string
}

func (c *Console) audit(g *gin.Context) (view, error) {
	v := view{name: "audit", Title: "Audit log", Section: "audit", Crumbs: []crumb{{"Overview", root}}}
	p := auditList{Absent: c.o.Audit == nil, Object: g.Query("object")}
	if !p.Absent {
		list, next, err := c.o.Audit.Entries(g.Request.Context(), p.Object, g.Query("cursor"), auditPage)
		v.note("Audit log", err)
		p.Rows = list
		if next != "" {
			p.Next = root + "/audit?" + url.Values{"object": {p.Object}, "cursor": {next}}.Encode()
		}
	}
	v.Page = &p
	return v, nil
}

// settingsView is the page of the configuration in force.
type settingsView struct {
	Settings
	Version string
}

func (c *Console) settings(g *gin.Context) (view, error) {
	v := view{name: "settings", Title: "Settings", Section: "settings", Crumbs: []crumb{{"Overview", root}}}
	p := settingsView{Version: c.o.Version}
	if c.o.Settings != nil {
		p.Settings = c.o.Settings(g.Request.Context())
	}
	v.Page = &p
	return v, nil
}

package auth

import (
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/web"
)

// Refuser is People that shows a person with a browser why a route for people is closed, and the way out. Without it
// the answer is JSON.
type Refuser interface {
	// Refused answers a request with the status of err.
	Refused(c *gin.Context, err error)
}

// tell answers with an error: with a page where a browser asks for a route that is for people.
func (g *gate) tell(c *gin.Context, err error) {
	a, _ := g.opts.Table.Of(c.Request.Method, c.FullPath())
	pages, ok := g.opts.People.(Refuser)
	if !ok || a.kind != person || !strings.Contains(c.GetHeader("Accept"), "text/html") {
		web.Fail(c, err)
		return
	}
	pages.Refused(c, err)
	c.Abort()
}

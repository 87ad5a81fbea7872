package baseline

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
)

// maxBody bounds what is asked for.
const maxBody = 64 << 10

// Register adds the routes, for the internal listener.
func (k *Keeper) Register(r gin.IRouter) {
	r.GET("/v1/baselines", web.Handle(k.getBooks))
	r.GET("/v1/baselines/:feature/:metric", web.Handle(k.getBook))
	r.POST("/v1/baselines/:feature/:metric/promote", web.Handle(k.postPromote))
	r.POST("/v1/baselines/:feature/:metric/pin", web.Handle(k.postPin))
}

// List is the answer of GET /v1/baselines.
type List struct {
	Baselines []quality.BaselineBook `json:"baselines"`
}

func (k *Keeper) getBooks(g *gin.Context) error {
	books, err := k.Books(g.Request.Context())
	if err != nil {
		return err
	}
	g.JSON(http.StatusOK, List{books})
	return nil
}

func (k *Keeper) getBook(g *gin.Context) error {
	b, err := k.Book(g.Request.Context(), g.Param("feature"), g.Param("metric"))
	if err != nil {
		return err
	}
	g.JSON(http.StatusOK, b)
	return nil
}

func (k *Keeper) postPromote(g *gin.Context) error {
	var p Promotion
	if err := web.ReadJSON(g, &p, maxBody); err != nil {
		return err
	}
	v, err := k.Promote(g.Request.Context(), g.Param("feature"), g.Param("metric"), p)
	if err != nil {
		return err
	}
	g.JSON(http.StatusOK, v)
	return nil
}

func (k *Keeper) postPin(g *gin.Context) error {
	var p quality.BaselinePin
	if err := web.ReadJSON(g, &p, maxBody); err != nil {
		return err
	}
	b, err := k.Pin(g.Request.Context(), g.Param("feature"), g.Param("metric"), p)
	if err != nil {
		return err
	}
	g.JSON(http.StatusOK, b)
	return nil
}

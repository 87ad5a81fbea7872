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
	return web.JSON(g, http.StatusOK, List{books})
}

func (k *Keeper) getBook(g *gin.Context) error {
	b, err := k.Book(g.Request.Context(), g.Param("feature"), g.Param("metric"))
	if err != nil {
		return err
	}
	return web.JSON(g, http.StatusOK, b)
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
	return web.JSON(g, http.StatusOK, v)
}

// pinning is a pin as it is asked for: one that names no version is not one of the configured form.
type pinning struct {
	quality.BaselinePin
	Version *int `json:"version"`
}

func (k *Keeper) postPin(g *gin.Context) error {
	var p pinning
	if err := web.ReadJSON(g, &p, maxBody); err != nil {
		return err
	}
	if p.Version == nil {
		return quality.Errorf(quality.KindInvalid, `field "version": required; 0 is what the configuration says`)
	}
	p.BaselinePin.Version = *p.Version
	b, err := k.Pin(g.Request.Context(), g.Param("feature"), g.Param("metric"), p.BaselinePin)
	if err != nil {
		return err
	}
	return web.JSON(g, http.StatusOK, b)
}

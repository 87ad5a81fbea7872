package calibrate

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/web"
)

// Register adds the routes, for the internal listener.
func (k *Keeper) Register(r gin.IRouter) {
	r.GET("/v1/judges", web.Handle(func(g *gin.Context) error { return web.JSON(g, http.StatusOK, gin.H{"judges": k.List()}) }))
	r.GET("/v1/judges/:feature/:metric", web.Handle(k.getJudge))
}

func (k *Keeper) getJudge(g *gin.Context) error {
	report, err := k.Report(g.Request.Context(), g.Param("feature"), g.Param("metric"))
	if err != nil {
		return err
	}
	return web.JSON(g, http.StatusOK, report)
}

package app

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
)

// storedScores is the answer of GET /v1/stored-scores.
type storedScores struct {
	Scores []quality.Score `json:"scores"`
}

// registerScores adds the route by which commands on this machine read stored scores while the server has
// the data directory.
func (a *App) registerScores(r gin.IRouter) {
	r.GET("/v1/stored-scores", web.Handle(a.getScores))
}

func (a *App) getScores(g *gin.Context) error {
	var at [2]time.Time
	for i, name := range []string{"from", "to"} {
		var err error
		if at[i], err = time.Parse(time.RFC3339Nano, g.Query(name)); err != nil {
			return quality.Errorf(quality.KindInvalid, "parameter %q: want a time such as 2026-03-01T12:00:00Z, got %.40q", name, g.Query(name))
		}
	}
	limit, err := strconv.Atoi(g.Query("limit"))
	if err != nil || limit < 1 || limit > scorePage {
		return quality.Errorf(quality.KindInvalid, `parameter "limit": want 1 to %d, got %.40q`, scorePage, g.Query("limit"))
	}
	list, err := a.engines.store.Scores(g.Request.Context(), g.Query("feature"), g.Query("metric"), at[0], at[1], limit)
	if err != nil {
		return err
	}
	for i := range list { // what nobody compares is left out: explanations are long
		list[i].Explanation = ""
	}
	g.JSON(http.StatusOK, storedScores{Scores: list})
	return nil
}

// scoresOf reads the stored scores of a running server.
func scoresOf(addr string) scoreReader {
	return func(ctx context.Context, feature, metric string, from, to time.Time, limit int) ([]quality.Score, error) {
		q := url.Values{"feature": {feature}, "metric": {metric}, "from": {from.Format(time.RFC3339Nano)}, "to": {to.Format(time.RFC3339Nano)}, "limit": {strconv.Itoa(limit)}}
		var answer storedScores
		err := ask(ctx, http.MethodGet, addr+"/v1/stored-scores?"+q.Encode(), "", nil, &answer)
		return answer.Scores, err
	}
}

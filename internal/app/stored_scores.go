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

// registerStored adds the routes by which commands on this machine read stored scores and samples while the
// server has the data directory.
func (a *App) registerStored(r gin.IRouter) {
	r.GET("/v1/stored-scores", web.Handle(a.getScores))
	r.GET("/v1/stored-samples", web.Handle(a.getSamples))
}

// The years that the store tells apart; beyond them its times turn around.
const (
	firstYear = 1970
	lastYear  = 2200
)

// storedQuery is which part of a period is asked for.
type storedQuery struct {
	from, to time.Time
	limit    int
}

func readStoredQuery(g *gin.Context, most int) (q storedQuery, err error) {
	for name, at := range map[string]*time.Time{"from": &q.from, "to": &q.to} {
		if *at, err = time.Parse(time.RFC3339Nano, g.Query(name)); err != nil {
			return q, quality.Errorf(quality.KindInvalid, "parameter %q: want a time such as 2026-03-01T12:00:00Z, got %.40q", name, g.Query(name))
		}
		if y := at.UTC().Year(); y < firstYear || y > lastYear {
			return q, quality.Errorf(quality.KindInvalid, "parameter %q: want a year from %d to %d, got %.40q", name, firstYear, lastYear, g.Query(name))
		}
	}
	if q.limit, err = strconv.Atoi(g.Query("limit")); err != nil || q.limit < 1 || q.limit > most {
		return q, quality.Errorf(quality.KindInvalid, `parameter "limit": want 1 to %d, got %.40q`, most, g.Query("limit"))
	}
	return q, nil
}

func (q storedQuery) values(feature string) url.Values {
	return url.Values{"feature": {feature}, "from": {q.from.Format(time.RFC3339Nano)}, "to": {q.to.Format(time.RFC3339Nano)}, "limit": {strconv.Itoa(q.limit)}}
}

func (a *App) getScores(g *gin.Context) error {
	q, err := readStoredQuery(g, scorePage)
	if err != nil {
		return err
	}
	list, err := a.engines.store.Scores(g.Request.Context(), g.Query("feature"), g.Query("metric"), q.from, q.to, q.limit)
	if err != nil {
		return err
	}
	g.JSON(http.StatusOK, storedScores{Scores: list})
	return nil
}

// scoresOf reads the stored scores of a running server.
func scoresOf(addr string) scoreReader {
	return func(ctx context.Context, feature, metric string, from, to time.Time, limit int) ([]quality.Score, error) {
		q := storedQuery{from, to, limit}.values(feature)
		q.Set("metric", metric)
		var answer storedScores
		err := ask(ctx, http.MethodGet, addr+"/v1/stored-scores?"+q.Encode(), "", nil, &answer)
		return answer.Scores, err
	}
}

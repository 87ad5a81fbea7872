package ledger

import (
	"context"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
)

// changesReply is the answer to changes: what became of them, and what was wrong when not all was well.
type changesReply struct {
	Result
	Error *web.Problem `json:"error,omitempty"`
}

func (l *Ledger) postChanges(g *gin.Context) {
	result, err := l.takeBody(g.Request)
	if err == nil && result.Refused > 0 {
		kind := quality.KindInvalid
		if result.forbidden == result.Refused {
			kind = quality.KindForbidden
		}
		err = quality.Errorf(kind, "%d of %d changes were refused; the others were stored",
			result.Refused, result.Accepted+result.Duplicates+result.Refused)
	}
	reply, status := changesReply{Result: result}, http.StatusOK
	if err != nil {
		var problem web.Problem
		status, problem = web.ProblemOf(err)
		reply.Error = &problem
		if status == http.StatusInternalServerError {
			l.opts.Logger.Error("changes were not taken in", "err", err)
		}
	}
	if after := web.RetryAfter(status, err); after > 0 {
		g.Header("Retry-After", strconv.Itoa(after))
	}
	g.JSON(status, reply)
}

func (l *Ledger) takeBody(r *http.Request) (Result, error) {
	result := newResult()
	body, err := l.read(r, maxBody)
	if err != nil {
		return result, err
	}
	recs, bodyErr := records(body, r.Header.Get("Content-Type"))
	for _, rec := range recs {
		c, err := decodeChange(rec.data)
		if err != nil {
			l.metrics.count(quality.ChangeAPI, resultRefused)
			result.reject(rec.at, err)
			continue
		}
		if err := l.take(r.Context(), &result, rec.at, c); err != nil {
			return result, unavailable(err)
		}
	}
	return result, bodyErr
}

// unavailable makes an error without a kind one to try again after.
func unavailable(err error) error {
	if quality.KindOf(err) == quality.KindInternal {
		return quality.Errorf(quality.KindUnavailable, "the ledger did not take the change: %w", err)
	}
	return err
}

// read reads a body. Only some are held in memory at a time.
func (l *Ledger) read(r *http.Request, most int64) ([]byte, error) {
	if err := l.slot(r.Context()); err != nil {
		return nil, err
	}
	defer func() { <-l.reading }()
	return readBody(r, most)
}

func (l *Ledger) slot(ctx context.Context) error {
	select {
	case l.reading <- struct{}{}:
		return nil
	case <-ctx.Done():
		return quality.Errorf(quality.KindUnavailable, "gave up waiting to be read: %w", ctx.Err())
	}
}

func (l *Ledger) getChanges(g *gin.Context) {
	q, err := ParseQuery(g.Request.URL.Query())
	if err != nil {
		web.Fail(g, err)
		return
	}
	g.JSON(http.StatusOK, l.List(q))
}

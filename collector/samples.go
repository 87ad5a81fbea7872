package collector

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
)

// retryAfter is what senders are asked to wait, in seconds, when the hand-off does not keep up.
const retryAfter = 5

// headerSampling with the value off keeps all samples of a request: a file that a person brings is wanted whole.
const headerSampling = "Asgood-Sampling"

// headerDryRun with the value on checks the samples of a request, as they would be, and takes none of them in.
const headerDryRun = "Asgood-Dry-Run"

// recordsReply says what became of records, and what was wrong when not all was well.
type recordsReply struct {
	Result
	Error *web.Problem `json:"error,omitempty"`
}

func (c *Collector) postSamples(g *gin.Context) {
	if err := c.opts.Room(); err != nil {
		c.reply(g, Result{Rejected: []Rejection{}}, err)
		return
	}
	in := c.newIntake(g.Request.Context())
	in.fair, in.turn.turns = true, c.turns
	in.unsampled = g.GetHeader(headerSampling) == "off"
	in.dry = g.GetHeader(headerDryRun) == "on"
	bodyErr := c.readSamples(in, g.Request)
	storeErr := in.finish()
	c.reply(g, in.result, firstError(storeErr, bodyErr, in.result.err("samples")))
}

// reply tells what became of the records of a request; err is what to say when not all was well.
func (c *Collector) reply(g *gin.Context, result Result, err error) {
	reply := recordsReply{Result: result}
	status := http.StatusOK
	if err != nil {
		var problem web.Problem
		status, problem = web.ProblemOf(err)
		reply.Error = &problem
		if status == http.StatusInternalServerError {
			c.opts.Logger.Error("records were not taken in", "path", g.FullPath(), "err", err)
		}
	}
	if after := web.RetryAfter(status, err); after > 0 {
		g.Header("Retry-After", strconv.Itoa(after))
	}
	g.JSON(status, reply)
}

// readSamples takes in record by record. An error is about the body as a whole, from some place on.
func (c *Collector) readSamples(in *intake, r *http.Request) error {
	body, err := openBody(r)
	if err != nil {
		return err
	}
	recs, err := newRecords(body, r.Header.Get("Content-Type"))
	if err != nil {
		return err
	}
	var dec decoder[quality.Sample]
	for {
		rec, err := recs.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return atPlace(recs.where(), err)
		}
		if err := c.opts.Guard.Spend(r.Context(), 1); err != nil {
			return atPlace(rec.at, err)
		}
		if err := in.turn.take(r.Context(), len(rec.data)); err != nil {
			return atPlace(rec.at, err)
		}
		if err := in.takeInTurn(&dec, rec); err != nil {
			in.reject(rec.at, err)
		}
	}
}

// takeInTurn gives the turn back, also when a handler panics.
func (in *intake) takeInTurn(dec *decoder[quality.Sample], rec record) error {
	defer in.turn.done()
	return in.take(dec, rec)
}

func (in *intake) take(dec *decoder[quality.Sample], rec record) error {
	if rec.err != nil {
		return rec.err
	}
	s, err := dec.decode(rec.data)
	if err != nil {
		return err
	}
	if err := in.c.opts.Guard.Allow(in.ctx, s.Feature); err != nil {
		return err
	}
	return in.add(&s)
}

// atPlace says where reading stopped. What came before it is not touched by the error.
func atPlace(at place, err error) error {
	if at.line > 0 {
		return fmt.Errorf("line %d: %w", at.line, err)
	}
	return fmt.Errorf("index %d: %w", at.index, err)
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// err sums up the refusals; it is about size, or about what the sender may do, only when all of them are.
func (r *Result) err(of string) error {
	if r.Refused == 0 {
		return nil
	}
	kind := quality.KindInvalid
	switch r.Refused {
	case r.tooLarge:
		kind = quality.KindTooLarge
	case r.forbidden:
		kind = quality.KindForbidden
	}
	total := r.Accepted + r.Checked + r.Duplicates + r.Refused
	if r.Refused == total {
		return quality.Errorf(kind, "all %d %s were refused", total, of)
	}
	return quality.Errorf(kind, "%d of %d %s were refused; the others were stored", r.Refused, total, of)
}

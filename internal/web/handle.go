// Package web is the gin adapter: engines with the same manners on every listener, handlers that
// return errors, servers that bind before they serve, and the routes by which a process shows its health.
//
// It knows HTTP and the kinds of errors. It knows nothing of features, scores or pages, and renders no HTML.
package web

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/gin-gonic/gin"
)

// Problem is the body of every error answer, under the key "error".
type Problem struct {
	Kind      string `json:"kind"`
	Message   string `json:"message"`
	RequestID string `json:"request_id,omitempty"` // where the message hides the cause: look for it in the log
}

type problemBody struct {
	Error Problem `json:"error"`
}

// Handle turns a handler that returns an error into gin's. The error's kind chooses the status; the
// text of an internal error goes to the log, and the caller gets the id of its line.
// A handler that has already begun its answer cannot take it back: its error is only logged.
func Handle(fn func(*gin.Context) error) gin.HandlerFunc {
	return func(c *gin.Context) {
		err := fn(c)
		if err == nil {
			return
		}
		if c.Writer.Written() {
			logger(c).WarnContext(c, "error after the answer began", "method", c.Request.Method, "route", route(c), "err", err)
			c.Abort()
			return
		}
		if errors.Is(err, context.Canceled) && c.Request.Context().Err() != nil {
			// The caller has gone: nobody reads an answer, and nothing is wrong here.
			c.AbortWithStatus(statusClientGone)
			return
		}
		Fail(c, err)
	}
}

// statusClientGone is what proxies count for callers that hang up.
const statusClientGone = 499

// Fail answers with the status and body of the error and stops the chain of handlers.
func Fail(c *gin.Context, err error) {
	status, p := ProblemOf(err)
	if status == http.StatusInternalServerError {
		p.RequestID = requestID(c)
		logger(c).ErrorContext(c, "request failed", "request_id", p.RequestID, "method", c.Request.Method, "route", route(c), "err", err)
	}
	if after := RetryAfter(status, err); after > 0 && c.Writer.Header().Get("Retry-After") == "" {
		c.Header("Retry-After", strconv.Itoa(after))
	}
	c.AbortWithStatusJSON(status, problemBody{p})
}

// retryAfter is what callers are asked to wait where nothing better is known, in seconds.
const retryAfter = 5

// RetryAfter returns the seconds that a caller is asked to wait before it tries again, at least 1; 0 where
// trying again does not help.
func RetryAfter(status int, err error) int {
	switch status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusInsufficientStorage:
	default:
		return 0
	}
	wait := quality.RetryOf(err)
	if wait <= 0 {
		return retryAfter
	}
	return int(max(math.Ceil(wait.Seconds()), 1))
}

// ProblemOf returns the status of an error and what its caller may read. Rooms that render HTML use
// it to show the same facts in their own form.
func ProblemOf(err error) (int, Problem) {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return http.StatusRequestEntityTooLarge, Problem{Kind: "too_large", Message: err.Error()}
	}
	switch quality.KindOf(err) {
	case quality.KindInvalid:
		return http.StatusBadRequest, Problem{Kind: "invalid", Message: err.Error()}
	case quality.KindTooLarge:
		return http.StatusRequestEntityTooLarge, Problem{Kind: "too_large", Message: err.Error()}
	case quality.KindNotFound:
		return http.StatusNotFound, Problem{Kind: "not_found", Message: err.Error()}
	case quality.KindConflict:
		return http.StatusConflict, Problem{Kind: "conflict", Message: err.Error()}
	case quality.KindUnauthenticated:
		return http.StatusUnauthorized, Problem{Kind: "unauthenticated", Message: err.Error()}
	case quality.KindTooMany:
		return http.StatusTooManyRequests, Problem{Kind: "too_many", Message: err.Error()}
	case quality.KindForbidden:
		return http.StatusForbidden, Problem{Kind: "forbidden", Message: err.Error()}
	case quality.KindFull:
		return http.StatusInsufficientStorage, Problem{Kind: "full", Message: err.Error()}
	case quality.KindUnavailable:
		return http.StatusServiceUnavailable, Problem{Kind: "unavailable", Message: err.Error()}
	default:
		return http.StatusInternalServerError, Problem{Kind: "internal", Message: "something went wrong on our side"}
	}
}

const (
	loggerKey    = "asgood.logger"
	requestIDKey = "asgood.request_id"
)

func logger(c *gin.Context) *slog.Logger {
	if l, ok := c.Get(loggerKey); ok {
		return l.(*slog.Logger)
	}
	return slog.Default()
}

// requestID returns the id of this request, made on first use: most requests never need one.
func requestID(c *gin.Context) string {
	if id := c.GetString(requestIDKey); id != "" {
		return id
	}
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails: see crypto/rand
	id := hex.EncodeToString(b[:])
	c.Set(requestIDKey, id)
	return id
}

// route is the template of the path that matched, which unlike the path has few values.
func route(c *gin.Context) string {
	if p := c.FullPath(); p != "" {
		return p
	}
	return "none"
}

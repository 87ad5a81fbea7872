package web

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
)

// Options configures an engine.
type Options struct {
	Logger     *slog.Logger          // nil means no log
	Registerer prometheus.Registerer // nil means the metrics are not seen
	Listener   string                // name of the listener, a label of the metrics

	// TrustedProxies are the networks, as CIDRs or addresses, whose X-Forwarded-For says who called. It is invalid
	// to give what is neither; then nobody is trusted.
	TrustedProxies []string
}

// New returns an engine with the manners of every listener: panics become answers of status 500 and are
// counted, requests are measured by route and logged at debug level, headers keep browsers from
// guessing, unknown paths and methods get a true 404 and 405, and only the proxies of o are trusted to say who called.
func New(o Options) *gin.Engine {
	gin.SetMode(gin.ReleaseMode)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	m := newMetrics(o.Registerer, o.Listener)
	e := gin.New()
	e.RemoteIPHeaders = []string{"X-Forwarded-For"}
	if err := e.SetTrustedProxies(o.TrustedProxies); err != nil {
		o.Logger.Error("proxies are not trusted", "err", err)
		_ = e.SetTrustedProxies(nil) // an empty list cannot be refused
	}
	e.HandleMethodNotAllowed = true
	e.Use(observe(o.Logger, m), secure, recoverPanic(m))
	e.NoRoute(Handle(func(c *gin.Context) error {
		return quality.Errorf(quality.KindNotFound, "nothing at %s", c.Request.URL.Path)
	}))
	e.NoMethod(func(c *gin.Context) {
		c.AbortWithStatusJSON(http.StatusMethodNotAllowed, problemBody{Problem{
			Kind:    "method_not_allowed",
			Message: fmt.Sprintf("%s does not take %s (it takes %s)", c.Request.URL.Path, c.Request.Method, c.Writer.Header().Get("Allow")),
		}})
	})
	return e
}

func observe(l *slog.Logger, m *metrics) gin.HandlerFunc {
	return func(c *gin.Context) {
		start := time.Now()
		c.Set(loggerKey, l)
		m.inFlight.Inc()
		// Deferred, so that a handler that gives up the connection is measured too.
		defer func() {
			took := time.Since(start)
			m.inFlight.Dec()
			m.observe(route(c), c.Request.Method, c.Writer.Status(), took)
			if l.Enabled(c, slog.LevelDebug) {
				l.DebugContext(c, "request", "method", c.Request.Method, "path", loggable(c), "route", route(c),
					"status", c.Writer.Status(), "bytes", max(c.Writer.Size(), 0), "took", took)
			}
		}()
		c.Next()
	}
}

// loggable is the path of a request without what it may give away: a token that stands in it lets in whoever reads it. Of
// a path that matches no route, which may be a mistyped link, only the beginning is told.
func loggable(c *gin.Context) string {
	template := c.FullPath()
	if template == "" {
		first, rest, _ := strings.Cut(strings.TrimPrefix(c.Request.URL.Path, "/"), "/")
		if len(rest) > 0 || len(first) > maxLogged {
			return fmt.Sprintf("/%.*s…", maxLogged, first)
		}
		return "/" + first
	}
	for part := range strings.SplitSeq(template, "/") {
		if len(part) > 1 && (part[0] == ':' || part[0] == '*') && secretNames[part[1:]] {
			return template
		}
	}
	return c.Request.URL.Path
}

// maxLogged is how much of a path that matches nothing is logged, in bytes. It is less than a token has.
const maxLogged = 16

// secretNames are the parameters of routes that hold what lets in.
var secretNames = map[string]bool{"token": true, "link": true, "secret": true, "code": true, "ticket": true}

// The headers of every answer, made once.
var (
	nosniff    = []string{"nosniff"}
	deny       = []string{"DENY"}
	referrer   = []string{"strict-origin-when-cross-origin"}
	sameOrigin = []string{"same-origin"}
	permitted  = []string{"camera=(), geolocation=(), microphone=()"}
	policy     = []string{"default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"}
)

// secure sets headers that hold for every answer. A room that needs another one sets it over these.
func secure(c *gin.Context) {
	h := c.Writer.Header()
	h["X-Content-Type-Options"] = nosniff
	h["X-Frame-Options"] = deny
	h["Referrer-Policy"] = referrer
	h["Cross-Origin-Opener-Policy"] = sameOrigin
	h["Permissions-Policy"] = permitted
	h["Content-Security-Policy"] = policy
	c.Next()
}

func recoverPanic(m *metrics) gin.HandlerFunc {
	return func(c *gin.Context) {
		defer func() {
			if v := recover(); v != nil {
				m.answerPanic(c, v)
			}
		}()
		c.Next()
	}
}

func (m *metrics) answerPanic(c *gin.Context, v any) {
	if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(v) // net/http closes the connection without a word
	}
	m.panics.Inc()
	logger(c).ErrorContext(c, "handler panicked", "request_id", requestID(c), "method", c.Request.Method,
		"route", route(c), "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
	if c.Writer.Written() {
		panic(http.ErrAbortHandler) // a cut connection tells the caller that the answer is not whole
	}
	status, p := ProblemOf(fmt.Errorf("panic: %v", v))
	p.RequestID = requestID(c)
	c.AbortWithStatusJSON(status, problemBody{p})
}

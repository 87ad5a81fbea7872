package web

import (
	"context"
	"fmt"
	"net/http"
	"net/http/pprof"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sync/singleflight"
)

// Check asks whether one thing that the process depends on works.
type Check struct {
	Name    string
	Timeout time.Duration // 0 means 2 s
	Run     func(context.Context) error
}

// Health holds what the health routes show.
type Health struct {
	Checks   []Check             // of /readyz; all run at once
	Gatherer prometheus.Gatherer // of /metrics; nil means no such route
	Profile  bool                // serve /debug/pprof; for the internal listener only
}

// Register adds the routes: /healthz says that the process lives, /readyz that it can do its work,
// /metrics what it counted.
func (h Health) Register(r gin.IRouter) {
	r.GET("/healthz", func(c *gin.Context) { c.JSON(http.StatusOK, gin.H{"status": "ok"}) })
	r.GET("/readyz", ready(h.Checks))
	if h.Gatherer != nil {
		r.GET("/metrics", gin.WrapH(promhttp.HandlerFor(h.Gatherer, promhttp.HandlerOpts{})))
	}
	if h.Profile {
		registerPprof(r.Group("/debug/pprof"))
	}
}

type checkResult struct {
	Status string  `json:"status"` // ok or failed
	Error  string  `json:"error,omitempty"`
	TookMS float64 `json:"took_ms"`
}

// guarded is a check of which one run at most is under way: callers at the same time share it, and one
// that hangs does not pile up.
type guarded struct {
	Check
	shared singleflight.Group
}

func ready(checks []Check) gin.HandlerFunc {
	gs := make([]*guarded, len(checks))
	for i, ch := range checks {
		gs[i] = &guarded{Check: ch}
		if ch.Timeout <= 0 {
			gs[i].Timeout = 2 * time.Second
		}
	}
	return func(c *gin.Context) {
		results := make([]checkResult, len(gs))
		var wg sync.WaitGroup
		for i, g := range gs {
			wg.Go(func() { results[i] = g.run(c.Request.Context()) })
		}
		wg.Wait()
		status, word := http.StatusOK, "ok"
		byName := make(map[string]checkResult, len(results))
		for i, r := range results {
			byName[gs[i].Name] = r
			if r.Error != "" {
				status, word = http.StatusServiceUnavailable, "failed"
			}
		}
		c.JSON(status, gin.H{"status": word, "checks": byName})
	}
}

func (g *guarded) run(ctx context.Context) checkResult {
	start := time.Now()
	err := g.within(ctx)
	r := checkResult{Status: "ok", TookMS: float64(time.Since(start).Microseconds()) / 1000}
	if err != nil {
		r.Status, r.Error = "failed", err.Error()
	}
	return r
}

// within does not trust the check to heed its context: one that hangs fails at its deadline all the same.
func (g *guarded) within(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, g.Timeout)
	defer cancel()
	done := g.shared.DoChan("", func() (any, error) {
		// Not of the caller that happened to be first: the others want the answer too.
		runCtx, stop := context.WithTimeout(context.WithoutCancel(ctx), g.Timeout)
		defer stop()
		return nil, g.try(runCtx)
	})
	select {
	case r := <-done:
		return r.Err
	case <-ctx.Done():
		return fmt.Errorf("no answer within %s", g.Timeout)
	}
}

func (g *guarded) try(ctx context.Context) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panicked: %v", v)
		}
	}()
	return g.Run(ctx)
}

func registerPprof(g *gin.RouterGroup) {
	g.GET("/", gin.WrapF(pprof.Index))
	g.GET("/cmdline", gin.WrapF(pprof.Cmdline))
	g.GET("/profile", gin.WrapF(pprof.Profile))
	g.GET("/symbol", gin.WrapF(pprof.Symbol))
	g.POST("/symbol", gin.WrapF(pprof.Symbol))
	g.GET("/trace", gin.WrapF(pprof.Trace))
	for _, name := range []string{"allocs", "block", "goroutine", "heap", "mutex", "threadcreate"} {
		g.GET("/"+name, gin.WrapH(pprof.Handler(name)))
	}
}

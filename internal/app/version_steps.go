package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/asgood-dev/asgood/internal/bus"
	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
)

const (
	maxSteps    = 10_000   // known steps; later ones are refused
	maxStepBody = 64 << 10 // bytes of a request
)

// stepKey says between which versions of which metric's scorer a step is. It is comparable.
type stepKey struct{ feature, metric, from, to string }

func keyOf(s *quality.VersionStep) stepKey { return stepKey{s.Feature, s.Metric, s.From, s.To} }

// document is the key in the bucket.
func (k stepKey) document() string {
	return url.PathEscape(k.feature) + "/" + url.PathEscape(k.metric) + "/" + url.PathEscape(k.from) + "/" + url.PathEscape(k.to)
}

// stepBook keeps the known steps between versions of scorers: all of them in memory, as the evaluator asks
// while it works. It is safe for concurrent use.
type stepBook struct {
	docs     *bus.Documents[quality.VersionStep]
	features []quality.Feature

	mu    sync.Mutex // held while one is stored, so that memory and bucket say the same
	known map[stepKey]quality.VersionStep
}

func openSteps(ctx context.Context, b *bus.Bus, features []quality.Feature) (*stepBook, error) {
	docs, err := documents[quality.VersionStep](ctx, b, bucketSteps)
	if err != nil {
		return nil, err
	}
	all, err := docs.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the steps between versions: %w", err)
	}
	s := &stepBook{docs: docs, features: features, known: make(map[stepKey]quality.VersionStep, len(all))}
	for i := range all {
		s.known[keyOf(&all[i])] = all[i]
	}
	return s, nil
}

func (r *rooms) buildSteps(ctx context.Context, a *App) (err error) {
	if r.steps, err = openSteps(ctx, a.engines.bus, a.opts.Config.Features); err != nil {
		return err
	}
	return r.steps.forget(ctx, a.engines.bus)
}

// forget removes the steps of features that are no longer configured.
func (s *stepBook) forget(ctx context.Context, b *bus.Bus) error {
	keep := map[string]bool{}
	for k := range s.known {
		if keep[k.document()] = s.configured(k.feature); !keep[k.document()] {
			delete(s.known, k)
		}
	}
	return forget(ctx, b, bucketSteps, keep)
}

func (s *stepBook) configured(feature string) bool {
	return slices.ContainsFunc(s.features, func(f quality.Feature) bool { return f.Name == feature })
}

// step returns the known step between two versions.
func (s *stepBook) step(feature, metric, from, to string) (quality.VersionStep, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.known[stepKey{feature, metric, from, to}]
	return v, ok
}

// record stores a step in the place of what was known before.
func (s *stepBook) record(ctx context.Context, v quality.VersionStep) error {
	if err := v.Validate(); err != nil {
		return err
	}
	if !s.configured(v.Feature) {
		return quality.Errorf(quality.KindInvalid, `field "feature": no feature %q in the configuration`, v.Feature)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, had := s.known[keyOf(&v)]; !had && len(s.known) >= maxSteps {
		return quality.Errorf(quality.KindFull, "%d steps between versions are known, and no more are kept", maxSteps)
	}
	if _, err := s.docs.Put(ctx, keyOf(&v).document(), v); err != nil {
		return err
	}
	s.known[keyOf(&v)] = v
	return nil
}

// list returns all known steps in the order of their names.
func (s *stepBook) list() []quality.VersionStep {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]quality.VersionStep, 0, len(s.known))
	for _, v := range s.known {
		out = append(out, v)
	}
	slices.SortFunc(out, func(a, b quality.VersionStep) int {
		return cmp.Or(cmp.Compare(a.Feature, b.Feature), cmp.Compare(a.Metric, b.Metric), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	return out
}

// stepList is the answer of GET /v1/steps.
type stepList struct {
	Steps []quality.VersionStep `json:"steps"`
}

func (s *stepBook) register(r gin.IRouter) {
	r.GET("/v1/steps", web.Handle(func(g *gin.Context) error { return web.JSON(g, http.StatusOK, stepList{s.list()}) }))
	r.POST("/v1/steps", web.Handle(s.post))
}

func (s *stepBook) post(g *gin.Context) error {
	var v quality.VersionStep
	if err := web.ReadJSON(g, &v, maxStepBody); err != nil {
		return err
	}
	if err := s.record(g.Request.Context(), v); err != nil {
		return err
	}
	g.JSON(http.StatusOK, v)
	return nil
}

// RecordSteps stores the steps of an overlap that could be estimated: with the running server, or in the data
// directory when none runs. It returns how many.
func RecordSteps(ctx context.Context, o ScoreOptions, steps []OverlapStep) (n int, err error) {
	record, done, err := o.recorder(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, done()) }()
	for _, s := range steps {
		if s.Error != "" {
			continue
		}
		if err := record(s.VersionStep); err != nil {
			return n, fmt.Errorf("recording the step of metric %q: %w", s.Metric, err)
		}
		n++
	}
	return n, nil
}

func (o ScoreOptions) recorder(ctx context.Context) (record func(quality.VersionStep) error, done func() error, err error) {
	if addr, ok := running(ctx, o.Server, o.Config.Listen.Internal); ok {
		return func(v quality.VersionStep) error {
			data, err := json.Marshal(v)
			if err != nil {
				return fmt.Errorf("encoding a step: %w", err)
			}
			return ask(ctx, http.MethodPost, addr+"/v1/steps", "", data, &v)
		}, func() error { return nil }, nil
	}
	b, err := openBus(ctx, o.Config, o.Logger, prometheus.NewRegistry())
	if err != nil {
		return nil, nil, err
	}
	book, err := openSteps(ctx, b, o.Config.Features)
	if err != nil {
		return nil, nil, errors.Join(err, b.Close())
	}
	return func(v quality.VersionStep) error { return book.record(ctx, v) }, b.Close, nil
}

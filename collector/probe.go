package collector

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Probes takes what the prober finds.
type Probes interface {
	// Record stores one check.
	Record(ctx context.Context, r quality.ProbeResult) error
	// Status stores the present state of a probe.
	Status(ctx context.Context, s quality.ProbeStatus) error
}

// ProberOptions of a Prober. Probes is required.
type ProberOptions struct {
	Features   []quality.Feature
	Probes     Probes
	Known      []quality.ProbeStatus // states from before, so that a restart does not begin anew
	Transport  http.RoundTripper     // default: a clone of http.DefaultTransport
	UserAgent  string                // default "asgood-probe"
	Now        func() time.Time      // default time.Now
	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

// Prober checks the availability of features over HTTP.
type Prober struct {
	opts   ProberOptions
	client *http.Client
	known  map[[2]string]quality.ProbeStatus // by feature and probe
	checks *prometheus.CounterVec
	lost   prometheus.Counter
}

// Defaults of a probe, and bounds on what a checked server can make us do.
const (
	probeEvery   = 30 * time.Second
	probeTimeout = 10 * time.Second
	probeConfirm = 2
	probeHops    = 5
	probeBody    = 256 << 10 // read and thrown away, so that the connection can be used again
)

// NewProber returns a prober; Run makes it check.
func NewProber(o ProberOptions) (*Prober, error) {
	if o.Probes == nil {
		return nil, errors.New("collector: a prober needs somewhere to put its results")
	}
	if o.Transport == nil {
		base, ok := http.DefaultTransport.(*http.Transport)
		if !ok {
			return nil, errors.New("collector: the default HTTP transport was replaced; give the prober its own")
		}
		o.Transport = base.Clone()
	}
	if o.UserAgent == "" {
		o.UserAgent = "asgood-probe"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Registerer == nil {
		o.Registerer = prometheus.NewRegistry()
	}
	o.Logger = o.Logger.With("component", "prober")
	checks, err1 := shared(o.Registerer, prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "asgood_probe_checks_total", Help: "Availability checks made."}, []string{"feature", "result"}))
	lost, err2 := shared(o.Registerer, prometheus.NewCounter(prometheus.CounterOpts{
		Name: "asgood_probe_results_lost_total", Help: "Checks whose result could not be recorded."}))
	if err := errors.Join(err1, err2); err != nil {
		return nil, fmt.Errorf("registering the prober's metrics: %w", err)
	}
	p := &Prober{opts: o, checks: checks, lost: lost, known: map[[2]string]quality.ProbeStatus{}}
	for _, s := range o.Known {
		p.known[[2]string{s.Feature, s.Probe}] = s
	}
	p.client = &http.Client{Transport: o.Transport, CheckRedirect: limitHops}
	return p, nil
}

func limitHops(_ *http.Request, via []*http.Request) error {
	if len(via) > probeHops {
		return fmt.Errorf("more than %d redirects", probeHops)
	}
	return nil
}

// Run checks every probe of every feature at its pace until ctx ends.
func (p *Prober) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, f := range p.opts.Features {
		for _, spec := range f.Probes {
			status := p.known[[2]string{f.Name, probeName(spec.HTTP)}]
			g.Go(func() error { return p.watch(ctx, f.Name, withDefaults(spec), status) })
		}
	}
	return g.Wait()
}

func withDefaults(s quality.ProbeSpec) quality.ProbeSpec {
	if s.Every <= 0 {
		s.Every = probeEvery
	}
	if s.Timeout <= 0 {
		s.Timeout = probeTimeout
	}
	if s.Confirm <= 0 {
		s.Confirm = probeConfirm
	}
	return s
}

// watch checks one probe. Its first check comes at a random moment of the first second, and each pause varies by
// a twentieth, so that many probes do not beat in time.
func (p *Prober) watch(ctx context.Context, feature string, spec quality.ProbeSpec, status quality.ProbeStatus) error {
	failing := false
	wait := time.Duration(rand.Float64() * float64(min(spec.Every, time.Second)))
	for pause(ctx, wait) {
		began := time.Now()
		result := p.Check(ctx, feature, spec, p.opts.Now())
		if ctx.Err() != nil {
			return nil // a check that was cut short says nothing
		}
		next := Confirm(status, result, spec.Confirm)
		if next.State != status.State {
			p.opts.Logger.Info("availability changed", "feature", feature, "probe", result.Probe, "state", next.State, "err", result.Error)
		}
		status = next
		err := errors.Join(p.opts.Probes.Record(ctx, result), p.opts.Probes.Status(ctx, status))
		if err != nil {
			p.lost.Inc()
		}
		if err != nil && !failing {
			p.opts.Logger.Warn("results of checks are lost", "feature", feature, "probe", result.Probe, "err", err)
		}
		failing = err != nil
		wait = max(0, jitter(spec.Every, rand.Float64())-time.Since(began))
	}
	return nil
}

// jitter varies a pause by a twentieth up or down; chance is 0 to 1.
func jitter(d time.Duration, chance float64) time.Duration {
	return d + time.Duration((chance-0.5)/10*float64(d))
}

// Check makes one check; now becomes its time. It records nothing.
func (p *Prober) Check(ctx context.Context, feature string, spec quality.ProbeSpec, now time.Time) quality.ProbeResult {
	spec = withDefaults(spec)
	r := quality.ProbeResult{Feature: feature, Probe: probeName(spec.HTTP), Time: now}
	began := time.Now()
	err := p.get(ctx, spec)
	r.Latency = time.Since(began)
	if r.Up = err == nil; r.Up {
		p.checks.WithLabelValues(feature, "up").Inc()
		return r
	}
	r.Error = err.Error()
	p.checks.WithLabelValues(feature, "down").Inc()
	return r
}

func (p *Prober) get(ctx context.Context, spec quality.ProbeSpec) error {
	ctx, cancel := context.WithTimeout(ctx, spec.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, spec.HTTP, nil)
	if err != nil {
		return errors.New("the probe's URL cannot be used")
	}
	req.Header.Set("User-Agent", p.opts.UserAgent)
	res, err := p.client.Do(req)
	if err != nil {
		return withoutURL(err, spec.Timeout)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, probeBody)) // the status is the answer
	if res.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("status %d", res.StatusCode)
	}
	return nil
}

// withoutURL takes the URL out of an error: its query may hold a key.
func withoutURL(err error, timeout time.Duration) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("no answer within %s", timeout)
	}
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// probeName is the URL without user and query, which may hold secrets.
func probeName(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "unreadable URL"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// Confirm returns the state of a probe after a check. One success is up; only need failures in a row
// are down, since the first of them.
func Confirm(prev quality.ProbeStatus, r quality.ProbeResult, need int) quality.ProbeStatus {
	next := prev
	next.Feature, next.Probe, next.CheckedAt, next.Error = r.Feature, r.Probe, r.Time, r.Error
	if r.Up {
		next.Failures, next.FailedAt = 0, time.Time{}
		if prev.State != quality.Up {
			next.State, next.Since = quality.Up, r.Time
		}
		return next
	}
	next.Failures++
	if next.Failures == 1 {
		next.FailedAt = r.Time
	}
	if next.Failures >= max(need, 1) && prev.State != quality.Down {
		next.State, next.Since = quality.Down, next.FailedAt
	}
	return next
}

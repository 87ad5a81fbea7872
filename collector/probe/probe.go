// Package probe checks the availability of features: over HTTP, TCP, DNS, TLS, ICMP and gRPC, by
// heartbeats that come in, and by the share of outputs with an error. It decides from single checks, which
// may fail by chance, whether a feature is up or down.
//
// A check that could not be made, or that saw too little, is unknown: it is neither good nor bad and is not
// recorded. What a checked server says never gets into an error: errors are texts of this package, so that
// neither a secret that was sent nor anything foreign comes back by them. Only what a heartbeat says of itself
// is kept, up to a length.
//
// It leaves out who is told and what is shown. Where results are kept is behind small interfaces.
package probe

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Sink takes what the prober finds.
type Sink interface {
	// Record stores one check. Unknown ones are not recorded.
	Record(ctx context.Context, r quality.ProbeResult) error
	// Status stores the present state of a probe.
	Status(ctx context.Context, s quality.ProbeStatus) error
}

// Beats keeps the last beat of each heartbeat, so that a restart does not forget it.
type Beats interface {
	// SaveBeat stores a beat in the place of the one before; it is durable when it returns.
	SaveBeat(ctx context.Context, b Beat) error
}

// Traffic tells how many outputs of a feature there were lately, and how many of them carried an error.
// Counts is one.
type Traffic interface {
	Recent(feature string, window time.Duration) (total, failed uint64)
}

// Options of a Prober. Sink is required, Beats where there are heartbeats, Traffic where there are
// probes of traffic.
type Options struct {
	Features   []quality.Feature
	Sink       Sink
	Beats      Beats
	Traffic    Traffic
	Known      []quality.ProbeStatus // states from before, so that a restart does not begin anew
	KnownBeats []Beat                // beats from before
	// Allow returns an error of kind forbidden when the sender of a beat may not send for a feature.
	Allow      func(ctx context.Context, feature string) error // nil: every sender may
	Roots      *x509.CertPool                                  // who may sign certificates; nil means those the machine trusts
	UserAgent  string                                          // default "asgood-probe"
	Now        func() time.Time                                // time of results and beats; default time.Now
	Logger     *slog.Logger                                    // default discards
	Registerer prometheus.Registerer                           // nil means a private one
}

func (o *Options) defaults() error {
	if o.Sink == nil {
		return errors.New("probe: a prober needs somewhere to put its results")
	}
	if o.Allow == nil {
		o.Allow = func(context.Context, string) error { return nil }
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
	return nil
}

// Prober checks the availability of features.
type Prober struct {
	opts    Options
	metrics *metrics
	watched []*watched
	hearts  map[string]*heart // by name
}

// watched is one probe and what it found last.
type watched struct {
	feature string
	spec    quality.ProbeSpec // with defaults
	label   string
	checker checker
	heart   *heart // nil unless it is a heartbeat
	status  quality.ProbeStatus
}

// New returns a prober; Run makes it check.
func New(o Options) (*Prober, error) {
	if err := o.defaults(); err != nil {
		return nil, err
	}
	m, err := newMetrics(o.Registerer)
	if err != nil {
		return nil, fmt.Errorf("registering the prober's metrics: %w", err)
	}
	p := &Prober{opts: o, metrics: m, hearts: map[string]*heart{}}
	for _, f := range o.Features {
		for _, spec := range f.Probes {
			if err := p.add(f.Name, spec.WithDefaults()); err != nil {
				return nil, fmt.Errorf("probe %q of feature %q: %w", spec.Label(), f.Name, err)
			}
		}
	}
	return p, nil
}

func (p *Prober) add(feature string, spec quality.ProbeSpec) error {
	w := &watched{feature: feature, spec: spec, label: spec.Label()}
	for _, s := range p.opts.Known {
		if s.Feature == feature && s.Probe == w.label {
			w.status = s
		}
	}
	for _, other := range p.watched {
		if other.feature == feature && other.label == w.label {
			return errors.New("the feature has another probe of this name")
		}
	}
	var err error
	if w.checker, err = p.checkerOf(w); err != nil {
		return err
	}
	p.watched = append(p.watched, w)
	return nil
}

func (p *Prober) checkerOf(w *watched) (checker, error) {
	switch w.spec.Kind() {
	case quality.ProbeHTTP:
		return newHTTP(w.spec, p.opts)
	case quality.ProbeTCP:
		return tcpChecker{addr: w.spec.TCP}, nil
	case quality.ProbeDNS:
		return newDNS(w.spec)
	case quality.ProbeTLS:
		return p.newTLS(w)
	case quality.ProbeICMP:
		return icmpChecker{host: w.spec.ICMP}, nil
	case quality.ProbeGRPC:
		return newGRPC(w.spec, p.opts), nil
	case quality.ProbeHeartbeat:
		return p.newHeartbeat(w)
	case quality.ProbeTraffic:
		return newTraffic(w, p.opts.Traffic)
	default:
		return nil, errors.New("does not say what to check")
	}
}

// Run checks every probe at its pace until ctx ends.
func (p *Prober) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, w := range p.watched {
		g.Go(func() error { p.watch(ctx, w); return nil })
	}
	return g.Wait()
}

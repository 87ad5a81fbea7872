// Package canary asks golden prompts on a schedule at the user's own endpoint, over OpenAI's chat
// completions or any other form of HTTP. Every answer is a sample with source canary, a fixed mix that moves
// only when the product does; every failed call is a sample with an error, so that it is never a bad score.
// From repeated questions it makes behaviour rates: how often the same question behaves in the same way.
//
// What an endpoint says of a failure never gets into an error: errors are texts of this package. Keys go to
// the configured host alone, and where an answer repeats one it is struck out.
//
// It leaves out what samples mean, who is told of a rate, and where samples and rates are kept: these are
// small interfaces.
package canary

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Taker takes samples in.
type Taker interface {
	// Take returns when the samples are durable. One whose id is known already is no error. An error of kind
	// invalid is not worth another try.
	Take(ctx context.Context, samples []quality.Sample) error
}

// Store keeps runs and behaviour rates over restarts. Each takes the place of the one before of the same
// canary, or of the same canary and prompt; it is durable when the call returns.
type Store interface {
	SaveRun(ctx context.Context, r quality.CanaryRun) error
	SaveRates(ctx context.Context, h quality.BehaviourHistory) error
}

// Options of a Keeper. Taker and Store are required.
type Options struct {
	Features   []quality.Feature
	Taker      Taker
	Store      Store
	Runs       []quality.CanaryRun        // from before
	Rates      []quality.BehaviourHistory // from before
	Roots      *x509.CertPool             // who may sign certificates; nil means those the machine trusts
	Now        func() time.Time           // default time.Now
	Logger     *slog.Logger               // default discards
	Registerer prometheus.Registerer      // nil means a private one
}

func (o *Options) defaults() error {
	if o.Taker == nil || o.Store == nil {
		return errors.New("canary: somewhere to put samples and rates is required")
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
	o.Logger = o.Logger.With("component", "canaries")
	return nil
}

// Keeper keeps canaries: it asks them on time and when told to. It is safe for concurrent use.
type Keeper struct {
	opts     Options
	metrics  *metrics
	canaries []*canary
	halted   chan struct{} // closed by Halt
	halt     func()
}

// canary is one canary and what is known of it.
type canary struct {
	feature string
	spec    quality.CanarySpec // with defaults
	expects []expectation      // by prompt
	asker   asker
	secrets secrets
	jitter  time.Duration
	busy    chan struct{} // held by the run that is under way

	mu    sync.Mutex
	run   quality.CanaryRun
	next  time.Time                           // begin of the next run of the schedule
	rates map[string]quality.BehaviourHistory // by prompt; the empty one is all together
}

// New returns a keeper; Run makes it follow the schedule.
func New(o Options) (*Keeper, error) {
	if err := o.defaults(); err != nil {
		return nil, err
	}
	m, err := newMetrics(o.Registerer)
	if err != nil {
		return nil, fmt.Errorf("registering the metrics of canaries: %w", err)
	}
	k := &Keeper{opts: o, metrics: m, halted: make(chan struct{})}
	k.halt = sync.OnceFunc(func() { close(k.halted) })
	for _, f := range o.Features {
		for _, spec := range f.Canaries {
			if err := k.add(f.Name, spec.WithDefaults()); err != nil {
				return nil, fmt.Errorf("canary %q of feature %q: %w", spec.Name, f.Name, err)
			}
		}
	}
	return k, nil
}

func (k *Keeper) add(feature string, spec quality.CanarySpec) error {
	if k.find(spec.Name) != nil {
		return errors.New("another canary has this name")
	}
	c := &canary{
		feature: feature, spec: spec, secrets: secretsOf(spec), jitter: quality.JitterOf(feature, spec.Name, spec.Every),
		busy: make(chan struct{}, 1), rates: map[string]quality.BehaviourHistory{},
		run: quality.CanaryRun{Feature: feature, Canary: spec.Name},
	}
	var err error
	if c.asker, err = newAsker(spec, k.opts.Roots, c.secrets); err != nil {
		return err
	}
	for i := range spec.Prompts {
		e, err := expectationOf(&spec.Prompts[i])
		if err != nil {
			return err
		}
		c.expects = append(c.expects, e)
	}
	k.remember(c)
	k.canaries = append(k.canaries, c)
	k.metrics.start(c)
	return nil
}

// remember takes up what was stored of a canary and the prompts that it still has.
func (k *Keeper) remember(c *canary) {
	for _, r := range k.opts.Runs {
		if r.Feature == c.feature && r.Canary == c.spec.Name {
			c.run = r
		}
	}
	for _, h := range k.opts.Rates {
		if h.Latest.Feature == c.feature && h.Latest.Canary == c.spec.Name && c.has(h.Latest.PromptID) {
			c.rates[h.Latest.PromptID] = h
			k.metrics.rate(&h.Latest)
		}
	}
}

// has reports whether the canary asks a prompt; the empty one stands for all together.
func (c *canary) has(prompt string) bool {
	for i := range c.spec.Prompts {
		if c.spec.Prompts[i].ID == prompt {
			return true
		}
	}
	return prompt == ""
}

func (k *Keeper) find(name string) *canary {
	for _, c := range k.canaries {
		if c.spec.Name == name {
			return c
		}
	}
	return nil
}

// Run follows the schedule of every canary until ctx ends. A run that is under way then is cut short, and
// is made up for by the next Keeper.
func (k *Keeper) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, c := range k.canaries {
		g.Go(func() error { k.watch(ctx, c); return nil })
	}
	return g.Wait()
}

// Halt cuts short the runs that were asked for, and those that still will be, so that a listener can close
// without waiting for them.
func (k *Keeper) Halt() { k.halt() }

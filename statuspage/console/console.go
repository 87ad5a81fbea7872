// Package console owns the console pages: what engineers see of features, monitors, regressions, samples,
// changes, incidents, baselines, judges and keys, and the forms by which they act on them. It is for the
// internal listener. Pages are made by the server and work without JavaScript.
//
// It decides nothing: it reads and acts through the interfaces in source.go, which internal/app adapts to the
// rooms. Who may do what is declared with the routes, there too; a page leaves out the forms that its reader
// may not send. Inputs and outputs are foreign text: they are shown as text alone, bounded, with what is
// invisible made visible.
package console

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Options of a Console. State, Store, Evaluator, Ledger, Baselines and Judges are required; what else is nil is
// shown as not there.
type Options struct {
	Title     string // of the status page
	PageURL   string // public address of the status page
	Version   string // of the program
	Features  []quality.Feature
	Location  *time.Location // reporting time zone; nil means UTC
	Simulated bool

	State     State
	Store     Store
	Evaluator Evaluator
	Ledger    Ledger
	Baselines Baselines
	Judges    Judges
	Desk      Desk
	Keys      Keys
	Audit     Audit

	Customers   Customers
	Subscribers Subscribers
	Settings    func(context.Context) Settings // nil: nothing is shown

	Actor func(context.Context) quality.Actor      // who asks; nil: whoever is on this machine
	May   func(context.Context, quality.Role) bool // nil: everything
	CSRF  func(context.Context) string             // token that every form carries; nil: none

	Now    func() time.Time // nil means time.Now
	Logger *slog.Logger     // nil means no log
}

// Console serves the console pages.
type Console struct {
	o      Options
	log    *slog.Logger
	render *renderer
}

// New parses the templates.
func New(o Options) (*Console, error) {
	if o.State == nil || o.Store == nil || o.Evaluator == nil || o.Ledger == nil || o.Baselines == nil || o.Judges == nil {
		return nil, errors.New("console: state, store, evaluator, ledger, baselines and judges are required")
	}
	if o.Location == nil {
		o.Location = time.UTC
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Actor == nil {
		o.Actor = func(context.Context) quality.Actor {
			return quality.Actor{Kind: quality.ActorMachine, ID: "loopback", Credential: "loopback"}
		}
	}
	if o.May == nil {
		o.May = func(context.Context, quality.Role) bool { return true }
	}
	if o.CSRF == nil {
		o.CSRF = func(context.Context) string { return "" }
	}
	r, err := newRenderer(formatter{loc: o.Location, now: o.Now})
	if err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	return &Console{o: o, log: o.Logger.With("component", "console"), render: r}, nil
}

// feature returns the feature of a name, or an error of kind not found.
func (c *Console) feature(name string) (*quality.Feature, error) {
	for i := range c.o.Features {
		if c.o.Features[i].Name == name {
			return &c.o.Features[i], nil
		}
	}
	return nil, quality.Errorf(quality.KindNotFound, "no feature %.80q is configured", name)
}

// featureNames lists the features.
func (c *Console) featureNames() []string {
	out := make([]string, len(c.o.Features))
	for i := range c.o.Features {
		out[i] = c.o.Features[i].Name
	}
	return out
}

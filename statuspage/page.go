// Package statuspage owns what customers see: the public page with a quality tile beside the uptime tile
// of every feature, the incidents, live updates, and a JSON interface in the shapes of Statuspage v2.
//
// It decides what may be shown and in which words, and draws it. It computes no verdict: statuses,
// regressions and incidents come from elsewhere over the Days and State interfaces. It never shows
// inputs, outputs, internal error texts, owners, or which customer a slice stands for.
package statuspage

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/statuspage/speech"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
)

// Days reads sums by day of the reporting time zone. Both ends are midnights in loc; to is not included.
type Days interface {
	ScoreDays(ctx context.Context, loc *time.Location, from, to time.Time) ([]quality.ScoreDay, error)
	UptimeDays(ctx context.Context, loc *time.Location, from, to time.Time) ([]quality.UptimeDay, error)
}

// State reads what holds now, and what was, as far back as it is kept. Incidents holds internal ones too: they grade the
// tiles, and the page shows only those that are public.
type State interface {
	Statuses(ctx context.Context) ([]quality.MonitorStatus, error)
	Regressions(ctx context.Context) ([]quality.Regression, error)
	Probes(ctx context.Context) ([]quality.ProbeStatus, error)
	Incidents(ctx context.Context) ([]quality.Incident, error)
	Maintenances(ctx context.Context) ([]quality.Maintenance, error)
}

// Reader is all the page reads.
type Reader interface {
	Days
	State
}

// Changes reads the changes of the ledger. A Reader that has them gives charts their markers: nothing is shown of a change
// but its layer and its time.
type Changes interface {
	Changes(ctx context.Context) ([]quality.Change, error)
}

// Options configures a Page.
type Options struct {
	Title      string // name of the page, such as "Acme AI status"
	URL        string // public address, for links and the origin check of live connections
	Features   []quality.Feature
	Location   *time.Location // reporting time zone; nil means UTC
	Simulated  bool           // says in the header that the traffic is simulated
	Reader     Reader
	Now        func() time.Time      // nil means time.Now
	Logger     *slog.Logger          // nil means no log
	Registerer prometheus.Registerer // nil means the metrics are not seen
	MaxClients int                   // live connections at a time; 0 means 20000

	// What programs and search engines read.
	Groups []quality.FeatureGroup // headings over features; those in none stand before them
	Hidden bool                   // search engines are told not to list the page

	Subscribe bool // there is a page /subscribe: the foot links to it

	// What the page looks like and says of itself.
	Description string   // of the page, under its title
	Languages   []string // of the page, the default first; none means English
	Uptime      quality.UptimeSpec
	Brand       quality.Brand
	Private     *Private // pages of customers; nil means none
	Export      string   // folder that holds the page as files, written on every change; empty means none
}

// Page is the public status page. Requests are answered from a view that a background loop keeps
// fresh; no request waits for the store.
type Page struct {
	opts    Options
	origin  *url.URL
	log     *slog.Logger
	metrics *metrics
	hub     *hub
	render  *renderer
	*extras
	tongues   tongues
	customers customerShelf

	state source[stateData]
	days  source[daysData]

	changed chan struct{} // hints that the files are old

	mu   sync.Mutex // held while a view is built from both sources
	view atomic.Pointer[view]
}

// New returns a page that shows no figures until Run has read some.
func New(o Options) (*Page, error) {
	if o.Reader == nil {
		return nil, fmt.Errorf("status page: no reader")
	}
	origin, err := url.Parse(o.URL)
	if err != nil {
		return nil, fmt.Errorf("status page: address %q: %w", o.URL, err)
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
	if o.MaxClients <= 0 {
		o.MaxClients = 20_000
	}
	m, err := newMetrics(o.Registerer)
	if err != nil {
		return nil, fmt.Errorf("status page: %w", err)
	}
	languages, err := speech.New(o.Languages)
	if err != nil {
		return nil, fmt.Errorf("status page: %w", err)
	}
	r, err := newRenderer(languages, branding{o.Brand})
	if err != nil {
		return nil, fmt.Errorf("status page: %w", err)
	}
	x, err := newExtras(&o)
	if err != nil {
		return nil, fmt.Errorf("status page: %w", err)
	}
	p := &Page{opts: o, origin: origin, log: o.Logger.With("component", "statuspage"), metrics: m, render: r, extras: x, changed: make(chan struct{}, 1)}
	if p.customers, err = newCustomerShelf(); err != nil {
		return nil, fmt.Errorf("status page: %w", err)
	}
	p.hub = newHub(o.MaxClients, m)
	p.state = newSource("state", p.readState, m)
	p.days = newSource("days", p.readDays, m)
	return p, p.rebuild()
}

// Run reads what the page shows, again and again, until ctx ends; then it closes the live connections.
func (p *Page) Run(ctx context.Context) error {
	defer p.hub.close()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return p.state.run(ctx, p.log, p.refreshed) })
	g.Go(func() error { return p.days.run(ctx, p.log, p.refreshed) })
	if p.opts.Export != "" {
		g.Go(func() error { return p.exporting(ctx) })
	}
	return g.Wait()
}

// Notify hints that something changed, so that the page reads soon. It never blocks.
func (p *Page) Notify() {
	p.state.hint()
	p.days.hint()
}

func (p *Page) refreshed() {
	if err := p.rebuild(); err != nil {
		p.log.Error("page not rendered, the last one stays", "err", err)
	}
}

package statuspage

import (
	"context"
	"fmt"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/statuspage/speech"
)

// Bounds of what is read for pages of customers: a page is asked for again and again while it is open.
const (
	customersKept   = 256 // whose days are remembered; beyond, those asked for longest ago are forgotten
	customerKeeping = 30 * time.Second
	customerTimeout = 5 * time.Second
)

// customerShelf remembers what was read of customers for a short time, and the pages that were drawn of it.
type customerShelf struct {
	kept *lru.Cache[string, *customerRead]
}

func newCustomerShelf() (customerShelf, error) {
	kept, err := lru.New[string, *customerRead](customersKept)
	return customerShelf{kept}, err
}

// customerRead is what was read of one customer. Who asks while it is being read waits for the same answer.
type customerRead struct {
	mu      sync.Mutex // held while reading and drawing
	data    customerData
	at      time.Time // of the last try, by the clock of this machine; zero before the first
	view    *view     // of which the pages were drawn
	drawn   map[string]document
	failing bool
}

// customerData is what is known of one customer beyond what is known of all.
type customerData struct {
	days    []quality.ScoreDay
	readAt  time.Time // of days; zero when they were never read
	missing bool      // the days could not be read this time
	streams map[monitorName][]quality.StreamStatus
}

type monitorName struct{ feature, metric string }

// customerPage returns the page of a customer in a language.
func (p *Page) customerPage(ctx context.Context, l *speech.Language, name string) (document, error) {
	c, names := p.opts.Private.registered(name)
	r := &customerRead{}
	if have, ok, _ := p.customers.kept.PeekOrAdd(name, r); ok {
		r = have
		p.customers.kept.Get(name) // it is in use
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := time.Now(); r.at.IsZero() || now.Sub(r.at) >= customerKeeping {
		p.readCustomer(ctx, r, names)
		if ctx.Err() != nil {
			return document{}, fmt.Errorf("reading a customer's days: %w", ctx.Err())
		}
		r.at, r.view = time.Now(), nil
	}
	v := p.view.Load()
	if r.view != v {
		r.view, r.drawn = v, map[string]document{}
	}
	if d, ok := r.drawn[l.Tag]; ok {
		return d, nil
	}
	d, err := v.drawCustomer(p.render.in(l), c, names, &r.data)
	if err == nil {
		r.drawn[l.Tag] = d
	}
	return d, err
}

// readCustomer reads the days and the streams of a customer. What cannot be read stays as it was.
func (p *Page) readCustomer(ctx context.Context, r *customerRead, names []string) {
	o := p.opts.Private
	streams := map[monitorName][]quality.StreamStatus{}
	for _, f := range p.opts.Features {
		for _, m := range f.Monitors {
			streams[monitorName{f.Name, m.Metric}] = o.Streams(f.Name, m.Metric)
		}
	}
	r.data.streams = streams
	asking, cancel := context.WithTimeout(ctx, customerTimeout)
	defer cancel()
	calendar := calendar(p.opts.Now(), p.opts.Location)
	days, err := o.Days(asking, names, p.opts.Location, calendar[0], nextDay(calendar[len(calendar)-1]))
	if ctx.Err() != nil {
		return // who asked has gone
	}
	if r.data.missing = err != nil; err == nil {
		r.data.days, r.data.readAt = days, p.opts.Now()
	}
	switch {
	case err != nil && !r.failing:
		p.log.Warn("days of a customer are not read", "err", err)
	case err == nil && r.failing:
		p.log.Info("days of a customer are read again")
	}
	r.failing = err != nil
}

package statuspage

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// How often a source is read. Hints are gathered for refreshPause before they lead to a read, and a read
// that took long is followed by a longer pause, so that a slow store is not asked all the time.
const (
	refreshEvery   = 3 * time.Second
	refreshPause   = 200 * time.Millisecond
	refreshTimeout = 10 * time.Second
	refreshShare   = 10 // a source is being read at most one tenth of the time
)

// stateData is what holds now.
type stateData struct {
	statuses    []quality.MonitorStatus
	regressions []quality.Regression
	probes      []quality.ProbeStatus
	incidents   []quality.Incident // internal ones too, which only grade the tiles

	maintenances []quality.Maintenance
	changes      []quality.Change // oldest first as they were recorded
}

// published are the incidents that customers may see, without what they may not see of them.
func (d *stateData) published() []quality.Incident {
	out := make([]quality.Incident, 0, len(d.incidents))
	for _, i := range d.incidents {
		if i.Public() {
			out = append(out, outside(i))
		}
	}
	return out
}

// outside returns an incident without its internal updates and drafts, and without a trace of when they were made.
func outside(i quality.Incident) quality.Incident {
	if !i.UpdatedAt.After(lastInside(&i)) {
		i.UpdatedAt = lastOutside(&i)
	}
	i.Updates = slices.DeleteFunc(slices.Clone(i.Updates), func(u quality.IncidentUpdate) bool { return u.Internal })
	if i.Postmortem != nil && i.Postmortem.Published == nil {
		i.Postmortem = nil
	}
	return i
}

// lastInside is when something changed last that customers do not see; zero when nothing did.
func lastInside(i *quality.Incident) (last time.Time) {
	for _, u := range i.Updates {
		if u.Internal {
			last = later(last, touchedAt(u))
		}
	}
	if p := i.Postmortem; p != nil && p.Published == nil {
		last = later(last, p.UpdatedAt)
	}
	return last
}

// lastOutside is when customers were last told something.
func lastOutside(i *quality.Incident) time.Time {
	last := i.CreatedAt
	if i.Published != nil {
		last = later(last, i.Published.At)
	}
	for _, u := range i.Updates {
		if !u.Internal {
			last = later(last, touchedAt(u))
		}
	}
	if p := i.Postmortem; p != nil && p.Published != nil {
		last = later(later(last, p.UpdatedAt), p.Published.At)
	}
	return last
}

func touchedAt(u quality.IncidentUpdate) time.Time {
	if u.EditedAt != nil {
		return later(u.At, *u.EditedAt)
	}
	return u.At
}

// daysData is what was, by day.
type daysData struct {
	scores []quality.ScoreDay
	uptime []quality.UptimeDay
}

// reading is the last good read of a source.
type reading[T any] struct {
	data   T
	at     time.Time // zero when there was none yet
	failed bool      // a later read failed
}

// old reports whether the reading is not what holds now: a later read failed, and this one has aged.
func (r reading[T]) old(now time.Time) bool { return r.failed && now.Sub(r.at) > staleAfter }

// source reads one part of what the page shows and keeps the last good reading.
type source[T any] struct {
	name    string
	read    func(context.Context) (T, time.Time, error)
	hints   chan struct{}
	metrics *metrics

	mu   *sync.Mutex
	last *reading[T]
}

func newSource[T any](name string, read func(context.Context) (T, time.Time, error), m *metrics) source[T] {
	return source[T]{name: name, read: read, hints: make(chan struct{}, 1), metrics: m, mu: &sync.Mutex{}, last: &reading[T]{}}
}

func (s source[T]) hint() {
	select {
	case s.hints <- struct{}{}:
	default: // one is waiting already
	}
}

func (s source[T]) get() reading[T] {
	s.mu.Lock()
	defer s.mu.Unlock()
	return *s.last
}

func (s source[T]) run(ctx context.Context, log *slog.Logger, refreshed func()) error {
	for ctx.Err() == nil {
		// A hint from here on may speak of something this read does not see yet: it leads to another.
		select {
		case <-s.hints:
		default:
		}
		began := time.Now()
		s.refresh(ctx, log)
		if ctx.Err() != nil {
			return nil
		}
		refreshed()
		if !s.pause(ctx, refreshShare*time.Since(began)) {
			return nil
		}
	}
	return nil
}

// pause waits at least least, then for a hint or the next turn. It reports false when ctx ended.
func (s source[T]) pause(ctx context.Context, least time.Duration) bool {
	rest := time.NewTimer(max(least, refreshPause))
	defer rest.Stop()
	turn := time.NewTimer(max(least, refreshEvery))
	defer turn.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-rest.C:
	}
	select {
	case <-ctx.Done():
		return false
	case <-turn.C:
	case <-s.hints:
	}
	return true
}

func (s source[T]) refresh(ctx context.Context, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(ctx, refreshTimeout)
	defer cancel()
	data, at, err := s.read(ctx)
	s.metrics.refreshes.WithLabelValues(s.name, result(err)).Inc()
	s.mu.Lock()
	was := s.last.failed
	s.last.failed = err != nil
	if err == nil {
		s.last.data, s.last.at = data, at
		s.metrics.readAt.WithLabelValues(s.name).SetToCurrentTime()
	}
	s.mu.Unlock()
	switch {
	case err != nil && !was && ctx.Err() != context.Canceled:
		log.Warn("page is stale: a source does not answer", "source", s.name, "err", err)
	case err == nil && was:
		log.Info("page is fresh again", "source", s.name)
	}
}

func (p *Page) readState(ctx context.Context) (stateData, time.Time, error) {
	at := p.opts.Now()
	var d stateData
	var err error
	if d.statuses, err = p.opts.Reader.Statuses(ctx); err != nil {
		return d, at, fmt.Errorf("reading monitors: %w", err)
	}
	if d.regressions, err = p.opts.Reader.Regressions(ctx); err != nil {
		return d, at, fmt.Errorf("reading regressions: %w", err)
	}
	if d.probes, err = p.opts.Reader.Probes(ctx); err != nil {
		return d, at, fmt.Errorf("reading probes: %w", err)
	}
	if d.incidents, err = p.opts.Reader.Incidents(ctx); err != nil {
		return d, at, fmt.Errorf("reading incidents: %w", err)
	}
	if d.maintenances, err = p.opts.Reader.Maintenances(ctx); err != nil {
		return d, at, fmt.Errorf("reading maintenances: %w", err)
	}
	if r, ok := p.opts.Reader.(Changes); ok {
		if d.changes, err = r.Changes(ctx); err != nil {
			return d, at, fmt.Errorf("reading changes: %w", err)
		}
	}
	return d, at, nil
}

func (p *Page) readDays(ctx context.Context) (daysData, time.Time, error) {
	at := p.opts.Now()
	days := calendar(at, p.opts.Location)
	from, to := days[0], nextDay(days[len(days)-1])
	var d daysData
	var err error
	if d.scores, err = p.opts.Reader.ScoreDays(ctx, p.opts.Location, from, to); err != nil {
		return d, at, fmt.Errorf("reading days of scores: %w", err)
	}
	if d.uptime, err = p.opts.Reader.UptimeDays(ctx, p.opts.Location, from, to); err != nil {
		return d, at, fmt.Errorf("reading days of uptime: %w", err)
	}
	return d, at, nil
}

// rebuild makes a view of the last readings and tells live clients when it differs from the one before.
func (p *Page) rebuild() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	in := input{
		options: &p.opts, now: p.opts.Now(), state: p.state.get(), days: p.days.get(),
	}
	old := p.view.Load()
	if old != nil && old.shows(in) {
		return nil
	}
	began := time.Now()
	v, err := newView(in, p.render)
	if err != nil {
		return err
	}
	p.metrics.building.Observe(time.Since(began).Seconds())
	p.metrics.stale.Set(boolFloat(v.page.Notice != ""))
	if err := v.drawFirst(p.render.languages.All()); err != nil {
		return err
	}
	p.view.Store(v)
	if old == nil || old.content != v.content || old.page.AsOf != v.page.AsOf {
		p.hub.publish(v.newsSince(old))
		p.exportSoon()
	}
	return nil
}

// shows reports whether the view was built from the same input, seen in the same minute.
func (v *view) shows(in input) bool {
	return sameMinute(v.in.now, in.now) && sameMinute(v.in.state.at, in.state.at) && sameMinute(v.in.days.at, in.days.at) &&
		v.in.state.failed == in.state.failed && v.in.days.failed == in.days.failed &&
		v.in.state.old(v.in.now) == in.state.old(in.now) && v.in.days.old(v.in.now) == in.days.old(in.now) &&
		reflect.DeepEqual(v.in.state.data, in.state.data) && reflect.DeepEqual(v.in.days.data, in.days.data)
}

func sameMinute(a, b time.Time) bool {
	return a.Truncate(time.Minute).Equal(b.Truncate(time.Minute))
}

func boolFloat(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

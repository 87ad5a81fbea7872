package app

import (
	"context"
	"fmt"
	"sync"

	"github.com/oklog/ulid/v2"

	"github.com/asgood-dev/asgood/collector/probe"
	"github.com/asgood-dev/asgood/internal/bus"
	"github.com/asgood-dev/asgood/internal/quality"
)

// probeSink gives what the prober finds to the bus: checks for the store, states for the page, and an
// event for alerts when a state changed.
type probeSink struct {
	bus  *bus.Bus
	docs *bus.Documents[quality.ProbeStatus]

	mu     sync.Mutex
	states map[string]quality.ProbeStatus
}

func newProbeSink(ctx context.Context, b *bus.Bus, features []quality.Feature) (*probeSink, error) {
	docs, err := documents[quality.ProbeStatus](ctx, b, bucketProbes)
	if err != nil {
		return nil, err
	}
	all, err := docs.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the states of probes: %w", err)
	}
	s := &probeSink{bus: b, docs: docs, states: map[string]quality.ProbeStatus{}}
	configured, keep := probed(features), map[string]bool{}
	for _, st := range all {
		if key := probeKey(st); configured[key] {
			s.states[key] = st
			keep[key] = true
		}
	}
	return s, forget(ctx, b, bucketProbes, keep)
}

// probed lists the probes of the configuration as keys of their documents.
func probed(features []quality.Feature) map[string]bool {
	out := map[string]bool{}
	for _, f := range features {
		for _, p := range f.Probes {
			out[probeKey(quality.ProbeStatus{Feature: f.Name, Probe: p.Label()})] = true
		}
	}
	return out
}

func probeKey(s quality.ProbeStatus) string { return s.Feature + "/" + s.Probe }

func (p *probeSink) known() []quality.ProbeStatus {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]quality.ProbeStatus, 0, len(p.states))
	for _, s := range p.states {
		out = append(out, s)
	}
	return out
}

func (p *probeSink) Record(ctx context.Context, r quality.ProbeResult) error {
	return p.recordAll(ctx, []quality.ProbeResult{r})
}

func (p *probeSink) recordAll(ctx context.Context, results []quality.ProbeResult) error {
	if len(results) == 0 {
		return nil
	}
	return publish(ctx, p.bus, bus.Probes, ulid.Make().String(), results)
}

// Status tells alerts of a change before it is noted as known, so that a crash in between tells again.
func (p *probeSink) Status(ctx context.Context, s quality.ProbeStatus) error {
	p.mu.Lock()
	before := p.states[probeKey(s)]
	p.mu.Unlock()
	if s.State != before.State && (s.State == quality.Down || before.State == quality.Down) {
		id := fmt.Sprintf("probe-%s-%s-%d", probeKey(s), s.State, s.Since.UnixNano())
		if err := publish(ctx, p.bus, bus.Events, id, quality.Event{Probe: &s}); err != nil {
			return err
		}
	}
	if _, err := p.docs.Put(ctx, probeKey(s), s); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.states[probeKey(s)] = s
	return nil
}

// beatSink keeps the last beat of each heartbeat as a document.
type beatSink struct{ docs *bus.Documents[probe.Beat] }

// newBeatSink also returns the beats that are stored, and forgets those that no probe waits for any more.
func newBeatSink(ctx context.Context, b *bus.Bus, features []quality.Feature) (beatSink, []probe.Beat, error) {
	docs, err := documents[probe.Beat](ctx, b, bucketBeats)
	if err != nil {
		return beatSink{}, nil, err
	}
	keep := map[string]bool{}
	for _, f := range features {
		for _, p := range f.Probes {
			keep[p.Heartbeat] = true
		}
	}
	if err := forget(ctx, b, bucketBeats, keep); err != nil {
		return beatSink{}, nil, err
	}
	known, err := docs.All(ctx)
	if err != nil {
		return beatSink{}, nil, fmt.Errorf("reading the heartbeats: %w", err)
	}
	return beatSink{docs}, known, nil
}

// SaveBeat stores a beat.
func (s beatSink) SaveBeat(ctx context.Context, b probe.Beat) error {
	_, err := s.docs.Put(ctx, b.Name, b)
	return err
}

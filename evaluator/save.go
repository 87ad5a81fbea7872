package evaluator

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"time"
)

// saveShare is the part of the time that saving may take, but for the first seconds.
const saveShare = 10

// resting reports whether the last save was too large to follow it with another so soon: all of a large fleet
// changes in a second.
func (s *Service) resting() bool {
	return s.busy > 100*time.Millisecond && time.Since(s.savedAt) < min(saveShare*s.busy, time.Minute)
}

func (s *Service) save(ctx context.Context) error {
	return s.retry(ctx, "saving the evaluator's state", s.saveOnce)
}

// saveOnce tells of monitors that went silent, stores the state, then commits what it holds, then tells the
// statuses. A crash in between repeats work and loses none.
func (s *Service) saveOnce(ctx context.Context) error {
	silences, err := s.tellSilences(ctx)
	if err != nil {
		return err
	}
	if len(s.pending) > 0 || silences {
		if err := s.write(ctx); err != nil {
			return err
		}
	}
	for len(s.pending) > 0 {
		if err := s.o.Source.Commit(ctx, s.pending[0]); err != nil {
			return fmt.Errorf("committing messages %d to %d: %w", s.pending[0].First, s.pending[0].Last, err)
		}
		s.pending = s.pending[1:]
	}
	s.unsaved = 0
	return s.tell(ctx)
}

// write stores what changed of the state. Only this goroutine changes the engine, so that it may be read in
// between, and so that the parts are of one moment.
func (s *Service) write(ctx context.Context) error {
	start := time.Now()
	names := make(map[string]bool)
	for c := range s.chunks() {
		names[c.name] = true
		if !c.changed && s.store.chunks[c.name] != nil {
			continue
		}
		s.mu.Lock()
		data, err := c.encode(s.store.buf)
		s.mu.Unlock()
		if err != nil {
			return permanent{fmt.Errorf("saving %q: %w", c.name, err)}
		}
		s.store.buf = data
		if err := s.store.put(ctx, c.name, data); err != nil {
			return err
		}
		c.written()
	}
	if err := s.store.finish(ctx, names, s.place); err != nil {
		return err
	}
	s.busy, s.savedAt = time.Since(start), time.Now()
	s.metrics.saved(s.busy, s.o.Now())
	return nil
}

// chunks are the parts of the engine's state and of the service's own.
func (s *Service) chunks() iter.Seq[chunk] {
	return func(yield func(chunk) bool) {
		for c := range s.engine.chunks() {
			if !yield(c) {
				return
			}
		}
		yield(s.quiet.chunk())
	}
}

// tell puts the statuses and open regressions that changed since they were put last.
func (s *Service) tell(ctx context.Context) error {
	for _, st := range s.Statuses(s.o.Now()) {
		err := s.put("status "+chunkName(st.Feature, st.Metric), st, func() error { return s.o.Sink.PutStatus(ctx, st) })
		if err != nil {
			return fmt.Errorf("storing the status of metric %q of feature %q: %w", st.Metric, st.Feature, err)
		}
	}
	for _, r := range s.Regressions() {
		err := s.put("regression "+r.ID, r, func() error { return s.o.Sink.PutRegression(ctx, r) })
		if err != nil {
			return fmt.Errorf("storing regression %q: %w", r.ID, err)
		}
	}
	return nil
}

func (s *Service) put(key string, doc any, put func() error) error {
	data, err := json.Marshal(doc)
	if err != nil {
		return permanent{err}
	}
	if s.told[key] == string(data) {
		return nil
	}
	if err := put(); err != nil {
		return err
	}
	s.told[key] = string(data)
	return nil
}

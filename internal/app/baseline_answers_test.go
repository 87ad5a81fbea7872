package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// firstStore answers with one sample and counts the questions.
type firstStore struct {
	asked  int
	period quality.Period
	err    error
}

func (s *firstStore) FirstLike(_ context.Context, x *quality.Sample, p quality.Period) (quality.Sample, error) {
	s.asked, s.period = s.asked+1, p
	return quality.Sample{ID: "first", Time: x.Time.Add(-time.Hour), Output: quality.Text("answer to " + x.Input.Last())}, s.err
}

func TestBaselineAnswers(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	store, window := &firstStore{}, quality.Period{}
	b := newBaselineAnswers(store, func(context.Context) (quality.Period, error) { return window, nil })
	s := quality.Sample{ID: "s", Feature: "bot", Time: now, Input: quality.Text("hello")}
	for range 2 {
		got, ok, err := b.of(t.Context(), s)
		if err != nil || !ok || got.Text != "answer to hello" || !strings.Contains(got.From, "first of 2026-03-01 11:00 UTC") {
			t.Fatalf("got %+v, %v, %v", got, ok, err)
		}
	}
	if store.asked != 1 || !store.period.To.Equal(now) {
		t.Errorf("asked %d times for %+v, want once for what is before the sample", store.asked, store.period)
	}
	window.From = now.Add(-time.Minute) // another baseline came in force
	if _, _, err := b.of(t.Context(), s); err != nil || store.asked != 2 {
		t.Errorf("another period: asked %d times (%v), want once more", store.asked, err)
	}
	canary := s
	canary.Source, canary.Attributes = quality.SourceCanary, map[string]string{"canary": "golden", "prompt_id": "p"}
	if _, _, err := b.of(t.Context(), canary); err != nil || store.asked != 3 {
		t.Errorf("a canary: asked %d times (%v), want once more", store.asked, err)
	}
	for range 2 * maxBaselineAnswers {
		s.Input = quality.Text(fmt.Sprint(store.asked))
		if _, _, err := b.of(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	if len(b.known) > maxBaselineAnswers {
		t.Errorf("%d answers are held", len(b.known))
	}
	s.Input = quality.Text("new")
	if store.err = quality.Errorf(quality.KindNotFound, "none"); true {
		if _, ok, err := b.of(t.Context(), s); ok || err != nil {
			t.Errorf("never answered: got %v, %v", ok, err)
		}
	}
	store.err = errors.New("away")
	if _, ok, err := b.of(t.Context(), s); ok || quality.KindOf(err) != quality.KindUnavailable {
		t.Errorf("a store that is away: got %v, %v", ok, err)
	}
}

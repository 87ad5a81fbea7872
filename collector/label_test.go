package collector_test

import (
	"strings"
	"testing"

	"github.com/asgood-dev/asgood/collector"
	"github.com/asgood-dev/asgood/internal/quality"
)

// A label by a person on this machine is checked as one that was sent, and becomes a score of the sample.
func TestLabel(t *testing.T) {
	q, s := newStaged(), &stream{}
	r := start(t, collector.Options{Handoff: s, Feedback: q.open()})
	value := 4.0
	good := quality.Feedback{Feature: "chat", Sample: "a", Metric: "faithful", Value: &value, By: "ada", Kind: quality.FeedbackHuman, Time: testNow}
	for want, spoil := range map[string]func(*quality.Feedback){
		`no feature "nope"`: func(f *quality.Feedback) { f.Feature = "nope" }, `"sample"`: func(f *quality.Feedback) { f.Sample = "" },
		`"metric"`: func(f *quality.Feedback) { f.Metric = "" }, `"value"`: func(f *quality.Feedback) { f.Value = nil }, `"kind"`: func(f *quality.Feedback) { f.Kind = "cat" },
	} {
		f := good
		spoil(&f)
		if err := r.Label(t.Context(), f); quality.KindOf(err) != quality.KindInvalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", want, err)
		}
	}
	if err := r.Label(t.Context(), good); err != nil {
		t.Fatal(err)
	}
	q.full = true
	if err := r.Label(t.Context(), good); err == nil {
		t.Error("a label is taken that is on no disk")
	}
}

func TestLabelWithoutRoom(t *testing.T) {
	full := quality.Errorf(quality.KindFull, "the disk is full")
	r := start(t, collector.Options{Handoff: &stream{}, Feedback: newStaged().open(), Room: func() error { return full }})
	value := 1.0
	err := r.Label(t.Context(), quality.Feedback{Feature: "chat", Sample: "a", Metric: "m", Value: &value, Kind: quality.FeedbackHuman})
	if quality.KindOf(err) != quality.KindFull {
		t.Errorf("got %v", err)
	}
}

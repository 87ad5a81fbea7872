package alerts_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/alerts"
	"github.com/asgood-dev/asgood/internal/quality"
)

// A monitor that cannot tell is told once, and so is its end; neither makes an incident.
func TestBlindMonitorsAreTold(t *testing.T) {
	type told struct {
		Type string
		Data struct {
			Monitor quality.MonitorEvent
			Text    string
		}
	}
	got := make(chan told, 10)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var m told
		if body, err := io.ReadAll(r.Body); err == nil && json.Unmarshal(body, &m) == nil {
			got <- m
		}
	}))
	t.Cleanup(s.Close)
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	blind := quality.MonitorEvent{ID: "bld_1-1", Type: quality.MonitorWentBlind, Blindness: "bld_1", Feature: "chat", Metric: "correct",
		Cause: quality.BlindFailing, Reason: "40 of the last 64 scores failed: the judge answers 500", Since: at, At: at}
	sees := blind
	sees.ID, sees.Type, sees.Reason, sees.At = "bld_1-2", quality.MonitorSees, "", at.Add(time.Hour)
	source := &events{committed: make(chan uint64, 10)}
	for i, ev := range []quality.MonitorEvent{blind, blind, sees} {
		data, err := json.Marshal(quality.Event{Monitor: &ev})
		if err != nil {
			t.Fatal(err)
		}
		seq := uint64(i + 1)
		source.batches = append(source.batches, alerts.Batch{First: seq, Last: seq, Messages: []alerts.Message{{Seq: seq, Data: data}}})
	}
	incidents := &documents{docs: map[string][]byte{}}
	a, err := alerts.New(alerts.Options{
		Features: []quality.Feature{{Name: "chat", Title: "Chat"}}, Source: source, Incidents: incidents, Outbox: &documents{docs: map[string][]byte{}},
		Receivers: []quality.Receiver{{Name: "on-call", Webhook: &quality.WebhookReceiver{URL: s.URL, Secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	for _, want := range []struct{ typ, text string }{
		{"monitor.blind", "The monitor of “correct” of Chat is blind since 12:00 UTC on 1 March: 40 of the last 64 scores failed: the judge answers 500."},
		{"monitor.sees", "sees again. It was blind from 12:00 UTC on 1 March to 13:00 UTC on 1 March."},
	} {
		select {
		case m := <-got:
			if m.Type != want.typ || !strings.Contains(m.Data.Text, want.text) || m.Data.Monitor.Blindness != "bld_1" {
				t.Errorf("got %+v, want %s with %q", m, want.typ, want.text)
			}
		case <-time.After(30 * time.Second):
			t.Fatal("nobody was told")
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if keys, _ := incidents.Keys(t.Context()); len(got) != 0 || len(keys) != 0 {
		t.Errorf("told again %d times, incidents %q", len(got), keys)
	}
}

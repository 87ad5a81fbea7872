package alerts_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/asgood-dev/asgood/alerts"
	"github.com/asgood-dev/asgood/internal/quality"
)

const (
	secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	hook   = "https://user:passsecret@hooks.example/pathsecret?key=querysecret"
)

var (
	errCrash = errors.New("the process is gone")
	noon     = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)
)

// world is the stream, the stores and the receivers, which outlive the services that use them.
type world struct {
	mu        sync.Mutex
	events    []alerts.Message
	perBatch  uint64
	committed uint64
	incidents map[string][]byte
	outbox    map[string][]byte
	arrived   []arrival
	tries     []arrival
	answer    func(a arrival) (status int, header http.Header)
	ops       int
	crashAt   int // from this operation on nothing works; 0 means never
	fail      func(op string) error
	logs      bytes.Buffer
	metrics   *prometheus.Registry
	changed   int
	revs      map[string]uint64
}

// arrival is a message as a receiver got it.
type arrival struct {
	id, receiver string
	at           time.Time
	message      message
	body         string
}

type message struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      struct {
		Incident   map[string]any `json:"incident"`
		Regression map[string]any `json:"regression"`
	} `json:"data"`
}

func (m message) incident(key string) string { s, _ := m.Data.Incident[key].(string); return s }

func newWorld(events ...any) *world {
	w := &world{perBatch: 1, incidents: map[string][]byte{}, outbox: map[string][]byte{}}
	w.tell(events...)
	return w
}

// tell puts events into the stream.
func (w *world) tell(events ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range events {
		var data []byte
		switch e := e.(type) {
		case quality.RegressionEvent:
			data, _ = json.Marshal(quality.Event{Regression: &e})
		case quality.ProbeStatus:
			data, _ = json.Marshal(quality.Event{Probe: &e})
		case string:
			data = []byte(e)
		}
		w.events = append(w.events, alerts.Message{Seq: uint64(len(w.events) + 1), Data: data})
	}
}

// enter locks the world for an operation.
func (w *world) enter(op string) error {
	w.mu.Lock()
	w.ops++
	if w.crashAt > 0 && w.ops >= w.crashAt {
		return errCrash
	}
	if w.fail != nil {
		return w.fail(op)
	}
	return nil
}

// source reads the stream from the last commit on.
type source struct {
	*world
	next uint64
}

func (s *source) Next(ctx context.Context) (alerts.Batch, error) {
	err := s.enter("next")
	from, to := s.next, min(s.next+s.perBatch, uint64(len(s.events)))
	if err == nil {
		s.next = to
	}
	s.mu.Unlock()
	if err != nil {
		return alerts.Batch{}, err
	}
	if from == to {
		<-ctx.Done()
		return alerts.Batch{}, ctx.Err()
	}
	return alerts.Batch{First: from + 1, Last: to, Messages: s.events[from:to]}, nil
}

func (s *source) Commit(_ context.Context, b alerts.Batch) error {
	defer s.mu.Unlock()
	if err := s.enter("commit"); err != nil {
		return err
	}
	s.committed = b.Last
	return nil
}

// kv is a bucket in memory.
type kv struct {
	*world
	name string
	data map[string][]byte
}

// rev counts the writes of a key, so that an update of what changed meanwhile is a conflict.
func (k kv) rev(key string) uint64 { return k.revs[k.name+" "+key] }

func (k kv) write(key string, data []byte) uint64 {
	if k.revs == nil {
		k.revs = map[string]uint64{}
	}
	k.data[key] = slices.Clone(data)
	k.revs[k.name+" "+key]++
	return k.rev(key)
}

func (k kv) Get(_ context.Context, key string) ([]byte, uint64, error) {
	defer k.mu.Unlock()
	if err := k.enter(k.name + " get"); err != nil {
		return nil, 0, err
	}
	data, ok := k.data[key]
	if !ok {
		return nil, 0, quality.Errorf(quality.KindNotFound, "no %q", key)
	}
	return slices.Clone(data), k.rev(key) + 1, nil
}

func (k kv) Create(_ context.Context, key string, data []byte) (uint64, error) {
	defer k.mu.Unlock()
	if err := k.enter(k.name + " create"); err != nil {
		return 0, err
	}
	if _, ok := k.data[key]; ok {
		return 0, quality.Errorf(quality.KindConflict, "%q is there", key)
	}
	return k.write(key, data) + 1, nil
}

func (k kv) Update(_ context.Context, key string, data []byte, rev uint64) (uint64, error) {
	defer k.mu.Unlock()
	if err := k.enter(k.name + " update"); err != nil {
		return 0, err
	}
	if k.rev(key)+1 != rev {
		return 0, quality.Errorf(quality.KindConflict, "%q has changed", key)
	}
	return k.write(key, data) + 1, nil
}

func (k kv) Put(_ context.Context, key string, data []byte) (uint64, error) {
	defer k.mu.Unlock()
	if err := k.enter(k.name + " put"); err != nil {
		return 0, err
	}
	return k.write(key, data) + 1, nil
}

func (k kv) Delete(_ context.Context, key string) error {
	defer k.mu.Unlock()
	if err := k.enter(k.name + " delete"); err != nil {
		return err
	}
	delete(k.data, key)
	return nil
}

func (k kv) Keys(context.Context) ([]string, error) {
	defer k.mu.Unlock()
	if err := k.enter(k.name + " keys"); err != nil {
		return nil, err
	}
	return slices.Collect(maps.Keys(k.data)), nil
}

// RoundTrip is the network with the receivers behind it. A crashed process gets no answer.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	verifier, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		return nil, err
	}
	if err := verifier.Verify(body, r.Header); err != nil {
		return nil, err
	}
	a := arrival{id: r.Header.Get("webhook-id"), receiver: r.URL.Query().Get("to"), at: time.Now(), body: string(body)}
	if err := json.Unmarshal(body, &a.message); err != nil {
		return nil, err
	}
	err = w.enter("send")
	defer w.mu.Unlock()
	if err != nil {
		return nil, err
	}
	w.tries = append(w.tries, a)
	status, header := http.StatusNoContent, http.Header{}
	if w.answer != nil {
		status, header = w.answer(a)
	}
	if status/100 == 2 {
		w.arrived = append(w.arrived, a)
	}
	return &http.Response{StatusCode: status, Header: header, Body: http.NoBody, Request: r}, nil
}

func (w *world) options(receivers ...string) alerts.Options {
	w.metrics = prometheus.NewRegistry()
	o := alerts.Options{
		Features: []quality.Feature{{Name: "bot", Title: "Answer bot"}, {Name: "plain"}},
		Source:   &source{world: w, next: w.committed}, Incidents: kv{w, "incidents", w.incidents}, Outbox: kv{w, "outbox", w.outbox},
		PageURL: "https://status.example/", Transport: w, Registerer: w.metrics,
		Changed: func() { w.mu.Lock(); w.changed++; w.mu.Unlock() },
		Logger:  slog.New(slog.NewTextHandler(locked{w}, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, name := range receivers {
		o.Receivers = append(o.Receivers, quality.Receiver{Name: name, Webhook: &quality.WebhookReceiver{URL: hook + "&to=" + name, Secret: secret}})
	}
	return o
}

type locked struct{ w *world }

func (l locked) Write(p []byte) (int, error) {
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	return l.w.logs.Write(p)
}

// run runs a service for a time of the bubble and ends it.
func (w *world) run(t *testing.T, d time.Duration, receivers ...string) {
	t.Helper()
	w.runOptions(t, d, w.options(receivers...))
}

func (w *world) runOptions(t *testing.T, d time.Duration, o alerts.Options) {
	t.Helper()
	s, err := alerts.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	if err := s.Run(ctx); err != nil {
		t.Errorf("got %v, want an end without an error", err)
	}
}

// told lists what arrived, once each, in order: type and feature's or regression's incident.
func (w *world) told() []string {
	var out []string
	seen := map[string]bool{}
	for _, a := range w.arrived {
		if !seen[a.id] {
			seen[a.id] = true
			out = append(out, a.message.Type+" "+a.message.incident("status")+" "+a.message.incident("severity"))
		}
	}
	return out
}

// record is what is stored of an incident.
func (w *world) stored(t *testing.T) map[string]quality.Incident {
	t.Helper()
	out := map[string]quality.Incident{}
	for key, data := range w.incidents {
		var i quality.Incident
		if err := json.Unmarshal(data, &i); err != nil {
			t.Fatal(err)
		}
		out[key] = i
	}
	return out
}

// count returns the sum of a counter over the labels that match.
func (w *world) count(t *testing.T, name string, labels ...string) float64 {
	t.Helper()
	families, err := w.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var sum float64
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			have := map[string]string{}
			for _, l := range m.GetLabel() {
				have[l.GetName()] = l.GetValue()
			}
			match := true
			for i := 0; i < len(labels); i += 2 {
				match = match && have[labels[i]] == labels[i+1]
			}
			if match {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return sum
}

func ptr[T any](v T) *T { return &v }

// regression makes one of the contract of the bot.
func regression(id string, drop float64, slice quality.Slice) quality.Regression {
	return quality.Regression{
		ID: "reg_" + id, Feature: "bot", Metric: "contract", Slice: slice, Range: [2]float64{0, 1}, Worse: quality.WorseLower, Share: 0.4,
		Baseline: quality.Estimate{N: 500, Mean: ptr(0.98)}, Current: quality.Estimate{N: 60, Mean: ptr(0.98 - drop)},
		Change: ptr(-drop), Interval: &[2]float64{-drop - 0.02, -drop + 0.02}, StartedAt: ptr(noon.Add(-time.Hour)), DetectedAt: noon,
	}
}

func event(what quality.RegressionEventType, r quality.Regression) quality.RegressionEvent {
	if what == quality.RegressionRecovered {
		r.RecoveredAt = ptr(noon.Add(2 * time.Hour))
	}
	return quality.RegressionEvent{ID: string(what) + r.ID, Type: what, Regression: r}
}

func probe(name string, state quality.UpState, after time.Duration) quality.ProbeStatus {
	return quality.ProbeStatus{Feature: "bot", Probe: name, State: state, Since: noon.Add(after)}
}

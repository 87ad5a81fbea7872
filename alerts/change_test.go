package alerts_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/asgood-dev/asgood/alerts"
	"github.com/asgood-dev/asgood/internal/quality"
)

// documents are a store in memory.
type documents struct {
	mu   sync.Mutex
	docs map[string][]byte
}

func (d *documents) Get(_ context.Context, key string) ([]byte, uint64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if data, ok := d.docs[key]; ok {
		return data, 1, nil
	}
	return nil, 0, quality.Errorf(quality.KindNotFound, "no %q", key)
}

func (d *documents) Create(ctx context.Context, key string, data []byte) (uint64, error) {
	if _, _, err := d.Get(ctx, key); err == nil {
		return 0, quality.Errorf(quality.KindConflict, "%q is there", key)
	}
	return d.Put(ctx, key, data)
}

func (d *documents) Put(_ context.Context, key string, data []byte) (uint64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.docs[key] = bytes.Clone(data)
	return 1, nil
}

func (d *documents) Update(ctx context.Context, key string, data []byte, _ uint64) (uint64, error) {
	return d.Put(ctx, key, data)
}

func (d *documents) Delete(_ context.Context, key string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.docs, key)
	return nil
}

func (d *documents) Keys(context.Context) ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var keys []string
	for k := range d.docs {
		keys = append(keys, k)
	}
	return keys, nil
}

// events gives its batches one by one and then waits.
type events struct {
	batches   []alerts.Batch
	committed chan uint64
}

func (e *events) Next(ctx context.Context) (alerts.Batch, error) {
	if len(e.batches) == 0 {
		<-ctx.Done()
		return alerts.Batch{}, ctx.Err()
	}
	b := e.batches[0]
	e.batches = e.batches[1:]
	return b, nil
}

func (e *events) Commit(_ context.Context, b alerts.Batch) error {
	e.committed <- b.Last
	return nil
}

func batch(t *testing.T, seq uint64, c quality.Change) alerts.Batch {
	t.Helper()
	data, err := json.Marshal(quality.Event{Change: &c})
	if err != nil {
		t.Fatal(err)
	}
	return alerts.Batch{First: seq, Last: seq, Messages: []alerts.Message{{Seq: seq, Data: data}}}
}

func TestChangesAreToldOnce(t *testing.T) {
	const secret = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	verifier, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	type told struct {
		Type string
		Data struct {
			Change quality.Change
			Text   string
		}
	}
	got := make(chan told, 10)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var m told
		if err != nil || verifier.Verify(body, r.Header) != nil || json.Unmarshal(body, &m) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		got <- m
	}))
	t.Cleanup(s.Close)
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	seen := quality.Change{ID: "observed_1", At: at, FirstSeen: at, Features: []string{"chat"}, Layer: quality.LayerModel, Title: "x", Before: "m1", After: "m2",
		Owner: "team-chat", Undeclared: true, Share: 0.123, Samples: 40}
	unowned := quality.Change{ID: "a", At: at, Layer: quality.LayerPrompt, Title: "Shorter answers", Flags: []string{quality.FlagNoOwner}}
	source := &events{committed: make(chan uint64, 10), batches: []alerts.Batch{batch(t, 1, seen), batch(t, 2, seen), batch(t, 3, unowned)}}
	incidents := &documents{docs: map[string][]byte{}}
	a, err := alerts.New(alerts.Options{
		Features: []quality.Feature{{Name: "chat", Title: "Chat"}}, Source: source, Incidents: incidents, Outbox: &documents{docs: map[string][]byte{}},
		Receivers: []quality.Receiver{{Name: "on-call", Webhook: &quality.WebhookReceiver{URL: s.URL, Secret: "whsec_" + secret}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	for range 3 {
		<-source.committed
	}
	texts := map[string]string{}
	for range 2 {
		select {
		case m := <-got:
			texts[m.Type+" "+m.Data.Change.ID] = m.Data.Text
		case <-time.After(30 * time.Second):
			t.Fatal("nobody was told")
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if len(got) != 0 {
		t.Errorf("told again: %+v", <-got)
	}
	for key, want := range map[string][]string{
		"change.undeclared observed_1": {"The model of Chat changed and nobody recorded it: from m1 to m2", "12:00 UTC on 1 March", "12 % of its traffic", "40 samples", "owner is team-chat"},
		"change.unowned a":             {"“Shorter answers” (prompt", "no owner"},
	} {
		if slices.ContainsFunc(want, func(w string) bool { return !strings.Contains(texts[key], w) }) {
			t.Errorf("%s: got %q of %v, want %q", key, texts[key], texts, want)
		}
	}
	if keys, _ := incidents.Keys(t.Context()); len(keys) != 0 {
		t.Errorf("an incident was made: %q", keys)
	}
}

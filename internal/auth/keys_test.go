package auth_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asgood-dev/asgood/internal/auth"
	"github.com/asgood-dev/asgood/internal/quality"
)

func TestKeysSurviveARestart(t *testing.T) {
	store := bucket(t)
	first := keys(t, store)
	key, token := first.make(t, auth.Spec{Name: "support bot", Features: []string{"chat"}, Rate: 5, Bytes: 1 << 20, MaxBody: 1 << 20})
	data, _, err := store.Get(t.Context(), key.ID)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(data), token[len("asgood_aaaaaaaaaa_"):]) {
		t.Errorf("the secret is stored: %s", data)
	}
	second := keys(t, store)
	if got := fmt.Sprintf("%+v", second.List()); got != fmt.Sprintf("%+v", []auth.Key{key}) {
		t.Errorf("got %s, want %+v", got, key)
	}
	url := second.serve(t, auth.GateOptions{KeyRequired: true})
	if status, body, _ := call(t, http.MethodPost, url+"/v1/samples", "chat", "X-API-Key", token); status != 200 {
		t.Errorf("got %d %s", status, body)
	}
}

// A key that one process revokes fails in another within a second, also on a connection that is open.
func TestRevokedAtOnce(t *testing.T) {
	store := bucket(t)
	here, there := keys(t, store), keys(t, store)
	url := there.serve(t, auth.GateOptions{KeyRequired: true})
	key, token := here.make(t, auth.Spec{})
	ask := func() int {
		status, _, _ := call(t, http.MethodPost, url+"/v1/samples", "chat", "X-API-Key", token)
		return status
	}
	wait(t, time.Second, "the new key", func() bool { return ask() == 200 })
	if _, err := here.Revoke(t.Context(), key.ID); err != nil {
		t.Fatal(err)
	}
	took := wait(t, time.Second, "the refusal", func() bool { return ask() == 401 })
	t.Logf("refused after %s", took)
	for i := range 100 {
		if status := ask(); status != 401 && status != 429 {
			t.Fatalf("request %d after the revocation: got %d", i, status)
		}
	}
}

// A request that is being read when its key is revoked gets no further records in.
func TestRevokedWhileReading(t *testing.T) {
	f := keys(t, bucket(t))
	key, token := f.make(t, auth.Spec{})
	sender, err := f.Sender(token, auth.ScopeSamples)
	if err != nil {
		t.Fatal(err)
	}
	ctx := auth.WithSender(t.Context(), sender)
	if err := (auth.Guard{}).Allow(ctx, "chat"); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Revoke(t.Context(), key.ID); err != nil {
		t.Fatal(err)
	}
	if err := (auth.Guard{}).Allow(ctx, "chat"); quality.KindOf(err) != quality.KindForbidden {
		t.Errorf("got %v, want forbidden", err)
	}
	if err := f.store.Delete(t.Context(), key.ID); err != nil {
		t.Fatal(err)
	}
	wait(t, time.Second, "the removal", func() bool { return len(f.List()) == 0 })
	if _, err := f.Sender(token, auth.ScopeSamples); err == nil {
		t.Error("a removed key is good")
	}
}

func TestRevokeTwiceAndNothing(t *testing.T) {
	f := keys(t, bucket(t))
	key, _ := f.make(t, auth.Spec{})
	for range 2 {
		got, err := f.Revoke(t.Context(), key.ID)
		if err != nil || !got.Revoked.Equal(testNow) {
			t.Errorf("got %v, %v, want revoked at %s", got.Revoked, err, testNow)
		}
		f.clock.add(time.Hour)
	}
	for _, id := range []string{"", "aaaaaaaaaa", "../x", strings.Repeat("x", 5000)} {
		if _, err := f.Revoke(t.Context(), id); quality.KindOf(err) != quality.KindNotFound {
			t.Errorf("%.20q: got %v, want not found", id, err)
		}
	}
}

func TestSpecsThatAreWrong(t *testing.T) {
	f := keys(t, bucket(t))
	samples := []auth.Scope{auth.ScopeSamples}
	for _, tt := range []struct {
		spec auth.Spec
		want string
	}{
		{auth.Spec{Scopes: samples}, `"name"`},
		{auth.Spec{Name: "a\nb", Scopes: samples}, `"name"`},
		{auth.Spec{Name: strings.Repeat("x", 1000), Scopes: samples}, `"name"`},
		{auth.Spec{Name: "a"}, `"scopes": want at least one of samples, scores`},
		{auth.Spec{Name: "a", Scopes: []auth.Scope{"all"}}, `no scope "all" (known: samples`},
		{auth.Spec{Name: "a", Scopes: append(samples, samples...)}, "stands twice"},
		{auth.Spec{Name: "a", Scopes: samples, Features: []string{"chatt"}}, `no feature "chatt" is configured (known: chat, notes)`},
		{auth.Spec{Name: "a", Scopes: samples, Features: make([]string, 1001)}, "at most 1000"},
		{auth.Spec{Name: "a", Scopes: samples, Expires: testNow}, "has passed"},
		{auth.Spec{Name: "a", Scopes: samples, Rate: -1}, `"rate"`},
		{auth.Spec{Name: "a", Scopes: samples, Rate: 1e10}, `"rate"`},
		{auth.Spec{Name: "a", Scopes: samples, Bytes: 10}, `"bytes"`},
		{auth.Spec{Name: "a", Scopes: samples, MaxBody: -1}, `"max_body"`},
	} {
		if _, _, err := f.Create(t.Context(), tt.spec); quality.KindOf(err) != quality.KindInvalid || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: got %v, want %q", tt.spec, err, tt.want)
		}
	}
	if len(f.List()) != 0 {
		t.Errorf("got %v, want no key", f.List())
	}
}

// A document that cannot be read allows nothing.
func TestUnreadableKey(t *testing.T) {
	store := bucket(t)
	f := keys(t, store)
	key, token := f.make(t, auth.Spec{})
	for _, text := range []string{`{`, `{"id":"other","hash":""}`, `{"id":"` + key.ID + `","hash":"AAAA","scopes":["samples"]}`} {
		if _, err := store.Put(t.Context(), key.ID, []byte(text)); err != nil {
			t.Fatal(err)
		}
		wait(t, time.Second, "the refusal", func() bool { _, err := f.Sender(token, auth.ScopeSamples); return err != nil })
	}
	if again := keys(t, store); len(again.List()) != 0 {
		t.Errorf("got %v", again.List())
	}
}

func TestInternalRoutes(t *testing.T) {
	f := keys(t, bucket(t))
	url := f.serve(t, auth.GateOptions{})
	status, body, header := call(t, http.MethodPost, url+"/v1/keys", `{"name":"ci","scopes":["changes"],"expires":"2026-06-01T00:00:00Z"}`, "Content-Type", "application/json")
	var created auth.Created
	if err := json.Unmarshal([]byte(body), &created); err != nil || status != 200 || len(created.Token) != 61 || header.Get("Cache-Control") != "no-store" {
		t.Fatalf("got %d %s (%v)", status, body, err)
	}
	for _, tt := range []struct{ body, media, want string }{
		{`{"name":"x"}`, "text/plain", "want application/json"},
		{`{"name":"x"`, "application/json", "not a key to be made"},
		{`{"name":"x","scope":["samples"]}`, "application/json", `unknown field \"scope\"`},
		{`{"name":"x","scopes":["samples"]} x`, "application/json", "unexpected data"},
		{`{"name":"x","scopes":["samples"],"hash":"x"}`, "application/json", "unknown field"},
	} {
		if status, body, _ := call(t, http.MethodPost, url+"/v1/keys", tt.body, "Content-Type", tt.media); status != 400 || !strings.Contains(body, tt.want) {
			t.Errorf("%s: got %d %s, want %q", tt.body, status, body, tt.want)
		}
	}
	if status, body, _ = call(t, http.MethodGet, url+"/v1/keys", ""); status != 200 || strings.Contains(body, "hash") || !strings.Contains(body, created.ID) {
		t.Errorf("got %d %s", status, body)
	}
	if status, body, _ = call(t, http.MethodDelete, url+"/v1/keys/"+created.ID, ""); status != 200 || !strings.Contains(body, `"revoked":"2026-03-01T12:00:00Z"`) {
		t.Errorf("got %d %s", status, body)
	}
	if status, _, _ = call(t, http.MethodDelete, url+"/v1/keys/aaaaaaaaaa", ""); status != 404 {
		t.Errorf("got %d, want 404", status)
	}
}

// memory is a store without a bus, for tests in a bubble of time.
type memory struct {
	mu     sync.Mutex
	data   map[string][]byte
	rev    map[string]uint64
	writes int
	away   bool
}

func (m *memory) Get(_ context.Context, key string) ([]byte, uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.data[key] == nil {
		return nil, 0, quality.Errorf(quality.KindNotFound, "no %q", key)
	}
	return m.data[key], m.rev[key], nil
}

func (m *memory) Create(ctx context.Context, key string, data []byte) (uint64, error) {
	return m.Update(ctx, key, data, 0)
}

func (m *memory) Update(_ context.Context, key string, data []byte, rev uint64) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.away:
		return 0, quality.Errorf(quality.KindUnavailable, "away")
	case m.rev[key] != rev:
		return 0, quality.Errorf(quality.KindConflict, "revision")
	}
	m.writes++
	m.data[key], m.rev[key] = data, rev+1
	return rev + 1, nil
}

func (m *memory) Delete(_ context.Context, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.data, key)
	delete(m.rev, key)
	return nil
}

func (m *memory) Keys(context.Context) (out []string, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for k := range m.data {
		out = append(out, k)
	}
	return out, nil
}

func (m *memory) Watch(ctx context.Context, _ func(string, []byte, uint64, bool)) error {
	m.mu.Lock()
	away := m.away
	m.mu.Unlock()
	if away {
		return quality.Errorf(quality.KindUnavailable, "away")
	}
	<-ctx.Done()
	return ctx.Err()
}

// When a key was used is stored at most once a minute, and a key that ended long ago is forgotten.
func TestUseAndForgetting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{data: map[string][]byte{}, rev: map[string]uint64{}}
		k, err := auth.New(t.Context(), auth.Options{Store: m})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- k.Run(ctx) }()
		key, token, err := k.Create(t.Context(), auth.Spec{Name: "a", Scopes: []auth.Scope{auth.ScopeSamples}, Expires: time.Now().Add(24 * time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		tick := time.NewTicker(time.Second)
		for range 300 {
			<-tick.C
			if _, err := k.Sender(token, auth.ScopeSamples); err != nil {
				t.Fatal(err)
			}
		}
		if m.writes < 4 || m.writes > 6 {
			t.Errorf("got %d writes in five minutes of use, want about 5", m.writes)
		}
		if used := k.List()[0].LastUsed; time.Since(used) > time.Second {
			t.Errorf("got last used %s ago", time.Since(used))
		}
		m.mu.Lock()
		m.away = true
		m.mu.Unlock()
		tick.Reset(time.Hour)
		<-tick.C
		m.mu.Lock()
		m.away = false
		m.mu.Unlock()
		for range 24 * 90 {
			<-tick.C
		}
		if len(k.List()) != 1 {
			t.Error("the key was forgotten too early")
		}
		for range 25 {
			<-tick.C
		}
		if len(k.List()) != 0 || len(m.data) != 0 {
			t.Errorf("got %v, want %s forgotten", k.List(), key.ID)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// Noting a use never undoes a revocation that another process wrote.
func TestUseDoesNotUndoARevocation(t *testing.T) {
	store := bucket(t)
	here, there := keys(t, store), keys(t, store)
	key, token := here.make(t, auth.Spec{})
	wait(t, time.Second, "the key", func() bool { return len(there.List()) == 1 })
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			here.clock.add(2 * time.Minute)
			if _, err := here.Sender(token, auth.ScopeSamples); err == nil {
				here.NoteUsed(t.Context())
			}
		})
	}
	if _, err := there.Revoke(t.Context(), key.ID); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	data, _, err := store.Get(t.Context(), key.ID)
	var got auth.Key
	if err != nil || json.Unmarshal(data, &got) != nil || got.Revoked.IsZero() {
		t.Errorf("got %s (%v), want it revoked", data, err)
	}
}

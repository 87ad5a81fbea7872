package ledger_test

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

	"github.com/asgood-dev/asgood/collector/ledger"
	"github.com/asgood-dev/asgood/internal/bus"
	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
)

var begin = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

var features = []quality.Feature{{Name: "chat", Owner: "team-chat"}, {Name: "notes"}}

func spec() quality.ChangeSpec {
	return quality.ChangeSpec{Undeclared: quality.UndeclaredSpec{Before: 2 * time.Hour, After: 30 * time.Minute}}
}

// memory is a store that behaves as a bucket does, and fails when it is told to.
type memory struct {
	mu   sync.Mutex
	docs map[string]doc
	rev  uint64
	fail func(op, key string) error // called before a write, with the lock held
}

type doc struct {
	data []byte
	rev  uint64
}

func newMemory() *memory { return &memory{docs: map[string]doc{}} }

func (m *memory) Get(_ context.Context, key string) ([]byte, uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d, ok := m.docs[key]
	if !ok {
		return nil, 0, quality.Errorf(quality.KindNotFound, "no %q", key)
	}
	return d.data, d.rev, nil
}

func (m *memory) write(op, key string, data []byte, allowed func(doc, bool) bool) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		if err := m.fail(op, key); err != nil {
			return 0, err
		}
	}
	if d, ok := m.docs[key]; !allowed(d, ok) {
		return 0, quality.Errorf(quality.KindConflict, "%s %q", op, key)
	}
	m.rev++
	m.docs[key] = doc{bytes.Clone(data), m.rev}
	return m.rev, nil
}

func (m *memory) Create(_ context.Context, key string, data []byte) (uint64, error) {
	return m.write("create", key, data, func(_ doc, ok bool) bool { return !ok })
}

func (m *memory) Put(_ context.Context, key string, data []byte) (uint64, error) {
	return m.write("put", key, data, func(doc, bool) bool { return true })
}

func (m *memory) Update(_ context.Context, key string, data []byte, rev uint64) (uint64, error) {
	return m.write("update", key, data, func(d doc, ok bool) bool { return ok && d.rev == rev })
}

func (m *memory) Delete(_ context.Context, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.docs, key)
	return nil
}

func (m *memory) Keys(context.Context) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []string
	for k := range m.docs {
		out = append(out, k)
	}
	return out, nil
}

func (m *memory) Watch(ctx context.Context, _ func(string, []byte, uint64, bool)) error {
	<-ctx.Done()
	return ctx.Err()
}

// all returns the stored entries by id.
func (m *memory) all(t testing.TB) map[string]quality.Change {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[string]quality.Change{}
	for key, d := range m.docs {
		var c quality.Change
		if err := json.Unmarshal(d.data, &c); err != nil {
			t.Fatal(err)
		}
		out[key] = c
	}
	return out
}

// listener is a ledger that answers by real HTTP.
type listener struct {
	*ledger.Ledger
	url string
}

func serve(t testing.TB, o ledger.Options) *listener {
	t.Helper()
	if o.Features == nil {
		o.Features = features
	}
	if o.Spec.Undeclared.Before == 0 {
		o.Spec.Undeclared = spec().Undeclared
	}
	if o.Changes == nil {
		o.Changes = newMemory()
	}
	if o.State == nil {
		o.State = newMemory()
	}
	if o.Now == nil {
		o.Now = func() time.Time { return begin }
	}
	l, err := ledger.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	e := web.New(web.Options{})
	l.Register(e)
	l.RegisterInternal(e)
	s := httptest.NewServer(e)
	t.Cleanup(s.Close)
	return &listener{l, s.URL}
}

type reply struct {
	ledger.Result
	Error  *web.Problem    `json:"-"`
	Raw    json.RawMessage `json:"error"`
	Status string          `json:"status"`
	ID     string          `json:"id"`
	Reason string          `json:"reason"`
}

// post sends a body with pairs of header and value.
func (l *listener) post(t testing.TB, path, body string, headers ...string) (status int, r reply, text string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, l.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for pair := range slices.Chunk(headers, 2) {
		req.Header.Set(pair[0], pair[1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatalf("answer %s: %v", data, err)
	}
	return res.StatusCode, r, string(data)
}

func (l *listener) list(t testing.TB, query string) (status int, page ledger.Page, text string) {
	t.Helper()
	res, err := http.Get(l.url + "/v1/changes" + query)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &page); err != nil {
		t.Fatalf("answer %s: %v", data, err)
	}
	return res.StatusCode, page, string(data)
}

func ids(changes []quality.Change) []string {
	out := []string{}
	for _, c := range changes {
		out = append(out, c.ID)
	}
	return out
}

// buckets are the real store.
func buckets(t testing.TB, dir string) (changes, state *bus.Bucket, closeBus func()) {
	t.Helper()
	b, err := bus.Open(t.Context(), bus.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if changes, err = b.Bucket(t.Context(), "changes"); err != nil {
		t.Fatal(err)
	}
	if state, err = b.Bucket(t.Context(), "ledger"); err != nil {
		t.Fatal(err)
	}
	closeBus = sync.OnceFunc(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(closeBus)
	return changes, state, closeBus
}

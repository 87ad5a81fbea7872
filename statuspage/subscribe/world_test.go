package subscribe

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/mail"
	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
)

// memory is a KV in memory.
type memory struct {
	mu   sync.Mutex
	rev  uint64
	docs map[string][]byte
	revs map[string]uint64
	puts int
}

func newMemory() *memory { return &memory{docs: map[string][]byte{}, revs: map[string]uint64{}} }

func (m *memory) Get(_ context.Context, key string) ([]byte, uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	data, ok := m.docs[key]
	if !ok {
		return nil, 0, quality.Errorf(quality.KindNotFound, "no %q", key)
	}
	return slices.Clone(data), m.revs[key], nil
}

func (m *memory) put(key string, data []byte, ok func() bool) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !ok() {
		return 0, quality.Errorf(quality.KindConflict, "another revision of %q", key)
	}
	m.puts++
	m.rev++
	m.docs[key], m.revs[key] = slices.Clone(data), m.rev
	return m.rev, nil
}

func (m *memory) Create(_ context.Context, key string, data []byte) (uint64, error) {
	return m.put(key, data, func() bool { return m.docs[key] == nil })
}

func (m *memory) Update(_ context.Context, key string, data []byte, rev uint64) (uint64, error) {
	return m.put(key, data, func() bool { return m.docs[key] != nil && m.revs[key] == rev })
}

func (m *memory) Put(_ context.Context, key string, data []byte) (uint64, error) {
	return m.put(key, data, func() bool { return true })
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
	return slices.Collect(maps.Keys(m.docs)), nil
}

// desk holds what notices speak of.
type desk struct {
	mu           sync.Mutex
	incidents    map[string]quality.Incident
	maintenances map[string]quality.Maintenance
}

func (d *desk) Incident(_ context.Context, id string) (quality.Incident, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	i, ok := d.incidents[id]
	if !ok {
		return i, quality.Errorf(quality.KindNotFound, "no incident %q", id)
	}
	return i, nil
}

func (d *desk) Maintenance(_ context.Context, id string) (quality.Maintenance, error) {
	m, ok := d.maintenances[id]
	if !ok {
		return m, quality.Errorf(quality.KindNotFound, "no maintenance %q", id)
	}
	return m, nil
}

func (d *desk) change(id string, fn func(*quality.Incident)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	i := d.incidents[id]
	fn(&i)
	d.incidents[id] = i
}

var start = time.Date(2026, 3, 3, 9, 14, 0, 0, time.UTC)

func newDesk() *desk {
	next := start.Add(time.Hour)
	return &desk{
		incidents: map[string]quality.Incident{"inc_1": {
			ID: "inc_1", Kind: quality.IncidentQuality, Name: "Worse answers <b>of</b> the assistant", Features: []string{"assistant"},
			Status: quality.IncidentInvestigating, Visibility: quality.VisibilityPublic, StartedAt: start, NextUpdate: &next,
			Updates: []quality.IncidentUpdate{
				{ID: "u1", Status: quality.IncidentInvestigating, Body: "Answers are **worse** by 4 %. <script>alert(1)</script>", At: start},
				{ID: "secret", Status: quality.IncidentInvestigating, Body: "we think it was Bob", At: start, Internal: true},
			},
		}},
		maintenances: map[string]quality.Maintenance{"mnt_1": {
			ID: "mnt_1", Name: "New index", Features: []string{"search"}, Status: quality.MaintenanceScheduled, From: start, To: start.Add(2 * time.Hour),
			Updates: []quality.MaintenanceUpdate{{ID: "m1", Status: quality.MaintenanceScheduled, Body: "We move.", At: start}},
		}},
	}
}

func published(id string) quality.Notice {
	return quality.Notice{ID: id, Kind: quality.NoticeQuality, Incident: "inc_1", Update: "u1", Features: []string{"assistant"}, What: quality.NoticePublished, At: start}
}

// letters takes mails in memory.
type letters struct {
	mu   sync.Mutex
	sent []mail.Message
	fail func(mail.Message) error
}

func (l *letters) Send(_ context.Context, m mail.Message) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fail != nil {
		if err := l.fail(m); err != nil {
			return err
		}
	}
	l.sent = append(l.sent, m)
	return nil
}

func (l *letters) Domain() string { return "acme.example" }
func (l *letters) Flush()         {}

func (l *letters) to(address string) (out []mail.Message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range l.sent {
		if m.To == address {
			out = append(out, m)
		}
	}
	return out
}

// world is a service with all that it needs.
type world struct {
	t           testing.TB
	opts        Options
	subscribers *memory
	outbox      *memory
	desk        *desk
	letters     *letters
	s           *Service
	engine      *gin.Engine
	from        string
}

func newWorld(t testing.TB, change func(*Options)) *world {
	t.Helper()
	w := &world{t: t, subscribers: newMemory(), outbox: newMemory(), desk: newDesk(), letters: &letters{}, from: "9.9.9.9:4711"}
	w.opts = Options{
		Title: "Acme status", PageURL: "https://status.acme.example", Offer: Offer{true, true, true, true},
		Features:    []quality.Feature{{Name: "assistant", Title: "Assistant"}, {Name: "search", Title: "Search"}},
		Subscribers: w.subscribers, Outbox: w.outbox, Reader: w.desk, Mailer: w.letters, Key: []byte(strings.Repeat("k", 32)),
	}
	if testing.Verbose() {
		w.opts.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	if change != nil {
		change(&w.opts)
	}
	w.renew()
	return w
}

// renew makes the service anew, as a start does.
func (w *world) renew() {
	w.t.Helper()
	s, err := New(w.opts)
	if err != nil {
		w.t.Fatal(err)
	}
	w.s, w.engine = s, web.New(web.Options{})
	s.Register(w.engine)
	s.RegisterInternal(w.engine)
}

// run lets the service work until the returned function is called, or the test ends.
func (w *world) run() (stop func()) {
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = w.s.Run(ctx) }()
	stop = sync.OnceFunc(func() { cancel(); <-done })
	w.t.Cleanup(stop)
	return stop
}

func (w *world) do(method, path string, form url.Values) *httptest.ResponseRecorder {
	w.t.Helper()
	body := io.Reader(nil)
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r := httptest.NewRequestWithContext(w.t.Context(), method, path, body)
	r.RemoteAddr = w.from
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	out := httptest.NewRecorder()
	w.engine.ServeHTTP(out, r)
	return out
}

func wish(kind Kind, address string) url.Values {
	return url.Values{"kind": {string(kind)}, "address": {address}, "features": {"1"}, "feature": {"assistant", "search"}, "topic": {"quality", "uptime", "maintenance"}}
}

// active stores a subscriber that is confirmed.
func (w *world) active(k Kind, address string, change func(*Subscriber)) Subscriber {
	w.t.Helper()
	at := start
	s := Subscriber{ID: w.s.tokens.id(k, address), Kind: k, Address: address, State: StateActive, Nonce: newNonce(), CreatedAt: time.Now(), Confirmed: &at}
	if change != nil {
		change(&s)
	}
	if err := w.s.store.create(w.t.Context(), s); err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w *world) get(k Kind, address string) (Subscriber, error) {
	s, _, err := w.s.store.get(w.t.Context(), w.s.tokens.id(k, address))
	return s, err
}

// eventually waits until ok says so.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	late := time.After(30 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("%s: not within 30 s", what)
		}
	}
}

var linkForm = regexp.MustCompile(`https://status\.acme\.example(/[a-z/]+/[A-Za-z0-9_-]{20,})`)

// links finds the paths of ours in a text.
func pathsIn(text string) (out []string) {
	for _, m := range linkForm.FindAllStringSubmatch(text, -1) {
		out = append(out, m[1])
	}
	return out
}

// mailpit is a real mail server.
type mailpit struct {
	t    *testing.T
	port int
	api  string
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// startMailpit starts the server, which takes mails to example.com only and says 550 to others.
func startMailpit(t *testing.T, args ...string) *mailpit {
	t.Helper()
	binary := filepath.Join("..", "..", "bin", "mailpit")
	if _, err := os.Stat(binary); err != nil {
		t.Skip("the mail server is not built: run `make senders`")
	}
	p := &mailpit{t: t, port: freePort(t)}
	web := freePort(t)
	p.api = fmt.Sprintf("http://127.0.0.1:%d/api/v1", web)
	cmd := exec.Command(binary, append([]string{"--smtp", fmt.Sprintf("127.0.0.1:%d", p.port), "--listen", fmt.Sprintf("127.0.0.1:%d", web),
		"--database", filepath.Join(t.TempDir(), "mail.db"), "--disable-version-check", "--smtp-disable-rdns", "--enable-chaos", "--max", "0",
		"--smtp-allowed-recipients", `@(.+\.)?example\.com$`, "--quiet"}, args...)...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	eventually(t, "the mail server", func() bool {
		res, err := http.Get(p.api + "/info")
		if err != nil {
			return false
		}
		return res.Body.Close() == nil && res.StatusCode == http.StatusOK
	})
	return p
}

func (p *mailpit) sender() *mail.Sender {
	p.t.Helper()
	s, err := mail.New(mail.Options{Host: "127.0.0.1", Port: p.port, From: "Acme status <status@acme.example>", TLS: mail.NoTLS})
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(s.Flush)
	return s
}

// mailed is what the server knows of a mail.
type mailed struct {
	ID, MessageID, Subject string
	To                     []struct{ Address string }
}

func (p *mailpit) get(path string, v any) {
	p.t.Helper()
	res, err := http.Get(p.api + path)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(v); err != nil {
		p.t.Fatal(err)
	}
}

// mails returns what has come, the oldest first.
func (p *mailpit) mails() []mailed {
	var out struct{ Messages []mailed }
	p.get("/messages?limit=100000", &out)
	slices.Reverse(out.Messages)
	return out.Messages
}

// read returns the parts and headers of a mail.
func (p *mailpit) read(id string) (text, html string, header http.Header) {
	var m struct{ Text, HTML string }
	p.get("/message/"+id, &m)
	p.get("/message/"+id+"/headers", &header)
	return m.Text, m.HTML, header
}

// chaos makes the server fail at RCPT with a code.
func (p *mailpit) chaos(code, percent int) {
	p.t.Helper()
	req, err := http.NewRequest(http.MethodPut, p.api+"/chaos", strings.NewReader(fmt.Sprintf(`{"Recipient":{"ErrorCode":%d,"Probability":%d}}`, code, percent)))
	if err != nil {
		p.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		p.t.Fatalf("chaos: got %d", res.StatusCode)
	}
}

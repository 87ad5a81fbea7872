package statuspage_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/statuspage"
)

type liveMessage struct {
	ETag   string `json:"etag"`
	AsOf   string `json:"as_of"`
	Spread int64  `json:"spread"`

	Overall  struct{ Slug, Text string }
	Features []struct {
		Name            string
		Quality, Uptime struct{ Slug, Word, Figure, Note string }
	}
}

func dial(t *testing.T, url, origin string) (*websocket.Conn, *http.Response, error) {
	t.Helper()
	h := http.Header{}
	if origin != "" {
		h.Set("Origin", origin)
	}
	conn, res, err := websocket.DefaultDialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(url, "http")+"/live", h)
	if err == nil {
		t.Cleanup(func() { conn.Close() })
	}
	return conn, res, err
}

func next(t *testing.T, conn *websocket.Conn) liveMessage {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	_, data, err := conn.ReadMessage()
	if err != nil {
		t.Fatal(err)
	}
	var m liveMessage
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatalf("message %q: %v", data, err)
	}
	return m
}

func TestLiveTellsOfChanges(t *testing.T) {
	w := quiet(t)
	f, r := w.open(t)
	f.refresh(t)
	conn, _, err := dial(t, f.serve(t), "")
	if err != nil {
		t.Fatal(err)
	}
	first := next(t, conn)
	if first.ETag != f.page.Shown() || first.AsOf != "2026-03-31T14:05:00+02:00" {
		t.Fatalf("got %+v first, want what is shown: %q of 14:05", first, f.page.Shown())
	}
	w.statuses[0].Current.N++ // changes nothing that is read on the page
	r.statuses = always(w.statuses...)
	f.refresh(t)
	w.statuses[0].State = quality.MonitorBlind
	r.statuses = always(w.statuses...)
	f.refresh(t)
	if got := next(t, conn); got.ETag == first.ETag || got.ETag != f.page.Shown() {
		t.Errorf("got %+v, want only the change to %q", got, f.page.Shown())
	}
	if page := f.get(t, "/"); !strings.Contains(page, `data-etag="`+f.page.Shown()+`"`) {
		t.Error("the page does not name its content")
	}
}

// What changed is in the message itself, in the language of the page that listens.
func TestLiveTellsWhatChanged(t *testing.T) {
	w := quiet(t)
	r := w.reader()
	o := w.options(t, r, func() time.Time { return now })
	o.Languages = []string{"en", "de"}
	f := newFixture(t, o)
	f.refresh(t)
	url := f.serve(t)
	conns := map[string]*websocket.Conn{}
	for _, lang := range o.Languages {
		conn, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(url, "http")+"/live?lang="+lang, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if first := next(t, conn); len(first.Features) != 0 || first.Overall.Text == "" {
			t.Errorf("%s: got %+v first, want the sentence and nothing that changed", lang, first)
		}
		conns[lang] = conn
	}
	w.statuses[0].State = quality.MonitorBlind
	r.statuses = always(w.statuses...)
	f.refresh(t)
	for lang, want := range map[string]string{"en": "Cannot tell", "de": "Nicht zu sagen"} {
		got := next(t, conns[lang])
		if len(got.Features) != 1 || got.Features[0].Name != w.features[0].Name || got.Features[0].Quality.Slug != "cannot-tell" || got.Features[0].Quality.Word != want {
			t.Errorf("%s: got %+v, want %s of %s alone", lang, got.Features, want, w.features[0].Name)
		}
		if page := f.get(t, "/?lang="+lang); !strings.Contains(page, got.Overall.Text) {
			t.Errorf("%s: the page does not say %q", lang, got.Overall.Text)
		}
	}
}

// The script draws the marks that the page has.
func TestMarksOfTheScript(t *testing.T) {
	script, err := os.ReadFile("assets/live.js")
	if err != nil {
		t.Fatal(err)
	}
	parts, err := os.ReadFile("templates/parts.html")
	if err != nil {
		t.Fatal(err)
	}
	_, marks, _ := strings.Cut(string(parts), `{{define "mark"}}`)
	marks, _, _ = strings.Cut(marks, "</svg>")
	for _, m := range regexp.MustCompile(`d="([^"]+)"`).FindAllStringSubmatch(marks, -1) {
		if !strings.Contains(string(script), `"`+m[1]+`"`) {
			t.Errorf("live.js does not know the mark %q", m[1])
		}
	}
}

// Answers and checks of today change with every read: that is no reason for all viewers to fetch the page.
func TestTodaysCountsAreNoNews(t *testing.T) {
	w := quiet(t)
	f, r := w.open(t)
	f.refresh(t)
	before := f.page.Shown()
	scores := append([]quality.ScoreDay(nil), w.scores...)
	scores[len(scores)-1].N++
	r.scores = func(time.Time, time.Time) ([]quality.ScoreDay, error) { return scores, nil }
	f.refresh(t)
	if f.page.Shown() != before {
		t.Error("one more answer of today changed what the page is known by")
	}
	if !strings.Contains(f.get(t, "/"), "401 answers") {
		t.Error("the page does not show it")
	}
}

func TestLiveOrigin(t *testing.T) {
	f := quiet(t).show(t)
	url := f.serve(t)
	for origin, want := range map[string]int{
		"": 101, url: 101, "https://status.northlight.example": 101, "HTTPS://STATUS.northlight.example": 101,
		"https://evil.example": 403, "https://status.northlight.example.evil.example": 403, "null": 403, "%zz": 403,
		"https://status.northlight.example:8443": 403, "file://": 403,
	} {
		_, res, err := dial(t, url, origin)
		if res == nil {
			t.Fatalf("origin %q: %v", origin, err)
		}
		if res.StatusCode != want {
			t.Errorf("origin %q: got %d, want %d", origin, res.StatusCode, want)
		}
	}
	if got := f.metric(t, "asgood_statuspage_live_dropped_total", "origin"); got != 6 {
		t.Errorf("counted %g refused origins, want 6", got)
	}
}

func TestLiveIsBounded(t *testing.T) {
	w := quiet(t)
	o := w.options(t, w.reader(), func() time.Time { return now })
	o.MaxClients = 2
	f := newFixture(t, o)
	url := f.serve(t)
	for range 2 {
		if _, _, err := dial(t, url, ""); err != nil {
			t.Fatal(err)
		}
	}
	_, res, err := dial(t, url, "")
	if err == nil || res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" {
		t.Errorf("third of two: got %v, %v", res, err)
	}
	if got := f.metric(t, "asgood_statuspage_live_dropped_total", "full"); got != 1 {
		t.Errorf("counted %g, want 1", got)
	}
	if got := f.metric(t, "asgood_statuspage_live_clients", ""); got != 2 {
		t.Errorf("%g clients, want 2", got)
	}
}

// Whoever does not take what he is sent is let go, and nobody waits for him.
func TestSlowReadersAreDropped(t *testing.T) {
	f := quiet(t).show(t)
	if !f.page.Join() {
		t.Fatal("not let in")
	}
	for n := range statuspage.LiveQueue {
		if f.page.Clients() != 1 {
			t.Fatalf("dropped after %d messages", n)
		}
		f.page.Publish("x")
	}
	if n := f.page.Clients(); n != 0 {
		t.Errorf("%d clients, want 0", n)
	}
	if got := f.metric(t, "asgood_statuspage_live_dropped_total", "slow"); got != 1 {
		t.Errorf("counted %g, want 1", got)
	}
}

// A client that sends more than pongs is let go before it is read.
func TestLiveTakesNothing(t *testing.T) {
	f := quiet(t).show(t)
	conn, _, err := dial(t, f.serve(t), "")
	if err != nil {
		t.Fatal(err)
	}
	next(t, conn)
	if err := conn.WriteMessage(websocket.TextMessage, []byte(strings.Repeat("x", 1<<20))); err != nil && !isClosed(err) {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, _, err := conn.ReadMessage(); err == nil || isTimeout(err) {
		t.Errorf("got %v, want the end of the connection", err)
	}
}

func isClosed(err error) bool {
	var n *net.OpError
	return errors.As(err, &n) || errors.Is(err, io.EOF)
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

// pipes is a listener whose connections are in memory, so that time can be imagined.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}
func (p *pipes) Close() error   { close(p.done); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func (p *pipes) dial(t *testing.T) *websocket.Conn {
	t.Helper()
	d := websocket.Dialer{NetDialContext: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		p.conns <- theirs
		return ours, nil
	}}
	conn, _, err := d.Dial("ws://status.example/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// A client that answers pings stays for an hour; one that does not is gone after a while.
func TestLivePings(t *testing.T) {
	w := quiet(t)
	synctest.Test(t, func(t *testing.T) {
		f, _ := w.open(t)
		listener := newPipes()
		server := &http.Server{Handler: f.engine}
		done := make(chan error, 1)
		go func() { done <- server.Serve(listener) }()

		alive, silent := listener.dial(t), listener.dial(t)
		pings := 0
		answer := alive.PingHandler()
		alive.SetPingHandler(func(s string) error { pings++; return answer(s) })
		silent.SetPingHandler(func(string) error { return nil })
		for _, c := range []*websocket.Conn{alive, silent} {
			go func() {
				for {
					if _, _, err := c.ReadMessage(); err != nil {
						return
					}
				}
			}()
		}
		synctest.Wait()
		if n := f.page.Clients(); n != 2 {
			t.Fatalf("%d clients, want 2", n)
		}
		pass(statuspage.LiveSilence - time.Second)
		if n := f.page.Clients(); n != 2 {
			t.Errorf("%d clients before the silence is long enough, want 2", n)
		}
		pass(time.Hour)
		if n := f.page.Clients(); n != 1 {
			t.Errorf("%d clients after an hour, want the one that answers", n)
		}
		if want := int((time.Hour + statuspage.LiveSilence) / statuspage.LivePing); pings < want-1 || pings > want {
			t.Errorf("%d pings, want about %d", pings, want)
		}
		f.page.CutClients()
		alive.Close()
		silent.Close()
		server.Close()
		<-done
		synctest.Wait()
	})
}

// One network takes a quarter of the places at most; proxies and this machine are not bounded.
func TestLivePlacesOfANetwork(t *testing.T) {
	f := newFixture(t, statuspage.Options{Reader: &reader{}, MaxClients: 40})
	joined := func(n int, ip string) (got int) {
		for range n {
			if f.page.JoinFrom(ip) {
				got++
			}
		}
		return got
	}
	if got := joined(11, "192.0.2.1"); got != 10 {
		t.Errorf("one address: %d of 11 joined, want 10", got)
	}
	if got := joined(6, "2001:db8::1") + joined(6, "2001:db8::2"); got != 10 {
		t.Errorf("one network of IPv6: %d of 12 joined, want 10", got)
	}
	if got := joined(15, "10.1.2.3"); got != 15 {
		t.Errorf("a proxy: %d of 15 joined, want all", got)
	}
	if got := joined(6, "192.0.2.2"); got != 5 {
		t.Errorf("the last places: %d joined, want 5", got)
	}
}

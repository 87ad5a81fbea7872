package subscribe

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/asgood-dev/asgood/internal/mail"
	"github.com/asgood-dev/asgood/internal/quality"
)

// settled waits until no request and nothing late waits.
func (w *world) settled() {
	w.t.Helper()
	eventually(w.t, "the end of what waits", func() bool {
		keys, _ := w.outbox.Keys(w.t.Context())
		for _, k := range keys {
			if strings.HasPrefix(k, askPrefix) || strings.HasPrefix(k, latePrefix) {
				return false
			}
		}
		return true
	})
}

// TestNoAnswerTellsWhoIsSubscribed: the same bytes, and the same work before the answer.
func TestNoAnswerTellsWhoIsSubscribed(t *testing.T) {
	w := newWorld(t, nil)
	w.active(KindEmail, "known@example.com", nil)
	before := w.subscribers.puts
	answers := map[string]string{}
	for _, address := range []string{"known@example.com", "stranger@example.com"} {
		stored := w.outbox.puts
		got := w.do("POST", "/subscribe", wish(KindEmail, address))
		answers[address] = got.Body.String()
		if got.Code != 200 || w.outbox.puts != stored+1 {
			t.Errorf("%s: got %d and %d writes, want 200 and 1", address, got.Code, w.outbox.puts-stored)
		}
		api := w.do("POST", "/api/v2/subscribers.json", url.Values{"subscriber[email]": {address}})
		var out struct{ Subscriber map[string]any }
		if err := json.Unmarshal(api.Body.Bytes(), &out); err != nil || api.Code != 201 || out.Subscriber["mode"] != "email" || out.Subscriber["quarantined_at"] != nil {
			t.Errorf("%s: got %d %s", address, api.Code, api.Body)
		}
	}
	if answers["known@example.com"] != answers["stranger@example.com"] {
		t.Error("the answers differ")
	}
	if w.subscribers.puts != before {
		t.Error("a request touched the subscribers before it was answered")
	}
}

// TestNobodyTakesASubscriptionOver: whoever asks for a subscribed address changes nothing, and its owner hears of it.
func TestNobodyTakesASubscriptionOver(t *testing.T) {
	w := newWorld(t, nil)
	was := w.active(KindEmail, "ada@example.com", func(s *Subscriber) { s.Choice.Features = []string{"search"} })
	w.run()
	form := wish(KindEmail, "ADA@example.com")
	form["feature"] = []string{"assistant"}
	w.do("POST", "/subscribe", form)
	eventually(t, "the mail to the owner", func() bool { return len(w.letters.to("ada@example.com")) == 1 })
	m := w.letters.to("ada@example.com")[0]
	if !strings.Contains(m.Text, "/subscribe/manage/") || strings.Contains(m.Text, "/subscribe/confirm/") || strings.ContainsAny(m.Subject, "\r\n") {
		t.Errorf("got %+v", m)
	}
	s, err := w.get(KindEmail, "ada@example.com")
	if err != nil || s.State != StateActive || len(s.Choice.Features) != 1 || s.Choice.Features[0] != "search" || string(s.Nonce) != string(was.Nonce) {
		t.Errorf("got %+v %v, want it unchanged", s, err)
	}
	// An address is not asked again and again, and the answer does not tell.
	for range 5 {
		if got := w.do("POST", "/subscribe", form); got.Code != 200 {
			t.Errorf("got %d", got.Code)
		}
	}
	w.settled()
	if n := len(w.letters.to("ada@example.com")); n > addressBurst {
		t.Errorf("got %d mails, want %d at most", n, addressBurst)
	}
}

func TestAddresses(t *testing.T) {
	for _, c := range []struct {
		kind          Kind
		address, want string // empty: refused
	}{
		{KindEmail, " Ada@EXAMPLE.com ", "ada@example.com"},
		{KindEmail, "ada@bücher.example", "ada@xn--bcher-kva.example"},
		{KindEmail, "ada@example.com\r\nBcc: x@example.com", ""},
		{KindEmail, "Ada <ada@example.com>", ""},
		{KindEmail, "a@b.example,c@d.example", ""},
		{KindEmail, "ada@[127.0.0.1]", ""},
		{KindEmail, "ada@localhost", ""},
		{KindWebhook, "https://Hooks.Example.com:443/x?y=1#z", "https://hooks.example.com/x?y=1"},
		{KindWebhook, "http://hooks.example.com/x", ""},
		{KindWebhook, "https://127.0.0.1/x", ""},
		{KindWebhook, "https://[::1]/x", ""},
		{KindWebhook, "https://localhost/x", ""},
		{KindWebhook, "https://a:b@hooks.example.com/x", ""},
		{KindWebhook, "https://hooks.example.com:22/x", ""},
		{KindSlack, "https://hooks.slack.com/services/T/B/x", "https://hooks.slack.com/services/T/B/x"},
		{KindSlack, "https://hooks.slack.com.evil.example/x", ""},
		{KindTeams, "https://prod-1.westeurope.logic.azure.com:443/workflows/x?sig=y", "https://prod-1.westeurope.logic.azure.com/workflows/x?sig=y"},
		{KindTeams, "https://logic.azure.com.evil.example/x", ""},
	} {
		got, err := normalise(c.kind, c.address)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s %q: got %q %v, want %q", c.kind, c.address, got, err, c.want)
		}
	}
}

func TestPublicAddresses(t *testing.T) {
	for text, want := range map[string]bool{
		"9.9.9.9": true, "2620:fe::fe": true, "127.0.0.1": false, "10.0.0.1": false, "192.168.1.1": false, "172.16.0.1": false, "169.254.169.254": false,
		"100.100.100.200": false, "168.63.129.16": false, "0.0.0.0": false, "255.255.255.255": false, "224.0.0.1": false, "::1": false, "fe80::1": false, "fd00:ec2::254": false,
		"::ffff:127.0.0.1": false, "64:ff9b::7f00:1": false, "2002:7f00:1::": false, "::": false, "198.18.0.1": false,
	} {
		if got := public(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: got %t, want %t", text, got, want)
		}
	}
}

// TestARebindingNameReachesNothing: the name is public when it is asked for first, and ours when it is called.
func TestARebindingNameReachesNothing(t *testing.T) {
	reached := atomic.Int32{}
	inside := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer inside.Close()
	asked := atomic.Int32{} // for the address of the name
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &dns.Server{PacketConn: conn, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		if q.Question[0].Qtype == dns.TypeA {
			a := net.IPv4(127, 0, 0, 1)
			if asked.Add(1) == 1 {
				a = net.IPv4(9, 9, 9, 9)
			}
			m.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET}, A: a}}
		}
		_ = w.WriteMsg(m)
	})}
	go func() { _ = server.ActivateAndServe() }()
	defer func() { _ = server.Shutdown() }()
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
	checked, err := resolver.LookupNetIP(t.Context(), "ip4", "hooks.example.com")
	if err != nil || len(checked) != 1 || !public(checked[0]) {
		t.Fatalf("who checks the name first: got %v %v, want a public address", checked, err)
	}
	client := &http.Client{Transport: outside(resolver)}
	for _, target := range []string{"https://hooks.example.com/x", inside.URL, "https://169.254.169.254/latest"} {
		res, err := client.Get(target)
		if err == nil {
			res.Body.Close()
			t.Errorf("%s: reached", target)
		} else if quality.KindOf(err) != quality.KindForbidden {
			t.Errorf("%s: got %v, want the guard's refusal", target, err)
		}
	}
	if reached.Load() != 0 || asked.Load() < 2 {
		t.Errorf("reached %d times, asked %d times", reached.Load(), asked.Load())
	}
}

// answering is a webhook of somebody.
type answering struct {
	mu       sync.Mutex
	messages []payload
	echo     bool
	status   int
}

func (a *answering) RoundTrip(r *http.Request) (*http.Response, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var p payload
	_ = json.NewDecoder(r.Body).Decode(&p)
	a.messages = append(a.messages, p)
	body := "ok"
	if a.echo {
		body = `{"challenge":"` + p.Data.Challenge + `"}`
	}
	return &http.Response{StatusCode: a.status, Body: io.NopCloser(strings.NewReader(body)), Header: http.Header{}, Request: r}, nil
}

func (a *answering) set(echo bool, status int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.echo, a.status = echo, status
}

func (a *answering) types() (out []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, m := range a.messages {
		out = append(out, m.Type)
	}
	return out
}

// TestWebhookChallengeAndGone: nothing is sent before the challenge is answered, and nothing after 410.
func TestWebhookChallengeAndGone(t *testing.T) {
	a := &answering{status: 200}
	w := newWorld(t, func(o *Options) { o.Transport = a })
	w.run()
	w.do("POST", "/subscribe", wish(KindWebhook, "https://hooks.example.com/x"))
	eventually(t, "the challenge", func() bool { return len(a.types()) > 0 })
	if s, err := w.get(KindWebhook, "https://hooks.example.com/x"); err != nil || s.State != StateUnconfirmed {
		t.Fatalf("without an answer: got %+v %v", s, err)
	}
	a.set(true, 200)
	eventually(t, "the answer", func() bool {
		s, err := w.get(KindWebhook, "https://hooks.example.com/x")
		return err == nil && s.State == StateActive
	})
	w.settled()
	if err := w.s.take(t.Context(), published("n1")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the notice", func() bool { ts := a.types(); return ts[len(ts)-1] == "incident.published" })
	a.set(false, 410)
	if err := w.s.take(t.Context(), published("n2")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the quarantine", func() bool {
		s, err := w.get(KindWebhook, "https://hooks.example.com/x")
		return err == nil && s.State == StateQuarantined
	})
}

// TestOnceAcrossAKill stops a service in the middle of a notice, again and again, and counts the mails by their ids.
func TestOnceAcrossAKill(t *testing.T) {
	const n = 300
	w := newWorld(t, nil)
	for i := range n {
		w.active(KindEmail, "p"+string(rune('a'+i%26))+time.Duration(i).String()+"@example.com", nil)
	}
	half := make(chan struct{})
	count := 0
	w.letters.fail = func(mail.Message) error {
		if count++; count%120 == 0 {
			select {
			case half <- struct{}{}:
			default:
			}
		}
		return nil
	}
	stop := w.run()
	if err := w.s.take(t.Context(), published("n1")); err != nil {
		t.Fatal(err)
	}
	select {
	case <-half:
	case <-time.After(5 * time.Second):
	}
	stop()
	w.renew()
	w.run()
	eventually(t, "the end of the notice", func() bool { return done(w, KindEmail, "n1") })
	ids := map[string]int{}
	for _, m := range w.letters.sent {
		ids[m.ID]++
	}
	twice := 0
	for _, c := range ids {
		twice += c - 1
	}
	if len(ids) != n || twice > 0 {
		t.Errorf("got %d mails of %d subscribers, %d twice", len(w.letters.sent), len(ids), twice)
	}
}

// TestOnlyWhatIsPublic: internal updates and incidents go to nobody.
func TestOnlyWhatIsPublic(t *testing.T) {
	w := newWorld(t, nil)
	secret := published("n1")
	secret.Update = "secret"
	for name, n := range map[string]quality.Notice{"internal update": secret, "no such incident": {ID: "n2", Incident: "inc_9"}} {
		if got, err := w.s.texts.news(t.Context(), w.s.tongues.named("en"), n); err != nil || got != nil {
			t.Errorf("%s: got %+v %v", name, got, err)
		}
	}
	w.desk.change("inc_1", func(i *quality.Incident) { i.Visibility = quality.VisibilityInternal })
	if got, err := w.s.texts.news(t.Context(), w.s.tongues.named("en"), published("n3")); err != nil || got != nil {
		t.Errorf("internal incident: got %+v %v", got, err)
	}
}

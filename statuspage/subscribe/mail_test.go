package subscribe

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestMailOptInNoticeAndOneClick follows one address through a real mail server.
func TestMailOptInNoticeAndOneClick(t *testing.T) {
	p := startMailpit(t)
	w := newWorld(t, func(o *Options) { o.Mailer = p.sender() })
	w.run()
	if got := w.do("POST", "/subscribe", wish(KindEmail, "Ada@Example.com")); got.Code != 200 || !strings.Contains(got.Body.String(), "One more step") {
		t.Fatalf("asking: got %d %s", got.Code, got.Body)
	}
	eventually(t, "the question", func() bool { return len(p.mails()) == 1 })
	text, html, header := p.read(p.mails()[0].ID)
	if header.Get("List-Unsubscribe") != "" || header.Get("Auto-Submitted") != "auto-generated" || header.Get("Precedence") != "bulk" {
		t.Errorf("headers of the question: %v", header)
	}
	paths := pathsIn(text)
	if len(paths) != 1 || !strings.HasPrefix(paths[0], "/subscribe/confirm/") || !strings.Contains(html, paths[0]) {
		t.Fatalf("links of the question: %q in %q", paths, text)
	}
	// Scanners follow links: that confirms nothing.
	if got := w.do("GET", paths[0], nil); got.Code != 200 || !strings.Contains(got.Body.String(), "<button") {
		t.Fatalf("the page: got %d %s", got.Code, got.Body)
	}
	w.do("HEAD", paths[0], nil)
	if s, err := w.get(KindEmail, "ada@example.com"); err != nil || s.State != StateUnconfirmed {
		t.Fatalf("after looking at it: got %+v %v, want unconfirmed", s, err)
	}
	if err := w.s.take(t.Context(), published("n0")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the end of what is not for it", func() bool {
		return done(w, KindEmail, "n0") && !w.s.lanes[KindEmail].behind(w.s.tokens.id(KindEmail, "ada@example.com"))
	})
	if got := w.do("POST", paths[0], url.Values{}); got.Code != 200 || !strings.Contains(got.Body.String(), "You are subscribed") {
		t.Fatalf("confirming: got %d %s", got.Code, got.Body)
	}
	if err := w.s.take(t.Context(), published("n1")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the notice", func() bool { return len(p.mails()) == 2 })
	checkNoticeMail(t, w, p)
}

func checkNoticeMail(t *testing.T, w *world, p *mailpit) {
	t.Helper()
	m := p.mails()[1]
	text, html, header := p.read(m.ID)
	for _, want := range []string{"Investigating: Worse answers", "Affects: Assistant", "Since about: 3 Mar 2026, 09:14 UTC", "Next update: 3 Mar 2026, 10:14 UTC",
		"https://status.acme.example/incidents/inc_1", "Answers are worse by 4 %"} {
		if !strings.Contains(text, want) {
			t.Errorf("text lacks %q:\n%s", want, text)
		}
	}
	for _, want := range []string{"<strong>worse</strong>", "Worse answers &lt;b&gt;of&lt;/b&gt;", "Next update:", "/incidents/inc_1"} {
		if !strings.Contains(html, want) {
			t.Errorf("HTML lacks %q:\n%s", want, html)
		}
	}
	if strings.Contains(text+html, "Bob") || strings.Contains(html, "<script") {
		t.Errorf("the mail holds what it must not:\n%s\n%s", text, html)
	}
	if m.MessageID != messageID("n1", w.s.tokens.id(KindEmail, "ada@example.com"))+"@acme.example" {
		t.Errorf("message id: got %q", m.MessageID)
	}
	link := strings.Trim(header.Get("List-Unsubscribe"), "<>")
	if header.Get("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click" || !strings.HasPrefix(link, "https://status.acme.example/unsubscribe/") {
		t.Fatalf("headers: %v", header)
	}
	path := strings.TrimPrefix(link, "https://status.acme.example")
	w.do("HEAD", path, nil)
	if got := w.do("GET", path, nil); got.Code != 200 || !strings.Contains(got.Body.String(), "<button") {
		t.Errorf("looking at it: got %d", got.Code)
	}
	if _, err := w.get(KindEmail, "ada@example.com"); err != nil {
		t.Fatalf("a look unsubscribed: %v", err)
	}
	for range 2 {
		if got := w.do("POST", path, url.Values{"List-Unsubscribe": {"One-Click"}}); got.Code != http.StatusOK {
			t.Errorf("one click: got %d %s", got.Code, got.Body)
		}
	}
	if _, err := w.get(KindEmail, "ada@example.com"); err == nil {
		t.Error("one click did not unsubscribe")
	}
	if err := w.s.take(t.Context(), published("n2")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the end of the notice", func() bool { return done(w, KindEmail, "n2") })
	if n := len(p.mails()); n != 2 {
		t.Errorf("got %d mails, want 2: none after unsubscribing", n)
	}
}

// done reports whether a notice has gone to everybody of a kind.
func done(w *world, k Kind, notice string) bool {
	data, _, err := w.outbox.Get(w.t.Context(), jobKey(k, notice))
	return err == nil && strings.Contains(string(data), `"done"`)
}

// TestMailQuarantine: who does not exist is not asked again; a failure that passes is no reason.
func TestMailQuarantine(t *testing.T) {
	p := startMailpit(t)
	w := newWorld(t, func(o *Options) { o.Mailer = p.sender() })
	w.active(KindEmail, "dead@gone.example", nil)
	w.active(KindEmail, "live@example.com", nil)
	w.run()
	if err := w.s.take(t.Context(), published("n1")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the quarantine", func() bool {
		s, err := w.get(KindEmail, "dead@gone.example")
		return err == nil && s.State == StateQuarantined
	})
	eventually(t, "the mail to who lives", func() bool { return len(p.mails()) == 1 })
	s, _ := w.get(KindEmail, "dead@gone.example")
	if s.Why != "the mail relay does not take the recipient" || s.Quarantined == nil {
		t.Errorf("got %+v", s)
	}
	if w.s.lanes[KindEmail].behind(s.ID) {
		t.Error("something still waits for who is in quarantine")
	}
	p.chaos(451, 100)
	if err := w.s.take(t.Context(), published("n2")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a failure that passes", func() bool { s, err := w.get(KindEmail, "live@example.com"); return err == nil && s.Failures > 0 })
	p.chaos(451, 0)
	eventually(t, "the second mail", func() bool { return len(p.mails()) == 2 })
	eventually(t, "forgetting the failure", func() bool {
		s, err := w.get(KindEmail, "live@example.com")
		return err == nil && s.State == StateActive && s.FailingSince == nil
	})
}

// TestMailRelayAway: while the relay does not answer nobody is blamed, and all get it afterwards.
func TestMailRelayAway(t *testing.T) {
	p := startMailpit(t)
	port := p.port
	p.port = freePort(t)
	away := p.sender()
	p.port = port
	w := newWorld(t, func(o *Options) { o.Mailer = away })
	w.active(KindEmail, "ada@example.com", nil)
	stop := w.run()
	if err := w.s.take(t.Context(), published("n1")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "trouble", func() bool { w.s.troubles.mu.Lock(); defer w.s.troubles.mu.Unlock(); return len(w.s.troubles.at) > 0 })
	if s, err := w.get(KindEmail, "ada@example.com"); err != nil || s.Failures != 0 {
		t.Errorf("got %+v %v, want no failures", s, err)
	}
	stop()
	w.opts.Mailer = p.sender()
	w.renew()
	w.run()
	eventually(t, "the mail", func() bool { return len(p.mails()) == 1 })
}

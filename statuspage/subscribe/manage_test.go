package subscribe

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/mail"
	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
)

// TestManagePage: who has the link sees and changes what it hears of and in which language, and nobody else does.
func TestManagePage(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Languages = []string{"en", "de"} })
	sub := w.active(KindEmail, "ada@example.com", nil)
	path := w.s.pages.relative(sub).Manage
	if got := w.do("GET", path+"?lang=de", nil); got.Code != 200 || !strings.Contains(got.Body.String(), "Ihr Abonnement") || !strings.Contains(got.Body.String(), `lang="de"`) {
		t.Fatalf("in German: got %d %s", got.Code, got.Body)
	}
	got := w.do("GET", path, nil)
	for _, want := range []string{"ada@example.com", "quality, uptime and maintenance of all features", `value="search" checked`, `action="` + path + `?lang=en"`} {
		if !strings.Contains(got.Body.String(), want) {
			t.Errorf("the page lacks %q: %s", want, got.Body)
		}
	}
	form := url.Values{"features": {"1"}, "feature": {"search"}, "topic": {"uptime"}, "language": {"de"}}
	if got := w.do("POST", path, form); got.Code != 200 || !strings.Contains(got.Body.String(), "Saved.") {
		t.Fatalf("saving: got %d %s", got.Code, got.Body)
	}
	s, err := w.get(KindEmail, "ada@example.com")
	if err != nil || len(s.Choice.Features) != 1 || s.Choice.Features[0] != "search" || len(s.Choice.Topics) != 1 || s.Choice.Topics[0] != quality.NoticeUptime || s.Lang != "de" {
		t.Errorf("got %+v %v", s, err)
	}
	for name, form := range map[string]url.Values{
		"nothing chosen": {"features": {"1"}, "topic": {"uptime"}}, "no such feature": {"features": {"1"}, "feature": {"x"}, "topic": {"uptime"}},
		"no such language": {"topic": {"uptime"}, "features": {"1"}, "feature": {"search"}, "language": {"xx"}},
	} {
		if got := w.do("POST", path, form); got.Code != http.StatusBadRequest || !strings.Contains(got.Body.String(), `role="alert"`) {
			t.Errorf("%s: got %d", name, got.Code)
		}
	}
	for _, path := range []string{path + "x", path[:len(path)-1], strings.Replace(w.s.pages.relative(sub).Unsubscribe, "/unsubscribe/", "/subscribe/manage/", 1)} {
		if got := w.do("GET", path, nil); got.Code != http.StatusNotFound {
			t.Errorf("%s: got %d, want 404", path, got.Code)
		}
	}
}

// TestAdminRoutes: what is done is written down first; when it cannot be, nothing is done.
func TestAdminRoutes(t *testing.T) {
	var written []quality.Audited
	var broken error
	w := newWorld(t, func(o *Options) {
		o.Audit = func(_ context.Context, e quality.Audited) error {
			if broken == nil {
				written = append(written, e)
			}
			return broken
		}
	})
	sub := w.active(KindEmail, "ada@example.com", nil)
	at := time.Now()
	stuck := w.active(KindWebhook, "https://hooks.example.com/secret", func(s *Subscriber) { s.State, s.Quarantined, s.Why = StateQuarantined, &at, "gone" })
	var out list
	got := w.do("GET", "/v1/subscribers?limit=1", nil)
	if err := json.Unmarshal(got.Body.Bytes(), &out); err != nil || len(out.Subscribers) != 1 || out.Next == "" {
		t.Fatalf("got %d %s %v", got.Code, got.Body, err)
	}
	got = w.do("GET", "/v1/subscribers?state=quarantined", nil)
	if !strings.Contains(got.Body.String(), "https://hooks.example.com/***") || strings.Contains(got.Body.String(), "secret") || strings.Contains(got.Body.String(), "a***@") {
		t.Errorf("got %s", got.Body)
	}
	if got := w.do("GET", "/v1/subscribers?state=x", nil); got.Code != 400 {
		t.Errorf("a state that is none: got %d", got.Code)
	}
	broken = quality.Errorf(quality.KindUnavailable, "no log")
	if got := w.do("DELETE", "/v1/subscribers/"+sub.ID, nil); got.Code != http.StatusServiceUnavailable {
		t.Errorf("without a log: got %d", got.Code)
	}
	broken = nil
	for _, step := range []struct {
		method, path string
		code         int
	}{
		{"POST", "/v1/subscribers/" + stuck.ID + "/release", 200}, {"POST", "/v1/subscribers/" + stuck.ID + "/release", 409},
		{"DELETE", "/v1/subscribers/" + sub.ID, 200}, {"DELETE", "/v1/subscribers/" + sub.ID, 404},
	} {
		if got := w.do(step.method, step.path, nil); got.Code != step.code {
			t.Errorf("%s %s: got %d %s, want %d", step.method, step.path, got.Code, got.Body, step.code)
		}
	}
	if len(written) != 2 || written[0].Action != "subscriber.released" || written[1].Action != "subscriber.removed" || written[1].Detail != "a***@example.com" {
		t.Errorf("written down: %+v", written)
	}
	if s, err := w.get(KindWebhook, "https://hooks.example.com/secret"); err != nil || s.State != StateActive {
		t.Errorf("got %+v %v", s, err)
	}
}

// TestUnconfirmedArePurged: after 24 hours nothing is known any more of who never confirmed.
func TestUnconfirmedArePurged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		stop := w.run()
		w.do("POST", "/subscribe", wish(KindEmail, "ada@example.com"))
		synctest.Wait()
		sub, err := w.get(KindEmail, "ada@example.com")
		if err != nil || len(w.letters.sent) != 1 {
			t.Fatalf("got %+v %v", sub, err)
		}
		link := w.s.pages.relative(sub).Confirm
		until(23*time.Hour + 45*time.Minute)
		if got := w.do("GET", link, nil); got.Code != 200 {
			t.Errorf("before the end: got %d", got.Code)
		}
		until(30 * time.Minute)
		if got := w.do("POST", link, url.Values{}); got.Code != http.StatusNotFound {
			t.Errorf("after it: got %d", got.Code)
		}
		if n := len(w.subscribers.docs) + len(w.outbox.docs); n != 0 {
			t.Errorf("got %d documents, want none", n)
		}
		stop()
	})
}

// until lets time pass, in a bubble.
func until(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// TestQuarantineAfterDays: who is not reached for three days, again and again, gets no more; who is reached in
// between does. The whole stands still in a bubble.
func TestQuarantineAfterDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		away := &mail.Error{Fault: mail.FaultRecipient, Err: context.DeadlineExceeded}
		well := false
		w.letters.fail = func(m mail.Message) error {
			if m.To == "full@example.com" || m.To == "slow@example.com" && !well {
				return away
			}
			return nil
		}
		w.active(KindEmail, "full@example.com", nil)
		w.active(KindEmail, "slow@example.com", nil)
		w.active(KindEmail, "fine@example.com", nil)
		stop := w.run()
		if err := w.s.take(t.Context(), published("n1")); err != nil {
			t.Fatal(err)
		}
		until(2 * 24 * time.Hour)
		if len(w.letters.to("fine@example.com")) != 1 {
			t.Error("who can be reached was not")
		}
		w.letters.mu.Lock()
		well = true
		w.letters.mu.Unlock()
		until(2 * 24 * time.Hour)
		full, _ := w.get(KindEmail, "full@example.com")
		slow, _ := w.get(KindEmail, "slow@example.com")
		if full.State != StateQuarantined || full.Failures < failingTimes || slow.State != StateActive || slow.FailingSince != nil {
			t.Errorf("got %+v and %+v", full, slow)
		}
		if len(w.letters.to("slow@example.com")) != 1 {
			t.Error("who came back did not get the notice once")
		}
		until(91 * 24 * time.Hour)
		if _, err := w.get(KindEmail, "full@example.com"); err == nil {
			t.Error("after 90 days it is still there")
		}
		stop()
	})
}

// TestOnlyTrustedProxiesSpeakForOthers: a private address is counted as any other, and a header says nothing
// unless the proxy is trusted.
func TestOnlyTrustedProxiesSpeakForOthers(t *testing.T) {
	for name, tt := range map[string]struct {
		trusted []string
		want    int // requests that are taken
	}{"none": {nil, networkBurst}, "the proxy": {[]string{"127.0.0.1"}, networkBurst + 10}} {
		w := newWorld(t, nil)
		e := web.New(web.Options{TrustedProxies: tt.trusted})
		w.s.Register(e)
		taken := 0
		for i := range networkBurst + 10 {
			if forwarded(w, e, "9.9."+string(rune('0'+i/10))+"."+string(rune('0'+i%10))) == 200 {
				taken++
			}
		}
		if taken != tt.want {
			t.Errorf("%s: %d were taken, want %d", name, taken, tt.want)
		}
	}
}

func forwarded(w *world, e *gin.Engine, from string) int {
	r := httptest.NewRequestWithContext(w.t.Context(), "POST", "/subscribe", strings.NewReader(wish(KindEmail, "a"+from+"@example.com").Encode()))
	r.RemoteAddr = "127.0.0.1:4711"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Forwarded-For", from)
	out := httptest.NewRecorder()
	e.ServeHTTP(out, r)
	return out.Code
}

// TestMailsSpeakTheLanguageOfTheSubscriber: the one of the form, whatever the page of the notice speaks.
func TestMailsSpeakTheLanguageOfTheSubscriber(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Languages = []string{"en", "de"} })
	w.run()
	if got := w.do("POST", "/subscribe?lang=de", wish(KindEmail, "ada@example.com")); !strings.Contains(got.Body.String(), "Noch ein Schritt") {
		t.Fatalf("got %s", got.Body)
	}
	eventually(t, "the question", func() bool { return len(w.letters.to("ada@example.com")) == 1 })
	m := w.letters.to("ada@example.com")[0]
	if m.Subject != "Bestätigen Sie Ihr Abonnement: Acme status" || !strings.Contains(m.HTML, `<html lang="de">`) || !strings.Contains(m.Text, "Qualität, Verfügbarkeit und Wartung von allen Funktionen") {
		t.Errorf("got %q %s", m.Subject, m.Text)
	}
	w.do("POST", pathsIn(m.Text)[0], url.Values{})
	w.settled()
	n := quality.Notice{ID: "n2", Kind: quality.NoticeMaintenance, Maintenance: "mnt_1", Update: "m1", Features: []string{"search"}, What: quality.NoticeScheduled, At: start}
	if err := w.s.take(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the notice", func() bool { return len(w.letters.to("ada@example.com")) == 2 })
	m = w.letters.to("ada@example.com")[1]
	for _, want := range []string{"Wartung geplant: New index", "Betrifft: Search", "Geplant: 3. März 2026, 09:14 UTC bis 3. März 2026, 11:14 UTC", "Abbestellen: "} {
		if !strings.Contains(m.Text, want) {
			t.Errorf("the mail lacks %q:\n%s", want, m.Text)
		}
	}
	// A refusal is in the visitor's language, and in English to programs.
	if got := w.do("POST", "/subscribe?lang=de", wish(KindEmail, "x")); got.Code != 400 || !strings.Contains(got.Body.String(), "Keine E-Mail-Adresse") {
		t.Errorf("got %d %s", got.Code, got.Body)
	}
	if got := w.do("POST", "/api/v2/subscribers.json?lang=de", url.Values{"subscriber[email]": {"x"}}); got.Code != 400 || !strings.Contains(got.Body.String(), "Not an e-mail address") {
		t.Errorf("got %d %s", got.Code, got.Body)
	}
}

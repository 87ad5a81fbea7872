package links_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/auth/links"
	"github.com/asgood-dev/asgood/internal/bus"
	"github.com/asgood-dev/asgood/internal/quality"
)

// world is what processes share.
type world struct {
	t   testing.TB
	kv  *bus.Bucket
	mu  sync.Mutex
	now time.Time
	log []quality.Audited
	bad error
}

func newWorld(t testing.TB) *world {
	t.Helper()
	b, err := bus.Open(t.Context(), bus.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	kv, err := b.Bucket(t.Context(), "links")
	if err != nil {
		t.Fatal(err)
	}
	return &world{t: t, kv: kv, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
}

func (w *world) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) add(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) audit(_ context.Context, e quality.Audited) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.bad == nil {
		w.log = append(w.log, e)
	}
	return w.bad
}

func (w *world) audited() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	for _, e := range w.log {
		out = append(out, e.Action)
	}
	return strings.Join(out, " ")
}

// book runs a book until stop.
func (w *world) book() (b *links.Book, stop func()) {
	w.t.Helper()
	b, err := links.New(w.t.Context(), links.Options{Store: w.kv, Audit: w.audit, Now: w.Now})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Error(err)
		}
	})
	w.t.Cleanup(stop)
	return b, stop
}

var ada = quality.Actor{Kind: quality.ActorHuman, ID: "local:ada", Name: "Ada", Credential: "session"}

func TestLinks(t *testing.T) {
	w := newWorld(t)
	b, stop := w.book()
	other, _ := w.book()
	token, l, err := b.Make(t.Context(), "acme", "private-page", w.Now().Add(48*time.Hour), ada)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.Make(t.Context(), "globex", "private-page", w.Now().Add(time.Hour), ada); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		got, err := b.Check(t.Context(), token, "private-page")
		if err != nil || got.Customer != "acme" || got.By != ada {
			t.Fatalf("got %+v %v", got, err)
		}
		w.add(time.Minute)
	}
	if got := b.List("acme"); len(got) != 1 || got[0].Uses != 3 || !got[0].LastUsed.Equal(w.Now().Add(-time.Minute)) {
		t.Errorf("got %+v, want three uses", got)
	}
	if got := b.List(""); len(got) != 2 || got[0].ID == "" {
		t.Errorf("got %+v, want both", got)
	}
	stop() // what was counted is stored
	eventually(t, "the uses in the other process", func() bool {
		got := other.List("acme")
		return len(got) == 1 && got[0].Uses == 3
	})
	if _, err := other.Revoke(t.Context(), l.ID, ada); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Check(t.Context(), token, "private-page"); quality.KindOf(err) != quality.KindForbidden || !strings.Contains(err.Error(), "taken back") {
		t.Errorf("revoked: got %v", err)
	}
	if got := w.audited(); got != "link.made link.made link.used link.revoked" {
		t.Errorf("audited %q", got)
	}
}

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	limit := time.NewTimer(10 * time.Second)
	defer limit.Stop()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-limit.C:
			t.Fatalf("%s did not come", what)
		case <-tick.C:
		}
	}
}

func TestARevokedLinkFailsEverywhere(t *testing.T) {
	w := newWorld(t)
	a, _ := w.book()
	b, _ := w.book()
	token, l, err := a.Make(t.Context(), "acme", "report", w.Now().Add(time.Hour), ada)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the link in the other process", func() bool { _, err := b.Check(t.Context(), token, "report"); return err == nil })
	if _, err := a.Revoke(t.Context(), l.ID, ada); err != nil {
		t.Fatal(err)
	}
	eventually(t, "its end in the other process", func() bool { _, err := b.Check(t.Context(), token, "report"); return err != nil })
}

func TestLinksThatAreNotGood(t *testing.T) {
	w := newWorld(t)
	b, _ := w.book()
	token, _, err := b.Make(t.Context(), "acme", "private-page", w.Now().Add(time.Hour), ada)
	if err != nil {
		t.Fatal(err)
	}
	_, unknown := b.Check(t.Context(), "aaaaaaaaaa_"+strings.Repeat("A", 43), "private-page")
	for name, try := range map[string]func() (links.Link, error){
		"another purpose": func() (links.Link, error) { return b.Check(t.Context(), token, "report") },
		"another secret":  func() (links.Link, error) { return b.Check(t.Context(), token[:len(token)-2]+"~~", "private-page") },
		"cut short":       func() (links.Link, error) { return b.Check(t.Context(), token[:len(token)-2], "private-page") },
		"nothing":         func() (links.Link, error) { return b.Check(t.Context(), "", "private-page") },
	} {
		if _, err := try(); quality.KindOf(err) != quality.KindNotFound || err.Error() != unknown.Error() {
			t.Errorf("%s: got %v, want what all get", name, err)
		}
	}
	w.add(time.Hour)
	if _, err := b.Check(t.Context(), token, "private-page"); quality.KindOf(err) != quality.KindForbidden || !strings.Contains(err.Error(), "expired") {
		t.Errorf("expired: got %v", err)
	}
	for name, make := range map[string]func() error{
		"no customer": func() error { _, _, err := b.Make(t.Context(), "", "report", w.Now().Add(time.Hour), ada); return err },
		"a purpose":   func() error { _, _, err := b.Make(t.Context(), "acme", "a b", w.Now().Add(time.Hour), ada); return err },
		"the past":    func() error { _, _, err := b.Make(t.Context(), "acme", "report", w.Now(), ada); return err },
		"for ever": func() error {
			_, _, err := b.Make(t.Context(), "acme", "report", w.Now().Add(links.MaxLife+1), ada)
			return err
		},
	} {
		if err := make(); quality.KindOf(err) != quality.KindInvalid {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := b.Revoke(t.Context(), "aaaaaaaaaa", ada); quality.KindOf(err) != quality.KindNotFound {
		t.Errorf("revoking none: got %v", err)
	}
}

// What cannot be written down does not happen.
func TestTheAuditLogIsAway(t *testing.T) {
	w := newWorld(t)
	b, _ := w.book()
	token, l, err := b.Make(t.Context(), "acme", "report", w.Now().Add(time.Hour), ada)
	if err != nil {
		t.Fatal(err)
	}
	w.mu.Lock()
	w.bad = errors.New("the disk is full")
	w.mu.Unlock()
	if _, _, err := b.Make(t.Context(), "acme", "report", w.Now().Add(time.Hour), ada); err == nil || len(b.List("")) != 1 {
		t.Errorf("making: got %v and %d links", err, len(b.List("")))
	}
	if _, err := b.Revoke(t.Context(), l.ID, ada); err == nil || b.List("")[0].State(w.Now()) != "active" {
		t.Errorf("revoking: got %v", err)
	}
	if _, err := b.Check(t.Context(), token, "report"); err == nil {
		t.Error("a use that is not written down: want an error")
	}
}

package people_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"
	"pgregory.net/rapid"

	"github.com/asgood-dev/asgood/internal/auth"
	"github.com/asgood-dev/asgood/internal/auth/people"
	"github.com/asgood-dev/asgood/internal/quality"
)

// memory is a store without sockets, for time that does not pass and for many short runs.
type memory struct {
	mu       sync.Mutex
	docs     map[string][]byte
	revs     map[string]uint64
	rev      uint64
	keepsAll bool // nothing can be deleted
}

func newMemory() *memory { return &memory{docs: map[string][]byte{}, revs: map[string]uint64{}} }

func (m *memory) Get(_ context.Context, key string) ([]byte, uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if data, ok := m.docs[key]; ok {
		return bytes.Clone(data), m.revs[key], nil
	}
	return nil, 0, quality.Errorf(quality.KindNotFound, "no %q", key)
}

func (m *memory) put(key string, data []byte) (uint64, error) {
	m.rev++
	m.docs[key], m.revs[key] = bytes.Clone(data), m.rev
	return m.rev, nil
}

func (m *memory) Create(_ context.Context, key string, data []byte) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.docs[key]; ok {
		return 0, quality.Errorf(quality.KindConflict, "there is %q", key)
	}
	return m.put(key, data)
}

func (m *memory) Update(_ context.Context, key string, data []byte, rev uint64) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.revs[key] != rev {
		return 0, quality.Errorf(quality.KindConflict, "%q changed", key)
	}
	return m.put(key, data)
}

func (m *memory) Delete(_ context.Context, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.keepsAll {
		return errors.New("the store is away")
	}
	delete(m.docs, key)
	delete(m.revs, key)
	return nil
}

func (m *memory) Keys(context.Context) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.docs)), nil
}

func (m *memory) Watch(ctx context.Context, _ func(string, []byte, uint64, bool)) error {
	<-ctx.Done()
	return ctx.Err()
}

// small is people without sockets, and the routes through their gate.
type small struct {
	*people.People
	engine   *gin.Engine
	sessions *memory
}

func newSmall(t interface {
	Context() context.Context
	Fatal(...any)
}, now func() time.Time) *small {
	s := &small{sessions: newMemory()}
	keys, err := auth.New(t.Context(), auth.Options{Store: newMemory()})
	if err != nil {
		t.Fatal(err)
	}
	s.People, err = people.New(t.Context(), people.Options{
		Accounts: newMemory(), Sessions: s.sessions, Links: newMemory(), Passkeys: newMemory(), Now: now,
		URL: func() string { return "http://127.0.0.1:1" }, Home: "/console", Audit: func(context.Context, quality.Audited) error { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	s.engine = (&process{People: s.People, keys: keys}).engine()
	return s
}

// do sends a request with a cookie and returns the answer.
func (s *small) do(method, path, cookie string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.RemoteAddr = "127.0.0.1:5"
	if cookie != "" {
		r.AddCookie(&http.Cookie{Name: "asgood_session", Value: cookie})
	}
	w := httptest.NewRecorder()
	s.engine.ServeHTTP(w, r)
	return w
}

// in signs somebody in and returns the cookie of the session.
func (s *small) in(t interface {
	Context() context.Context
	Fatal(...any)
}, name string) string {
	l, err := s.Link(t.Context(), name, quality.RoleEditor)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(l.URL)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range s.do(http.MethodPost, u.Path, "", nil).Result().Cookies() {
		if c.Name == "asgood_session" {
			return c.Value
		}
	}
	t.Fatal("nobody is in")
	return ""
}

func (s *small) open(cookie string) bool {
	return s.do(http.MethodGet, "/console", cookie, nil).Code == http.StatusOK
}

func (s *small) csrf(cookie string) string {
	m := csrfShown.FindStringSubmatch(s.do(http.MethodGet, "/console", cookie, nil).Body.String())
	if m == nil {
		return ""
	}
	return m[1]
}

// The life of sessions by the clock itself, with the loop that forgets them.
func TestTheLifeOfASession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSmall(t, time.Now)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := s.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		idle, used := s.in(t, "Ada"), s.in(t, "Bob")
		pass := func(d time.Duration) {
			<-time.After(d)
			synctest.Wait()
		}
		for range 2 {
			pass(people.DefaultIdle - time.Minute)
			if !s.open(used) {
				t.Fatal("a session that is used ended")
			}
		}
		if s.open(idle) {
			t.Error("a session that was not used is open")
		}
		pass(people.DefaultIdle - time.Minute)
		if !s.open(used) {
			t.Error("a session ended before its life was over")
		}
		pass(3 * time.Minute)
		if s.open(used) {
			t.Error("a session outlived its life")
		}
		pass(time.Minute)
		if keys, err := s.sessions.Keys(t.Context()); len(keys) != 0 || err != nil {
			t.Errorf("sessions that are over are kept: %v %v", keys, err)
		}
		cancel()
		wg.Wait()
	})
}

// Whatever people do in whatever order, a session is open when and only when it should be: from signing in until it
// ends, also when the store cannot delete, and when somebody comes again under the same name.
func TestSessionsAreOpenWhenTheyShould(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := testNow
		s := newSmall(t, func() time.Time { return now })
		type held struct {
			cookie, name string
			began, seen  time.Time
			over         bool
		}
		var all []*held
		names := []string{"Ada", "Bob", "Cy"}
		pick := func(t *rapid.T) *held {
			if len(all) == 0 {
				t.Skip("nobody")
			}
			return all[rapid.IntRange(0, len(all)-1).Draw(t, "session")]
		}
		alive := func(h *held) bool {
			return !h.over && now.Sub(h.seen) < people.DefaultIdle && now.Sub(h.began) < people.DefaultLifetime
		}
		t.Repeat(map[string]func(*rapid.T){
			"sign in": func(t *rapid.T) {
				name := rapid.SampledFrom(names).Draw(t, "name")
				n, oldest := 0, (*held)(nil)
				for _, h := range all {
					if h.name == name && alive(h) {
						if n++; oldest == nil {
							oldest = h
						}
					}
				}
				if n >= 10 {
					t.Skip("the oldest gives way, which another test sees")
				}
				all = append(all, &held{cookie: s.in(t, name), name: name, began: now, seen: now})
			},
			"sign out": func(t *rapid.T) {
				h := pick(t)
				s.do(http.MethodPost, "/logout", h.cookie, url.Values{"csrf": {s.csrf(h.cookie)}})
				h.over = true
			},
			"remove": func(t *rapid.T) {
				name := rapid.SampledFrom(names).Draw(t, "name")
				s.sessions.keepsAll = rapid.Bool().Draw(t, "cannot delete")
				if _, err := s.Remove(t.Context(), "local:"+strings.ToLower(name)); err != nil && quality.KindOf(err) != quality.KindNotFound {
					t.Fatal(err)
				}
				s.sessions.keepsAll = false
				for _, h := range all {
					h.over = h.over || h.name == name
				}
				now = now.Add(time.Nanosecond) // no two accounts of a name begin at once
			},
			"wait": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(1, 600).Draw(t, "minutes")) * time.Minute)
			},
			"": func(t *rapid.T) {
				for _, h := range all {
					want := alive(h)
					if got := s.open(h.cookie); got != want {
						t.Fatalf("session of %s from %s: open %v, want %v", h.name, h.began, got, want)
					}
					if want {
						h.seen = now
					} else {
						h.over = true
					}
				}
			},
		})
	})
}

// The token of a form counts in a form with files as well.
func TestFormsWithFilesNeedTheToken(t *testing.T) {
	s := newSmall(t, func() time.Time { return testNow })
	cookie := s.in(t, "Ada")
	send := func(token string) *httptest.ResponseRecorder {
		body := "--x\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nhello\r\n"
		body += "--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"csrf\"\r\n\r\n" + s.csrf(cookie) + "\r\n"
		if token != "" {
			body += "--x\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n" + token + "\r\n"
		}
		r := httptest.NewRequest(http.MethodPost, "/publish", strings.NewReader(body+"--x--\r\n"))
		r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
		r.AddCookie(&http.Cookie{Name: "asgood_session", Value: cookie})
		w := httptest.NewRecorder()
		s.engine.ServeHTTP(w, r)
		return w
	}
	if w := send(s.csrf(cookie)); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "hello") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	for name, token := range map[string]string{"none": "", "another": s.csrf(s.in(t, "Bob"))} {
		if w := send(token); w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "token") {
			t.Errorf("%s: got %d %s", name, w.Code, w.Body)
		}
	}
}

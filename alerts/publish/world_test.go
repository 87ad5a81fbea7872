package publish_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/alerts/publish"
	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
	"github.com/asgood-dev/asgood/internal/wording"
)

var (
	noon  = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)
	jane  = quality.Actor{Kind: quality.ActorHuman, ID: "u1", Name: "Jane", Credential: "session"}
	robot = quality.Actor{Kind: quality.ActorMachine, ID: "k1", Name: "deploy bot", Credential: "key"}
)

// kv is a bucket in memory with revisions.
type kv struct {
	mu     sync.Mutex
	data   map[string][]byte
	revs   map[string]uint64
	before func(op, key string) // called before a write, without the lock; may be nil
	fail   func(op string) error
}

func newKV() *kv { return &kv{data: map[string][]byte{}, revs: map[string]uint64{}} }

func (k *kv) Get(_ context.Context, key string) ([]byte, uint64, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fail != nil {
		if err := k.fail("get"); err != nil {
			return nil, 0, err
		}
	}
	data, ok := k.data[key]
	if !ok {
		return nil, 0, quality.Errorf(quality.KindNotFound, "no %q", key)
	}
	return bytes.Clone(data), k.revs[key], nil
}

func (k *kv) Create(_ context.Context, key string, data []byte) (uint64, error) {
	return k.write("create", key, data, func() bool { return k.data[key] == nil })
}

func (k *kv) Update(_ context.Context, key string, data []byte, rev uint64) (uint64, error) {
	return k.write("update", key, data, func() bool { return k.revs[key] == rev })
}

func (k *kv) write(op, key string, data []byte, good func() bool) (uint64, error) {
	if k.before != nil {
		k.before(op, key)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fail != nil {
		if err := k.fail(op); err != nil {
			return 0, err
		}
	}
	if !good() {
		return 0, quality.Errorf(quality.KindConflict, "%q has changed", key)
	}
	k.data[key] = bytes.Clone(data)
	k.revs[key]++
	return k.revs[key], nil
}

func (k *kv) Keys(context.Context) (keys []string, _ error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for key := range k.data {
		keys = append(keys, key)
	}
	return keys, nil
}

// world is a desk with what it stands on, which outlives it.
type world struct {
	t            *testing.T
	incidents    *kv
	maintenances *kv
	rules        publish.Rules
	now          func() time.Time

	mu       sync.Mutex
	actor    quality.Actor
	role     quality.Role // none: whatever is asked for
	audited  []quality.Audited
	auditErr error
	notices  []quality.Notice
	overdue  []string
	fail     error // of notices
}

func newWorld(t *testing.T) *world {
	return &world{t: t, incidents: newKV(), maintenances: newKV(), actor: jane, now: func() time.Time { return noon }}
}

func (w *world) desk() *publish.Desk {
	w.t.Helper()
	return w.deskOf(func(context.Context) quality.Actor { w.mu.Lock(); defer w.mu.Unlock(); return w.actor })
}

// deskOf is a desk at which somebody acts.
func (w *world) deskOf(actor func(context.Context) quality.Actor) *publish.Desk {
	w.t.Helper()
	d, err := publish.New(publish.Options{
		Features:  []quality.Feature{{Name: "bot", Title: "Answer bot"}, {Name: "plain"}},
		Incidents: w.incidents, Maintenances: w.maintenances, Rules: w.rules, Now: w.now,
		Actor: actor,
		May:   func(_ context.Context, least quality.Role) bool { return w.role == quality.RoleNone || w.role >= least },
		Audit: func(_ context.Context, e quality.Audited) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.auditErr == nil && !slices.ContainsFunc(w.audited, func(a quality.Audited) bool { return a.ID == e.ID }) {
				w.audited = append(w.audited, e)
			}
			return w.auditErr
		},
		Notify: func(_ context.Context, n quality.Notice) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.fail == nil {
				w.notices = append(w.notices, n)
			}
			return w.fail
		},
		Overdue: func(_ context.Context, r publish.Record) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.overdue = append(w.overdue, r.ID+" "+r.NextUpdate.Format(time.TimeOnly))
			return nil
		},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

// run runs a desk for a time of the bubble.
func (w *world) run(d *publish.Desk, for_ time.Duration) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), for_)
	defer cancel()
	if err := d.Run(ctx); err != nil {
		w.t.Error(err)
	}
}

// told lists the notices once each, in order.
func (w *world) told() (out []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, n := range w.notices {
		if s := n.ID; !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// facts are all that a text must say.
func facts() wording.Facts {
	return wording.Facts{What: "It is worse.", Size: "By 3 points.", Since: "Since noon.", Who: "Everybody.", Changed: "A prompt.",
		Done: "We roll it back.", Meanwhile: "Check answers.", Fixed: "When it is as good.", Next: "At one."}
}

func filled(t *testing.T, f wording.Facts) string {
	t.Helper()
	text, err := wording.Templates{}.Fill(wording.Investigating, wording.Fields{Facts: f})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// measured makes an incident as a regression does.
func measured(t *testing.T, rules publish.Rules, id string, now time.Time) publish.Record {
	t.Helper()
	r := publish.Record{Incident: quality.Incident{ID: id, Kind: quality.IncidentQuality, Name: "Answer bot gives worse answers", Features: []string{"bot"},
		Severity: quality.SeverityMajor, StartedAt: now, CreatedAt: now, Visibility: quality.VisibilityInternal, Regression: &quality.Regression{ID: "reg_a"}}}
	r.Say(quality.IncidentUpdate{Status: quality.IncidentInvestigating, Body: filled(t, facts())}, facts(), now)
	rules.Begin(&r, now)
	return r
}

func (w *world) put(d *publish.Desk, r publish.Record) {
	w.t.Helper()
	_, err := d.Edit(w.t.Context(), r.ID, func(old *publish.Record) (*publish.Record, error) {
		if old != nil {
			return nil, errors.New("it is there")
		}
		return &r, nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) stored(id string) publish.Record {
	w.t.Helper()
	var r publish.Record
	data, _, err := w.incidents.Get(w.t.Context(), id)
	if err == nil {
		err = json.Unmarshal(data, &r)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// server answers the routes of a desk.
func (w *world) server(d *publish.Desk) *httptest.Server {
	e := web.New(web.Options{})
	d.Register(gin.IRouter(e))
	s := httptest.NewServer(e)
	w.t.Cleanup(s.Close)
	return s
}

// call asks and returns status and body.
func call(t *testing.T, s *httptest.Server, method, path, body string, headers ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := s.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(data)
}

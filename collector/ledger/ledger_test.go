package ledger_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/collector/ledger"
	"github.com/asgood-dev/asgood/internal/quality"
)

const good = `{"layer":"prompt","title":"Shorter","features":["chat"],"owner":"jane"}`

func TestPostForms(t *testing.T) {
	for _, c := range []struct {
		name, body, media string
		status            int
		accepted, refused int
		want              []string // in the answer
	}{
		{"object", good, "application/json", 200, 1, 0, nil},
		{"object over lines", strings.ReplaceAll(good, ",", ",\n"), "", 200, 1, 0, nil},
		{"array", "[" + good + "," + good + "]", "application/json", 200, 2, 0, nil},
		{"empty array", " [ ] ", "", 200, 0, 0, nil},
		{"lines", good + "\n\n" + good, "application/x-ndjson", 200, 2, 0, nil},
		{"lines without a type", good + "\n" + good, "", 200, 2, 0, nil},
		{"bad line beside good ones", good + "\n{\"layer\":\n" + good, "application/x-ndjson", 400, 2, 1, []string{`"line":2`, "broken JSON", "1 of 3 changes were refused"}},
		{"bad element beside good ones", "[" + good + `,{"layer":"prompt","titel":"x"},` + good + "]", "", 400, 2, 1, []string{`"index":1`, `unknown field \"titel\"`}},
		{"array that is not closed", "[" + good + ",{", "", 400, 1, 0, []string{"index 1", "not closed"}},
		{"behind the array", "[" + good + "] x", "", 400, 1, 0, []string{"unexpected data"}},
		{"two objects", good + good, "application/json", 400, 0, 1, []string{"unexpected data"}},
		{"nothing", "", "application/json", 400, 0, 0, []string{"body is empty"}},
		{"no layer", `{"title":"x"}`, "", 400, 0, 1, []string{`field \"layer\": required`}},
		{"unknown layer", `{"layer":"pronpt","title":"x"}`, "", 400, 0, 1, []string{`pronpt`, "retrieval"}},
		{"no title", `{"layer":"prompt","title":" "}`, "", 400, 0, 1, []string{`field \"title\": required`}},
		{"title of two lines", `{"layer":"prompt","title":"a\nb"}`, "", 400, 0, 1, []string{"one line"}},
		{"unknown feature", `{"layer":"prompt","title":"x","features":["chat","caht"]}`, "", 400, 0, 1, []string{`no feature \"caht\"`, "chat, notes"}},
		{"reference", `{"layer":"prompt","title":"x","reference":"javascript:alert(1)"}`, "", 400, 0, 1, []string{`field \"reference\"`}},
		{"what only Asgood says", `{"layer":"prompt","title":"x","undeclared":true}`, "", 400, 0, 1, []string{`field \"undeclared\": set by Asgood`}},
		{"source", `{"layer":"prompt","title":"x","source":"github"}`, "", 400, 0, 1, []string{`field \"source\"`}},
		{"time", `{"layer":"prompt","title":"x","at":"yesterday"}`, "", 400, 0, 1, []string{"2026-03-01T12:00:00Z"}},
		{"far ahead", `{"layer":"prompt","title":"x","at":"2026-03-03T12:00:00Z"}`, "", 400, 0, 1, []string{`field \"at\"`}},
		{"long ago", `{"layer":"prompt","title":"x","at":"2020-03-03T12:00:00Z"}`, "", 400, 0, 1, []string{"400 days"}},
		{"wrong type", `{"layer":"prompt","title":7}`, "", 400, 0, 1, []string{`field \"title\"`}},
		{"large", `{"layer":"prompt","title":"x","description":"` + strings.Repeat("x", 20<<10) + `"}`, "", 400, 0, 1, []string{`field \"description\"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := serve(t, ledger.Options{})
			status, r, text := l.post(t, "/v1/changes", c.body, "Content-Type", c.media)
			if status != c.status || r.Accepted != c.accepted || r.Refused != c.refused || len(r.IDs) != c.accepted {
				t.Errorf("got %d %s", status, text)
			}
			for _, want := range c.want {
				if !strings.Contains(text, want) {
					t.Errorf("the answer lacks %q: %s", want, text)
				}
			}
			if _, page, _ := l.list(t, ""); len(page.Changes) != c.accepted {
				t.Errorf("got %d entries, want %d", len(page.Changes), c.accepted)
			}
		})
	}
}

func TestBodies(t *testing.T) {
	l := serve(t, ledger.Options{})
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write([]byte(good))
	_ = z.Close()
	if status, r, text := l.post(t, "/v1/changes", packed.String(), "Content-Encoding", "gzip"); status != 200 || r.Accepted != 1 {
		t.Errorf("got %d %s for gzip", status, text)
	}
	if status, _, text := l.post(t, "/v1/changes", good, "Content-Encoding", "br"); status != 400 || !strings.Contains(text, "gzip") {
		t.Errorf("got %d %s", status, text)
	}
	packed.Reset()
	z = gzip.NewWriter(&packed)
	_, _ = z.Write(bytes.Repeat([]byte(" "), 5<<20))
	_ = z.Close()
	if status, _, text := l.post(t, "/v1/changes", packed.String(), "Content-Encoding", "gzip"); status != 413 {
		t.Errorf("got %d %s for a bomb", status, text)
	}
}

func TestSameIDIsTheSameChange(t *testing.T) {
	l := serve(t, ledger.Options{})
	body := `{"id":"a","layer":"model","title":"x","owner":"o"}`
	if _, r, _ := l.post(t, "/v1/changes", body); r.Accepted != 1 || !slices.Equal(r.IDs, []string{"a"}) {
		t.Errorf("got %+v", r)
	}
	status, r, _ := l.post(t, "/v1/changes", "["+body+","+strings.Replace(body, `"x"`, `"other"`, 1)+"]")
	if status != 200 || r.Accepted != 0 || r.Duplicates != 2 {
		t.Errorf("got %d %+v", status, r)
	}
	if _, page, _ := l.list(t, ""); len(page.Changes) != 1 || page.Changes[0].Title != "x" {
		t.Errorf("got %+v", page)
	}
}

func TestStoreThatFails(t *testing.T) {
	m := newMemory()
	n := 0
	m.fail = func(string, string) error {
		if n++; n == 2 {
			return errors.New("disk on fire at /var/secret")
		}
		return nil
	}
	l := serve(t, ledger.Options{Changes: m})
	status, r, text := l.post(t, "/v1/changes", "["+good+","+good+","+good+"]")
	if status != 503 || r.Accepted != 1 {
		t.Errorf("got %d %s, want the first told as stored", status, text)
	}
}

func TestList(t *testing.T) {
	l := serve(t, ledger.Options{})
	for i, c := range []string{
		`{"id":"a","layer":"model","title":"x","at":"2026-03-01T08:00:00Z"}`,
		`{"id":"b","layer":"prompt","title":"x","at":"2026-03-01T09:00:00Z","features":["chat"]}`,
		`{"id":"c","layer":"serving","carries":["prompt"],"title":"x","at":"2026-03-01T10:00:00Z","features":["notes"]}`,
		`{"id":"d","layer":"tools","title":"x","at":"2026-03-01T10:00:00Z"}`,
	} {
		if status, _, text := l.post(t, "/v1/changes", c); status != 200 {
			t.Fatal(i, text)
		}
	}
	for query, want := range map[string]string{
		"": "d c b a", "?feature=chat": "d b a", "?feature=notes": "d c a", "?layer=prompt": "c b", "?from=2026-03-01T09:00:00Z": "d c b",
		"?to=2026-03-01T09:00:00Z": "a", "?from=2026-03-02": "", "?undeclared=true": "", "?undeclared=false": "d c b a", "?limit=3": "d c b",
	} {
		status, page, text := l.list(t, query)
		if got := strings.Join(ids(page.Changes), " "); status != 200 || got != want || page.Changes == nil {
			t.Errorf("%s: got %d %s, want %q", query, status, text, want)
		}
	}
	for _, query := range []string{"?limit=0", "?limit=1001", "?layer=x", "?from=x", "?undeclared=x", "?cursor=x", "?featrue=chat"} {
		if status, _, text := l.list(t, query); status != 400 {
			t.Errorf("%s: got %d %s", query, status, text)
		}
	}
	var walked []string
	for cursor := ""; ; {
		_, page, _ := l.list(t, "?limit=1&cursor="+url.QueryEscape(cursor))
		walked = append(walked, ids(page.Changes)...)
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	if got := strings.Join(walked, " "); got != "d c b a" {
		t.Errorf("got %q page by page", got)
	}
}

// TestRestart runs on the real bus: what was answered for is there after it.
func TestRestart(t *testing.T) {
	dir := t.TempDir()
	changes, state, closeBus := buckets(t, dir)
	l := serve(t, ledger.Options{Changes: changes, State: state})
	if status, _, text := l.post(t, "/v1/changes", `{"id":"a","layer":"model","title":"x","before":"m1","after":"m2","carries":["tools"]}`); status != 200 {
		t.Fatal(text)
	}
	_, before, _ := l.list(t, "")
	closeBus()
	if status, _, text := l.post(t, "/v1/changes", good); status != 503 {
		t.Errorf("got %d %s without a store", status, text)
	}
	changes, state, _ = buckets(t, dir)
	l = serve(t, ledger.Options{Changes: changes, State: state})
	if _, after, _ := l.list(t, ""); fmt.Sprint(after) != fmt.Sprint(before) || len(after.Changes) != 1 {
		t.Errorf("got %+v, want %+v", after, before)
	}
	if _, r, _ := l.post(t, "/v1/changes", `{"id":"a","layer":"model","title":"x"}`); r.Duplicates != 1 {
		t.Errorf("got %+v", r)
	}
}

// TestTwoProcesses share a bucket and see each other's entries.
func TestTwoProcesses(t *testing.T) {
	changes, state, _ := buckets(t, t.TempDir())
	a, b := serve(t, ledger.Options{Changes: changes, State: state}), serve(t, ledger.Options{Changes: changes, State: state})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	a.post(t, "/v1/changes", `{"id":"a","layer":"model","title":"x","owner":"o"}`)
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, page, _ := b.list(t, ""); len(page.Changes) == 1 {
			break
		}
		select {
		case <-deadline:
			t.Fatal("the entry did not come")
		case <-tick.C:
		}
	}
	if _, r, _ := b.post(t, "/v1/changes", `{"id":"a","layer":"model","title":"x"}`); r.Duplicates != 1 {
		t.Errorf("got %+v", r)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestSweep(t *testing.T) {
	m := newMemory()
	now := begin
	o := ledger.Options{Changes: m, State: newMemory(), Features: features, Spec: spec(), Retention: 48 * time.Hour, Now: func() time.Time { return now }}
	l, err := ledger.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Accept(t.Context(), []quality.Change{
		{ID: "old", Layer: quality.LayerModel, Title: "x", Owner: "o", At: begin.Add(-40 * time.Hour)}, {ID: "new", Layer: quality.LayerModel, Title: "x", Owner: "o"},
	}); err != nil {
		t.Fatal(err)
	}
	now = now.Add(24 * time.Hour)
	if err := ledger.Step(t.Context(), l, now); err != nil {
		t.Fatal(err)
	}
	if got := ids(l.List(ledger.Query{}).Changes); !slices.Equal(got, []string{"new"}) || len(m.all(t)) != 1 {
		t.Errorf("got %q", got)
	}
}

// FuzzChanges sends any body. Whatever it is, the reply counts what is stored, and what was stored is valid.
func FuzzChanges(f *testing.F) {
	for _, seed := range []string{good, "[" + good + "]", good + "\n" + good, "[,]", `["\"]`, "{", "[[[", "]", "\xff", `[{"a":"\\"}]`} {
		f.Add(seed, "application/json")
		f.Add(seed, "")
	}
	f.Fuzz(func(t *testing.T, body, media string) {
		m := newMemory()
		l, err := ledger.New(t.Context(), ledger.Options{Changes: m, State: newMemory(), Features: features, Spec: spec(), Now: func() time.Time { return begin }})
		if err != nil {
			t.Fatal(err)
		}
		r, err := ledger.TakeBody(l, body, media)
		stored := m.all(t)
		if len(stored) != r.Accepted || len(r.IDs) != r.Accepted+r.Duplicates || err != nil && quality.KindOf(err) == quality.KindInternal {
			t.Errorf("got %+v, %v with %d stored", r, err, len(stored))
		}
		for _, c := range stored {
			if err := c.Validate(); err != nil {
				t.Errorf("stored %+v: %v", c, err)
			}
		}
	})
}

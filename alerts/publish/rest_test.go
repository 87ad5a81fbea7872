package publish_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/quality"
)

// shown is what the routes answer of an incident.
type shown struct {
	Incident quality.Incident
	Complete bool
	Missing  []string
}

// want asks and wants a status; it returns the incident of a good answer.
func want(t *testing.T, e *gin.Engine, code int, method, path, body string, headers ...string) (s shown) {
	t.Helper()
	got, answer := ask(t, e, method, path, body, headers...)
	if got != code {
		t.Errorf("%s %s %.200s: got %d %.300s, want %d", method, path, body, got, answer, code)
	}
	if got/100 == 2 {
		if err := json.Unmarshal([]byte(answer), &s); err != nil {
			t.Errorf("%s: %v", answer, err)
		}
	}
	return s
}

// report makes an incident by hand, and returns its path.
func report(t *testing.T, e *gin.Engine, more string) string {
	t.Helper()
	s := want(t, e, 201, "POST", "/v1/incidents", `{"name":"Worse answers","kind":"quality","features":["bot"],"severity":"minor","body":"Something is wrong."`+more+`}`)
	return "/v1/incidents/" + s.Incident.ID
}

func TestEveryFieldOfAPatch(t *testing.T) {
	w := newWorld(t)
	e := engine(w.desk())
	path := report(t, e, "")
	s := want(t, e, 200, "PATCH", path, `{"name":"Much worse","severity":"critical","owner":"jane","features":["bot","plain"],"effects":{"plain":"partial_outage"}}`)
	i := s.Incident
	if i.Name != "Much worse" || i.Severity != quality.SeverityCritical || i.Owner != "jane" || len(i.Features) != 2 || i.Effects["plain"] != quality.PartialOutage {
		t.Errorf("got %+v", i)
	}
	if s := want(t, e, 200, "PATCH", path, `{"owner":""}`); s.Incident.Owner != "" || s.Incident.Name != "Much worse" {
		t.Errorf("what is absent does not stay: %+v", s.Incident)
	}
	if s := want(t, e, 200, "PATCH", path, `{"effects":{}}`); len(s.Incident.Effects) != 0 {
		t.Errorf("got %v", s.Incident.Effects)
	}
	for _, body := range []string{`{"name":""}`, `{"name":"a\nb"}`, `{"name":"` + strings.Repeat("x", 256) + `"}`, `{"severity":"bad"}`, `{"features":[]}`, `{"features":["x"]}`,
		`{"effects":{"x":"operational"}}`, `{"effects":{"bot":"on fire"}}`, `{"owner":"` + strings.Repeat("x", 1001) + `"}`, `{"status":"resolved"}`, `{"visibility":"public"}`, `no`, ``} {
		want(t, e, 400, "PATCH", path, body)
	}
	want(t, e, 404, "PATCH", "/v1/incidents/inc_nobody", `{"owner":"x"}`)
	last := w.audited[len(w.audited)-1]
	if last.Action != "incident.changed" || last.Detail != "effects" || last.Object != "incident/"+i.ID || len(w.audited) != 4 {
		t.Errorf("got %d in the log, the last %+v", len(w.audited), last)
	}
}

// A responder works on an incident; what customers see of one that is public is for editors.
func TestWhatIsForEditors(t *testing.T) {
	w := newWorld(t)
	w.role = quality.RoleResponder
	e := engine(w.desk())
	path := report(t, e, "")
	want(t, e, 200, "PATCH", path, `{"severity":"major","owner":"jane"}`)
	const public = `{"name":"x","kind":"quality","features":["bot"],"severity":"minor","body":"x","visibility":"public","override":true,"reason":"late"}`
	want(t, e, 403, "POST", "/v1/incidents", public)
	w.role = quality.RoleEditor
	want(t, e, 201, "POST", "/v1/incidents", public)
	want(t, e, 200, "POST", path+"/publish", `{"override":true,"reason":"late"}`)
	w.role = quality.RoleResponder
	want(t, e, 403, "PATCH", path, `{"severity":"minor"}`)
	want(t, e, 200, "PATCH", path, `{"owner":"ada"}`)
}

func TestCorrectAndPreview(t *testing.T) {
	w := newWorld(t)
	e := engine(w.desk())
	path := report(t, e, "")
	first := want(t, e, 200, "GET", path, "").Incident.Updates[0].ID
	s := want(t, e, 200, "PATCH", path+"/updates/"+first, `{"body":"It is worse.","facts":{"what":"It is worse."}}`)
	u := s.Incident.Updates[0]
	if u.Body != "It is worse." || u.Before != "Something is wrong." || u.EditedAt == nil || slices.Contains(s.Missing, "what is worse") {
		t.Errorf("got %+v, missing %q", u, s.Missing)
	}
	want(t, e, 404, "PATCH", path+"/updates/none", `{"body":"x"}`)
	want(t, e, 400, "PATCH", path+"/updates/"+first, `{"body":" "}`)
	want(t, e, 400, "PATCH", path+"/updates/"+first, `{"body":"`+strings.Repeat("x", 25_001)+`"}`)
	for body, says := range map[string][]string{
		`{"body":"**Worse** <script>alert(1)</script>"}`:                     {`<strong>Worse</strong>`, `"missing":["by how much"`},
		`{"status":"identified","facts":{"changed":"A prompt was edited."}}`: {`"body":"A prompt was edited."`},
		`{"status":"postmortem"}`:                                            {`## What happened`},
	} {
		code, got := ask(t, e, "POST", path+"/preview", body)
		for _, s := range says {
			if got := strings.ReplaceAll(strings.ReplaceAll(got, `\u003c`, "<"), `\u003e`, ">"); code != 200 || !strings.Contains(got, s) || strings.Contains(got[strings.Index(got, `"html"`):], "<script") {
				t.Errorf("%s: got %d %s, want %q", body, code, got, s)
			}
		}
	}
	want(t, e, 400, "POST", path+"/preview", `{"status":"closed"}`)
	if n := len(want(t, e, 200, "GET", path, "").Incident.Updates); n != 1 {
		t.Errorf("a preview was stored: %d updates", n)
	}
}

func TestPostmortem(t *testing.T) {
	w := newWorld(t)
	e := engine(w.desk())
	path := report(t, e, `,"facts":{"what":"It was worse."}`)
	if code, got := ask(t, e, "GET", path+"/postmortem", ""); code != 200 || !strings.Contains(got, "It was worse.") || !strings.Contains(got, `"written":false`) {
		t.Errorf("got %d %s", code, got)
	}
	want(t, e, 409, "POST", path+"/postmortem/publish", "") // there is none
	want(t, e, 200, "PUT", path+"/postmortem", `{"body":"We learned."}`)
	want(t, e, 409, "POST", path+"/postmortem/publish", "") // it is not over
	want(t, e, 200, "POST", path+"/updates", `{"status":"resolved","body":"Over."}`)
	want(t, e, 409, "POST", path+"/postmortem/publish", "") // it is not public
	want(t, e, 200, "POST", path+"/publish", `{"override":true,"reason":"asked for"}`)
	w.actor = robot
	want(t, e, 403, "POST", path+"/postmortem/publish", "")
	w.actor = jane
	for range 2 { // the second changes nothing
		s := want(t, e, 200, "POST", path+"/postmortem/publish", "")
		if p := s.Incident.Postmortem; p == nil || p.Published == nil || p.Body != "We learned." || s.Incident.Status != quality.IncidentPostmortem || len(s.Incident.Updates) != 3 {
			t.Errorf("got %+v, %d updates", p, len(s.Incident.Updates))
		}
	}
	w.actor = robot
	want(t, e, 403, "PUT", path+"/postmortem", `{"body":"Nothing happened."}`)
	w.actor = jane
	if s := want(t, e, 200, "PUT", path+"/postmortem", `{"body":"We learned more."}`); s.Incident.Postmortem.Published == nil {
		t.Error("a correction took it back")
	}
}

func TestBackfill(t *testing.T) {
	w := newWorld(t)
	d := w.desk()
	e := engine(d)
	const head = `{"name":"Last year","kind":"availability","features":["bot"],"severity":"major",`
	const good = head + `"visibility":"public","started_at":"2025-03-01T10:00:00Z","resolved_at":"2025-03-01T11:00:00Z","updates":[
		{"status":"investigating","body":"a","at":"2025-03-01T10:05:00Z"},{"status":"resolved","body":"b","at":"2025-03-01T11:00:00Z"}]}`
	var ids []string
	for range 2 {
		s := want(t, e, 201, "POST", "/v1/incidents/backfill", good, "Idempotency-Key", "k")
		ids = append(ids, s.Incident.ID)
		if i := s.Incident; !i.Backfilled || i.Open() || !i.Public() || len(i.Updates) != 2 || !i.CreatedAt.Equal(i.StartedAt) {
			t.Errorf("got %+v", i)
		}
	}
	if ids[0] != ids[1] || len(w.incidents.data) != 1 {
		t.Errorf("the key made %d", len(w.incidents.data))
	}
	w.actor = robot
	want(t, e, 403, "POST", "/v1/incidents/backfill", good)
	w.actor = jane
	for _, rest := range []string{
		`"resolved_at":"2025-03-01T11:00:00Z","updates":[{"status":"resolved","body":"b","at":"2025-03-01T11:00:00Z"}]}`,
		`"started_at":"2025-03-02T10:00:00Z","resolved_at":"2025-03-01T11:00:00Z","updates":[{"status":"resolved","body":"b","at":"2025-03-01T11:00:00Z"}]}`,
		`"started_at":"2025-03-01T10:00:00Z","resolved_at":"2027-03-01T11:00:00Z","updates":[{"status":"resolved","body":"b","at":"2025-03-01T11:00:00Z"}]}`,
		`"started_at":"2025-03-01T10:00:00Z","resolved_at":"2025-03-01T11:00:00Z","updates":[]}`,
		`"started_at":"2025-03-01T10:00:00Z","resolved_at":"2025-03-01T11:00:00Z","updates":[{"status":"identified","body":"b","at":"2025-03-01T11:00:00Z"}]}`,
		`"started_at":"2025-03-01T10:00:00Z","resolved_at":"2025-03-01T11:00:00Z","updates":[{"status":"x","body":"b","at":"2025-03-01T11:00:00Z"},{"status":"resolved","body":"b","at":"2025-03-01T11:00:00Z"}]}`,
		`"started_at":"2025-03-01T10:00:00Z","resolved_at":"2025-03-01T11:00:00Z","updates":[{"status":"identified","body":"b","at":"2025-03-01T11:00:00Z"},{"status":"resolved","body":"b","at":"2025-03-01T10:00:00Z"}]}`,
		`"started_at":"2025-03-01T10:00:00Z","resolved_at":"2025-03-01T11:00:00Z","updates":[{"status":"resolved","body":"","at":"2025-03-01T11:00:00Z"}]}`,
	} {
		want(t, e, 400, "POST", "/v1/incidents/backfill", head+rest)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := d.Run(ctx); err != nil || len(w.notices) != 0 {
		t.Errorf("told %v, %v", w.notices, err)
	}
}

// Pages follow each other without a gap, newest first, and filters hold over them.
func TestTheListAndItsPages(t *testing.T) {
	w := newWorld(t)
	d := w.desk()
	e := engine(d)
	for n := range 7 {
		r := measured(t, nil, fmt.Sprintf("inc_%d", n), noon.Add(time.Duration(n/2)*time.Hour)) // some at the same time
		if n%3 == 0 {
			r.Visibility = quality.VisibilityPublic
		}
		if n%2 == 1 {
			r.ResolvedAt = &noon
			r.Features = []string{"plain"}
		}
		w.put(d, r)
	}
	for query, ids := range map[string]string{
		"": "6543210", "limit=3": "654 321 0", "limit=7": "6543210", "limit=1&public=true": "6 3 0", "limit=2&open=true": "64 20", "open=false": "531",
		"feature=plain&limit=2": "53 1", "feature=nobody": "", "after=inc_nobody&limit=4": "6543 210", "public=false&open=false": "51",
	} {
		var got []string
		next := ""
		for range 10 {
			var page struct {
				Incidents []shown
				Next      string
			}
			q := query
			if next != "" {
				q = strings.TrimPrefix(query, "after=inc_nobody&") + "&after=" + next
			}
			code, body := ask(t, e, "GET", "/v1/incidents?"+q, "")
			if err := json.Unmarshal([]byte(body), &page); code != 200 || err != nil {
				t.Fatalf("%s: got %d %s", query, code, body)
			}
			s := ""
			for _, i := range page.Incidents {
				s += strings.TrimPrefix(i.Incident.ID, "inc_")
			}
			got, next = append(got, s), page.Next
			if next == "" {
				break
			}
		}
		if s := strings.Join(got, " "); s != ids {
			t.Errorf("%q: got %q, want %q", query, s, ids)
		}
	}
	for _, q := range []string{"limit=0", "limit=201", "limit=x", "open=perhaps", "public=1.5"} {
		if code, body := ask(t, e, "GET", "/v1/incidents?"+q, ""); code != 400 {
			t.Errorf("%s: got %d %s", q, code, body)
		}
	}
}

// The key of a request is bound to who sends it and to the incident; without one each request counts.
func TestIdempotencyKeys(t *testing.T) {
	w := newWorld(t)
	e := engine(w.desk())
	a, b := report(t, e, ""), report(t, e, "")
	if a == b {
		t.Fatal("two requests without a key made one incident")
	}
	say := func(path, key string) int {
		t.Helper()
		return len(want(t, e, 200, "POST", path+"/updates", `{"body":"More.","internal":true}`, "Idempotency-Key", key).Incident.Updates)
	}
	for _, c := range []struct {
		path, key string
		by        quality.Actor
		want      int
	}{{a, "k", jane, 2}, {a, "k", jane, 2}, {b, "k", jane, 2}, {a, "k", robot, 3}, {a, "k", robot, 3}, {a, "", jane, 4}, {a, "", jane, 5}, {a, "k", jane, 5}} {
		w.actor = c.by
		if got := say(c.path, c.key); got != c.want {
			t.Errorf("%q by %s: got %d updates, want %d", c.key, c.by.Name, got, c.want)
		}
	}
	want(t, e, 400, "POST", a+"/updates", `{"body":"x"}`, "Idempotency-Key", strings.Repeat("x", 256))
	for n := range 101 { // the oldest are forgotten
		say(b, fmt.Sprint("n", n))
	}
	if got := len(w.stored(strings.TrimPrefix(b, "/v1/incidents/")).Keys); got != 100 {
		t.Errorf("got %d keys kept", got)
	}
}

// Files of every source are imported once, told to nobody, and with their features.
func TestImportOfEverySource(t *testing.T) {
	for from, file := range map[string]string{"statuspage": "statuspage.json", "cstate": "cstate.md", "gatus": "gatus.json"} {
		w := newWorld(t)
		d := w.desk()
		e := engine(d)
		data, err := os.ReadFile("../past/testdata/" + file)
		if err != nil {
			t.Fatal(err)
		}
		request := func(more string) (out struct {
			Imported, Known int
			Problems        []struct{ Place, Message string }
		}) {
			t.Helper()
			body, err := json.Marshal(map[string]any{"from": from, "map": map[string]string{"API": "bot", "api": "bot"}, "files": []map[string]string{{"name": file, "text": string(data)}}})
			if err != nil {
				t.Fatal(err)
			}
			code, got := ask(t, e, "POST", "/v1/incidents/import", strings.TrimSuffix(string(body), "}")+more+"}")
			if err := json.Unmarshal([]byte(got), &out); err != nil || code != 200 {
				t.Fatalf("%s: got %d %s", from, code, got)
			}
			return out
		}
		dry := request(`,"dry_run":true`)
		if len(w.incidents.data) != 0 || dry.Imported == 0 {
			t.Errorf("%s: a dry run stored %d and tells of %d", from, len(w.incidents.data), dry.Imported)
		}
		one, two := request(`,"visibility":"public"`), request(`,"visibility":"public"`)
		if one.Imported != dry.Imported || one.Known != 0 || two.Imported != 0 || two.Known != one.Imported || len(w.incidents.data) != one.Imported || len(w.audited) != one.Imported {
			t.Errorf("%s: got %+v, then %+v", from, one, two)
		}
		if again := request(`,"dry_run":true`); again.Known != one.Imported || again.Imported != 0 {
			t.Errorf("%s: a dry run of what is there tells %+v", from, again)
		}
		withFeature := 0
		for id := range w.incidents.data {
			r := w.stored(id)
			if !r.Public() || r.Open() || r.Imported != from || len(r.Pending) != 0 {
				t.Errorf("%s: got %+v", from, r)
			}
			if slices.Equal(r.Features, []string{"bot"}) {
				withFeature++
			}
		}
		if withFeature == 0 {
			t.Errorf("%s: none has its feature", from)
		}
	}
	w := newWorld(t)
	e := engine(w.desk())
	for _, body := range []string{`{"from":"other","files":[{"name":"x","text":"x"}]}`, `{"from":"gatus","map":{"a":"nobody"},"files":[]}`, `{"from":"gatus","visibility":"secret","files":[]}`} {
		want(t, e, 400, "POST", "/v1/incidents/import", body)
	}
	w.actor = robot
	want(t, e, 403, "POST", "/v1/incidents/import", `{"from":"gatus","visibility":"public","files":[]}`)
}

package publish_test

import (
	"strings"
	"testing"

	"github.com/asgood-dev/asgood/internal/quality"
)

// A person makes an incident, which is published only when its text is complete or they override that by name; a
// machine may do neither.
func TestAnIncidentByHand(t *testing.T) {
	w := newWorld(t)
	s := w.server(w.desk())
	const body = `{"name":"Worse answers","kind":"quality","features":["bot"],"severity":"major","body":"Something is wrong."}`
	for range 2 { // the key makes it once
		if status, got := call(t, s, "POST", "/v1/incidents", body, "Idempotency-Key", "k"); status != 201 {
			t.Fatalf("got %d %s", status, got)
		}
	}
	keys, _ := w.incidents.Keys(t.Context())
	if len(keys) != 1 {
		t.Fatalf("got %q", keys)
	}
	path := "/v1/incidents/" + keys[0]
	for _, c := range []struct {
		name, path, body string
		by               quality.Actor
		want             int
	}{
		{"incomplete", "/publish", `{}`, jane, 409},
		{"override without a reason", "/publish", `{"override":true}`, jane, 400},
		{"a machine overrides", "/publish", `{"override":true,"reason":"x"}`, robot, 403},
		{"a machine resolves", "/updates", `{"status":"resolved","body":"x"}`, robot, 403},
		{"a person overrides", "/publish", `{"override":true,"reason":"customers ask"}`, jane, 200},
		{"a machine writes inside", "/updates", `{"body":"x","internal":true}`, robot, 200},
		{"a person resolves", "/updates", `{"status":"resolved","body":"It is over."}`, jane, 200},
		{"back without a reason", "/updates", `{"status":"investigating","body":"No."}`, jane, 400},
	} {
		w.actor = c.by
		if status, got := call(t, s, "POST", path+c.path, c.body); status != c.want {
			t.Errorf("%s: got %d %s, want %d", c.name, status, got, c.want)
		}
	}
	r := w.stored(keys[0])
	if r.Published == nil || r.Published.By != jane || len(r.Published.Missing) != 9 || r.Open() || len(r.Pending) != 2 {
		t.Errorf("got %+v, %d notices", r.Published, len(r.Pending))
	}
}

func TestAnImportTwice(t *testing.T) {
	w := newWorld(t)
	s := w.server(w.desk())
	const body = `{"from":"gatus","visibility":"public","map":{"api":"bot"},"files":[{"name":"a.json","text":"{\"name\":\"api\",\"key\":\"k\",\"events\":[{\"type\":\"UNHEALTHY\",\"timestamp\":\"2026-03-01T10:00:00Z\"},{\"type\":\"HEALTHY\",\"timestamp\":\"2026-03-01T11:00:00Z\"}]}"}]}`
	for _, want := range []string{`"imported":1,"known":0`, `"imported":0,"known":1`} {
		if status, got := call(t, s, "POST", "/v1/incidents/import", body); status != 200 || !strings.Contains(got, want) {
			t.Errorf("got %d %s, want %s", status, got, want)
		}
	}
}

package main

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/asgood-dev/asgood/internal/app"
)

// TestKeyCommands works on a data directory, since no server runs.
func TestKeyCommands(t *testing.T) {
	config := write(t, "asgood.yaml", "features: [{name: support-assistant}]\n"+
		"listen: {public: '127.0.0.1:1', ingest: '127.0.0.1:2', grpc: '127.0.0.1:4', internal: '127.0.0.1:3'}\n")
	key := func(args ...string) outcome {
		t.Helper()
		return run(t, "", append(append([]string{"key"}, args...), "--config", config)...)
	}
	if got := key("list"); got.code != 0 || got.out != "no keys\n" {
		t.Errorf("got %+v", got)
	}
	got := key("create", "--name", "support bot", "--scope", "samples,traces", "--feature", "support-assistant", "--expires", "90d", "--rate", "500/s", "--bytes", "10MiB/s", "--max-body", "1MiB")
	if got.code != 0 || !regexp.MustCompile(`^asgood_[a-z2-7]{10}_[A-Za-z0-9_-]{43}\n$`).MatchString(got.out) || !strings.Contains(got.err, "cannot be shown again") {
		t.Fatalf("got %+v", got)
	}
	id := got.out[7:17]
	got = key("create", "--name", "deploys", "--scope", "changes", "--json")
	var created app.CreatedKey
	if err := json.Unmarshal([]byte(got.out), &created); err != nil || len(created.Token) != 61 || created.Name != "deploys" {
		t.Errorf("got %+v, %v", got, err)
	}
	got = key("list", "--json")
	var list struct{ Keys []app.Key }
	if err := json.Unmarshal([]byte(got.out), &list); err != nil || len(list.Keys) != 2 {
		t.Fatalf("got %+v, %v", got, err)
	}
	if k := list.Keys[1]; k.Rate != 500 || k.Bytes != 10<<20 || k.MaxBody != 1<<20 || k.Expires.IsZero() || k.Features[0] != "support-assistant" {
		t.Errorf("got %+v", k)
	}
	if got = key("revoke", id); got.code != 0 || got.out != "revoked "+id+" (support bot)\n" {
		t.Errorf("got %+v", got)
	}
	if got = key("list"); got.code != 0 || !strings.Contains(got.out, "revoked") || !strings.Contains(got.out, "active") || strings.Contains(got.out, "asgood_") {
		t.Errorf("got %+v", got)
	}
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"create"}, 2, `field "name"`},
		{[]string{"create", "--name", "x"}, 2, `field "scopes": want at least one`},
		{[]string{"create", "--name", "x", "--scope", "all"}, 2, `no scope "all"`},
		{[]string{"create", "--name", "x", "--scope", "samples", "--feature", "serach"}, 2, "known: support-assistant"},
		{[]string{"create", "--name", "x", "--scope", "samples", "--expires", "soon"}, 2, "--expires"},
		{[]string{"create", "--name", "x", "--scope", "samples", "--expires", "2020-01-01T00:00:00Z"}, 2, "has passed"},
		{[]string{"create", "--name", "x", "--scope", "samples", "--rate", "fast"}, 2, "--rate"},
		{[]string{"create", "--name", "x", "--scope", "samples", "--bytes", "10MiB"}, 2, "--bytes"},
		{[]string{"create", "--name", "x", "--scope", "samples", "--max-body", "big"}, 2, "--max-body"},
		{[]string{"revoke"}, 2, "want the ID of a key; asgood key list shows it; see asgood key revoke --help"},
		{[]string{"revoke", "aaaaaaaaaa"}, 1, "aaaaaaaaaa"},
	} {
		if got := key(tt.args...); got.code != tt.code || !strings.Contains(got.err, tt.want) {
			t.Errorf("%q: got %+v, want %d and %q", tt.args, got, tt.code, tt.want)
		}
	}
	if got := run(t, "", "key", "lst"); got.code != 2 || !strings.Contains(got.err, `unknown command "lst" (did you mean list?)`) {
		t.Errorf("got %+v", got)
	}
}

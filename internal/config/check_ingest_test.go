package config_test

import (
	"strings"
	"testing"

	"github.com/asgood-dev/asgood/internal/config"
)

func TestIngest(t *testing.T) {
	c, err := config.Parse("a.yaml", []byte("listen: {ingest: ':4318'}\ningest: {max_body: 1MiB, per_customer: 2_000/s}\n"), noEnv)
	if err != nil {
		t.Fatal(err)
	}
	if c.Ingest != (config.Ingest{MaxBody: 1 << 20, PerCustomer: 2000}) {
		t.Errorf("got %+v", c.Ingest)
	}
	if d := config.Defaults(); d.Ingest.MaxBody != 64<<20 || d.Ingest.PerCustomer != 0 {
		t.Errorf("got defaults %+v", d.Ingest)
	}
}

func TestIngestThatIsWrong(t *testing.T) {
	for _, c := range []struct{ yaml, want string }{
		{"{max_body: 1KiB}", `a.yaml:1:20: ingest.max_body "1KiB": want 64KiB to 64MiB`},
		{"{max_body: 65MiB}", "want 64KiB to 64MiB"},
		{"{per_customer: 0/s}", `ingest.per_customer "0/s": want more than 0`},
		{"{per_customer: 7}", `ingest.per_customer "7": want a number for each second`},
		{"{per_customer: NaN/s}", "want a number for each second"},
		{"{per_customer: 7/d}", "want a number for each second"},
		{"{per_custommer: 7/s}", `did you mean "per_customer"?`},
	} {
		_, err := config.Parse("a.yaml", []byte("ingest: "+c.yaml+"\n"), noEnv)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.yaml, err, c.want)
		}
	}
}

// Whether machines need a key depends on who can reach the listener.
func TestKeyRequired(t *testing.T) {
	for addr, want := range map[string]bool{
		"127.0.0.1:4318": false, "[::1]:4318": false, "localhost:4318": false, "127.8.8.8:1": false,
		":4318": true, "0.0.0.0:4318": true, "[::]:4318": true, "10.0.0.1:4318": true, "ingest.acme.example:4318": true,
		"localhost.acme.example:4318": true,
	} {
		c := config.Defaults()
		if got := c.KeyRequired(addr); got != want {
			t.Errorf("%s: got %v, want %v", addr, got, want)
		}
		c.Ingest.RequireKey = true
		if !c.KeyRequired(addr) {
			t.Errorf("%s: got no key required with require_key", addr)
		}
	}
}

func TestParseRate(t *testing.T) {
	for text, want := range map[string]config.Rate{"500/s": 500, "30/m": 0.5, "7200/hour": 2, "1_000/s": 1000, "0.5/s": 0.5} {
		if got, err := config.ParseRate(text); err != nil || got != want {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "/s", "5", "5/", "5/d", "-1/s", "x/s", "NaN/s", "Inf/s", "1e300/s"} {
		if got, err := config.ParseRate(text); err == nil {
			t.Errorf("%q: got %v, want an error", text, got)
		}
	}
}

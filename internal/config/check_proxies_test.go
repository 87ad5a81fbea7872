package config_test

import (
	"strings"
	"testing"

	"github.com/asgood-dev/asgood/internal/config"
)

func TestTrustedProxies(t *testing.T) {
	for _, tt := range []struct{ list, problem string }{
		{`["10.0.0.0/8", "192.0.2.7", "fd00::/8", "::1"]`, ""},
		{`[]`, ""},
		{`[proxy]`, "listen.trusted_proxies[0]"},
		{`["10.0.0.1", "10.0.0.0/33"]`, "listen.trusted_proxies[1]"},
		{`["0.0.0.0/0"]`, "each caller could name another"},
		{`["::/0"]`, "each caller could name another"},
		{`["fe80::1%eth0"]`, "listen.trusted_proxies[0]"},
	} {
		_, err := config.Parse("a.yaml", []byte("name: Acme\nfeatures: [{name: a}]\nlisten: {trusted_proxies: "+tt.list+"}\n"), nil)
		if tt.problem == "" && err != nil || tt.problem != "" && (err == nil || !strings.Contains(err.Error(), tt.problem)) {
			t.Errorf("%s: got %v, want %q", tt.list, err, tt.problem)
		}
	}
}

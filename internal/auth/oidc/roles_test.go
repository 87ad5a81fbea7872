package oidc

import (
	"encoding/json"
	"testing"

	"github.com/asgood-dev/asgood/internal/quality"
)

func TestRoles(t *testing.T) {
	roles := map[quality.Role][]string{quality.RoleAdmin: {"sre"}, quality.RoleEditor: {"ml", "ai"}}
	for _, tt := range []struct {
		claims, name string
		want         quality.Role
	}{
		{`{"groups": ["ml", "sre"]}`, "groups", quality.RoleAdmin},
		{`{"groups": "ai"}`, "groups", quality.RoleEditor},
		{`{"groups": [1, {"a": "sre"}, null, "ai"]}`, "groups", quality.RoleEditor},
		{`{"groups": {"sre": true}}`, "groups", quality.RoleNone},
		{`{"realm_access": {"roles": ["sre"]}}`, "realm_access.roles", quality.RoleAdmin},
		{`{"https://a.example/groups": ["sre"]}`, "https://a.example/groups", quality.RoleAdmin},
		{`{"realm_access": "sre"}`, "realm_access.roles", quality.RoleNone},
		{`{}`, "groups", quality.RoleNone},
	} {
		var claims map[string]any
		if err := json.Unmarshal([]byte(tt.claims), &claims); err != nil {
			t.Fatal(err)
		}
		v, _ := lookUp(claims, tt.name)
		if got := roleOf(texts(v), roles); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.claims, got, tt.want)
		}
	}
}

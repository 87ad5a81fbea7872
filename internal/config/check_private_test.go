package config_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/asgood-dev/asgood/internal/config"
)

func TestPrivate(t *testing.T) {
	none := func(string) (string, bool) { return "", false }
	c, err := config.Parse("asgood.yaml", []byte("features: [{name: a}]\ncustomers: [{name: acme, aliases: [x, y]}, {name: zenith, aliases: [z]}]"), none)
	if err != nil || c.StatusPage.Private.Least != 200 || fmt.Sprint(c.Customers[0].Aliases) != "[x y]" {
		t.Errorf("got %+v %v", c, err)
	}
	for _, tt := range []struct{ text, path, want string }{
		{"statuspage: {private: {least: 29}}", "statuspage.private.least", "want 30 to"},
		{"statuspage: {private: {least: 1000001}}", "statuspage.private.least", "1000000"},
		{"statuspage: {private: {least: few}}", "statuspage.private.least", ""},
		{"customers: [{name: acme, aliases: [zenith]}, {name: zenith}]", "customers[0].aliases[0]", "customers[1] has this name"},
		{"customers: [{name: acme, aliases: [acme]}]", "customers[0].aliases[0]", "customers[0] has this name"},
		{"customers: [{name: acme, aliases: [x]}, {name: zenith, aliases: [y, x]}]", "customers[1].aliases[1]", "customers[0].aliases[0] is this name"},
		{"customers: [{name: acme, aliases: [x, x]}]", "customers[0].aliases[1]", "customers[0].aliases[0] is this name"},
		{"customers: [{name: acme, aliases: [\" \"]}]", "customers[0].aliases[0]", "want a name"},
		{"customers: [{name: acme, aliases: [" + strings.Repeat("x", 2000) + "]}]", "customers[0].aliases[0]", "at most"},
	} {
		_, err := config.Parse("asgood.yaml", []byte("features: [{name: a}]\n"+tt.text), none)
		if err == nil || !strings.Contains(err.Error(), tt.path) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q at %s", tt.text, err, tt.want, tt.path)
		}
	}
}

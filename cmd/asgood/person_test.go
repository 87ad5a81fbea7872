package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Links and sessions are a running server's: without one the commands say so.
func TestPersonWithoutAServer(t *testing.T) {
	config := filepath.Join(t.TempDir(), "asgood.yaml")
	text := fmt.Sprintf("storage: {dir: %q}\nlisten: {internal: \"127.0.0.1:1\"}\nfeatures: [{name: bot}]\n", t.TempDir())
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"link"}, 2, "--name, --role"},
		{[]string{"link", "--name", "Ada", "--role", "boss"}, 2, "viewer, account, responder, editor, admin"},
		{[]string{"link", "--name", "Ada", "--role", "admin"}, 1, "no server answers at 127.0.0.1:1"},
		{[]string{"list"}, 1, "no server answers"},
		{[]string{"remove"}, 2, "asgood person list shows it"},
		{[]string{"remove", "local:ada"}, 1, "no server answers"},
	} {
		got := run(t, "", append(append([]string{"person"}, tt.args...), "--config", config)...)
		if got.code != tt.code || !strings.Contains(got.err, tt.want) {
			t.Errorf("%v: got %+v, want code %d and %q", tt.args, got, tt.code, tt.want)
		}
	}
}

package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/asgood-dev/asgood/internal/quality"
)

var update = flag.Bool("update", false, "write the golden files")

// run executes a command line and returns what it printed, with what differs from run to run replaced.
func runChange(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	cmd := root()
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(t.Context())
	if err != nil {
		fmt.Fprintln(&out, "asgood:", err)
	}
	return regexp.MustCompile(`"recorded_at": "[^"]*"`).ReplaceAllString(out.String(), `"recorded_at": "NOW"`), err
}

// TestChangeCommands works on a data directory, since no server runs.
func TestChangeCommands(t *testing.T) {
	config := filepath.Join(t.TempDir(), "asgood.yaml")
	text := "features: [{name: support-assistant}, {name: search}]\nretention: {scores: 36500d}\n" +
		"listen: {public: '127.0.0.1:1', ingest: '127.0.0.1:2', internal: '127.0.0.1:3'}\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, c := range []struct {
		args    []string
		invalid bool
	}{
		{args: []string{"change", "add", "--feature", "support-assistant", "--layer", "prompt", "--title", "Shorter answers", "--owner", "team-support",
			"--reviewer", "jane", "--reference", "https://git.example/pull/7", "--before", "support@v12", "--after", "support@v13", "--at", "2026-03-01T12:00:00Z", "--id", "pull-7"}},
		{args: []string{"change", "add", "--layer", "serving", "--carries", "prompt,tools", "--title", "Deploy", "--at", "2026-03-01T13:00:00Z", "--id", "deploy-1", "--json"}},
		{args: []string{"change", "add", "--layer", "serving", "--title", "Deploy", "--id", "deploy-1"}},
		{args: []string{"change", "list"}},
		{args: []string{"change", "list", "--layer", "prompt", "--limit", "1", "--json"}},
		{args: []string{"change", "list", "--undeclared"}},
		{args: []string{"change", "add", "--title", "x"}, invalid: true},
		{args: []string{"change", "add", "--layer", "prompt", "--title", "x", "--feature", "serach"}, invalid: true},
		{args: []string{"change", "add", "--layer", "prompt", "--title", "x", "--at", "yesterday"}, invalid: true},
		{args: []string{"change", "list", "--limit", "0"}, invalid: true},
	} {
		out, err := runChange(t, append(c.args, "--config", config)...)
		if (err != nil) != c.invalid || c.invalid && quality.KindOf(err) != quality.KindInvalid {
			t.Errorf("%q: got %v", c.args, err)
		}
		fmt.Fprintf(&got, "$ asgood %s\n%s\n", strings.Join(c.args, " "), out)
	}
	golden(t, "change.txt", got.String())
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test ./cmd/asgood -update writes it anew); got:\n%s", path, got)
	}
}

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/app"
	"github.com/asgood-dev/asgood/internal/clickhouse/embedded"
	"github.com/asgood-dev/asgood/internal/config"
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

// server is a whole server with its configuration file.
func server(t *testing.T) (file, internal string) {
	t.Helper()
	if _, err := embedded.Find(""); err != nil {
		t.Skipf("the embedded engine is not installed: run `make engine` (%v)", err)
	}
	text := fmt.Sprintf("storage: {dir: %q}\nlisten: {public: \"127.0.0.1:0\", ingest: \"127.0.0.1:0\", internal: \"127.0.0.1:0\"}\nfeatures: [{name: bot}]\n", t.TempDir())
	path := write(t, "asgood.yaml", text)
	cfg, err := config.Parse(path, []byte(text), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	a, err := app.New(t.Context(), app.Options{Config: cfg})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := a.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return path, "http://" + a.Addr("internal")
}

// A person is let in, listed and put out again.
func TestPersonCommands(t *testing.T) {
	path, url := server(t)
	person := func(args ...string) outcome {
		t.Helper()
		got := run(t, "", append(append([]string{"person"}, args...), "--config", path, "--server", url)...)
		if got.code != 0 {
			t.Fatalf("%v: got %+v", args, got)
		}
		return got
	}
	if got := person("list"); got.out != "nobody has signed in yet\n" {
		t.Errorf("got %q", got.out)
	}
	made := person("link", "--name", "Ada Lovelace", "--role", "viewer")
	link := strings.TrimSpace(made.out)
	if !strings.HasPrefix(link, url+"/login/link/") || !strings.Contains(made.err, "signs in Ada Lovelace with role viewer, once, until ") {
		t.Fatalf("got %+v", made)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar, Timeout: time.Minute}
	answer := func(method, url string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept", "text/html")
		res, err := browser.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		return res.StatusCode, res.Request.URL.Path
	}
	if status, at := answer(http.MethodPost, link); status != http.StatusOK || at != "/console" {
		t.Errorf("signing in: got %d at %s", status, at)
	}
	if got := person("list"); !strings.Contains(got.out, "local:ada lovelace") || !strings.Contains(got.out, "viewer") {
		t.Errorf("got %q", got.out)
	}
	var list struct{ People []app.Account }
	if err := json.Unmarshal([]byte(person("list", "--json").out), &list); err != nil || len(list.People) != 1 || list.People[0].Name != "Ada Lovelace" {
		t.Errorf("got %+v %v", list, err)
	}
	if got := person("remove", "local:ada lovelace"); got.out != "removed local:ada lovelace (Ada Lovelace)\n" {
		t.Errorf("got %q", got.out)
	}
	if status, at := answer(http.MethodGet, url+"/console"); status != http.StatusOK || at != "/login" {
		t.Errorf("after being removed: got %d at %s", status, at)
	}
	if got := run(t, "", "person", "remove", "local:ada lovelace", "--config", path, "--server", url); got.code == 0 || !strings.Contains(got.err, "nobody has the id") {
		t.Errorf("twice: got %+v", got)
	}
}

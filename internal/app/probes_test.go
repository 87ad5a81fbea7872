package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/asgood-dev/asgood/internal/config"
)

func beat(t *testing.T, addr, name, body string) int {
	t.Helper()
	res, err := http.Post("http://"+addr+"/v1/heartbeats/"+name, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	return res.StatusCode
}

func TestAHeartbeatOverARestart(t *testing.T) {
	needEngine(t)
	url, pages := outside(t)
	text := fmt.Sprintf(configuration, t.TempDir(), "http://unused", url+"/hook", secret)
	text = strings.Replace(text, `{http: "http://unused", every: 1s}`, "{heartbeat: import, every: 1h}, {traffic: {errors_above: 0.2}}", 1)
	cfg, err := config.Parse("test.yaml", []byte(text), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	shows := func(addr, word string) {
		t.Helper()
		eventually(t, "the word "+word, func() (string, bool) {
			page := get("http://" + addr + "/")
			return page, strings.Contains(page, ">"+word+"<")
		})
	}
	a, stop := start(t, cfg)
	if code := beat(t, a.Addr("ingest"), "export", ""); code != http.StatusNotFound {
		t.Errorf("an unknown heartbeat: got %d, want 404", code)
	}
	if code := beat(t, a.Addr("ingest"), "import", ""); code != http.StatusOK {
		t.Errorf("got %d, want 200", code)
	}
	shows(a.Addr("public"), "Up")
	stop()
	a, _ = start(t, cfg)
	eventually(t, "a check after the restart", func() (string, bool) {
		m := get("http://" + a.Addr("internal") + "/metrics")
		return m, strings.Contains(m, `asgood_probe_up{feature="bot",probe="heartbeat import"} 1`) &&
			strings.Contains(m, `asgood_probe_checks_total{feature="bot",result="unknown"}`)
	})
	shows(a.Addr("public"), "Up")
	if code := beat(t, a.Addr("ingest"), "import", `{"status":"fail","message":"disk full"}`); code != http.StatusOK {
		t.Errorf("got %d, want 200", code)
	}
	if got := <-pages; got != "incident.opened" {
		t.Errorf("got %q, want incident.opened", got)
	}
	shows(a.Addr("public"), "Down")
	if page := get("http://" + a.Addr("public") + "/"); strings.Contains(page, "disk full") {
		t.Error("the status page tells what the heartbeat said")
	}
}

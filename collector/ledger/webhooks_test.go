package ledger_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/collector/ledger"
	"github.com/asgood-dev/asgood/internal/quality"
)

const hookSecret = "a secret that is long enough"

func hookBody(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("hooks", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func (l *listener) github(t testing.TB, event, body string) (int, reply, string) {
	t.Helper()
	mac := hmac.New(sha256.New, []byte(hookSecret))
	mac.Write([]byte(body))
	return l.post(t, "/v1/changes/github", body, "X-GitHub-Event", event, "X-GitHub-Delivery", "72d3162e", "X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
}

func hooked() ledger.Options {
	s := spec()
	s.GitHub.Secret, s.GitLab.Secret, s.PagerDuty.RoutingKey = hookSecret, hookSecret, "a routing key of some length"
	return ledger.Options{Spec: s, Now: func() time.Time { return begin.Add(time.Hour) }}
}

func TestSourcesWithoutASecret(t *testing.T) {
	l := serve(t, ledger.Options{})
	for _, source := range []string{"github", "gitlab", "pagerduty"} {
		status, _, text := l.post(t, "/v1/changes/"+source, "{}", "X-Gitlab-Token", "")
		if status != 404 || !strings.Contains(text, "changes."+source+".") {
			t.Errorf("%s: got %d %s, want 404 and the key to set", source, status, text)
		}
	}
}

func TestStrangers(t *testing.T) {
	l := serve(t, hooked())
	for _, c := range []struct{ path, body, name, value string }{
		{"github", hookBody(t, "github-deployment.json"), "X-Hub-Signature-256", "sha256=00"},
		{"github", hookBody(t, "github-deployment.json"), "X-Hub-Signature", "sha1=00"},
		{"gitlab", hookBody(t, "gitlab-deployment.json"), "X-Gitlab-Token", "another"},
		{"pagerduty", `{"routing_key":"another","payload":{"summary":"x"}}`, "X", "y"},
	} {
		status, _, text := l.post(t, "/v1/changes/"+c.path, c.body, c.name, c.value)
		if status != 403 || strings.Contains(text, hookSecret) {
			t.Errorf("%s: got %d %s", c.path, status, text)
		}
	}
	if _, page, _ := l.list(t, ""); len(page.Changes) != 0 {
		t.Errorf("got %+v", page)
	}
}

func TestDeploymentOfGitHub(t *testing.T) {
	l := serve(t, hooked())
	started, done := hookBody(t, "github-deployment.json"), hookBody(t, "github-status-success.json")
	failed := strings.Replace(done, `"state": "success"`, `"state": "failure"`, 1)
	at := func() (quality.Change, int) {
		_, page, _ := l.list(t, "")
		if len(page.Changes) == 0 {
			return quality.Change{}, 0
		}
		return page.Changes[0], len(page.Changes)
	}
	for i, step := range []struct {
		event, body, status string
		flags               string
		after               time.Duration
	}{
		{"deployment", started, "recorded", "started", 0},
		{"deployment", started, "known", "started", 0}, // redelivered
		{"deployment_status", strings.Replace(done, `"state": "success"`, `"state": "in_progress"`, 1), "ignored", "started", 0},
		{"deployment_status", failed, "recorded", "failed", 5 * time.Minute},
		{"deployment_status", done, "recorded", "", 5 * time.Minute}, // tried again
		{"deployment_status", done, "known", "", 5 * time.Minute},
		{"deployment_status", failed, "known", "", 5 * time.Minute}, // late
		{"deployment", started, "known", "", 5 * time.Minute},
	} {
		status, r, text := l.github(t, step.event, step.body)
		c, n := at()
		if status != 200 || r.Status != step.status || n != 1 || strings.Join(c.Flags, ",") != step.flags || !c.At.Equal(begin.Add(step.after)) {
			t.Errorf("step %d: got %d %s, then %d entries and %+v", i, status, text, n, c)
		}
	}
	c, _ := at()
	if c.Source != quality.ChangeGitHub || c.Owner != "octocat" || c.Layer != quality.LayerServing || len(c.Features) != 0 || !strings.Contains(c.Reference, "/actions/runs/1") {
		t.Errorf("got %+v", c)
	}
}

func TestStatusWithoutItsDeployment(t *testing.T) {
	l := serve(t, hooked())
	if status, r, text := l.github(t, "deployment_status", hookBody(t, "github-status-success.json")); status != 200 || r.Status != "recorded" {
		t.Errorf("got %d %s", status, text)
	}
	if status, r, text := l.github(t, "deployment", hookBody(t, "github-deployment.json")); status != 200 || r.Status != "known" {
		t.Errorf("got %d %s", status, text)
	}
}

func TestMap(t *testing.T) {
	staging := func(s string) string {
		return strings.NewReplacer(`"environment": "production"`, `"environment": "staging"`, `"production_environment": true`, `"production_environment": false`).Replace(s)
	}
	o := hooked()
	o.Spec.Map = []quality.ChangeMap{
		{Repository: "acme/support-bot", Environment: "staging", Features: []string{"notes"}, Layer: quality.LayerTools},
		{Repository: "Acme/Support-Bot", Features: []string{"chat"}, Layer: quality.LayerModel, Carries: []quality.Layer{quality.LayerPrompt}, Owner: "team-support"},
	}
	deployment := hookBody(t, "github-deployment.json")
	for _, c := range []struct {
		name, body, status, want string
	}{
		{"production", deployment, "recorded", "[chat] model [prompt] team-support"},
		{"staging", staging(deployment), "recorded", "[notes] tools [] octocat"},
		{"other repository", strings.ReplaceAll(deployment, "acme/support-bot", "acme/website"), "ignored", ""},
		{"other environment", strings.ReplaceAll(staging(deployment), "staging", "preview"), "ignored", ""},
	} {
		l := serve(t, o)
		status, r, text := l.github(t, "deployment", c.body)
		if status != 200 || r.Status != c.status || c.status == "ignored" && !strings.Contains(r.Reason, "changes.map") {
			t.Errorf("%s: got %d %s", c.name, status, text)
		}
		_, page, _ := l.list(t, "")
		for _, x := range page.Changes {
			carries := []quality.Layer{}
			got := strings.NewReplacer("<nil>", "").Replace(sprint(x.Features, x.Layer, append(carries, x.Carries...), x.Owner))
			if got != c.want {
				t.Errorf("%s: got %q, want %q", c.name, got, c.want)
			}
		}
	}
	l := serve(t, hooked())
	if _, r, text := l.github(t, "deployment", staging(deployment)); r.Status != "ignored" || !strings.Contains(r.Reason, "not production") {
		t.Errorf("without a map: got %s", text)
	}
}

func TestDeploymentOfGitLab(t *testing.T) {
	l := serve(t, hooked())
	body := hookBody(t, "gitlab-deployment.json")
	running := strings.Replace(body, `"status": "success"`, `"status": "running"`, 1)
	for i, want := range []struct{ body, status string }{{running, "recorded"}, {body, "recorded"}, {body, "known"}, {strings.Replace(body, `"deployment"`, `"pipeline"`, 1), "ignored"}} {
		if status, r, text := l.post(t, "/v1/changes/gitlab", want.body, "X-Gitlab-Token", hookSecret); status != 200 || r.Status != want.status {
			t.Errorf("step %d: got %d %s", i, status, text)
		}
	}
	_, page, _ := l.list(t, "")
	if len(page.Changes) != 1 || page.Changes[0].Owner != "jane" || !page.Changes[0].At.Equal(begin) || page.Changes[0].Flags != nil {
		t.Errorf("got %+v", page)
	}
}

func TestChangeEventOfPagerDuty(t *testing.T) {
	now := begin.Add(time.Hour)
	o := hooked()
	o.Now = func() time.Time { return now }
	l := serve(t, o)
	for _, path := range []string{"/v1/changes/pagerduty", "/v1/changes/pagerduty/v2/change/enqueue"} {
		status, r, text := l.post(t, path, hookBody(t, "pagerduty-change.json"))
		if status != 202 || r.Status != "success" || !strings.Contains(text, `"message"`) {
			t.Errorf("got %d %s", status, text)
		}
	}
	_, page, _ := l.list(t, "")
	if got := sprint(page.Changes[0].Features, page.Changes[0].Layer, page.Changes[0].Before, page.Changes[0].After); len(page.Changes) != 1 || got != "[chat notes] prompt support@v12 279484c0" {
		t.Errorf("got %q of %d", got, len(page.Changes))
	}
	plain := `{"routing_key":"a routing key of some length","payload":{"summary":"Deployed"}}`
	for _, wait := range []time.Duration{8 * time.Minute, time.Minute, 5 * time.Minute} { // a client that tries again
		now = now.Add(wait)
		l.post(t, "/v1/changes/pagerduty", plain)
	}
	now = now.Add(24 * time.Hour) // the next deployment in the same words
	l.post(t, "/v1/changes/pagerduty", plain)
	if _, page, _ = l.list(t, ""); len(page.Changes) != 3 {
		t.Errorf("got %d entries, want 3", len(page.Changes))
	}
	for body, want := range map[string]string{
		`{"routing_key":"a routing key of some length","payload":{}}`:                                                            "payload.summary",
		`{"routing_key":"a routing key of some length","payload":{"summary":"x","custom_details":{"feature":"chta"}}}`:           `no feature \"chta\"`,
		`{"routing_key":"a routing key of some length","payload":{"summary":"x","custom_details":{"layer":"model and prompt"}}}`: "retrieval",
		`{`: "JSON",
	} {
		status, r, text := l.post(t, "/v1/changes/pagerduty", body)
		if status != 400 || r.Status != "invalid event" || !strings.Contains(text, want) || !strings.Contains(text, `"errors":[`) {
			t.Errorf("%s: got %d %s", body, status, text)
		}
	}
}

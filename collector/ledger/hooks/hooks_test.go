package hooks_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/asgood-dev/asgood/collector/ledger/hooks"
	"github.com/asgood-dev/asgood/internal/quality"
)

func TestVerifyGitHub(t *testing.T) {
	// The vector of GitHub's documentation.
	const secret, body = "It's a Secret to Everybody", "Hello, World!"
	const signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
	for _, c := range []struct {
		name, secret, body, header string
		ok                         bool
	}{
		{"vector", secret, body, signature, true},
		{"other secret", "It's a secret to everybody", body, signature, false},
		{"other body", secret, "Hello, World", signature, false},
		{"no header", secret, body, "", false},
		{"SHA-1", secret, body, "sha1=757107ea0eb2509fc211221cce984b8a37570b6d", false},
		{"cut", secret, body, signature[:40], false},
		{"not hexadecimal", secret, body, "sha256=zz", false},
	} {
		h := http.Header{}
		h.Set("X-Hub-Signature-256", c.header)
		err := hooks.VerifyGitHub(c.secret, h, []byte(c.body))
		if (err == nil) != c.ok || err != nil && quality.KindOf(err) != quality.KindForbidden {
			t.Errorf("%s: got %v", c.name, err)
		}
		if err != nil && strings.Contains(err.Error(), c.secret) {
			t.Errorf("%s: the error tells the secret", c.name)
		}
	}
}

func TestVerifyGitLab(t *testing.T) {
	const token = "a token of some length"
	h := http.Header{}
	h.Set("X-Gitlab-Token", token)
	if err := hooks.VerifyGitLab(token, h, nil); err != nil {
		t.Error(err)
	}
	for _, other := range []string{"", token + "x", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"} {
		if err := hooks.VerifyGitLab("another of some length", http.Header{"X-Gitlab-Token": {other}}, nil); quality.KindOf(err) != quality.KindForbidden {
			t.Errorf("%q: got %v", other, err)
		}
	}
}

func TestVerifyGitLabSigned(t *testing.T) {
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	signer, err := standardwebhooks.NewWebhook(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	body := []byte(`{"test": 2432232314}`)
	for _, c := range []struct {
		name string
		at   time.Time
		body string
		ok   bool
	}{
		{"now", time.Now(), string(body), true},
		{"replayed an hour later", time.Now().Add(-time.Hour), string(body), false},
		{"other body", time.Now(), "{}", false},
	} {
		signature, err := signer.Sign("msg_1", c.at, body)
		if err != nil {
			t.Fatal(err)
		}
		h := http.Header{}
		h.Set("webhook-id", "msg_1")
		h.Set("webhook-timestamp", strconv.FormatInt(c.at.Unix(), 10))
		h.Set("webhook-signature", signature)
		h.Set("X-Gitlab-Token", secret) // is not looked at
		if err := hooks.VerifyGitLab(secret, h, []byte(c.body)); (err == nil) != c.ok {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
}

func body(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestGitHub(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		event, file string
		push        bool
		want        hooks.Deploy
		ignored     string
	}{
		{event: "deployment", file: "github-deployment.json", want: hooks.Deploy{
			ID: "github/acme/support-bot/deployment/87972451", Stage: hooks.Started, At: at, Repository: "acme/support-bot", Environment: "production", Production: true,
			Title: "deploy of main to production", Description: "Shorter answers", Owner: "octocat", After: "f95f852bd8fc",
			Reference: "https://github.example/acme/support-bot/commit/f95f852bd8fca8fcc58a9a2d6c842781e32a215e"}},
		{event: "deployment_status", file: "github-status-success.json", want: hooks.Deploy{
			ID: "github/acme/support-bot/deployment/87972451", Stage: hooks.Done, At: at.Add(5 * time.Minute), Repository: "acme/support-bot", Environment: "production", Production: true,
			Title: "deploy of main to production", Description: "Shorter answers", Owner: "octocat", After: "f95f852bd8fc",
			Reference: "https://github.example/acme/support-bot/actions/runs/1"}},
		{event: "release", file: "github-release.json", want: hooks.Deploy{
			ID: "github/acme/support-bot/release/11248810", Stage: hooks.Done, At: at, Repository: "acme/support-bot",
			Title: "release v13", Description: "What is new", Owner: "octocat", After: "v13", Reference: "https://github.example/acme/support-bot/releases/tag/v13"}},
		{event: "push", file: "github-push.json", ignored: "changes.github.push"},
		{event: "push", file: "github-push.json", push: true, want: hooks.Deploy{
			ID: "github/acme/support-bot/push/0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c", Stage: hooks.Done, At: at, Repository: "acme/support-bot",
			Title: "Shorten the answers", Description: "Shorten the answers\n\nBy half.", Owner: "octocat", Before: "6113728f27ae", After: "0d1a26e67d8f",
			Reference: "https://github.example/acme/support-bot/compare/6113728f27ae...0d1a26e67d8f"}},
		{event: "ping", file: "github-push.json", ignored: "pong"},
		{event: "issues", file: "github-push.json", ignored: "no change"},
	} {
		t.Run(c.event+strconv.FormatBool(c.push), func(t *testing.T) {
			got, err := hooks.GitHub(c.event, body(t, c.file), c.push)
			compare(t, got, err, c.want, c.ignored)
		})
	}
}

func compare(t *testing.T, got hooks.Deploy, err error, want hooks.Deploy, reason string) {
	t.Helper()
	if reason != "" {
		var ignored hooks.Ignored
		if !errors.As(err, &ignored) || !strings.Contains(ignored.Error(), reason) {
			t.Errorf("got %v, want it ignored with %q", err, reason)
		}
		return
	}
	a, _ := json.MarshalIndent(got, "", " ")
	b, _ := json.MarshalIndent(want, "", " ")
	if err != nil || string(a) != string(b) {
		t.Errorf("got %v %s, want %s", err, a, b)
	}
}

func TestGitHubStages(t *testing.T) {
	text := string(body(t, "github-status-success.json"))
	for state, want := range map[string]hooks.Stage{"failure": hooks.Failed, "error": hooks.Failed, "in_progress": "", "queued": "", "inactive": ""} {
		got, err := hooks.GitHub("deployment_status", []byte(strings.Replace(text, `"state": "success"`, `"state": "`+state+`"`, 1)), false)
		var ignored hooks.Ignored
		if want == "" && !errors.As(err, &ignored) || want != "" && (err != nil || got.Stage != want) {
			t.Errorf("%s: got %q, %v", state, got.Stage, err)
		}
	}
	robot, err := hooks.GitHub("deployment", []byte(strings.ReplaceAll(text, `"login": "octocat"`, `"login": "github-actions[bot]", "type": "Bot"`)), false)
	if err != nil || robot.Owner != "" {
		t.Errorf("got owner %q, %v: a robot owns nothing", robot.Owner, err)
	}
}

func TestGitLab(t *testing.T) {
	got, err := hooks.GitLab(body(t, "gitlab-deployment.json"))
	compare(t, got, err, hooks.Deploy{
		ID: "gitlab/acme/support-bot/deployment/15", Stage: hooks.Done, At: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Repository: "acme/support-bot",
		Environment: "prod/eu", Production: true, Title: "deploy of main to prod/eu", Description: "Shorten the answers", Owner: "jane",
		Reference: "https://gitlab.example/acme/support-bot/-/jobs/796", After: "279484c0",
	}, "")
	_, err = hooks.GitLab([]byte(`{"object_kind":"pipeline"}`))
	compare(t, hooks.Deploy{}, err, hooks.Deploy{}, "no change")
	if _, err = hooks.GitLab([]byte(`{"object_kind":"deployment"}`)); quality.KindOf(err) != quality.KindInvalid {
		t.Errorf("got %v for an event without an id", err)
	}
}

func TestPagerDuty(t *testing.T) {
	got, err := hooks.PagerDuty("a routing key of some length", body(t, "pagerduty-change.json"))
	got.ID = ""
	compare(t, got, err, hooks.Deploy{
		Stage: hooks.Done, At: time.Date(2026, 3, 1, 12, 0, 0, 315e6, time.UTC), Repository: "acme/support-bot", Environment: "production",
		Features: []string{"chat", "notes"}, Layer: quality.LayerPrompt, Title: "Build Success - Shorter answers", Owner: "jane", Before: "support@v12", After: "279484c0",
		Reference: "https://ci.example/runs/1",
	}, "")
	if _, err := hooks.PagerDuty("another", body(t, "pagerduty-change.json")); quality.KindOf(err) != quality.KindForbidden {
		t.Errorf("got %v with another key", err)
	}
	if _, err := hooks.PagerDuty("k", []byte(`{"routing_key":"k","payload":{"summary":" "}}`)); err == nil || !strings.Contains(err.Error(), "payload.summary") {
		t.Errorf("got %v without a summary", err)
	}
}

func TestPagerDutyIDFollowsTheEvent(t *testing.T) {
	id := func(text string) string {
		t.Helper()
		d, err := hooks.PagerDuty("k", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return d.ID
	}
	a := id(`{"routing_key":"k","payload":{"summary":"x","source":"y","custom_details":{"a":1,"b":2}}}`)
	if b := id(`{"payload":{"source":"y","custom_details":{"b":2,"a":1},"summary":"x"},"routing_key":"k"}`); a != b {
		t.Error("the order of fields makes another event")
	}
	if b := id(`{"routing_key":"k","payload":{"summary":"z","source":"y"}}`); a == b {
		t.Error("other words are the same event")
	}
}

// fit reports what the ledger would refuse of a deployment that was taken.
func fit(t *testing.T, d hooks.Deploy, err error) {
	t.Helper()
	if err != nil {
		return
	}
	c := quality.Change{ID: d.ID, Layer: quality.LayerServing, Title: d.Title, Description: d.Description, Owner: d.Owner, Reviewer: d.Reviewer,
		Reference: d.Reference, Before: d.Before, After: d.After}
	if c.Title == "" {
		c.Title = "x" // the ledger refuses it with a clear error
	}
	if err := c.Validate(); err != nil || d.ID == "" || d.Stage == "" {
		t.Errorf("got %v of %+v", err, d)
	}
}

func FuzzGitHub(f *testing.F) {
	for event, file := range map[string]string{"deployment": "github-deployment.json", "deployment_status": "github-status-success.json", "release": "github-release.json", "push": "github-push.json"} {
		f.Add(event, body(f, file))
	}
	f.Fuzz(func(t *testing.T, event string, data []byte) {
		d, err := hooks.GitHub(event, data, true)
		fit(t, d, err)
	})
}

func FuzzGitLab(f *testing.F) {
	f.Add(body(f, "gitlab-deployment.json"))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := hooks.GitLab(data)
		fit(t, d, err)
	})
}

func FuzzPagerDuty(f *testing.F) {
	f.Add(body(f, "pagerduty-change.json"))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := hooks.PagerDuty("a routing key of some length", data)
		fit(t, d, err)
	})
}

package subscribe

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// posted keeps what was posted, by URL.
type posted struct {
	mu     sync.Mutex
	bodies map[string][]string
}

func (p *posted) RoundTrip(r *http.Request) (*http.Response, error) {
	data, err := io.ReadAll(r.Body)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bodies[r.URL.String()] = append(p.bodies[r.URL.String()], string(data))
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("ok")), Header: http.Header{}, Request: r}, err
}

func (p *posted) to(address string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.bodies[address]
}

const (
	slackHook = "https://hooks.slack.com/services/T/B/x"
	teamsHook = "https://prod-1.westeurope.logic.azure.com/workflows/x?sig=y"
)

// chatWorld has a channel of Slack and one of Teams, which is told in German, that were told of an incident.
func chatWorld(t *testing.T) *posted {
	t.Helper()
	p := &posted{bodies: map[string][]string{}}
	w := newWorld(t, func(o *Options) { o.Transport, o.Languages = p, []string{"en", "de"} })
	w.run()
	for kind, address := range map[Kind]string{KindSlack: slackHook, KindTeams: teamsHook} {
		form := wish(kind, address)
		form["language"] = []string{map[Kind]string{KindSlack: "en", KindTeams: "de"}[kind]}
		if got := w.do("POST", "/subscribe", form); got.Code != 200 {
			t.Fatalf("%s: got %d %s", kind, got.Code, got.Body)
		}
		eventually(t, "the question", func() bool { return len(p.to(address)) == 1 })
		paths := pathsIn(p.to(address)[0])
		if len(paths) != 1 || !strings.HasPrefix(paths[0], "/subscribe/confirm/") {
			t.Fatalf("%s: links of the question: %q", kind, p.to(address)[0])
		}
		w.do("POST", paths[0], url.Values{})
	}
	w.settled()
	if err := w.s.take(t.Context(), published("n1")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the notices", func() bool { return len(p.to(slackHook)) == 2 && len(p.to(teamsHook)) == 2 })
	return p
}

// TestChatMessages: the forms are those that Slack's incoming webhooks and Teams' Workflows take.
func TestChatMessages(t *testing.T) {
	p := chatWorld(t)
	var slack struct {
		Text   string
		Blocks []struct {
			Type string
			Text struct{ Type, Text string }
		}
		UnfurlLinks *bool `json:"unfurl_links"`
	}
	if err := json.Unmarshal([]byte(p.to(slackHook)[1]), &slack); err != nil {
		t.Fatal(err)
	}
	if slack.Text == "" || len(slack.Blocks) != 3 || slack.UnfurlLinks == nil {
		t.Fatalf("Slack: got %s", p.to(slackHook)[1])
	}
	whole := ""
	for _, b := range slack.Blocks {
		if b.Type != "section" || b.Text.Type != "mrkdwn" || b.Text.Text == "" || len(b.Text.Text) > 3000 {
			t.Errorf("Slack: block %+v", b)
		}
		whole += b.Text.Text
	}
	for _, want := range []string{"Worse answers &lt;b&gt;of&lt;/b&gt;", "Affects: Assistant", "Next update: 3 Mar 2026, 10:14 UTC", "<https://status.acme.example/incidents/inc_1|Details>", "|Change or end this subscription>"} {
		if !strings.Contains(whole, want) {
			t.Errorf("Slack lacks %q: %s", want, whole)
		}
	}
	checkTeams(t, p.to(teamsHook)[1])
}

func checkTeams(t *testing.T, body string) {
	t.Helper()
	var teams struct {
		Type        string
		Attachments []struct {
			ContentType string
			Content     struct {
				Type, Version string
				Body          []struct {
					Type, Text string
					Wrap       bool
				}
				Actions []struct{ Type, Title, URL string }
			}
		}
	}
	if err := json.Unmarshal([]byte(body), &teams); err != nil || teams.Type != "message" || len(teams.Attachments) != 1 {
		t.Fatalf("Teams: got %s %v", body, err)
	}
	a := teams.Attachments[0]
	if a.ContentType != "application/vnd.microsoft.card.adaptive" || a.Content.Type != "AdaptiveCard" || len(a.Content.Body) != 3 || len(a.Content.Actions) != 2 {
		t.Fatalf("Teams: got %+v", a)
	}
	for _, b := range a.Content.Body {
		if b.Type != "TextBlock" || b.Text == "" || !b.Wrap {
			t.Errorf("Teams: block %+v", b)
		}
	}
	if x := a.Content.Actions[0]; x.Type != "Action.OpenUrl" || x.Title != "Einzelheiten" || x.URL != "https://status.acme.example/incidents/inc_1" {
		t.Errorf("Teams: action %+v", x)
	}
	for _, want := range []string{"Wir untersuchen: Worse answers", "Betrifft: Assistant", "Seit etwa: 3. März 2026, 09:14 UTC"} {
		if !strings.Contains(body, want) {
			t.Errorf("Teams lacks %q: %s", want, body)
		}
	}
}

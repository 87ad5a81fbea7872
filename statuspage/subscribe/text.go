package subscribe

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	htmltemplate "html/template"
	"strings"
	"sync"
	"text/template"
	"time"

	"github.com/asgood-dev/asgood/internal/markdown"
	"github.com/asgood-dev/asgood/internal/quality"
)

//go:embed templates/*.html templates/*.txt assets/subscribe.css
var files embed.FS

// links are the addresses by which a subscriber decides for itself.
type links struct{ Confirm, Manage, Unsubscribe string }

func (s *Service) links(sub Subscriber) links {
	return links{
		Confirm:     s.o.PageURL + "/subscribe/confirm/" + s.tokens.make(sub, toConfirm),
		Manage:      s.o.PageURL + "/subscribe/manage/" + s.tokens.make(sub, toManage),
		Unsubscribe: s.o.PageURL + "/unsubscribe/" + s.tokens.make(sub, toUnsubscribe),
	}
}

// message is one thing told to one subscriber, in every form.
type message struct {
	Subject string
	Text    string // whole, of a mail
	HTML    string // whole, of a mail
	Payload payload
	Links   links
	Title   string // of the status page
	Told    told
	Choice  string // what is subscribed, in words
	News    *news  // nil but for notices
}

// news is what a notice says, in words.
type news struct {
	Notice   quality.Notice
	Heading  string // what happened: Investigating, Resolved, Maintenance scheduled
	Name     string // of the incident or the maintenance
	Features string // titles
	When     string // label and times: "Since: ..."
	WhenText string
	Next     string // when the next update comes; empty when none was promised
	Body     string // Markdown
	Plain    string
	Rich     htmltemplate.HTML
	URL      string

	incident    *incidentPayload
	maintenance *maintenancePayload
}

// texts renders messages. What a notice speaks of is read anew every few seconds while it is being sent, so that
// what is taken back stops.
type texts struct {
	o      *Options
	titles map[string]string
	text   *template.Template
	html   *htmltemplate.Template

	mu    sync.Mutex
	known map[string]readNews
}

type readNews struct {
	news *news
	at   time.Time
}

// How long what was read is used, and how many are remembered.
const (
	newsFor = 5 * time.Second
	maxNews = 64
)

func newTexts(o *Options, titles map[string]string) (t *texts, err error) {
	t = &texts{o: o, titles: titles, known: map[string]readNews{}}
	if t.text, err = template.ParseFS(files, "templates/mail.txt"); err != nil {
		return nil, fmt.Errorf("parsing the text of mails: %w", err)
	}
	if t.html, err = htmltemplate.ParseFS(files, "templates/mail.html"); err != nil {
		return nil, fmt.Errorf("parsing the HTML of mails: %w", err)
	}
	return t, nil
}

// message renders an item for a subscriber; nil when there is nothing to tell any more.
func (t *texts) message(ctx context.Context, sub Subscriber, it item, l links) (*message, error) {
	m := &message{Title: t.o.Title, Links: l, Told: it.What, Choice: t.choice(sub.Choice)}
	switch it.What {
	case tellConfirm:
		m.Subject = "Confirm your subscription to " + t.o.Title
	case tellManage:
		m.Subject = "Your subscription to " + t.o.Title
	default:
		n, err := t.news(ctx, *it.Notice)
		if err != nil || n == nil {
			return nil, err
		}
		m.News, m.Subject = n, fmt.Sprintf("%s: %s – %s", n.Heading, n.Name, t.o.Title)
	}
	m.Payload = payloadOf(m, it, t.o.Now())
	if sub.Kind != KindEmail {
		return m, nil
	}
	return m, t.draw(m)
}

func (t *texts) draw(m *message) error {
	var b bytes.Buffer
	if err := t.text.ExecuteTemplate(&b, "mail.txt", m); err != nil {
		return fmt.Errorf("drawing a mail: %w", err)
	}
	m.Text = b.String()
	b.Reset()
	if err := t.html.ExecuteTemplate(&b, "mail.html", m); err != nil {
		return fmt.Errorf("drawing a mail: %w", err)
	}
	m.HTML = b.String()
	return nil
}

// choice says in words what is subscribed.
func (t *texts) choice(c Choice) string {
	features, topics := "all features", "quality, uptime and maintenance"
	if len(c.Features) > 0 {
		features = t.featureTitles(c.Features)
	}
	if len(c.Topics) > 0 {
		words := make([]string, len(c.Topics))
		for i, k := range c.Topics {
			words[i] = string(k)
		}
		topics = strings.Join(words, " and ")
	}
	return topics + " of " + features
}

func (t *texts) featureTitles(names []string) string {
	const most = 10
	var out []string
	for i, n := range names {
		if i == most {
			out = append(out, fmt.Sprintf("%d more", len(names)-most))
			break
		}
		title := t.titles[n]
		if title == "" {
			title = n
		}
		out = append(out, title)
	}
	return strings.Join(out, ", ")
}

// news returns what a notice says; nil when that is not public.
func (t *texts) news(ctx context.Context, n quality.Notice) (*news, error) {
	now := t.o.Now()
	t.mu.Lock()
	r, ok := t.known[n.ID]
	t.mu.Unlock()
	if age := now.Sub(r.at); ok && age >= 0 && age < newsFor {
		return r.news, nil
	}
	out, err := t.read(ctx, n)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.known) >= maxNews {
		clear(t.known)
	}
	t.known[n.ID] = readNews{out, now}
	return out, nil
}

func (t *texts) read(ctx context.Context, n quality.Notice) (*news, error) {
	out, err := (*news)(nil), error(nil)
	if n.Incident != "" {
		var i quality.Incident
		if i, err = t.o.Reader.Incident(ctx, n.Incident); err == nil {
			out = t.ofIncident(n, &i)
		}
	} else {
		var m quality.Maintenance
		if m, err = t.o.Reader.Maintenance(ctx, n.Maintenance); err == nil {
			out = t.ofMaintenance(n, &m)
		}
	}
	if err != nil && quality.KindOf(err) == quality.KindNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading what notice %q speaks of: %w", n.ID, err)
	}
	if out != nil {
		out.Plain, out.Rich = markdown.Text(out.Body), markdown.HTML(out.Body)
	}
	return out, nil
}

var statusWords = map[quality.IncidentStatus]string{
	quality.IncidentInvestigating: "Investigating", quality.IncidentIdentified: "Identified", quality.IncidentMonitoring: "Monitoring",
	quality.IncidentResolved: "Resolved", quality.IncidentPostmortem: "Postmortem",
}

var noticeWords = map[quality.NoticeWhat]string{
	quality.NoticeScheduled: "Maintenance scheduled", quality.NoticeReminder: "Maintenance soon", quality.NoticeStarted: "Maintenance started",
	quality.NoticeCompleted: "Maintenance completed", quality.NoticeUpdated: "Maintenance update",
}

// ofIncident says what an update of a public incident says; nil for anything that is not public.
func (t *texts) ofIncident(n quality.Notice, i *quality.Incident) *news {
	u := updateOf(n, i)
	if u == nil || !i.Public() || i.Backfilled {
		return nil
	}
	out := &news{Notice: n, Heading: statusWords[u.Status], Name: i.Name, Features: t.featureTitles(i.Features), Body: u.Body,
		URL: t.o.PageURL + "/incidents/" + i.ID, When: "Since about", WhenText: t.when(i.StartedAt)}
	if i.ResolvedAt != nil {
		out.When, out.WhenText = "From about", t.when(i.StartedAt)+" to "+t.when(*i.ResolvedAt)
	} else if i.NextUpdate != nil {
		out.Next = t.when(*i.NextUpdate)
	}
	out.incident = t.incidentPayload(i, u, out.URL)
	return out
}

// updateOf is the public update that a notice tells.
func updateOf(n quality.Notice, i *quality.Incident) *quality.IncidentUpdate {
	for k := len(i.Updates) - 1; k >= 0; k-- {
		if u := &i.Updates[k]; !u.Internal && (n.Update == "" || u.ID == n.Update) {
			return u
		}
	}
	return nil
}

func (t *texts) ofMaintenance(n quality.Notice, m *quality.Maintenance) *news {
	var u *quality.MaintenanceUpdate
	for k := len(m.Updates) - 1; k >= 0 && u == nil; k-- {
		if n.Update == "" || m.Updates[k].ID == n.Update {
			u = &m.Updates[k]
		}
	}
	if u == nil && n.What != quality.NoticeReminder {
		return nil
	}
	if n.What == quality.NoticeReminder && m.Status != quality.MaintenanceScheduled {
		return nil // it has begun meanwhile
	}
	out := &news{Notice: n, Heading: noticeWords[n.What], Name: m.Name, Features: t.featureTitles(m.Features),
		URL: t.o.PageURL + "/maintenances/" + m.ID, When: "Planned", WhenText: t.when(m.From) + " to " + t.when(m.To)}
	if u != nil {
		out.Body = u.Body
	}
	out.maintenance = t.maintenancePayload(m, u, out.URL)
	return out
}

func (t *texts) when(at time.Time) string { return at.In(t.o.Location).Format("2 Jan 2006, 15:04 MST") }

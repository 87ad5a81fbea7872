package subscribe

import (
	"bytes"
	"cmp"
	"context"
	"embed"
	"fmt"
	htmltemplate "html/template"
	"strings"
	"sync"
	"time"

	"github.com/asgood-dev/asgood/internal/markdown"
	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/statuspage/speech"
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
	Lang    string
	Subject string
	Text    string // whole, of a mail
	HTML    string // whole, of a mail
	Payload payload
	Links   links
	Title   string // of the status page
	Told    told
	Choice  string // what is subscribed, in words
	News    *news  // nil but for notices

	words *tongue
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
	o       *Options
	titles  map[string]string
	tongues *tongues

	mu    sync.Mutex
	known map[newsKey]readNews
}

// newsKey is a notice in a language.
type newsKey struct{ notice, lang string }

type readNews struct {
	news *news
	at   time.Time
}

// How long what was read is used, and how many are remembered.
const (
	newsFor = 5 * time.Second
	maxNews = 64
)

func newTexts(o *Options, titles map[string]string, t *tongues) *texts {
	return &texts{o: o, titles: titles, tongues: t, known: map[newsKey]readNews{}}
}

// message renders an item for a subscriber; nil when there is nothing to tell any more.
func (t *texts) message(ctx context.Context, sub Subscriber, it item, l links) (*message, error) {
	words := t.tongues.named(sub.Lang)
	m := &message{Lang: words.Tag, words: words, Title: t.o.Title, Links: l, Told: it.What, Choice: t.choice(words, sub.Choice)}
	switch it.What {
	case tellConfirm:
		m.Subject = words.Say("subscribe.subject.confirm", "Title", t.o.Title)
	case tellManage:
		m.Subject = words.Say("subscribe.subject.manage", "Title", t.o.Title)
	default:
		n, err := t.news(ctx, words, *it.Notice)
		if err != nil || n == nil {
			return nil, err
		}
		m.News, m.Subject = n, fmt.Sprintf("%s: %s – %s", n.Heading, n.Name, t.o.Title)
	}
	m.Payload = payloadOf(m, it, t.o.Now())
	if sub.Kind != KindEmail {
		return m, nil
	}
	return m, m.draw()
}

func (m *message) draw() error {
	var b bytes.Buffer
	if err := m.words.text.ExecuteTemplate(&b, "mail.txt", m); err != nil {
		return fmt.Errorf("drawing a mail: %w", err)
	}
	m.Text = b.String()
	b.Reset()
	if err := m.words.html.ExecuteTemplate(&b, "mail.html", m); err != nil {
		return fmt.Errorf("drawing a mail: %w", err)
	}
	m.HTML = b.String()
	return nil
}

// choice says in words what is subscribed.
func (t *texts) choice(l *tongue, c Choice) string {
	features, topics := l.Say("subscribe.all"), c.Topics
	if len(c.Features) > 0 {
		features = t.featureTitles(l, c.Features)
	}
	if len(topics) == 0 {
		topics = Topics()
	}
	words := make([]string, len(topics))
	for i, k := range topics {
		words[i] = l.Say("subscribe.word." + string(k))
	}
	return l.Say("subscribe.choice", "Topics", l.List(words), "Features", features)
}

func (t *texts) featureTitles(l *tongue, names []string) string {
	const most = 10
	var out []string
	for i, n := range names {
		if i == most {
			out = append(out, l.Count("subscribe.more", uint64(len(names)-most)))
			break
		}
		out = append(out, t.title(n))
	}
	return strings.Join(out, ", ")
}

// title is what a feature is called; one that is not there any more is called by its name.
func (t *texts) title(name string) string { return cmp.Or(t.titles[name], name) }

// news returns what a notice says; nil when that is not public.
func (t *texts) news(ctx context.Context, l *tongue, n quality.Notice) (*news, error) {
	now, key := t.o.Now(), newsKey{n.ID, l.Tag}
	t.mu.Lock()
	r, ok := t.known[key]
	t.mu.Unlock()
	if age := now.Sub(r.at); ok && age >= 0 && age < newsFor {
		return r.news, nil
	}
	out, err := t.read(ctx, l, n)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.known) >= maxNews {
		clear(t.known)
	}
	t.known[key] = readNews{out, now}
	return out, nil
}

func (t *texts) read(ctx context.Context, l *tongue, n quality.Notice) (*news, error) {
	out, err := (*news)(nil), error(nil)
	if n.Incident != "" {
		var i quality.Incident
		if i, err = t.o.Reader.Incident(ctx, n.Incident); err == nil {
			out = t.ofIncident(l, n, &i)
		}
	} else {
		var m quality.Maintenance
		if m, err = t.o.Reader.Maintenance(ctx, n.Maintenance); err == nil {
			out = t.ofMaintenance(l, n, &m)
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

// ofIncident says what an update of a public incident says; nil for anything that is not public.
func (t *texts) ofIncident(l *tongue, n quality.Notice, i *quality.Incident) *news {
	u := updateOf(n, i)
	if u == nil || !i.Public() || i.Backfilled {
		return nil
	}
	out := &news{Notice: n, Heading: l.Say("status." + string(u.Status)), Name: i.Name, Features: t.featureTitles(l, i.Features), Body: u.Body,
		URL: t.o.PageURL + "/incidents/" + i.ID, When: l.Say("subscribe.since"), WhenText: t.when(l, i.StartedAt)}
	if i.ResolvedAt != nil {
		out.When, out.WhenText = l.Say("subscribe.from"), t.span(l, i.StartedAt, *i.ResolvedAt)
	} else if i.NextUpdate != nil {
		out.Next = t.when(l, *i.NextUpdate)
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

func (t *texts) ofMaintenance(l *tongue, n quality.Notice, m *quality.Maintenance) *news {
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
	out := &news{Notice: n, Heading: l.Say("subscribe.maintenance." + string(n.What)), Name: m.Name, Features: t.featureTitles(l, m.Features),
		URL: t.o.PageURL + "/maintenances/" + m.ID, When: l.Say("subscribe.planned"), WhenText: t.span(l, m.From, m.To)}
	if u != nil {
		out.Body = u.Body
	}
	out.maintenance = t.maintenancePayload(m, u, out.URL)
	return out
}

func (t *texts) span(l *tongue, from, to time.Time) string {
	return l.Say("subscribe.span", "From", t.when(l, from), "To", t.when(l, to))
}

func (t *texts) when(l *tongue, at time.Time) string {
	at = at.In(t.o.Location)
	return l.Date(speech.YearTime, at) + " " + at.Format("MST")
}

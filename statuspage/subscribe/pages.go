package subscribe

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html/template"
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/quality"
)

// pages draws what people see.
type pages struct {
	s         *Service
	templates *template.Template
	css       []byte
	stylePath string
}

// view is what a page shows.
type view struct {
	Style, Title, Heading string
	Page                  string // title of the status page
	Problem, Done         string
	Kinds                 []kindView
	Features, Topics      []box
	Address               string
	What                  string // is subscribed, in words
	Active                bool
	Links                 links
}

type kindView struct {
	Kind        Kind
	Label, Hint string
	Checked     bool
}

type box struct {
	Value, Label, Hint string
	Checked            bool
}

func newPages(s *Service) (p *pages, err error) {
	p = &pages{s: s}
	if p.templates, err = template.ParseFS(files, "templates/page.html"); err != nil {
		return nil, fmt.Errorf("parsing the pages of subscriptions: %w", err)
	}
	if p.css, err = files.ReadFile("assets/subscribe.css"); err != nil {
		return nil, fmt.Errorf("reading the style of subscriptions: %w", err)
	}
	sum := sha256.Sum256(p.css)
	p.stylePath = "/subscribe/" + hex.EncodeToString(sum[:8]) + ".css"
	return p, nil
}

func (p *pages) style(c *gin.Context) {
	c.Header("Cache-Control", "public, max-age=31536000, immutable")
	c.Data(http.StatusOK, "text/css; charset=utf-8", p.css)
}

// draw answers with a page. Nothing of it is kept or passed on: its address may be a secret.
func (p *pages) draw(c *gin.Context, status int, name string, v view) error {
	var b bytes.Buffer
	if err := p.templates.ExecuteTemplate(&b, name, v); err != nil {
		return fmt.Errorf("drawing %q: %w", name, err)
	}
	h := c.Writer.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Robots-Tag", "noindex, nofollow")
	c.Data(status, "text/html; charset=utf-8", b.Bytes())
	return nil
}

func (p *pages) view(heading string) view {
	return view{Style: p.stylePath, Title: heading + " – " + p.s.o.Title, Heading: heading, Page: p.s.o.Title}
}

// kindViews are the kinds that are offered, in words.
func (p *pages) kindViews(chosen Kind) (out []kindView) {
	words := map[Kind][2]string{
		KindEmail:   {"E-mail", "An address such as ada@example.com. You get a mail with a link to confirm."},
		KindWebhook: {"Webhook", "An https:// URL that answers our challenge. Messages are signed (Standard Webhooks)."},
		KindSlack:   {"Slack", "The URL of an incoming webhook. The channel gets a link to confirm."},
		KindTeams:   {"Microsoft Teams", "The URL of a Workflows webhook. The channel gets a link to confirm."},
	}
	for _, k := range p.s.offered() {
		out = append(out, kindView{Kind: k, Label: words[k][0], Hint: words[k][1], Checked: k == chosen})
	}
	return out
}

func (p *pages) formView(c Choice, k Kind, address, problem string) view {
	v := p.view("Subscribe to updates")
	v.Problem, v.Kinds, v.Address = problem, p.kindViews(k), clip(address, maxURL)
	v.Features, v.Topics = p.boxes(c)
	return v
}

// boxes are what can be chosen, ticked where it is.
func (p *pages) boxes(c Choice) (features, topics []box) {
	for _, f := range p.s.o.Features {
		features = append(features, box{Value: f.Name, Label: f.Title, Checked: len(c.Features) == 0 || slices.Contains(c.Features, f.Name)})
	}
	words := map[quality.NoticeKind][2]string{
		quality.NoticeQuality:     {"Quality", "answers are worse than usual"},
		quality.NoticeUptime:      {"Uptime", "a feature does not answer"},
		quality.NoticeMaintenance: {"Maintenance", "planned work"},
	}
	for _, t := range Topics() {
		topics = append(topics, box{Value: string(t), Label: words[t][0], Hint: words[t][1], Checked: len(c.Topics) == 0 || slices.Contains(c.Topics, t)})
	}
	return features, topics
}

// askedView is the same for everybody who asked for a kind.
func (p *pages) askedView(k Kind) view {
	v := p.view("One more step")
	v.What = map[Kind]string{
		KindEmail:   "We have sent a mail to this address. Open the link in it to confirm; it works for 24 hours. Nothing else is sent before that.",
		KindWebhook: "We send a challenge to this URL. When it is answered the subscription begins; the message holds the secret of the signatures and the link to change or end it.",
		KindSlack:   "We have sent a message to this channel. Open the link in it to confirm; it works for 24 hours.",
		KindTeams:   "We have sent a message to this channel. Open the link in it to confirm; it works for 24 hours.",
	}[k]
	return v
}

func (p *pages) subscriberView(sub Subscriber) view {
	headings := map[State]string{StateUnconfirmed: "Confirm your subscription", StateQuarantined: "Confirm your subscription", StateActive: "Your subscription"}
	v := p.view(headings[sub.State])
	v.Address, v.What, v.Active, v.Links = sub.Address, p.s.texts.choice(sub.Choice), sub.State == StateActive, p.relative(sub)
	if sub.Kind != KindEmail {
		v.Address = obfuscate(sub.Kind, sub.Address)
	}
	v.Features, v.Topics = p.boxes(sub.Choice)
	return v
}

// relative are the links without the host, which a form may not leave.
func (p *pages) relative(sub Subscriber) links {
	t := p.s.tokens
	return links{Confirm: "/subscribe/confirm/" + t.make(sub, toConfirm), Manage: "/subscribe/manage/" + t.make(sub, toManage),
		Unsubscribe: "/unsubscribe/" + t.make(sub, toUnsubscribe)}
}

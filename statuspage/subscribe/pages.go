package subscribe

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"
)

// pages draws what people see.
type pages struct {
	s         *Service
	css       []byte
	stylePath string
}

// view is what a page shows.
type view struct {
	Lang, Dir, Logo  string
	Styles           []string
	Languages        []languageView
	Title, Heading   string
	Page             string // title of the status page
	Problem, Done    string
	Kinds            []kindView
	Features, Topics []box
	Speaks           []box // languages of the messages; none where there is one
	Address          string
	What             string // is subscribed, in words
	Active           bool
	Links            links

	words *tongue
}

type languageView struct {
	Tag, Name, Href string
	Here            bool
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
	if err := v.words.page.ExecuteTemplate(&b, name, v); err != nil {
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

// view is a page under a heading, which is one of the texts.
func (p *pages) view(l *tongue, heading string) view {
	o, h := p.s.o, l.Say(heading)
	v := view{words: l, Lang: l.Tag, Dir: l.Dir, Styles: append(slices.Clone(o.Styles), p.stylePath), Logo: o.Logo, Title: h + " – " + o.Title, Heading: h, Page: o.Title}
	if all := p.s.tongues.set.All(); len(all) > 1 {
		for _, x := range all {
			v.Languages = append(v.Languages, languageView{Tag: x.Tag, Name: x.Name(), Href: "?lang=" + x.Tag, Here: x.Tag == l.Tag})
		}
	}
	return v
}

// kindViews are the kinds that are offered, in words.
func (p *pages) kindViews(l *tongue, chosen Kind) (out []kindView) {
	for _, k := range p.s.offered() {
		out = append(out, kindView{Kind: k, Label: l.Say("subscribe.kind." + string(k)), Hint: l.Say("subscribe.hint." + string(k)), Checked: k == chosen})
	}
	return out
}

// asking is what a form was filled with.
type asking struct {
	Kind    Kind
	Address string
	Choice  Choice
	Lang    string
}

func (p *pages) formView(l *tongue, a asking, problem string) view {
	v := p.view(l, "subscribe.title")
	v.Problem, v.Kinds, v.Address = problem, p.kindViews(l, a.Kind), clip(a.Address, maxURL)
	v.Features, v.Topics = p.boxes(l, a.Choice)
	v.Speaks = p.speaks(cmp.Or(a.Lang, l.Tag))
	return v
}

// speaks are the languages of messages to choose from.
func (p *pages) speaks(chosen string) (out []box) {
	all := p.s.tongues.set.All()
	if len(all) < 2 {
		return nil
	}
	for _, l := range all {
		out = append(out, box{Value: l.Tag, Label: l.Name(), Checked: l.Tag == chosen})
	}
	return out
}

// boxes are what can be chosen, ticked where it is.
func (p *pages) boxes(l *tongue, c Choice) (features, topics []box) {
	for _, f := range p.s.o.Features {
		features = append(features, box{Value: f.Name, Label: f.Title, Checked: len(c.Features) == 0 || slices.Contains(c.Features, f.Name)})
	}
	for _, t := range Topics() {
		topics = append(topics, box{Value: string(t), Label: l.Say("subscribe.topic." + string(t)), Hint: l.Say("subscribe.about." + string(t)), Checked: len(c.Topics) == 0 || slices.Contains(c.Topics, t)})
	}
	return features, topics
}

// askedView is the same for everybody who asked for a kind.
func (p *pages) askedView(l *tongue, k Kind) view {
	v := p.view(l, "subscribe.asked")
	v.What = l.Say("subscribe.asked." + string(k))
	return v
}

func (p *pages) subscriberView(l *tongue, sub Subscriber) view {
	heading := "subscribe.confirm"
	if sub.State == StateActive {
		heading = "subscribe.manage"
	}
	v := p.view(l, heading)
	v.Address, v.What, v.Active, v.Links = sub.Address, p.s.texts.choice(l, sub.Choice), sub.State == StateActive, p.relative(sub)
	if sub.Kind != KindEmail {
		v.Address = obfuscate(sub.Kind, sub.Address)
	}
	v.Features, v.Topics = p.boxes(l, sub.Choice)
	v.Speaks = p.speaks(p.s.tongues.named(sub.Lang).Tag)
	return v
}

// relative are the links without the host, which a form may not leave.
func (p *pages) relative(sub Subscriber) links {
	t := p.s.tokens
	return links{Confirm: "/subscribe/confirm/" + t.make(sub, toConfirm), Manage: "/subscribe/manage/" + t.make(sub, toManage),
		Unsubscribe: "/unsubscribe/" + t.make(sub, toUnsubscribe)}
}

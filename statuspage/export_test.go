package statuspage

import (
	"context"
	"io/fs"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/statuspage/speech"
)

// What tests of behaviour from outside still need from inside.
var (
	Calendar  = calendar
	Percent   = percent
	Floored   = floored
	Hundredth = hundredth
	Scope     = scope
	Describe  = describe
)

// The limits of live connections.
const (
	LiveQueue   = liveQueue
	LivePing    = livePing
	LiveSilence = liveSilence
)

// Refresh reads everything once and builds the view of it, as Run does again and again.
func (p *Page) Refresh(ctx context.Context) error {
	p.state.refresh(ctx, p.log)
	p.days.refresh(ctx, p.log)
	return p.rebuild()
}

// Shown names what the page shows.
func (p *Page) Shown() string { return p.view.Load().content }

// Rebuild builds the view anew even when nothing changed.
func (p *Page) Rebuild() error {
	v, err := newView(p.view.Load().in, p.render)
	if err != nil {
		return err
	}
	_, err = v.api.json("/summary.json")
	return err
}

// Renew builds the view anew and shows it, with nothing drawn yet.
func (p *Page) Renew() error {
	v, err := newView(p.view.Load().in, p.render)
	if err != nil {
		return err
	}
	p.view.Store(v)
	return nil
}

// Clients counts the live connections.
func (p *Page) Clients() int {
	p.hub.mu.Lock()
	defer p.hub.mu.Unlock()
	return len(p.hub.clients)
}

// Publish tells live clients of content that is not there.
func (p *Page) Publish(etag string) {
	n := p.view.Load().newsSince(nil)
	for lang, m := range n {
		m.ETag = etag
		n[lang] = m
	}
	p.hub.publish(n)
}

// Join adds a live client that takes nothing, and reports whether it was let in.
func (p *Page) Join() bool { return p.JoinFrom("") }

// JoinFrom adds a live client of an address.
func (p *Page) JoinFrom(ip string) bool {
	return p.hub.add(p.render.languages.Default().Tag, networkOf(ip)) != nil
}

// Asset returns the path under which an asset is served, by its kind: css or js.
func (p *Page) Asset(kind string) string {
	for _, d := range []document{p.render.style, p.render.script} {
		if strings.HasSuffix(d.path, "."+kind) {
			return d.path
		}
	}
	return ""
}

// StyleSheet is the text of the page's style.
func StyleSheet() (string, error) {
	data, err := fs.ReadFile(files, "assets/page.css")
	return string(data), err
}

// Words are all words of the quality tile.
func Words() []Word {
	return []Word{WordUsual, WordBetter, WordNotEnough, WordCannotTell, WordSlightlyWorse, WordWorse, WordMuchWorse}
}

// SinceDetected are how long after its last score a monitor is no longer believed.
const MaxSilence time.Duration = maxSilence

// CutClients ends the live connections that there are.
func (p *Page) CutClients() {
	p.hub.mu.Lock()
	defer p.hub.mu.Unlock()
	for c := range p.hub.clients {
		p.hub.removeLocked(c)
	}
}

// english tells in English.
func english(loc *time.Location, now time.Time) told {
	all, err := speech.New(nil)
	if err != nil {
		panic(err) // English is always there
	}
	return told{all.English(), loc, now}
}

// SameMoment is a time as English pages tell it.
func SameMoment(at time.Time, loc *time.Location, now time.Time) moment {
	return english(loc, now).moment(at)
}

// PercentText is a figure as English pages tell it.
func PercentText(p float64) string { return english(time.UTC, time.Time{}).percent(p) }

// Forget lets the documents of the view be made anew.
func (p *Page) Forget() {
	v := p.view.Load()
	v.api = newPrograms(v)
}

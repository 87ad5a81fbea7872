package statuspage

import (
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/statuspage/feed"
)

// format is a form of what happened.
type format struct {
	file  string // at the end of its path
	kind  string
	write func(b *apiBuilder, feature string) ([]byte, error)
}

func formats() []format {
	return []format{
		{"history.atom", feed.AtomType, func(b *apiBuilder, feature string) ([]byte, error) { return b.feed(feature, "history.atom").Atom() }},
		{"history.rss", feed.RSSType, func(b *apiBuilder, feature string) ([]byte, error) { return b.feed(feature, "history.rss").RSS() }},
		{"feed.json", feed.JSONType, func(b *apiBuilder, feature string) ([]byte, error) { return b.feed(feature, "feed.json").JSON() }},
		{"maintenance.ics", feed.ICSType, func(b *apiBuilder, feature string) ([]byte, error) { return b.calendar(feature).ICS(), nil }},
	}
}

// feedListed is how many entries a feed has at most.
const feedListed = 50

// feed tells of the incidents and maintenances, the last changed first.
func (b *apiBuilder) feed(feature, file string) *feed.Feed {
	f := &feed.Feed{ID: b.tag("history"), Title: b.page.Name, Subtitle: "Incidents and maintenances", Home: b.link("/"), Self: b.link("/" + file)}
	if feature != "" {
		f.ID, f.Title = b.tag("history/"+feature), b.page.Name+": "+b.days[feature].Title
		f.Self = b.link("/features/" + url.PathEscape(feature) + "/" + file)
	}
	for _, i := range b.published {
		if concerns(feature, i.Features) {
			f.Entries = append(f.Entries, b.incidentEntry(i))
		}
	}
	for _, m := range b.maintenances {
		if concerns(feature, m.Features) {
			f.Entries = append(f.Entries, b.maintenanceEntry(m))
		}
	}
	slices.SortStableFunc(f.Entries, func(x, y feed.Entry) int { return y.Updated.Compare(x.Updated) })
	f.Entries = f.Entries[:min(len(f.Entries), feedListed)]
	f.Updated = b.calendarStart()
	if len(f.Entries) > 0 {
		f.Updated = f.Entries[0].Updated
	}
	return f
}

// calendarStart stands for the time of a feed in which nothing happened: it must not change with every view.
func (b *apiBuilder) calendarStart() time.Time {
	return calendar(b.v.in.now, b.v.in.options.Location)[0]
}

func concerns(feature string, features []string) bool {
	return feature == "" || slices.Contains(features, feature)
}

// tag is an identity that never changes as long as the page keeps its host.
func (b *apiBuilder) tag(name string) string {
	host := "localhost"
	if u, err := url.Parse(b.page.URL); err == nil && u.Hostname() != "" {
		host = u.Hostname()
	}
	return "tag:" + host + ",2026:" + url.PathEscape(name)
}

func (b *apiBuilder) incidentEntry(i quality.Incident) feed.Entry {
	shown := b.incident(i)
	e := feed.Entry{ID: b.tag("incident/" + i.ID), Title: i.Name, Link: shown.Shortlink, Published: i.CreatedAt, Updated: i.UpdatedAt,
		Categories: []string{shown.Kind, shown.Impact, shown.Status}}
	e.Updated = latest(e.Updated, i.CreatedAt, publishedAt(i))
	e.HTML = b.told(shown, "Impact: "+shown.Impact)
	e.Summary = summaryOf(shown)
	return e
}

// publishedAt is when the postmortem of an incident became public, which changes the incident for its readers.
func publishedAt(i quality.Incident) time.Time {
	if i.Postmortem == nil {
		return time.Time{}
	}
	return i.Postmortem.Published.At
}

func latest(times ...time.Time) time.Time { return slices.MaxFunc(times, time.Time.Compare) }

func (b *apiBuilder) maintenanceEntry(m quality.Maintenance) feed.Entry {
	shown := b.maintenance(m)
	e := feed.Entry{ID: b.tag("maintenance/" + m.ID), Title: m.Name, Link: shown.Shortlink, Published: m.CreatedAt,
		Updated: latest(m.UpdatedAt, m.CreatedAt), Categories: []string{shown.Impact, shown.Status}}
	e.HTML = b.told(shown, "Planned: "+b.clock(m.From)+" to "+b.clock(m.To))
	e.Summary = summaryOf(shown)
	return e
}

func (b *apiBuilder) clock(t time.Time) string {
	return t.In(b.v.in.options.Location).Format("2 January 2006, 15:04 MST")
}

// summaryOf is the newest update in one line.
func summaryOf(i apiIncident) string {
	if len(i.IncidentUpdates) == 0 {
		return statusText(i.Status)
	}
	u := i.IncidentUpdates[0]
	return statusText(u.Status) + ": " + clippedText(u.Body)
}

// summaryRunes is the length of a summary at most.
const summaryRunes = 300

func clippedText(s string) string {
	if r := []rune(s); len(r) > summaryRunes {
		return strings.TrimSpace(string(r[:summaryRunes-1])) + "…"
	}
	return s
}

// statusText is a status as people read it: "In progress".
func statusText(s string) string { return title(strings.ReplaceAll(s, "_", " ")) }

// told is all that was said, the newest first, with what is affected.
func (b *apiBuilder) told(i apiIncident, facts string) string {
	var names []string
	for _, c := range i.Components {
		names = append(names, c.Name)
	}
	var out strings.Builder
	if len(names) > 0 {
		facts = "Affects: " + strings.Join(names, ", ") + ". " + facts
	}
	fmt.Fprintf(&out, "<p>%s.</p>\n", template.HTMLEscapeString(facts))
	for _, u := range i.IncidentUpdates {
		at, err := time.Parse(time.RFC3339, u.DisplayAt)
		if err != nil {
			continue // we wrote it
		}
		fmt.Fprintf(&out, "<p><strong>%s</strong>, <time datetime=%q>%s</time></p>\n%s\n", statusText(u.Status), u.DisplayAt, b.clock(at), bodyHTML(u.Body))
	}
	return out.String()
}

// bodyHTML is what somebody wrote, safe to stand in a document of anybody.
func bodyHTML(text string) string {
	return "<p>" + strings.ReplaceAll(template.HTMLEscapeString(strings.TrimSpace(text)), "\n", "<br>") + "</p>"
}

// calendarRefresh is how often a calendar is asked to look again.
const calendarRefresh = time.Hour

// calendar holds the planned work that is not long over.
func (b *apiBuilder) calendar(feature string) *feed.Calendar {
	c := &feed.Calendar{Name: b.page.Name, Zone: b.page.TimeZone, Home: b.link("/"), Refresh: calendarRefresh, Software: "Asgood"}
	for _, m := range b.maintenances {
		if concerns(feature, m.Features) && len(c.Events) < feedListed {
			c.Events = append(c.Events, b.event(m))
		}
	}
	return c
}

// event lasts as it really did, where that is known.
func (b *apiBuilder) event(m quality.Maintenance) feed.Event {
	shown := b.maintenance(m)
	e := feed.Event{ID: b.tag("maintenance/" + m.ID), Title: m.Name, Link: shown.Shortlink, From: m.From, To: m.To, Created: m.CreatedAt,
		Updated: latest(m.UpdatedAt, m.CreatedAt), Revision: len(m.Updates)}
	if m.StartedAt != nil {
		e.From = *m.StartedAt
	}
	if m.CompletedAt != nil {
		e.To = *m.CompletedAt
	}
	if !e.To.After(e.From) {
		e.To = e.From.Add(time.Minute)
	}
	for _, c := range shown.Components {
		e.Categories = append(e.Categories, c.Name)
	}
	e.Text = statusText(shown.Status)
	if len(shown.IncidentUpdates) > 0 {
		e.Text += "\n" + shown.IncidentUpdates[0].Body
	}
	return e
}

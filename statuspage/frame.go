package statuspage

import (
	"html/template"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// frame is what all pages have around what they say.
type frame struct {
	Title       string
	Description string `json:"-"` // of the page, as configured
	Summary     string `json:"-"` // of what the page says, for previews
	Simulated   bool
	Notice      string // that figures are old or missing
	Stale       bool   // what holds now is not known
	AsOf        string `json:"-"`
	AsOfTime    string `json:"-"`
	Zone        string
	Content     string `json:"-"`
	Style       string
	Script      string
	Custom      []string // style sheets of the configuration
	Logo        string
	Icon        template.URL `json:"-"`
	Lang, Dir   string       `json:"-"`
	Languages   []languageView
	Footer      []quality.PageLink
	Subscribe   bool   // one can
	Hidden      bool   // from search engines
	Address     string `json:"-"` // of the page as others reach it; empty where that is not known
	Root        string `json:"-"` // of the whole, without a slash at the end
	Path        string `json:"-"`
	Still       bool   `json:"-"` // written to files: nothing will change by itself
}

// languageView is a link to the same page in a language.
type languageView struct {
	Tag, Name, Href string
	Here            bool
}

// frame makes what is around the page of a path.
func (v *view) frame(d *drawer, path string) frame {
	o, t := v.in.options, v.in.told(d.language)
	f := d.frame(path)
	f.Title, f.Description, f.Simulated, f.Footer, f.Hidden = o.Title, o.Description, o.Simulated, o.Brand.Footer, o.Hidden
	f.Subscribe = o.Subscribe && !f.Still // files have no server that takes it
	f.Zone, f.Content = zoneName(o.Location, v.in.now), v.content
	if o.URL != "" {
		f.Root = strings.TrimSuffix(o.URL, "/")
		f.Address = f.Root + d.href(path)
	}
	f.age(v.in, t)
	return f
}

// zoneName is how people call the zone the days are of. An abbreviation would be wrong for half of the year.
func zoneName(loc *time.Location, now time.Time) string {
	if loc == time.Local {
		return now.In(loc).Format("MST")
	}
	return loc.String()
}

// age says of when the figures are, and when they are old or missing.
func (f *frame) age(in input, t told) {
	asOf := in.state.at
	if !in.days.at.IsZero() && in.days.at.Before(asOf) {
		asOf = in.days.at
	}
	when := t.moment(asOf)
	f.AsOf, f.AsOfTime = when.Text, when.ISO
	switch {
	case in.state.old(in.now) && in.state.at.IsZero():
		f.Stale, f.Notice = true, t.Say("notice.unread")
	case in.state.old(in.now):
		f.Stale, f.Notice = true, t.Say("notice.old", "When", when.Text)
	case in.days.old(in.now) && in.days.at.IsZero():
		f.Notice = t.Say("notice.days.unread")
	case in.days.old(in.now):
		f.Notice = t.Say("notice.days.old", "When", when.Text)
	}
}

package statuspage

import (
	"html/template"
	"slices"
	"sort"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/asgood-dev/asgood/internal/markdown"
	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/statuspage/speech"
)

// Bounds of the page: an evening on which everything breaks must not make it unreadable. What is left
// out is counted, and every incident has a page of its own.
const (
	historyDays   = 14 // days of incidents
	openListed    = 20 // open incidents
	pastListed    = 10 // incidents of one day
	updatesListed = 3  // updates of one incident, the newest
)

type incidentView struct {
	ID, Name, Slug   string
	Status, Severity string
	Kind             string
	Features         string
	Started, Ended   moment
	Updates          []updateView // newest first
	Earlier          int          // updates that are not listed
	Next             moment       // when the next update was promised
	open             bool
	at               time.Time
}

type updateView struct {
	Status string
	Body   template.HTML
	At     moment
	Edited moment        // when it was corrected
	Before template.HTML // what it said before
}

// historyDay is a day with incidents, or days in a row without any.
type historyDay struct {
	Day       string
	Incidents []incidentView
	More      int    // incidents that are not listed
	Month     string // whose page lists them
}

// incidents lists what is open, and all by the day they were opened, newest first. More counts the open
// ones not listed.
func (v *view) incidents(t told) (open []incidentView, more int, history []historyDay) {
	byDay := map[string][]quality.Incident{}
	var running []quality.Incident
	for _, i := range v.public {
		if i.Open() {
			running = append(running, i)
		}
		day := dateOf(i.CreatedAt, t.loc)
		byDay[day] = append(byDay[day], i)
	}
	open, more = v.listed(t, running, openListed)
	days := calendar(v.in.now, t.loc)
	days = days[len(days)-historyDays:]
	quiet := 0 // days in a row
	for n := len(days) - 1; n >= 0; n-- {
		list := byDay[days[n].Format(time.DateOnly)]
		if len(list) == 0 {
			quiet++
			continue
		}
		history = append(history, quietDays(t, days[n+1:], quiet)...)
		history, quiet = append(history, v.eventful(t, days[n], list)), 0
	}
	return open, more, append(history, quietDays(t, days, quiet)...)
}

func (v *view) eventful(t told, day time.Time, list []quality.Incident) historyDay {
	h := historyDay{Day: t.day(speech.LongDay, day), Month: day.Format(monthLayout)}
	h.Incidents, h.More = v.listed(t, list, pastListed)
	for i := range h.Incidents {
		if h.Incidents[i].open {
			h.Incidents[i].Updates, h.Incidents[i].Earlier = nil, 0 // they are told above
		}
	}
	return h
}

// quietDays are the first n of the days in one entry, or none.
func quietDays(t told, days []time.Time, n int) []historyDay {
	switch n {
	case 0:
		return nil
	case 1:
		return []historyDay{{Day: t.day(speech.LongDay, days[0])}}
	default:
		return []historyDay{{Day: t.Say("days.span", "From", t.day(speech.PlainDay, days[0]), "To", t.day(speech.PlainDay, days[n-1]))}}
	}
}

// listed returns the newest of the incidents with their newest updates, and how many were left out.
func (v *view) listed(t told, list []quality.Incident, limit int) (out []incidentView, more int) {
	if len(list) > limit {
		list, more = list[:limit], len(list)-limit
	}
	for _, i := range list {
		i.Updates = slices.Clone(i.Updates)
		earlier := max(0, len(i.Updates)-updatesListed)
		i.Updates = i.Updates[earlier:]
		x := v.incident(t, i)
		x.Earlier = earlier
		out = append(out, x)
	}
	return out, more
}

// sortedIncidents is newest first.
func sortedIncidents(list []quality.Incident) []quality.Incident {
	out := append([]quality.Incident(nil), list...)
	sort.SliceStable(out, func(a, b int) bool { return out[a].CreatedAt.After(out[b].CreatedAt) })
	return out
}

func (v *view) incident(t told, i quality.Incident) incidentView {
	x := incidentView{
		ID: i.ID, Name: i.Name, Slug: string(i.Severity), Kind: t.known("kind.", string(i.Kind)), Status: t.known("status.", string(i.Status)),
		Severity: t.known("severity.", string(i.Severity)), Started: t.moment(i.StartedAt), open: i.Open(), at: i.CreatedAt, Features: v.titles(t, i.Features),
	}
	if i.ResolvedAt != nil {
		x.Ended = t.end(i.StartedAt, *i.ResolvedAt)
	}
	if i.NextUpdate != nil && i.Open() {
		x.Next = t.moment(*i.NextUpdate)
	}
	for n := len(i.Updates) - 1; n >= 0; n-- {
		x.Updates = append(x.Updates, t.update(i.Updates[n]))
	}
	return x
}

func (t told) update(u quality.IncidentUpdate) updateView {
	x := updateView{Status: t.known("status.", string(u.Status)), Body: markdown.HTML(u.Body), At: t.moment(u.At)}
	if u.EditedAt != nil {
		x.Edited = t.moment(*u.EditedAt)
		if u.Before != "" {
			x.Before = markdown.HTML(u.Before)
		}
	}
	return x
}

// known says a word of ours, and repeats one that came from elsewhere.
func (t told) known(prefix, word string) string {
	if text := t.Say(prefix + word); text != prefix+word {
		return text
	}
	return title(word)
}

// titles names features as customers know them.
func (v *view) titles(t told, names []string) string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = v.titleOf(name)
	}
	return t.List(out)
}

func (v *view) titleOf(name string) string {
	for _, f := range v.in.options.Features {
		if f.Name == name && f.Title != "" {
			return f.Title
		}
	}
	return name
}

// title begins a word with a capital.
func title(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return s
	}
	return string(unicode.ToUpper(r)) + s[n:]
}

package statuspage

import (
	"sort"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/asgood-dev/asgood/internal/quality"
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
	open             bool
	at               time.Time
}

type updateView struct {
	Status, Body string
	At           moment
}

// historyDay is a day with incidents, or days in a row without any.
type historyDay struct {
	Day       string
	Incidents []incidentView
	More      int // incidents that are not listed
}

// incidentsOf lists what is open, and all by the day they were opened, newest first. More counts the open
// ones not listed.
func incidentsOf(in input) (open []incidentView, more int, history []historyDay) {
	loc := in.options.Location
	byDay := map[string][]quality.Incident{}
	var running []quality.Incident
	for _, i := range in.state.data.published() {
		if i.Open() {
			running = append(running, i)
		}
		day := dateOf(i.CreatedAt, loc)
		byDay[day] = append(byDay[day], i)
	}
	open, more = listed(running, openListed, in)
	days := calendar(in.now, loc)
	days = days[len(days)-historyDays:]
	quiet := 0 // days in a row
	for n := len(days) - 1; n >= 0; n-- {
		list := byDay[days[n].Format(time.DateOnly)]
		if len(list) == 0 {
			quiet++
			continue
		}
		history = append(history, quietDays(days[n+1:], quiet)...)
		history, quiet = append(history, eventful(days[n], list, in)), 0
	}
	return open, more, append(history, quietDays(days, quiet)...)
}

func eventful(day time.Time, list []quality.Incident, in input) historyDay {
	h := historyDay{Day: day.Format(dayLayout)}
	h.Incidents, h.More = listed(list, pastListed, in)
	for i := range h.Incidents {
		if h.Incidents[i].open {
			h.Incidents[i].Updates, h.Incidents[i].Earlier = nil, 0 // they are told above
		}
	}
	return h
}

const dayLayout = "Monday, 2 January"

// quietDays are the first n of the days in one entry, or none.
func quietDays(days []time.Time, n int) []historyDay {
	switch n {
	case 0:
		return nil
	case 1:
		return []historyDay{{Day: days[0].Format(dayLayout)}}
	default:
		return []historyDay{{Day: days[0].Format("2 January") + " to " + days[n-1].Format("2 January")}}
	}
}

// listed returns the newest of the incidents with their newest updates, and how many were left out.
func listed(list []quality.Incident, limit int, in input) (out []incidentView, more int) {
	list = sortedIncidents(list)
	if len(list) > limit {
		list, more = list[:limit], len(list)-limit
	}
	for _, i := range list {
		v := incidentOf(i, in)
		if len(v.Updates) > updatesListed {
			v.Updates, v.Earlier = v.Updates[:updatesListed], len(v.Updates)-updatesListed
		}
		out = append(out, v)
	}
	return out, more
}

// sortedIncidents is newest first.
func sortedIncidents(list []quality.Incident) []quality.Incident {
	out := append([]quality.Incident(nil), list...)
	sort.SliceStable(out, func(a, b int) bool { return out[a].CreatedAt.After(out[b].CreatedAt) })
	return out
}

var kindText = map[quality.IncidentKind]string{
	quality.IncidentQuality: "Quality", quality.IncidentAvailability: "Availability",
}

func incidentOf(i quality.Incident, in input) incidentView {
	loc := in.options.Location
	v := incidentView{
		ID: i.ID, Name: i.Name, Kind: kindText[i.Kind], Status: title(string(i.Status)), Severity: title(string(i.Severity)), Slug: string(i.Severity),
		Started: momentOf(i.StartedAt, loc, in.now), open: i.Open(), at: i.CreatedAt, Features: featureTitles(i.Features, in.options.Features),
	}
	if i.ResolvedAt != nil {
		v.Ended = endOf(i.StartedAt, *i.ResolvedAt, loc, in.now)
	}
	for n := len(i.Updates) - 1; n >= 0; n-- {
		u := i.Updates[n]
		v.Updates = append(v.Updates, updateView{Status: title(string(u.Status)), Body: u.Body, At: momentOf(u.At, loc, in.now)})
	}
	return v
}

// endOf names the day of an end unless the start has named it, so that no start reads later than its end.
func endOf(start, end time.Time, loc *time.Location, now time.Time) moment {
	m := momentOf(end, loc, now)
	switch {
	case dateOf(start, loc) == dateOf(end, loc):
		m.Text = end.In(loc).Format("15:04")
	case dateOf(end, loc) == dateOf(now, loc):
		m.Text = end.In(loc).Format("Mon 2 Jan, 15:04")
	}
	return m
}

func featureTitles(names []string, features []quality.Feature) string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = name
		for _, f := range features {
			if f.Name == name && f.Title != "" {
				out[i] = f.Title
			}
		}
	}
	return strings.Join(out, ", ")
}

// title begins a word with a capital.
func title(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return s
	}
	return string(unicode.ToUpper(r)) + s[n:]
}

// Package past reads what other status pages kept of incidents that are over: Statuspage's incidents.json, the
// Markdown files of cState, and the events of Gatus.
//
// It reads text that strangers wrote and returns incidents and what was wrong, by file and place; nothing good is
// lost beside something bad. It stores nothing, and knows no features: who is affected stays the name of a component.
package past

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Bounds of one file.
const (
	MaxFile      = 16 << 20 // bytes
	MaxIncidents = 10_000
	maxProblems  = 100
	maxUpdates   = 200
	maxName      = 255
	maxBody      = 25_000
)

// The sources.
const (
	Statuspage = "statuspage"
	CState     = "cstate"
	Gatus      = "gatus"
)

// Sources lists what can be read.
func Sources() []string { return []string{Statuspage, CState, Gatus} }

// Incident is one that is over. Features of the incident are empty; Components are the names there were.
type Incident struct {
	quality.Incident
	Components []string
	Place      string // where it stood
}

// Problem is something that was left out, and where.
type Problem struct {
	Place   string `json:"place"` // file, and the place in it
	Message string `json:"message"`
}

// String returns the problem as a line.
func (p Problem) String() string { return p.Place + ": " + p.Message }

// Result is what a file held. Problems are at most 100; Untold counts those beyond.
type Result struct {
	Incidents []Incident
	Problems  []Problem
	Untold    int
}

func (r *Result) bad(place, format string, args ...any) {
	if len(r.Problems) >= maxProblems {
		r.Untold++
		return
	}
	r.Problems = append(r.Problems, Problem{Place: place, Message: fmt.Sprintf(format, args...)})
}

// Read reads a file of a source. now bounds the times that are believed.
func Read(source, name string, data []byte, now time.Time) (r Result, err error) {
	if len(data) > MaxFile {
		return r, quality.Errorf(quality.KindTooLarge, "%s: %d bytes, at most %d", name, len(data), MaxFile)
	}
	switch source {
	case Statuspage:
		r.statuspage(name, data)
	case CState:
		r.cstate(name, data)
	case Gatus:
		r.gatus(name, data)
	default:
		return r, quality.Errorf(quality.KindInvalid, "from: %.40q is none (want one of %s)", source, strings.Join(Sources(), ", "))
	}
	r.check(now)
	return r, nil
}

// check leaves out what makes no sense, and ids that stand twice.
func (r *Result) check(now time.Time) {
	seen := map[string]bool{}
	r.Incidents = slices.DeleteFunc(r.Incidents, func(i Incident) bool {
		why := ""
		switch {
		case seen[i.ID]:
			why = "stands twice"
		case i.ResolvedAt == nil:
			why = "is not over: it is left out"
		case i.ResolvedAt.Before(i.StartedAt):
			why = "ends before it begins"
		case i.ResolvedAt.After(now):
			why = "ends in the time to come"
		case len(seen) >= MaxIncidents:
			why = fmt.Sprintf("the file holds more than %d incidents", MaxIncidents)
		}
		if why != "" {
			r.bad(i.Place, "%s", why)
			return true
		}
		seen[i.ID] = true
		return false
	})
}

// add completes an incident: its id follows from where it came from, so that a second import finds it again.
func (r *Result) add(source, key, place string, i Incident) {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q", source, key))
	i.ID, i.Place, i.Imported, i.Backfilled = "inc_"+hex.EncodeToString(sum[:10]), place, source, true
	i.Name = cut(strings.Join(strings.Fields(i.Name), " "), maxName)
	if i.Name == "" {
		r.bad(place, "has no name")
		return
	}
	if len(i.Updates) > maxUpdates {
		r.bad(place, "has %d updates: the first %d are taken", len(i.Updates), maxUpdates)
		i.Updates = i.Updates[:maxUpdates]
	}
	for n := range i.Updates {
		i.Updates[n].ID = fmt.Sprintf("%s_%d", i.ID, n+1)
		i.Updates[n].Body = cut(i.Updates[n].Body, maxBody)
	}
	i.Status, i.UpdatedAt = quality.IncidentResolved, i.StartedAt
	if n := len(i.Updates); n > 0 {
		i.UpdatedAt = i.Updates[n-1].At
		if i.Updates[n-1].Status == quality.IncidentPostmortem {
			i.Status = quality.IncidentPostmortem
		}
	}
	i.Reason = "as it was in " + source
	r.Incidents = append(r.Incidents, i)
}

// cut shortens a text to so many characters, and makes it valid UTF-8.
func cut(s string, most int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}

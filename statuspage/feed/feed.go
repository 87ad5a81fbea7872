// Package feed writes what happened on a status page in the formats of feed readers and calendars: Atom, RSS,
// JSON Feed and iCalendar.
//
// It owns the formats: which field goes where, times, identities that never change, and what may stand in them.
// It does not know incidents, decides nothing about what is told, and makes no HTML: entries come with theirs,
// safe as it is.
package feed

import (
	"strings"
	"time"
	"unicode/utf8"
)

// The content types of the formats.
const (
	AtomType = "application/atom+xml; charset=utf-8"
	RSSType  = "application/rss+xml; charset=utf-8"
	JSONType = "application/feed+json; charset=utf-8"
	ICSType  = "text/calendar; charset=utf-8"
)

// Feed is what is told, with where it is told.
type Feed struct {
	ID       string // never changes, a URI
	Title    string
	Subtitle string // plain text
	Home     string // address of the page
	Self     string // address of this feed in the format that is written
	Updated  time.Time
	Entries  []Entry // in the order in which they are listed
}

// Entry is one thing that happened, with all that was told of it.
type Entry struct {
	ID         string // never changes, a URI
	Title      string
	Link       string
	Published  time.Time
	Updated    time.Time // not before Published
	HTML       string    // safe: it is written as it is
	Summary    string    // plain text, one line
	Categories []string
}

// Calendar is planned work, for calendars that are subscribed to.
type Calendar struct {
	Name     string
	Zone     string // name of the IANA database in which people read the page
	Events   []Event
	Home     string        // address of the page
	Refresh  time.Duration // how often a calendar may ask
	Software string        // who makes it
}

// Event is one maintenance.
type Event struct {
	ID         string // never changes
	Title      string
	Text       string // plain text, may have lines
	Link       string
	From, To   time.Time // To is after From
	Created    time.Time
	Updated    time.Time
	Revision   int // grows with every change
	Categories []string
}

// plain is text without what no format takes: control characters other than line feeds, and what is no UTF-8.
func plain(s string) string {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t':
			return ' '
		case r < ' ' || r >= 0x7f && r < 0xa0 || r == 0xfffe || r == 0xffff:
			return -1
		default:
			return r
		}
	}, s)
}

// line is plain text on one line.
func line(s string) string { return strings.Join(strings.Fields(plain(s)), " ") }

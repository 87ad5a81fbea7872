package statuspage

import (
	"strings"
)

// overall is the page in one sentence.
type overall struct {
	Slug string
	Text string
}

// overallOf is the worst that is known, in a sentence; what is not known is said beside it, and never
// under the mark of what is good. Stale means that what holds now cannot be read.
func overallOf(t told, features []featureView, read, stale bool) overall {
	switch {
	case len(features) == 0:
		return overall{Slug: "not-enough", Text: t.Say("overall.nothing")}
	case stale:
		return overall{Slug: "cannot-tell", Text: t.Say("overall.unseen")}
	case !read:
		return overall{Slug: "not-enough", Text: t.Say("overall.reading")}
	}
	s := sortOut(features)
	if bad, ok := s.bad(t); ok {
		return bad
	}
	return s.rest(t, len(features))
}

// sorted holds features by what is to be said of them; each is in one list at most.
type sorted struct {
	down, partly, worse, unknown []featureView
	worst                        Word // of worse
	up, better, blind            int
}

func sortOut(features []featureView) sorted {
	s := sorted{worst: WordUsual}
	for _, f := range features {
		word := f.tile.Word
		if f.uptime.Word == UptimeUp {
			s.up++
		}
		if word == WordBetter {
			s.better++
		}
		switch {
		case f.uptime.Word == UptimeDown:
			s.down = append(s.down, f)
		case f.uptime.Word == UptimePartly:
			s.partly = append(s.partly, f)
		case word.Worse():
			s.worse = append(s.worse, f)
			if word.rank() > s.worst.rank() {
				s.worst = word
			}
		case word == WordNotEnough || word == WordCannotTell:
			s.unknown = append(s.unknown, f)
			if word == WordCannotTell {
				s.blind++
			}
		}
	}
	return s
}

// bad tells what is down and what is worse, the gravest first.
func (s sorted) bad(t told) (overall, bool) {
	var clauses []string
	slug := ""
	add := func(features []featureView, name, id string) {
		if len(features) > 0 {
			clauses = append(clauses, t.Count(id, uint64(len(features)), "Features", titles(t, features)))
			if slug == "" {
				slug = name
			}
		}
	}
	add(s.down, UptimeDown.Slug(), "overall.down")
	add(s.partly, UptimePartly.Slug(), "overall.partly")
	id := "overall." + s.worst.Slug()
	if allUp(s.worse) { // that something is up is said only where it is checked
		id = "overall.up." + s.worst.Slug()
	}
	add(s.worse, s.worst.Slug(), id)
	if slug != "" && len(s.unknown) > 0 {
		clauses = append(clauses, t.Say("overall.unknown", "Features", titles(t, s.unknown)))
	}
	return overall{Slug: slug, Text: strings.Join(clauses, "; ")}, len(clauses) > 0
}

func allUp(features []featureView) bool {
	for _, f := range features {
		if f.uptime.Word != UptimeUp {
			return false
		}
	}
	return true
}

// rest is said when nothing is known to be bad.
func (s sorted) rest(t told, n int) overall {
	good := "usual"
	if s.better > 0 {
		good = "better"
	}
	switch {
	case len(s.unknown) == n && s.blind > 0:
		return overall{Slug: "cannot-tell", Text: t.Say("overall.cannot_tell")}
	case len(s.unknown) == n:
		return overall{Slug: "not-enough", Text: t.Say("overall.not_enough")}
	case len(s.unknown) > 0:
		return overall{Slug: "cannot-tell", Text: t.Say("overall.seen."+good, "Features", titles(t, s.unknown))}
	case s.up == n:
		return overall{Slug: "usual", Text: t.Say("overall.all.up." + good)}
	default:
		return overall{Slug: "usual", Text: t.Say("overall.all." + good)}
	}
}

// titles names features, or counts them where they are many.
func titles(t told, features []featureView) string {
	if len(features) > 3 {
		return t.Count("features", uint64(len(features)))
	}
	names := make([]string, len(features))
	for i, f := range features {
		names[i] = f.Title
	}
	return t.List(names)
}

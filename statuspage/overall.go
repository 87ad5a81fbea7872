package statuspage

import (
	"fmt"
	"strings"
)

// overall is the page in one sentence.
type overall struct {
	Slug string
	Text string
}

// overallOf is the worst that is known, in a sentence; what is not known is said beside it, and never
// under the mark of what is good. Stale means that what holds now cannot be read.
func overallOf(features []featureView, read, stale bool) overall {
	switch {
	case len(features) == 0:
		return overall{Slug: "not-enough", Text: "Nothing is watched yet"}
	case stale:
		return overall{Slug: "cannot-tell", Text: "We cannot see how things are at the moment"}
	case !read:
		return overall{Slug: "not-enough", Text: "The first figures are being read"}
	}
	s := sortOut(features)
	if bad, ok := s.bad(); ok {
		return bad
	}
	return s.rest(len(features))
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
func (s sorted) bad() (overall, bool) {
	var clauses []string
	slug := ""
	add := func(features []featureView, name, one, many string) {
		if len(features) > 0 {
			clauses = append(clauses, sentence(features, one, many))
			if slug == "" {
				slug = name
			}
		}
	}
	add(s.down, UptimeDown.Slug(), "is down", "are down")
	add(s.partly, UptimePartly.Slug(), "is partly down", "are partly down")
	one, many := strings.ToLower(string(s.worst))+" than usual", "worse than usual"
	// That something is up is said only where it is checked.
	if allUp(s.worse) {
		one, many = "up, and "+one, "up, and "+many
	}
	add(s.worse, s.worst.Slug(), "is "+one, "are "+many)
	if slug != "" && len(s.unknown) > 0 {
		clauses = append(clauses, "of "+titles(s.unknown)+" we cannot tell")
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
func (s sorted) rest(n int) overall {
	good := "as good as usual"
	if s.better > 0 {
		good += " or better"
	}
	switch {
	case len(s.unknown) == n && s.blind > 0:
		return overall{Slug: "cannot-tell", Text: "We cannot tell at the moment how good the answers are"}
	case len(s.unknown) == n:
		return overall{Slug: "not-enough", Text: "There is not enough data yet to say how good the answers are"}
	case len(s.unknown) > 0:
		return overall{Slug: "cannot-tell", Text: fmt.Sprintf("What we can see is %s; of %s we cannot tell", good, titles(s.unknown))}
	case s.up == n:
		return overall{Slug: "usual", Text: "Everything is up, and " + good}
	default:
		return overall{Slug: "usual", Text: "Everything is " + good}
	}
}

func sentence(features []featureView, one, many string) string {
	if len(features) == 1 {
		return features[0].Title + " " + one
	}
	return titles(features) + " " + many
}

func titles(features []featureView) string {
	names := make([]string, len(features))
	for i, f := range features {
		names[i] = f.Title
	}
	if len(names) > 3 {
		return fmt.Sprintf("%d features", len(names))
	}
	last := len(names) - 1
	if last == 0 {
		return names[0]
	}
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

package statuspage

import (
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strings"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/statuspage/speech"
)

// strip is a row of daily bars.
type strip struct {
	Summary string        `json:"-"` // the bars in words
	Drawn   template.HTML `json:"-"`
	Past    string        // names the days that are over, and how today is drawn: its figures change with every answer, which is no news
	bars    []bar
}

type bar struct {
	X      int
	Y, H   int
	Class  string
	Label  string
	stands bool
}

// A strip is drawn on a grid: each bar takes a step with a gap, and stands on the base line. The height
// says the same as the colour, for those who cannot tell colours.
const (
	barStep   = 10
	barHeight = 36
)

// labelled is up to how many features a page writes the numbers of every day into it. Beyond, they would be most of what
// is sent, and the days have a page of their own.
const labelled = 40

// heights are those of the bars, by state. Days of which nothing is known are no bars but marks: a tick,
// a dot, a dash.
var heights = map[DayState]int{
	DayBetter: barHeight, DayGood: 30, DaySlight: 23, DayWorse: 16, DayMuch: 9,
	DayBlip: 23, DayPartly: 16, DayDown: 9, DayNone: 2, DayFew: 5, dayUnscored: 4,
}

func newBar(i int, state DayState, label string) bar {
	b := bar{X: i * barStep, H: heights[state], Class: string(state), Label: label}
	b.Y = barHeight - b.H
	switch state {
	case dayUnscored:
		b.Y, b.stands = barHeight/2, true
	case DayNone, DayFew, DayGood:
	default:
		b.stands = true
	}
	return b
}

// notable lists the days that stand out.
func (s strip) notable(t told, heading string) []string {
	var out []string
	for _, b := range s.bars {
		if b.stands {
			out = append(out, t.Say("bar.notable", "Row", heading, "Bar", b.Label))
		}
	}
	return out
}

// draw makes the elements of the bars. A template would take ten times as long for all of them; what a bar says is
// made of our own words, and escaped all the same.
func (s *strip) draw() {
	var b strings.Builder
	for i, x := range s.bars {
		fmt.Fprintf(&b, `<rect class="%s" x="%d" y="%d" width="8" height="%d"><title>`, x.Class, x.X, x.Y, x.H)
		if i == len(s.bars)-1 {
			s.Past = b.String()
		}
		b.WriteString(template.HTMLEscapeString(x.Label))
		b.WriteString("</title></rect>")
	}
	s.Drawn = template.HTML(b.String())
}

// lean draws the strip without what its bars say, the bars of a class in one path.
func (s *strip) lean() {
	paths := map[string]*strings.Builder{}
	for _, x := range s.bars {
		if paths[x.Class] == nil {
			paths[x.Class] = &strings.Builder{}
		}
		fmt.Fprintf(paths[x.Class], "M%d %dh8v%dh-8z", x.X, x.Y, x.H)
	}
	var b strings.Builder
	for _, class := range slices.Sorted(maps.Keys(paths)) {
		fmt.Fprintf(&b, `<path class="%s" d="%s"/>`, class, paths[class])
	}
	s.Drawn = template.HTML(b.String())
}

// finish says the strip in words.
func (s *strip) finish(t told, kind string, counts map[DayState]uint64, order []DayState) {
	var parts []string
	for _, state := range order {
		if n := counts[state]; n > 0 {
			parts = append(parts, t.Count("strip.on", n, "State", t.Say(kind+".day."+string(state))))
		}
	}
	s.draw()
	s.Summary = t.Say("strip.summary", "Row", t.Say("tile."+kind), "Days", strings.Join(parts, ", "))
}

// order is that in which the states of days are counted.
var order = []DayState{DayGood, DayBetter, DaySlight, DayWorse, DayMuch, DayPartly, dayUnscored, DayFew, DayNone}

func qualityStrip(t told, days []QualityDay) strip {
	var s strip
	counts := map[DayState]uint64{}
	for i, d := range days {
		counts[d.State]++
		s.bars = append(s.bars, newBar(i, d.State, t.qualityDay(d)))
	}
	s.finish(t, "quality", counts, order)
	return s
}

// qualityDay is a day with its numbers in a sentence.
func (t told) qualityDay(d QualityDay) string {
	label := t.Say("bar.day", "Day", t.day(speech.ShortDay, d.Day), "State", t.Say("quality.day."+string(d.State)))
	if d.Percent != nil && d.State != DayFew {
		label += t.Say("bar.percent", "P", t.percent(*d.Percent))
		if d.Interval != nil {
			label += t.Say("bar.interval", "Interval", t.interval(*d.Interval))
		}
	}
	if d.N > 0 {
		label += t.Count("bar.answers", d.N)
	}
	return label
}

func uptimeStrip(t told, days []AvailabilityDay) strip {
	var s strip
	counts := map[DayState]uint64{}
	for i, d := range days {
		counts[upState(d)]++
		s.bars = append(s.bars, newBar(i, d.State, t.uptimeDay(d)))
	}
	s.finish(t, "uptime", counts, order)
	return s
}

// upState tells days apart as words do, which do not say how much of a day it was.
func upState(d AvailabilityDay) DayState {
	switch {
	case d.Checks == 0:
		return DayNone
	case d.State == DayGood:
		return DayGood
	default:
		return DayPartly
	}
}

func (t told) uptimeDay(d AvailabilityDay) string {
	if d.Checks == 0 {
		return t.Say("bar.day", "Day", t.day(speech.ShortDay, d.Day), "State", t.Say("uptime.day.none"))
	}
	return t.Count("bar.checks", d.Checks, "Day", t.day(speech.ShortDay, d.Day), "Share", t.share(d.Up, d.Checks))
}

// mostPercent is the highest figure that is shown: beyond it only that it is more.
const mostPercent = 999

func rounded(p float64) int {
	n := int(min(p, mostPercent) + 0.5)
	if n == 100 && p < 99.95 {
		return 99
	}
	return n
}

// unnamed are the attributes whose values are nobody else's business.
var unnamed = map[string]bool{"customer": true, "model": true, "prompt": true}

// scopeIn says which part of the answers a slice is, without naming a customer.
func scopeIn(t told, s quality.Slice) string {
	for _, name := range slices.Sorted(maps.Keys(s)) {
		if !unnamed[name] {
			return t.Say("scope.value", "Attribute", name, "Value", s[name])
		}
	}
	if len(s) > 0 {
		return t.Say("scope.part")
	}
	return ""
}

// scope says the same to machines.
func scope(s quality.Slice) string {
	for _, name := range slices.Sorted(maps.Keys(s)) {
		if !unnamed[name] {
			return "answers with " + name + " " + s[name]
		}
	}
	if len(s) > 0 {
		return "a part of the answers"
	}
	return ""
}

package statuspage

import (
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
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

// heights are those of the bars, by state. Days of which nothing is known are no bars but marks: a tick,
// a dot, a dash.
var heights = map[DayState]int{
	DayBetter: barHeight, DayGood: 30, DaySlight: 23, DayWorse: 16, DayMuch: 9,
	DayBlip: 23, DayPartly: 16, DayDown: 9, DayNone: 2, DayFew: 5, dayUnscored: 4,
}

var qualityDayText = map[DayState]string{
	DayNone: "no data", DayFew: "not enough data", DayGood: "as good as usual", DayBetter: "better", DaySlight: "slightly worse",
	DayWorse: "worse", DayMuch: "much worse", dayUnscored: "cannot tell",
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
func (s strip) notable(heading string) []string {
	var out []string
	for _, b := range s.bars {
		if b.stands {
			out = append(out, heading+", "+b.Label)
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

// finish draws the strip and says it in words.
func (s *strip) finish(counts map[string]int, order []string) {
	var parts []string
	for _, name := range order {
		if n := counts[name]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s on %d", name, n))
		}
	}
	s.draw()
	s.Summary += strings.Join(parts, ", ") + " of the last 90 days."
}

func qualityStrip(days []QualityDay) strip {
	s := strip{Summary: "Quality: "}
	counts := map[string]int{}
	for i, d := range days {
		text := qualityDayText[d.State]
		counts[text]++
		label := d.Day.Format("Mon 2 Jan") + ": " + text
		if d.Percent != nil && d.State != DayFew {
			label += ", " + percentText(*d.Percent) + " of baseline"
			if d.Interval != nil {
				label += " (95 % interval " + intervalText(*d.Interval) + ")"
			}
		}
		if d.N > 0 {
			label += fmt.Sprintf(", %d answers", d.N)
		}
		s.bars = append(s.bars, newBar(i, d.State, label))
	}
	s.finish(counts, []string{"as good as usual", "better", "slightly worse", "worse", "much worse", "cannot tell", "not enough data", "no data"})
	return s
}

func uptimeStrip(days []AvailabilityDay) strip {
	s := strip{Summary: "Uptime: "}
	counts := map[string]int{}
	for i, d := range days {
		text := "no data"
		label := d.Day.Format("Mon 2 Jan") + ": no data"
		if d.Checks > 0 {
			text = "up"
			if d.State != DayGood {
				text = "partly down"
			}
			label = fmt.Sprintf("%s: %s %% of %d checks answered", d.Day.Format("Mon 2 Jan"), floored(d.Up, d.Checks), d.Checks)
		}
		counts[text]++
		s.bars = append(s.bars, newBar(i, d.State, label))
	}
	s.finish(counts, []string{"up", "partly down", "no data"})
	return s
}

// mostPercent is the highest figure that is shown: beyond it only that it is more.
const mostPercent = 999

// percentText rounds to whole percents, but never up to 100. Its space does not break over lines.
func percentText(p float64) string {
	if p > mostPercent {
		return fmt.Sprintf("more than %d\u00a0%%", mostPercent)
	}
	return strconv.Itoa(rounded(p)) + "\u00a0%"
}

func rounded(p float64) int {
	n := int(min(p, mostPercent) + 0.5)
	if n == 100 && p < 99.95 {
		return 99
	}
	return n
}

func intervalText(i [2]float64) string {
	return fmt.Sprintf("%d\u00a0to\u00a0%d", rounded(i[0]), rounded(i[1]))
}

func qualityTileView(t QualityTile, days []QualityDay, loc *time.Location, now time.Time) tileView {
	v := tileView{Word: string(t.Word), Slug: t.Word.Slug(), Note: t.Note, Strip: qualityStrip(days)}
	if t.Scope != "" {
		v.Scope = "only " + t.Scope
	}
	if t.Percent != nil {
		v.Figure = percentText(*t.Percent) + " of baseline"
	}
	if t.Interval != nil {
		v.Interval = ", 95\u00a0% interval " + intervalText(*t.Interval)
	}
	// Since when nothing is wrong is no news.
	if t.Since != nil && (t.Word.Worse() || t.Word == WordBetter || t.Word == WordCannotTell) {
		v.Since = momentOf(*t.Since, loc, now)
	}
	return v
}

func uptimeTileView(t UptimeTile, days []AvailabilityDay, probed bool, loc *time.Location, now time.Time) tileView {
	v := tileView{Word: string(t.Word), Slug: t.Word.Slug(), Strip: uptimeStrip(days)}
	if t.Share != "" {
		v.Figure = t.Share + "\u00a0%"
		v.Interval = fmt.Sprintf(" of checks in %d days", t.Days)
		if t.Days == 1 {
			v.Interval = " of today's checks"
		}
	}
	if !probed && t.Share == "" {
		v.Note = "Availability is not checked."
	}
	if t.Since != nil {
		v.Since = momentOf(*t.Since, loc, now)
	}
	return v
}

// unnamed are the attributes whose values are nobody else's business.
var unnamed = map[string]bool{"customer": true, "model": true, "prompt": true}

// scope says which part of the answers a slice is, without naming a customer.
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

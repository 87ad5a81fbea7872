package statuspage

import (
	"fmt"
	"html/template"
	"math"
	"strings"
)

// A spark line is the quality of the days in a small picture: the interval as a band, the baseline as a line.
const (
	sparkWidth  = 180
	sparkHeight = 32
	sparkStep   = 2
)

// spark draws what is known of the days. Fewer than two known days are no line.
// sparkScale makes whole numbers exact enough: they take half of the room of fractions.
const sparkScale = 2

func spark(days []QualityDay) template.HTML {
	lo, hi, known := extent(days)
	if known < 2 {
		return ""
	}
	y := func(p float64) float64 { return (hi - p) / (hi - lo) * sparkHeight * sparkScale }
	x := func(i int) float64 { return float64(i*sparkStep+1) * sparkScale }
	var b strings.Builder
	fmt.Fprintf(&b, `<path class="usually" d="M0 %.0fH%d"/>`, y(100), sparkWidth*sparkScale)
	for _, run := range runs(days) {
		fmt.Fprintf(&b, `<path class="interval" d="%s"/>`, bandPath(days, run, x, y))
		fmt.Fprintf(&b, `<path class="line" d="%s"/>`, linePath(days, run, x, y))
	}
	return template.HTML(b.String())
}

// extent is what an axis must hold: all intervals and the baseline, with some air.
func extent(days []QualityDay) (lo, hi float64, known int) {
	lo, hi = 98, 102
	for _, d := range days {
		if d.Percent == nil {
			continue
		}
		known++
		lo, hi = min(lo, *d.Percent), max(hi, min(*d.Percent, mostPercent))
		if d.Interval != nil {
			lo, hi = min(lo, d.Interval[0]), max(hi, min(d.Interval[1], mostPercent))
		}
	}
	return max(0, lo), hi, known
}

// runs are the days in a row of which a figure is known, as first and last: a line over days without one would make them up.
func runs(days []QualityDay) (out [][2]int) {
	open := false
	for i, d := range days {
		switch {
		case d.Percent == nil:
			open = false
		case open:
			out[len(out)-1][1] = i
		default:
			out, open = append(out, [2]int{i, i}), true
		}
	}
	return out
}

// pen writes a path in whole steps, relative to where it is.
type pen struct {
	strings.Builder
	x, y int
}

func (p *pen) to(first bool, x, y float64) {
	nx, ny := int(math.Round(x)), int(math.Round(y))
	if first {
		fmt.Fprintf(p, "M%d %dl0 0", nx, ny)
	} else if dy := ny - p.y; dy < 0 {
		fmt.Fprintf(p, " %d%d", nx-p.x, dy) // the sign parts them
	} else {
		fmt.Fprintf(p, " %d %d", nx-p.x, dy)
	}
	p.x, p.y = nx, ny
}

// linePath draws the figures of a run; a single day is a dot.
func linePath(days []QualityDay, run [2]int, x func(int) float64, y func(float64) float64) string {
	var p pen
	for i := run[0]; i <= run[1]; i++ {
		p.to(i == run[0], x(i), y(min(*days[i].Percent, mostPercent)))
	}
	return p.String()
}

func bandPath(days []QualityDay, run [2]int, x func(int) float64, y func(float64) float64) string {
	var p pen
	at := func(i, side int) float64 {
		if days[i].Interval == nil {
			return y(min(*days[i].Percent, mostPercent))
		}
		return y(min(days[i].Interval[side], mostPercent))
	}
	for i := run[0]; i <= run[1]; i++ {
		p.to(i == run[0], x(i), at(i, 1))
	}
	for i := run[1]; i >= run[0]; i-- {
		p.to(false, x(i), at(i, 0))
	}
	return p.String() + "z"
}

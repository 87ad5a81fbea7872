package views

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/asgood-dev/asgood/evaluator/quantile"
	"github.com/asgood-dev/asgood/internal/quality"
)

// weekHours is how many hours a week has. That of a change of clocks is compared by the clock.
const weekHours = 7 * 24

// pair is one hour of the week in both weeks.
type pair struct {
	day        int // whole days before now
	last, this quality.ScoreHour
}

// weight is what a pair tells: as much as its two sides together allow.
func (p *pair) weight() float64 {
	a, b := p.last.Effective(), p.this.Effective()
	return a * b / (a + b)
}

// Week compares the seven days up to now with the seven before, in the hours that both have scores in. hours
// are those of one metric. A week is one of loc: across a change of clocks 9 o'clock is compared with 9
// o'clock. The interval comes of the spread between days, as scores of one day depend on each other; with
// less than three days there is none.
func Week(now time.Time, loc *time.Location, hours []quality.ScoreHour) quality.WeekView {
	now = now.In(loc)
	v := quality.WeekView{From: now.AddDate(0, 0, -7), To: now, Hours: weekHours}
	last, this, note := split(now, hours)
	pairs := match(now, last, this)
	v.HoursCompared = len(pairs)
	for i := range pairs {
		v.Last.N += pairs[i].last.N
		v.This.N += pairs[i].this.N
	}
	switch {
	case note != "":
		v.Note = note
	case len(pairs) == 0:
		v.Note = "no hour of the week has scores in both weeks yet"
	default:
		compare(&v, pairs)
	}
	return v
}

// split parts the hours of both weeks, and says why they cannot be compared.
func split(now time.Time, hours []quality.ScoreHour) (last, this map[time.Time]quality.ScoreHour, note string) {
	last, this = map[time.Time]quality.ScoreHour{}, map[time.Time]quality.ScoreHour{}
	versions := map[string]struct{}{}
	begin, middle := now.AddDate(0, 0, -14), now.AddDate(0, 0, -7)
	for _, h := range hours {
		if h.N == 0 || !(h.W > 0) || h.Hour.Before(begin) || !h.Hour.Before(now) {
			continue
		}
		versions[h.Version] = struct{}{}
		into := this
		if h.Hour.Before(middle) {
			into = last
		}
		into[h.Hour.UTC()] = h
	}
	if len(versions) > 1 {
		note = fmt.Sprintf("the scorer changed within these two weeks (%d versions), so they cannot be compared", len(versions))
	}
	return last, this, note
}

// match finds to each hour of this week the one a week before.
func match(now time.Time, last, this map[time.Time]quality.ScoreHour) []pair {
	var out []pair
	for at, h := range this {
		before, ok := last[at.In(now.Location()).AddDate(0, 0, -7).UTC()]
		if !ok {
			continue
		}
		out = append(out, pair{day: int(now.Sub(at) / (24 * time.Hour)), last: before, this: h})
	}
	slices.SortFunc(out, func(a, b pair) int { return cmp.Compare(a.this.Hour.UnixNano(), b.this.Hour.UnixNano()) })
	return out
}

func compare(v *quality.WeekView, pairs []pair) {
	var w, a, b float64
	for i := range pairs {
		p, x := &pairs[i], pairs[i].weight()
		w, a, b = w+x, a+x*p.last.WV/p.last.W, b+x*p.this.WV/p.this.W
	}
	before, after := a/w, b/w
	change := after - before
	v.Last.Mean, v.This.Mean, v.Change = &before, &after, &change
	days := map[int]float64{} // weighted residuals by day
	for i := range pairs {
		p := &pairs[i]
		days[p.day] += p.weight() * (p.this.WV/p.this.W - p.last.WV/p.last.W - change)
	}
	if half, ok := spread(days, w); ok {
		v.Interval = &[2]float64{change - half, change + half}
		return
	}
	v.Note = fmt.Sprintf("only %d days can be compared yet, too few for an interval", len(days))
}

// minDays is the fewest days whose spread says anything.
const minDays = 3

// spread is half the width of a 95 % interval of a weighted mean whose residuals were summed by day:
// the sandwich estimate for clusters (Liang and Zeger 1986) with Student's t.
func spread(days map[int]float64, w float64) (half float64, ok bool) {
	n := len(days)
	if n < minDays {
		return 0, false
	}
	sum := 0.0
	for _, e := range days {
		sum += e * e
	}
	return quantile.Student95(float64(n-1)) * math.Sqrt(sum*float64(n)/float64(n-1)) / w, true
}

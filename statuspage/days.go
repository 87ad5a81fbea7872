package statuspage

import (
	"math"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// dayCount is how many days the bars show.
const dayCount = 90

// simultaneousZ makes the intervals of ninety days hold all at once with 95 %: the normal quantile at
// 1 - 0.05/(2*90). With 1.96 two quiet days of every ninety would be drawn as worse by chance.
const simultaneousZ = 3.45

// shownZ is for the 95 % interval of a single day, as its numbers are shown.
const shownZ = 1.96

// calendar returns the first moments of the last ninety days in loc, today's last. Days are counted by
// date, so that a day of 23 or 25 hours is one day.
func calendar(now time.Time, loc *time.Location) []time.Time {
	y, m, d := now.In(loc).Date()
	days := make([]time.Time, dayCount)
	for i := range days {
		days[i] = quality.StartOfDay(y, m, d-dayCount+1+i, loc)
	}
	return days
}

func nextDay(day time.Time) time.Time {
	y, m, d := day.Date()
	return quality.StartOfDay(y, m, d+1, day.Location())
}

// dateOf keys a day whatever the location its time carries.
func dateOf(t time.Time, loc *time.Location) string { return t.In(loc).Format(time.DateOnly) }

// DayState is how a day is drawn.
type DayState string

// The states of a day. The first three are of both strips, the next of quality, the last of uptime.
const (
	DayNone      DayState = "none"       // no data
	DayFew       DayState = "not-enough" // too few scores
	DayGood      DayState = "usual"      // up, or as good as usual
	DayBetter    DayState = "better"
	DaySlight    DayState = "slightly-worse"
	DayWorse     DayState = "worse"
	DayMuch      DayState = "much-worse"
	DayBlip      DayState = "blip"   // down for less than 1 %
	DayPartly    DayState = "partly" // down for less than 10 %
	DayDown      DayState = "down"   // down for 10 % or more
	dayUnscored  DayState = "cannot-tell"
	shareBlip             = 0.99
	sharePartly           = 0.90
	materialPart          = 0.01 // of the scale, where a monitor names no other
)

func (s DayState) rank() int {
	switch s {
	case DayGood:
		return 2
	case DayBetter:
		return 3
	case DayFew:
		return 1
	case DaySlight:
		return 4
	case DayWorse:
		return 5
	case DayMuch:
		return 6
	default:
		return 0
	}
}

// QualityDay is a feature's quality on one day: that of the metric that was worst.
type QualityDay struct {
	Day      time.Time
	State    DayState
	Metric   string
	N        uint64
	Percent  *float64    // of baseline; nil when too few scores or no baseline
	Interval *[2]float64 // 95 % interval of that day alone
}

// DayMonitor is a monitor with what its days are judged by.
type DayMonitor struct {
	Status   quality.MonitorStatus
	Material float64 // smallest drop that matters, in the metric's unit; 0 means 1 % of the scale
	Adjusted bool    // the baseline depends on the mix of the traffic, which the sums of a day do not show
}

// QualityDays judges each day against the baselines of the feature's tile monitors. A day is worse only
// when it lies in a regression, or its difference is beyond its interval and material.
func QualityDays(days []time.Time, scores []quality.ScoreDay, monitors []DayMonitor, regressions []quality.Regression, severities map[string]quality.Severity) []QualityDay {
	byDay := map[string][]quality.ScoreDay{}
	loc := days[0].Location()
	for _, s := range scores {
		byDay[dateOf(s.Day, loc)] = append(byDay[dateOf(s.Day, loc)], s)
	}
	out := make([]QualityDay, len(days))
	for i, day := range days {
		out[i] = QualityDay{Day: day, State: DayNone}
		for _, s := range byDay[day.Format(time.DateOnly)] {
			for _, m := range monitors {
				if !m.Status.Tile || m.Status.Metric != s.Metric {
					continue
				}
				q := judgeDay(day, s, m, regressions, severities)
				if worseDay(q, out[i]) {
					out[i] = q
				}
			}
		}
	}
	return out
}

func worseDay(a, b QualityDay) bool {
	if a.State != b.State {
		return a.State.rank() > b.State.rank() || b.State == DayNone
	}
	return a.Percent != nil && (b.Percent == nil || *a.Percent < *b.Percent)
}

func judgeDay(day time.Time, s quality.ScoreDay, m DayMonitor, regressions []quality.Regression, severities map[string]quality.Severity) QualityDay {
	q := QualityDay{Day: day, Metric: s.Metric, N: s.N, State: DayFew}
	if s.N == 0 {
		q.State = DayNone
		if s.Failed > 0 {
			q.State = dayUnscored
		}
		return q
	}
	scale := scaleOf(m.Status)
	known := s.N >= minScores && m.Status.Baseline.Mean != nil && scale > 0
	switch {
	case known && m.Adjusted:
		q.State = DayGood // the monitor, which sees the mix, found nothing
	case known:
		q.compare(s, m, scale)
	}
	if w, ok := regressed(day, s.Metric, regressions, severities); ok {
		q.State = DayState(w.Slug())
	}
	return q
}

// compare sets the day's percent, interval and state from its scores alone.
func (q *QualityDay) compare(s quality.ScoreDay, m DayMonitor, scale float64) {
	st := m.Status
	change := s.Mean - *st.Baseline.Mean
	se := standardError(s, st.Baseline.N, scale)
	if !finite(change/scale) || !finite(se/scale) {
		q.State = DayFew // scores without bounds can outgrow every sum: such a day says nothing
		return
	}
	p := percent(change, scale, st.Worse)
	a, b := percent(change-shownZ*se, scale, st.Worse), percent(change+shownZ*se, scale, st.Worse)
	q.Percent, q.Interval = &p, &[2]float64{min(a, b), max(a, b)}
	drop := -change
	if st.Worse == quality.WorseHigher {
		drop = change
	}
	material := m.Material
	if material <= 0 {
		material = materialPart * scale
	}
	switch {
	case drop >= material && drop > simultaneousZ*se:
		q.State = DaySlight
	case -drop >= material && -drop > simultaneousZ*se:
		q.State = DayBetter
	default:
		q.State = DayGood
	}
}

// standardError is that of the difference between the day's mean and the baseline's. Scores that are all
// alike hide their spread: up to three of N may differ unseen (the rule of three).
func standardError(s quality.ScoreDay, baseline uint64, scale float64) float64 {
	n := float64(s.N)
	if s.SD == 0 {
		return 3 / n * scale / shownZ
	}
	v := 1 / n
	if baseline > 0 {
		v += 1 / float64(baseline)
	}
	return s.SD * math.Sqrt(v)
}

// regressed returns the worst word of the regressions of a metric that touch the day.
func regressed(day time.Time, metric string, regressions []quality.Regression, severities map[string]quality.Severity) (Word, bool) {
	word, found := WordUsual, false
	for _, r := range regressions {
		from := r.DetectedAt
		if r.StartedAt != nil {
			from = *r.StartedAt
		}
		over := r.RecoveredAt != nil && !r.RecoveredAt.After(day)
		if r.Metric != metric || over || !from.Before(nextDay(day)) {
			continue
		}
		if w := wordOf(severities[r.ID]); w.rank() > word.rank() {
			word, found = w, true
		}
	}
	return word, found
}

// AvailabilityDay is a feature's uptime on one day.
type AvailabilityDay struct {
	Day    time.Time
	State  DayState
	Checks uint64
	Up     uint64
}

// AvailabilityDays sums the checks of each day. A day without checks is neither up nor down.
func AvailabilityDays(days []time.Time, sums []quality.UptimeDay) []AvailabilityDay {
	out := make([]AvailabilityDay, len(days))
	at := map[string]int{}
	for i, day := range days {
		out[i] = AvailabilityDay{Day: day}
		at[day.Format(time.DateOnly)] = i
	}
	for _, s := range sums {
		if i, ok := at[dateOf(s.Day, days[0].Location())]; ok {
			out[i].Checks += s.Checks
			out[i].Up += s.Up
		}
	}
	for i := range out {
		out[i].State = uptimeState(out[i].Up, out[i].Checks)
	}
	return out
}

func uptimeState(up, checks uint64) DayState {
	share := float64(up) / float64(checks)
	switch {
	case checks == 0:
		return DayNone
	case up >= checks:
		return DayGood
	case share >= shareBlip:
		return DayBlip
	case share >= sharePartly:
		return DayPartly
	default:
		return DayDown
	}
}

package views

import (
	"fmt"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Objective tells how the hours of a metric in the objective's period do against the baseline of its monitor.
// The mean of the period is what counts, so a day that is better makes up for one that is worse, and chance
// alone uses up nothing. Only scores of the scorer's latest version count: others cannot be compared.
func Objective(now time.Time, loc *time.Location, spec quality.ObjectiveSpec, st quality.MonitorStatus, hours []quality.ScoreHour) quality.ObjectiveView {
	days := int(spec.Over / (24 * time.Hour))
	v := quality.ObjectiveView{Percent: spec.Percent, Days: days, From: now.In(loc).AddDate(0, 0, -days), To: now.In(loc)}
	period, left := current(hours, v.From, now)
	if left > 0 {
		v.Note = fmt.Sprintf("%d hours were scored by earlier versions of the scorer and do not count", left)
	}
	v.DaysScored = len(byDay(now, period, 0))
	switch {
	case st.Unbounded || st.Range[1] <= st.Range[0]:
		v.Note = "a metric without bounds has no percentage of its baseline"
	case st.Baseline.Mean == nil:
		v.Note = "there is no baseline yet"
	case v.DaysScored == 0:
		v.Note = "no scores in this period"
	default:
		attain(&v, now, st, period)
	}
	return v
}

// current returns the hours of a period that the latest version of the scorer made, and how many others there are.
func current(hours []quality.ScoreHour, from, to time.Time) (out []quality.ScoreHour, left int) {
	var latest quality.ScoreHour
	for _, h := range hours {
		if h.N > 0 && h.W > 0 && !h.Hour.Before(from) && h.Hour.Before(to) && !h.Hour.Before(latest.Hour) {
			latest = h
		}
	}
	for _, h := range hours {
		switch {
		case h.N == 0 || !(h.W > 0) || h.Hour.Before(from) || !h.Hour.Before(to):
		case h.Version == latest.Version:
			out = append(out, h)
		default:
			left++
		}
	}
	return out, left
}

// byDay sums what lies above or below a mean, by days before now.
func byDay(now time.Time, hours []quality.ScoreHour, mean float64) map[int]float64 {
	days := map[int]float64{}
	for _, h := range hours {
		days[int(now.Sub(h.Hour)/(24*time.Hour))] += h.WV - mean*h.W
	}
	return days
}

func attain(v *quality.ObjectiveView, now time.Time, st quality.MonitorStatus, period []quality.ScoreHour) {
	mean, w := meanOf(period)
	attained := percent(st, mean)
	left := 1 - (100-attained)/(100-v.Percent)
	v.Attained, v.BudgetLeft = &attained, &left
	if half, ok := spread(byDay(now, period, mean), w); ok {
		half *= 100 / (st.Range[1] - st.Range[0])
		v.Interval = &[2]float64{attained - half, attained + half}
	} else if v.Note == "" {
		v.Note = fmt.Sprintf("only %d days have scores yet, too few for an interval", v.DaysScored)
	}
	day, _ := current(period, now.Add(-24*time.Hour), now)
	if len(day) > 0 {
		m, _ := meanOf(day)
		burn := (100 - percent(st, m)) / (100 - v.Percent)
		v.BurnRateDay = &burn
	}
}

func meanOf(hours []quality.ScoreHour) (mean, w float64) {
	var wv float64
	for _, h := range hours {
		w, wv = w+h.W, wv+h.WV
	}
	return wv / w, w
}

// percent is a mean as the tile shows it: the baseline is 100, and the whole range of the metric is 100 points.
func percent(st quality.MonitorStatus, mean float64) float64 {
	change := mean - *st.Baseline.Mean
	if st.Worse == quality.WorseHigher {
		change = -change
	}
	return 100 + 100*change/(st.Range[1]-st.Range[0])
}

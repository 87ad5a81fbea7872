package statuspage

import (
	"fmt"
	"time"

	"github.com/asgood-dev/asgood/statuspage/speech"
)

// told is how things are told: in which language, with times of which zone, and seen from when.
type told struct {
	*speech.Language
	loc *time.Location
	now time.Time
}

// moment is a time for people and machines; both are empty when there is none.
type moment struct{ Text, ISO string }

// moment leaves out what today makes plain.
func (t told) moment(at time.Time) moment {
	if at.IsZero() {
		return moment{}
	}
	local, today := at.In(t.loc), t.now.In(t.loc)
	way := speech.YearTime
	switch {
	case local.Format(time.DateOnly) == today.Format(time.DateOnly):
		way = speech.Clock
	case local.Year() == today.Year() || today.Sub(local) < 180*24*time.Hour:
		way = speech.DayTime
	}
	return moment{Text: t.Date(way, local), ISO: local.Format(time.RFC3339)}
}

// end names the day of an end unless the start has named it, so that no start reads later than its end.
func (t told) end(start, end time.Time) moment {
	m := t.moment(end)
	switch {
	case dateOf(start, t.loc) == dateOf(end, t.loc):
		m.Text = t.Date(speech.Clock, end.In(t.loc))
	case dateOf(end, t.loc) == dateOf(t.now, t.loc):
		m.Text = t.Date(speech.DayTime, end.In(t.loc))
	}
	return m
}

// day writes a day of the page's zone.
func (t told) day(way string, day time.Time) string { return t.Date(way, day) }

// percent is a figure in percent of baseline, without the sign.
func (t told) percent(p float64) string {
	if p > mostPercent {
		return t.Say("percent.more", "Most", t.Number(mostPercent))
	}
	return t.Say("percent", "P", t.Number(uint64(rounded(p))))
}

// interval is the 95 % interval of a figure.
func (t told) interval(i [2]float64) string {
	return t.Say("interval.bounds", "From", t.Number(uint64(rounded(i[0]))), "To", t.Number(uint64(rounded(i[1]))))
}

// share is a part of checks, floored to two places; empty without checks.
func (t told) share(up, checks uint64) string {
	text := floored(up, checks)
	if text == "" {
		return ""
	}
	return t.Say("percent", "P", t.Decimal(text))
}

// percentInEnglish is a figure as badges tell it, whose words are English.
func percentInEnglish(p float64) string {
	if p > mostPercent {
		return fmt.Sprintf("more than %d\u00a0%%", mostPercent)
	}
	return fmt.Sprintf("%d\u00a0%%", rounded(p))
}

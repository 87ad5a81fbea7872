package speech

import (
	"strconv"
	"strings"
	"time"
)

// Number writes a whole number with its thousands apart.
func (l *Language) Number(n uint64) string {
	digits := strconv.FormatUint(n, 10)
	if len(digits) <= 3 {
		return digits
	}
	sep := l.Say("number.group")
	head := len(digits) % 3
	var b strings.Builder
	b.WriteString(digits[:head])
	for i := head; i < len(digits); i += 3 {
		if i > 0 {
			b.WriteString(sep)
		}
		b.WriteString(digits[i : i+3])
	}
	return b.String()
}

// Decimal writes a number that has a point with the language's own.
func (l *Language) Decimal(text string) string {
	return strings.Replace(text, ".", l.Say("number.point"), 1)
}

// List joins names as in a sentence.
func (l *Language) List(names []string) string {
	last := len(names) - 1
	switch last {
	case -1:
		return ""
	case 0:
		return names[0]
	}
	return l.Say("list.and", "Rest", strings.Join(names[:last], ", "), "Last", names[last])
}

// The ways to write a day or a time.
const (
	Clock     = "date.clock"      // 15:04
	DayTime   = "date.day_time"   // Mon 2 Jan, 15:04
	YearTime  = "date.year_time"  // 2 Jan 2006, 15:04
	ShortDay  = "date.short_day"  // Mon 2 Jan
	ShortYear = "date.short_year" // 2 Jan 2006
	LongDay   = "date.long_day"   // Monday, 2 January
	LongYear  = "date.long_year"  // Monday, 2 January 2006
	PlainDay  = "date.plain_day"  // 2 January
	Month     = "date.month"      // January 2006
	MonthDay  = "date.month_day"  // Mon 2
)

// Date writes a time of its location in one of the ways.
func (l *Language) Date(way string, t time.Time) string {
	month, weekday := strconv.Itoa(int(t.Month())), strconv.Itoa(int(t.Weekday()))
	return l.Say(way,
		"Day", strconv.Itoa(t.Day()), "Year", strconv.Itoa(t.Year()), "Clock", t.Format("15:04"),
		"Month", l.Say("month."+month), "Mon", l.Say("month.short."+month),
		"Weekday", l.Say("weekday."+weekday), "Wkd", l.Say("weekday.short."+weekday))
}

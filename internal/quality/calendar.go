package quality

import "time"

// StartOfDay returns the first moment of a date in loc; day may lie outside its month, as for time.Date. That is not
// always 0:00: where clocks are put forward at midnight the day begins at 1:00, which time.Date may
// answer with 23:00 of the day before.
func StartOfDay(year int, month time.Month, day int, loc *time.Location) time.Time {
	want := time.Date(year, month, day, 12, 0, 0, 0, loc)
	t := time.Date(year, month, day, 0, 0, 0, 0, loc)
	if t.YearDay() == want.YearDay() {
		return t
	}
	_, end := t.ZoneBounds()
	return end
}

package statuspage_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/statuspage"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// Days are counted by date: a day of 23 or 25 hours is one day, and one without midnight too.
func TestCalendar(t *testing.T) {
	for _, tt := range []struct {
		name, zone, now string
		at              int // days before today
		want            string
		hours           float64
	}{
		{"today", "Europe/Berlin", "2026-03-31T14:05:00+02:00", 0, "2026-03-31T00:00:00+02:00", 24},
		{"clocks go forward", "Europe/Berlin", "2026-03-31T14:05:00+02:00", 2, "2026-03-29T00:00:00+01:00", 23},
		{"before they did", "Europe/Berlin", "2026-03-31T14:05:00+02:00", 3, "2026-03-28T00:00:00+01:00", 24},
		{"clocks go back", "Europe/Berlin", "2026-10-26T00:30:00+01:00", 1, "2026-10-25T00:00:00+02:00", 25},
		{"just before midnight of the switch", "Europe/Berlin", "2026-03-29T23:59:59+02:00", 0, "2026-03-29T00:00:00+01:00", 23},
		{"in the hour that comes twice", "Europe/Berlin", "2026-10-25T02:30:00+01:00", 0, "2026-10-25T00:00:00+02:00", 25},
		{"UTC is another day already", "Pacific/Auckland", "2026-03-31T12:05:00Z", 0, "2026-04-01T00:00:00+13:00", 24},
		{"no midnight", "America/Santiago", "2024-09-10T12:00:00Z", 2, "2024-09-08T01:00:00-03:00", 23},
		{"first of ninety", "UTC", "2026-03-31T12:05:00Z", 89, "2026-01-01T00:00:00Z", 24},
		{"leap day", "UTC", "2028-03-01T12:00:00Z", 1, "2028-02-29T00:00:00Z", 24},
	} {
		t.Run(tt.name, func(t *testing.T) {
			at, err := time.Parse(time.RFC3339, tt.now)
			if err != nil {
				t.Fatal(err)
			}
			days := statuspage.Calendar(at, zone(t, tt.zone))
			i := len(days) - 1 - tt.at
			if got := days[i].Format(time.RFC3339); len(days) != 90 || got != tt.want {
				t.Fatalf("got %s of %d days, want %s of 90", got, len(days), tt.want)
			}
			following := quality.StartOfDay(days[i].Year(), days[i].Month(), days[i].Day()+1, days[i].Location())
			if got := following.Sub(days[i]).Hours(); got != tt.hours {
				t.Errorf("the day has %g hours, want %g", got, tt.hours)
			}
		})
	}
}

func TestCalendarHasEveryDateOnce(t *testing.T) {
	zones := []string{"UTC", "Europe/Berlin", "America/Santiago", "Africa/Cairo", "Asia/Beirut", "Pacific/Auckland", "Asia/Kolkata", "America/St_Johns"}
	rapid.Check(t, func(t *rapid.T) {
		loc, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		at := time.Unix(rapid.Int64Range(1.6e9, 1.9e9).Draw(t, "now"), 0)
		days := statuspage.Calendar(at, loc)
		for i := 1; i < len(days); i++ {
			if got := dateNumber(days[i]) - dateNumber(days[i-1]); got != 1 {
				t.Fatalf("%s follows %s", days[i], days[i-1])
			}
		}
		if today := days[len(days)-1]; today.After(at) || dateNumber(today) != dateNumber(at.In(loc)) {
			t.Fatalf("at %s today is %s", at.In(loc), today)
		}
	})
}

// dateNumber counts days by date, whatever the zone.
func dateNumber(t time.Time) int {
	y, m, d := t.Date()
	return int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// scored is a day with a mean of its own against a baseline of 0.9.
func scored(n uint64, mean, sd float64) quality.ScoreDay {
	return quality.ScoreDay{Metric: "m", N: n, Mean: mean, SD: sd}
}

func monitor(worse quality.Direction) statuspage.DayMonitor {
	return statuspage.DayMonitor{Material: 0.02, Status: quality.MonitorStatus{Metric: "m", Tile: true, Worse: worse, Range: [2]float64{0, 1},
		Baseline: quality.Estimate{N: 1000, Mean: ptr(0.9)}}}
}

func TestQualityDays(t *testing.T) {
	higher, adjusted, hidden, none, huge := monitor(quality.WorseHigher), monitor(""), monitor(""), monitor(""), monitor("")
	adjusted.Adjusted, hidden.Status.Tile, none.Status.Baseline = true, false, quality.Estimate{N: 20}
	huge.Status.Unbounded = true
	failed := scored(0, 0, 0)
	failed.Failed = 3
	for _, tt := range []struct {
		name    string
		score   quality.ScoreDay
		monitor statuspage.DayMonitor
		want    statuspage.DayState
		percent float64 // 0 means none
	}{
		{"no scores", scored(0, 0, 0), monitor(""), statuspage.DayNone, 0},
		{"all failed: neither good nor bad", failed, monitor(""), "cannot-tell", 0},
		{"too few, however bad", scored(29, 0, 0), monitor(""), statuspage.DayFew, 0},
		{"too few, however good", scored(29, 1, 0), monitor(""), statuspage.DayFew, 0},
		{"as usual", scored(400, 0.9, 0.3), monitor(""), statuspage.DayGood, 100},
		{"lower, by chance", scored(30, 0.8, 0.4), monitor(""), statuspage.DayGood, 90},
		{"lower, by less than matters", scored(1e6, 0.885, 0.1), monitor(""), statuspage.DayGood, 98.5},
		{"lower", scored(400, 0.8, 0.3), monitor(""), statuspage.DaySlight, 90},
		{"higher", scored(4000, 0.96, 0.2), monitor(""), statuspage.DayBetter, 106},
		{"worse is higher: lower is better", scored(400, 0.8, 0.3), higher, statuspage.DayBetter, 110},
		{"worse is higher: higher is worse", scored(4000, 0.96, 0.2), higher, statuspage.DaySlight, 94},
		{"the mix decides: the monitor does", scored(400, 0.8, 0.3), adjusted, statuspage.DayGood, 0},
		{"not on the tile", scored(400, 0.8, 0.3), hidden, statuspage.DayNone, 0},
		{"no baseline", scored(400, 0.8, 0.3), none, statuspage.DayFew, 0},
		{"all alike hides up to three of n", scored(40, 1, 0), monitor(""), statuspage.DayGood, 110},
		{"all alike and many", scored(4000, 1, 0), monitor(""), statuspage.DayBetter, 110},
		{"beyond all numbers", scored(400, math.Inf(1), math.NaN()), huge, statuspage.DayFew, 0},
		{"of no number", scored(400, math.NaN(), 1), huge, statuspage.DayFew, 0},
		{"spread beyond all numbers", scored(400, 0.9, math.Inf(1)), huge, statuspage.DayFew, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			days := statuspage.Calendar(now, berlin(t))
			tt.score.Day = days[50]
			got := statuspage.QualityDays(days, []quality.ScoreDay{tt.score}, []statuspage.DayMonitor{tt.monitor}, nil, nil)
			for i, d := range got {
				if i != 50 && (d.State != statuspage.DayNone || d.N != 0 || d.Percent != nil) {
					t.Fatalf("a day without scores: %+v", d)
				}
			}
			d := got[50]
			if d.State != tt.want {
				t.Errorf("got %q, want %q", d.State, tt.want)
			}
			if (d.Percent != nil) != (tt.percent != 0) || d.Percent != nil && math.Abs(*d.Percent-tt.percent) > 1e-9 {
				t.Errorf("got percent %v, want %g", d.Percent, tt.percent)
			}
			if d.Percent != nil && (d.Interval[0] > *d.Percent || d.Interval[1] < *d.Percent) {
				t.Errorf("percent %g is outside of its interval %v", *d.Percent, *d.Interval)
			}
		})
	}
}

// A day lies in a regression by the dates of the reporting zone, also where the day has 23 hours.
func TestDaysOfRegressions(t *testing.T) {
	loc := berlin(t)
	at := func(s string) time.Time {
		v, err := time.ParseInLocation("2006-01-02 15:04", s, loc)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, tt := range []struct {
		name, from, to string // of the regression; to is empty while it is open
		want           []string
	}{
		{"over the switch", "2026-03-28 23:30", "2026-03-30 00:30", []string{"2026-03-28", "2026-03-29", "2026-03-30"}},
		{"until midnight", "2026-03-29 03:00", "2026-03-30 00:00", []string{"2026-03-29"}},
		{"open", "2026-03-30 23:59", "", []string{"2026-03-30", "2026-03-31"}},
		{"within a day", "2026-03-29 01:30", "2026-03-29 03:30", []string{"2026-03-29"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			days := statuspage.Calendar(now, loc)
			var scores []quality.ScoreDay
			for _, d := range days {
				s := scored(400, 0.9, 0.3)
				s.Day = d
				scores = append(scores, s)
			}
			r := quality.Regression{ID: "r", Metric: "m", StartedAt: ptr(at(tt.from)), DetectedAt: at(tt.from).Add(time.Hour)}
			if tt.to != "" {
				r.RecoveredAt = ptr(at(tt.to))
			}
			got := statuspage.QualityDays(days, scores, []statuspage.DayMonitor{monitor("")}, []quality.Regression{r}, map[string]quality.Severity{"r": quality.SeverityMajor})
			var worse []string
			for _, d := range got {
				if d.State == statuspage.DayWorse {
					worse = append(worse, d.Day.Format(time.DateOnly))
				}
			}
			if len(worse) != len(tt.want) {
				t.Fatalf("got %v, want %v", worse, tt.want)
			}
			for i := range worse {
				if worse[i] != tt.want[i] {
					t.Errorf("got %v, want %v", worse, tt.want)
				}
			}
		})
	}
}

// Sums land on the day whose date they carry, in whatever zone their time is written.
func TestAvailabilityDays(t *testing.T) {
	loc := zone(t, "America/Santiago")
	days := statuspage.Calendar(time.Date(2024, 9, 10, 12, 0, 0, 0, time.UTC), loc)
	var sums []quality.UptimeDay
	for i, d := range days[80:] {
		sums = append(sums, quality.UptimeDay{Day: d.UTC(), Checks: 1000, Up: []uint64{1000, 999, 990, 989, 900, 899, 0, 1000, 1001, 500}[i]})
	}
	sums = append(sums, quality.UptimeDay{Day: days[89], Checks: 1000, Up: 500}, // a second probe
		quality.UptimeDay{Day: days[0].AddDate(0, 0, -1), Checks: 7, Up: 0}) // of before
	got := statuspage.AvailabilityDays(days, sums)
	want := []statuspage.DayState{"usual", "blip", "blip", "partly", "partly", "down", "down", "usual", "usual", "down"}
	for i, d := range got {
		if i < 80 && (d.State != statuspage.DayNone || d.Checks != 0) {
			t.Errorf("day %s without checks: %+v", d.Day, d)
		}
		if i >= 80 && d.State != want[i-80] {
			t.Errorf("day %s: got %+v, want %q", d.Day.Format(time.DateOnly), d, want[i-80])
		}
	}
	if got[89].Checks != 2000 || got[89].Up != 1000 {
		t.Errorf("two probes: got %+v", got[89])
	}
}

package quality_test

import (
	"testing"
	"time"
	_ "time/tzdata" // the zones of this test, wherever it runs

	"github.com/asgood-dev/asgood/internal/quality"
)

func TestStartOfDay(t *testing.T) {
	for _, tt := range []struct {
		zone string
		y    int
		m    time.Month
		d    int
		want string
	}{
		{"UTC", 2026, 3, 29, "2026-03-29T00:00:00Z"},
		{"Europe/Berlin", 2026, 3, 29, "2026-03-29T00:00:00+01:00"},
		{"Europe/Berlin", 2026, 3, 30, "2026-03-30T00:00:00+02:00"},
		{"America/Santiago", 2024, 9, 7, "2024-09-07T00:00:00-04:00"},
		{"America/Santiago", 2024, 9, 8, "2024-09-08T01:00:00-03:00"}, // there is no midnight
		{"America/Santiago", 2024, 8, 39, "2024-09-08T01:00:00-03:00"},
		{"Africa/Cairo", 2024, 4, 26, "2024-04-26T01:00:00+03:00"},
		{"Asia/Beirut", 2024, 3, 31, "2024-03-31T01:00:00+03:00"},
	} {
		loc, err := time.LoadLocation(tt.zone)
		if err != nil {
			t.Fatal(err)
		}
		got := quality.StartOfDay(tt.y, tt.m, tt.d, loc)
		if got.Format(time.RFC3339) != tt.want {
			t.Errorf("%s %d-%d-%d: got %s, want %s", tt.zone, tt.y, tt.m, tt.d, got.Format(time.RFC3339), tt.want)
		}
		if before := got.Add(-time.Nanosecond); before.Day() == got.Day() {
			t.Errorf("%s %s is not the first moment of its day", tt.zone, got)
		}
	}
}

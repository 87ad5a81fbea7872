package files

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/collector/files/parquet"
)

// layouts that say only one thing. A date such as 07/02/2023 is not among them: it needs a layout.
var layouts = []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999", time.DateOnly}

// parseTime reads a time, in UTC.
func parseTime(c cell, o *Options) (time.Time, error) {
	if c.Kind == parquet.Time {
		return c.Time, nil
	}
	value := strings.TrimSpace(c.Text)
	if o.TimeLayout != "" {
		t, err := time.ParseInLocation(o.TimeLayout, value, o.Location)
		if err != nil {
			return t, fmt.Errorf("%.60q is not of the layout %q", value, o.TimeLayout)
		}
		return t.UTC(), nil
	}
	for _, layout := range layouts {
		if t, err := time.ParseInLocation(layout, value, o.Location); err == nil {
			return t.UTC(), nil
		}
	}
	if x, err := strconv.ParseFloat(value, 64); err == nil && x > 0 && !math.IsInf(x, 0) {
		return unixTime(x), nil
	}
	return time.Time{}, fmt.Errorf("cannot tell the time %.60q: give its layout, for example --time-layout '01/02/2006, 15:04:05'", value)
}

// unixTime takes seconds, or milliseconds, microseconds or nanoseconds where the larger unit would lie
// beyond the year 5000.
func unixTime(x float64) time.Time {
	const year5000 = 95617584000
	for range 3 {
		if x > year5000 {
			x /= 1000
		}
	}
	return time.UnixMicro(int64(math.Round(min(x, year5000) * 1e6))).UTC()
}

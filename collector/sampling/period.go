package sampling

import "time"

// span is a period in seconds since 1970: from its begin to before its end. It saves divisions.
type span struct{ begin, end int64 }

func (s span) holds(now time.Time) bool {
	at := now.Unix()
	return s.begin <= at && at < s.end
}

// periodOf counts periods since 1970, in UTC, rounding down. All periods in use divide a day.
func periodOf(now time.Time, per time.Duration) (int64, span) {
	n := int64(per / time.Second)
	period := floorDiv(now.Unix(), n)
	return period, span{period * n, (period + 1) * n}
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

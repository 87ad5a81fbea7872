package quality

import "time"

// ScoreDay sums the scores of one metric on one day of the reporting time zone.
type ScoreDay struct {
	Feature string
	Metric  string
	Day     time.Time // midnight in the reporting time zone
	N       uint64    // scores without error
	Failed  uint64    // failed scores
	Mean    float64   // weighted mean; meaningless when N is 0
	SD      float64   // standard deviation; 0 when N < 2
}

// UptimeDay sums the probe results of one feature on one day of the reporting time zone.
type UptimeDay struct {
	Feature string
	Day     time.Time
	Checks  uint64
	Up      uint64
}

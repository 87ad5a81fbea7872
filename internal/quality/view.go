package quality

import "time"

// WeekView compares the scores of a metric in the last seven days with those of the seven days before, hour of
// the week by hour of the week. It is a view and never an alarm: a slide that is slow enough looks the same
// every week.
type WeekView struct {
	From          time.Time   `json:"from"` // begin of this week, which ends when it was asked for
	To            time.Time   `json:"to"`
	Last          Estimate    `json:"last"` // of the hours that both weeks have scores in, in the mix of hours of both
	This          Estimate    `json:"this"`
	Change        *float64    `json:"change"`   // this - last, in the metric's unit; null when they cannot be compared
	Interval      *[2]float64 `json:"interval"` // 95 %, from the spread between days
	HoursCompared int         `json:"hours_compared"`
	Hours         int         `json:"hours"` // in a week: 168
	Note          string      `json:"note,omitempty"`
}

// ObjectiveSpec is the quality that a monitor's metric is to have over a period.
type ObjectiveSpec struct {
	Percent float64       `yaml:"percent"` // of the baseline, above 0 and below 100
	Over    time.Duration `yaml:"over"`    // whole days, 1 to 90; 0 means 28
}

// DefaultObjectiveOver is the period of an objective that names none.
const DefaultObjectiveOver = 28 * 24 * time.Hour

// ObjectiveView tells how much of an objective's error budget is left. The budget is how far the mean of the
// period may lie below the baseline; all of it is 1, and less than 0 is left when the objective is missed.
type ObjectiveView struct {
	Percent     float64     `json:"percent"`
	Days        int         `json:"days"`
	DaysScored  int         `json:"days_scored"` // that have scores
	From        time.Time   `json:"from"`
	To          time.Time   `json:"to"`
	Attained    *float64    `json:"attained"`      // percent of the baseline; null when it cannot be told
	Interval    *[2]float64 `json:"interval"`      // 95 %, of attained
	BudgetLeft  *float64    `json:"budget_left"`   // 1 is all of it
	BurnRateDay *float64    `json:"burn_rate_day"` // of the last 24 hours; 1 uses up exactly the budget
	Note        string      `json:"note,omitempty"`
}

// ScoreHour sums the scores of one metric, made by one version of its scorer, in one hour.
type ScoreHour struct {
	Feature string
	Metric  string
	Version string    // of the scorer
	Hour    time.Time // its begin
	N       uint64    // scores without error
	W       float64   // sum of weights
	WV      float64   // of weight * value
	WVV     float64   // of weight * value * value
	WW      float64   // of weight * weight; 0 means not known
}

// Effective is how many equally weighted scores would tell as much.
func (h *ScoreHour) Effective() float64 {
	if h.WW <= 0 {
		return float64(h.N)
	}
	return h.W * h.W / h.WW
}

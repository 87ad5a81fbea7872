package quality

import (
	"slices"
	"time"
)

// SamplingSpec says which outputs of a feature are kept as samples, and with which probability. Whatever
// it says, a kept sample's weight is 1 / the probability it was kept with.
type SamplingSpec struct {
	Rate           float64          `yaml:"rate"`             // probability of an output that no other rule names; above 0, at most 1; 0 means 1
	PerCustomerMin Quota            `yaml:"per_customer_min"` // short for min: {customer: QUOTA}
	Min            map[string]Quota `yaml:"min"`              // by attribute: the first N of each value in each period are kept
	Always         []string         `yaml:"always"`           // rules whose outputs are kept: error, low_feedback, slow
	Budget         Quota            `yaml:"budget"`           // most samples kept in a period; wins over every other rule
	Hold           time.Duration    `yaml:"hold"`             // how long low_feedback waits for feedback; default 10 min
	LowFeedback    LowFeedbackSpec  `yaml:"low_feedback"`     // what low_feedback calls low
	SlowerThan     time.Duration    `yaml:"slower_than"`      // what slow calls slow
}

// The rules of SamplingSpec.Always.
const (
	AlwaysError       = "error"        // the output carried an error
	AlwaysLowFeedback = "low_feedback" // a person's score, which may come later, is low
	AlwaysSlow        = "slow"         // it took longer than SlowerThan
)

// Defaults of sampling.
const (
	DefaultHold           = 10 * time.Minute
	DefaultFeedbackMetric = "thumbs"
	DefaultFeedbackBelow  = 0.5
)

// LowFeedbackSpec says which feedback is low: a score of Metric below Below.
type LowFeedbackSpec struct {
	Metric string   `yaml:"metric"` // empty means thumbs
	Below  *float64 `yaml:"below"`  // absent means 0.5
}

// Reception is what people have said of an output so far. The zero value is ReceptionUnknown.
type Reception int8

// The states of reception.
const (
	ReceptionUnknown Reception = iota
	ReceptionFine              // somebody has spoken, or nobody did in time
	ReceptionLow
)

// String returns the state as a word.
func (f Reception) String() string {
	switch f {
	case ReceptionFine:
		return "fine"
	case ReceptionLow:
		return "low"
	default:
		return "unknown"
	}
}

// Keeps reports whether a rule of Always is set.
func (s *SamplingSpec) Keeps(rule string) bool { return slices.Contains(s.Always, rule) }

// Reception judges the scores of an output, by metric; ReceptionUnknown when the metric is not among them.
func (l LowFeedbackSpec) Reception(scores map[string]float64) Reception {
	metric, below := l.Metric, DefaultFeedbackBelow
	if metric == "" {
		metric = DefaultFeedbackMetric
	}
	if l.Below != nil {
		below = *l.Below
	}
	switch v, ok := scores[metric]; {
	case !ok:
		return ReceptionUnknown
	case v < below:
		return ReceptionLow
	default:
		return ReceptionFine
	}
}

// Minimums returns Min with PerCustomerMin in it.
func (s *SamplingSpec) Minimums() map[string]Quota {
	if s.PerCustomerMin.IsZero() {
		return s.Min
	}
	all := map[string]Quota{"customer": s.PerCustomerMin}
	for name, q := range s.Min {
		all[name] = q
	}
	return all
}

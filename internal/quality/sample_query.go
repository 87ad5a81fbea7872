package quality

import "time"

// SampleQuery chooses stored samples of a feature.
type SampleQuery struct {
	Feature  string // required
	Customer string // empty means all
	From, To time.Time
	Metric   string   // whose scores are shown; the samples without one are left out then
	Least    *float64 // bounds of the score, with Metric
	Most     *float64
	Failed   bool // only those whose score failed, with Metric
	Order    SampleOrder
	Limit    int
}

// SampleOrder says which samples come first.
type SampleOrder string

// The orders. Those by score need a metric.
const (
	NewestFirst  SampleOrder = "newest"
	LowestFirst  SampleOrder = "lowest"
	HighestFirst SampleOrder = "highest"
)

// FoundSample is a sample in a list.
type FoundSample struct {
	ID       string
	Time     time.Time
	Customer string
	Model    string
	Prompt   string
	Source   string
	Value    *float64 // score of the query's metric; nil without one
	Error    string   // why the score failed
	Excerpt  string   // the beginning of its output; empty when its text is gone
}

package quality

import (
	"sort"
	"strings"
	"time"
)

// Estimate is a mean with the number of scores behind it.
type Estimate struct {
	N    uint64   `json:"n"`
	Mean *float64 `json:"mean"` // nil when there is none
}

// Regression is a monitor's verdict that a metric of a feature is worse than its baseline.
// There is one per metric and feature at a time.
type Regression struct {
	ID             string            `json:"id"` // stable: the same data gives the same id
	Feature        string            `json:"feature"`
	Metric         string            `json:"metric"`
	Slice          Slice             `json:"slice"`  // the widest confirmed; empty for the whole feature
	Slices         []RegressionSlice `json:"slices"` // all that are confirmed
	Baseline       Estimate          `json:"baseline"`
	Current        Estimate          `json:"current"`  // from the estimated start to the recovery or the end of the data
	Change         *float64          `json:"change"`   // current - baseline, in the metric's unit
	Interval       *[2]float64       `json:"interval"` // 95 % interval of the change; it holds whenever it is looked at
	Range          [2]float64        `json:"range"`    // bounds of the metric
	Worse          Direction         `json:"worse"`
	Material       float64           `json:"material"`
	StartedAt      *time.Time        `json:"started_at"` // estimated
	StartedSample  uint64            `json:"started_sample"`
	DetectedAt     time.Time         `json:"detected_at"`
	DetectedSample uint64            `json:"detected_sample"`
	RecoveredAt    *time.Time        `json:"recovered_at"`
	WithdrawnAt    *time.Time        `json:"withdrawn_at,omitempty"` // its monitor was changed or removed before it recovered
	Share          float64           `json:"share"`                  // share of the feature's scored samples that the slice holds, 0 to 1

	// A person accepted the new level.
	AcceptedBy     string `json:"accepted_by,omitempty"` // with WithdrawnAt
	AcceptedReason string `json:"accepted_reason,omitempty"`
	// Set by whoever stores or shows the regression, not by the evaluator.
	JudgeSuspect bool `json:"judge_suspect,omitempty"` // the judge of the metric had moved: it may be the judge and not the product

	// 95 % interval of StartedAt as it was at the alarm, for a fall that came at once; nil where it is not known.
	StartedBetween *[2]time.Time `json:"started_between"`
}

// RegressionSlice is one slice in which a regression is confirmed.
type RegressionSlice struct {
	Slice          Slice       `json:"slice"`
	Baseline       Estimate    `json:"baseline"`
	Current        Estimate    `json:"current"`
	Change         *float64    `json:"change"`
	Interval       *[2]float64 `json:"interval"`
	StartedAt      *time.Time  `json:"started_at"`
	StartedSample  uint64      `json:"started_sample"`
	DetectedAt     time.Time   `json:"detected_at"`
	DetectedSample uint64      `json:"detected_sample"`
	RecoveredAt    *time.Time  `json:"recovered_at"`

	StartedBetween *[2]time.Time `json:"started_between"` // 95 % interval of StartedAt
}

// Open reports whether the regression is still watched and has not recovered.
func (r *Regression) Open() bool { return r.RecoveredAt == nil && r.WithdrawnAt == nil }

// MonitorState says what a monitor can tell now.
type MonitorState string

// The states of a monitor.
const (
	MonitorUnknown   MonitorState = ""          // has not run
	MonitorLearning  MonitorState = "learning"  // its baseline is not full yet
	MonitorWatching  MonitorState = "watching"  // as good as usual, as far as it can see
	MonitorRegressed MonitorState = "regressed" // a regression is open
	MonitorImproved  MonitorState = "improved"  // an improvement is confirmed
	MonitorBlind     MonitorState = "blind"     // cannot tell: scores fail or have stopped
)

// MonitorStatus is what a monitor shows of itself. The evaluator writes it, the status page reads it.
type MonitorStatus struct {
	Feature      string       `json:"feature"`
	Metric       string       `json:"metric"`
	State        MonitorState `json:"state"`
	Reason       string       `json:"reason,omitempty"` // why it is learning or blind, in words
	Worse        Direction    `json:"worse"`
	Range        [2]float64   `json:"range"`
	Unbounded    bool         `json:"unbounded,omitempty"`
	Tile         bool         `json:"tile"`
	Baseline     Estimate     `json:"baseline"`
	Current      Estimate     `json:"current"`
	Change       *float64     `json:"change"`
	Interval     *[2]float64  `json:"interval"`
	Since        *time.Time   `json:"since"`      // start of the present state
	Detectable   *float64     `json:"detectable"` // minimum detectable drop, in the metric's unit
	LastScoreAt  time.Time    `json:"last_score_at,omitzero"`
	Regression   string       `json:"regression,omitempty"` // id of the open regression
	ScoresFailed uint64       `json:"scores_failed"`

	// Of the monitor's sight, its scorer's version and its traffic.
	Blind         BlindCause   `json:"blind,omitempty"`          // why it cannot tell; also set beside an open regression
	Version       string       `json:"version,omitempty"`        // of the scorer whose scores it watches; empty while none is known
	VersionSince  *time.Time   `json:"version_since,omitempty"`  // time of the first sample that the version scored
	OtherVersion  uint64       `json:"other_version"`            // scores left out since they are of another version
	VersionStep   *VersionStep `json:"version_step,omitempty"`   // from the version before, where it was estimated
	SamplesPerDay float64      `json:"samples_per_day"`          // scored samples a day, 0 while unknown
	DetectableDay *float64     `json:"detectable_day,omitempty"` // smallest drop noticed, in the median, within a day's traffic, in the metric's unit
	OwnBaselines  int          `json:"own_baselines,omitempty"`  // slices of which the baseline holds too little: compared with the first scores that came of them
}

// Key returns a canonical form of the slice, such as "customer=acme"; empty for the whole feature.
func (s Slice) Key() string {
	keys := make([]string, 0, len(s))
	for k := range s {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for i, k := range keys {
		keys[i] = k + "=" + s[k]
	}
	return strings.Join(keys, ",")
}

package quality

import (
	"fmt"
	"time"
)

// BaselineKind says where the scores of a version of a baseline come from.
type BaselineKind string

// The kinds of baselines.
const (
	BaselineConfigured BaselineKind = "configured" // what the configured form gave: the first N, a window, or a pinned set
	BaselineWindowed   BaselineKind = "window"     // a period that a person chose
	BaselineAccepted   BaselineKind = "accepted"   // a new level that a person accepted while a regression was open, or after a slow slide
	BaselineLastGood   BaselineKind = "last_good"  // promoted by itself after a quiet period
)

// Person reports whether a person stands for the level. Later versions are compared with the latest such one,
// so that many small steps down do not pass unseen.
func (k BaselineKind) Person() bool { return k != BaselineLastGood }

// Baseline is one version of a baseline: a frozen set of scores of a metric, without the scores themselves.
type Baseline struct {
	Feature   string          `json:"feature"`
	Metric    string          `json:"metric"`
	Version   int             `json:"version"` // 1 and up
	Name      string          `json:"name,omitempty"`
	Kind      BaselineKind    `json:"kind"`
	Scorer    string          `json:"scorer"` // version of the scorer that made the scores
	MadeAt    time.Time       `json:"made_at"`
	By        string          `json:"by"` // owner: who answers for it
	Reason    string          `json:"reason"`
	From      time.Time       `json:"from"` // of the first score
	To        time.Time       `json:"to"`   // of the last one
	N         uint64          `json:"n"`
	Mean      float64         `json:"mean"` // weighted
	SD        float64         `json:"sd"`
	Slices    []BaselineSlice `json:"slices"`             // of the monitor's attributes, at most MaxBaselineSlices, the largest first
	Digest    string          `json:"digest"`             // of the scores
	Against   int             `json:"against,omitempty"`  // version that it was compared with
	Accepted  string          `json:"accepted,omitempty"` // id of the regression whose level it accepts
	Documents int             `json:"documents"`          // in which its scores are kept; 0 when they were given up
}

// MaxBaselineSlices bounds the slices whose figures a version shows.
const MaxBaselineSlices = 200

// BaselineSlice are the figures of one slice.
type BaselineSlice struct {
	Slice Slice   `json:"slice"`
	N     uint64  `json:"n"`
	Mean  float64 `json:"mean"`
	SD    float64 `json:"sd"`
}

// BaselinePin says which version was put in force, when, by whom and why. Version 0 is the configured form.
type BaselinePin struct {
	Version int       `json:"version"`
	At      time.Time `json:"at"`
	By      string    `json:"by"`
	Reason  string    `json:"reason"`
}

// BaselineBook holds all versions of the baseline of a metric, the oldest first, and which one is in force.
type BaselineBook struct {
	Feature  string        `json:"feature"`
	Metric   string        `json:"metric"`
	InForce  int           `json:"in_force"` // 0: what the configuration says
	Versions []Baseline    `json:"versions"`
	Pins     []BaselinePin `json:"pins"`               // the oldest first
	Declined string        `json:"declined,omitempty"` // why the last promotion by itself was not made
}

// Version returns a version, or nil.
func (b *BaselineBook) Version(n int) *Baseline {
	for i := range b.Versions {
		if b.Versions[i].Version == n {
			return &b.Versions[i]
		}
	}
	return nil
}

// Original is the version that later ones are compared with: the latest that a person stands for. It is nil
// when there is none.
func (b *BaselineBook) Original() *Baseline {
	for i := len(b.Versions) - 1; i >= 0; i-- {
		if b.Versions[i].Kind.Person() {
			return &b.Versions[i]
		}
	}
	return nil
}

// Pinned names the version for a monitor, so that the monitor starts anew when it changes. No name that a
// configuration can hold has an @.
func (b *Baseline) Pinned() string { return fmt.Sprintf("version %d@%.12s", b.Version, b.Digest) }

// LastGoodSpec lets a baseline be promoted by itself.
type LastGoodSpec struct {
	Quiet time.Duration `yaml:"quiet"` // without alarm, blindness or change; default 7 days
	N     int           `yaml:"n"`     // scores that the period must have at least; default 2000
}

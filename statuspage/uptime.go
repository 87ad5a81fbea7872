package statuspage

import (
	"math"
	"strconv"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// UptimeWord says whether a feature answers, as customers read it.
type UptimeWord string

// The words of the uptime tile.
const (
	UptimeUp      UptimeWord = "Up"
	UptimePartly  UptimeWord = "Partly down"
	UptimeDown    UptimeWord = "Down"
	UptimeUnknown UptimeWord = "No data"
)

// Slug is the word as a name in JSON and CSS.
func (w UptimeWord) Slug() string {
	switch w {
	case UptimeUp:
		return "up"
	case UptimePartly:
		return "partly"
	case UptimeDown:
		return "down"
	default:
		return "unknown"
	}
}

// UptimeTile is what a feature's uptime tile shows.
type UptimeTile struct {
	Word  UptimeWord
	Since *time.Time // when it went down
	Share string     // percent of checks that were answered, floored; empty without checks
	Days  int        // days from the first with checks until today
}

// leastProbeSilence is how old a probe's last check may be at least before its state is forgotten.
const leastProbeSilence = 5 * time.Minute

// probeSilence leaves room for three checks of the slowest probe. Simulated time runs ahead of the probes.
func probeSilence(f quality.Feature, simulated bool) time.Duration {
	if simulated {
		return maxSilence
	}
	silence := leastProbeSilence
	for _, p := range f.Probes {
		silence = max(silence, 3*(p.Every+p.Timeout))
	}
	return silence
}

// UptimeInput is what a feature's uptime tile is made of.
type UptimeInput struct {
	Probes  []quality.ProbeStatus // of the feature
	Days    []AvailabilityDay
	Now     time.Time
	Silence time.Duration // a state that was not checked for so long is not known
}

// Uptime joins the states of a feature's probes with the sums of its days.
func Uptime(in UptimeInput) UptimeTile {
	t := UptimeTile{Word: UptimeUnknown}
	var up, down int
	for _, p := range in.Probes {
		if !p.CheckedAt.IsZero() && in.Now.Sub(p.CheckedAt) > in.Silence {
			continue
		}
		switch p.State {
		case quality.Up:
			up++
		case quality.Down:
			down++
			if t.Since == nil || p.Since.Before(*t.Since) {
				t.Since = &p.Since
			}
		}
	}
	switch {
	case down > 0 && up > 0:
		t.Word = UptimePartly
	case down > 0:
		t.Word = UptimeDown
	case up > 0:
		t.Word = UptimeUp
	}
	var answered, checks uint64
	for i, d := range in.Days {
		answered, checks = answered+d.Up, checks+d.Checks
		if d.Checks > 0 && t.Days == 0 {
			t.Days = len(in.Days) - i
		}
	}
	t.Share = floored(answered, checks)
	return t
}

// floored is the percentage with two places. It never rounds up: 100 means that every check was answered.
func floored(up, checks uint64) string {
	if checks == 0 {
		return ""
	}
	if up >= checks {
		return "100"
	}
	hundredths := math.Floor(float64(up) / float64(checks) * 10000)
	return strconv.FormatFloat(min(hundredths, 9999)/100, 'f', 2, 64)
}

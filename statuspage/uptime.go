package statuspage

import (
	"math"
	"slices"
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

// effect is a time in which a feature was not whole, by an incident or a maintenance.
type effect struct {
	from, to time.Time // to is zero while it lasts
	weight   float64
}

// effectsOn are the times of a feature that count as down in part. Incidents count as people stated, or else as measured.
func effectsOn(feature string, s stateData, u quality.UptimeSpec) (out []effect) {
	add := func(status quality.ComponentStatus, from time.Time, to *time.Time) {
		e := effect{from: from, weight: u.Weight(status)}
		if to != nil {
			e.to = *to
		}
		if e.weight > 0 {
			out = append(out, e)
		}
	}
	for _, i := range s.published() {
		if !slices.Contains(i.Features, feature) {
			continue
		}
		status, stated := i.Effects[feature]
		if !stated && i.Kind == quality.IncidentAvailability {
			status = quality.MajorOutage
		} else if !stated {
			status = quality.DegradedPerformance
		}
		add(status, i.StartedAt, i.ResolvedAt)
	}
	for _, m := range s.maintenances {
		if m.StartedAt != nil && slices.Contains(m.Features, feature) {
			add(quality.UnderMaintenance, *m.StartedAt, m.CompletedAt)
		}
	}
	return out
}

// shareOfTime is the percentage of the time of the days with checks that was not down, floored. Where several effects
// overlap, the heaviest counts; days without checks count neither way.
func shareOfTime(days []AvailabilityDay, effects []effect, now time.Time) string {
	var total, lost float64
	for _, d := range days {
		end := nextDay(d.Day)
		if now.Before(end) {
			end = now
		}
		if d.Checks > 0 && end.After(d.Day) {
			total += end.Sub(d.Day).Seconds()
			lost += lostIn(d.Day, end, effects)
		}
	}
	if total == 0 {
		return ""
	}
	return floored(uint64(total-lost), uint64(total))
}

// lostIn is the weighted time of the effects between two times, in seconds.
func lostIn(from, to time.Time, effects []effect) (lost float64) {
	edges := []time.Time{from, to}
	for _, e := range effects {
		for _, at := range []time.Time{e.from, e.to} {
			if at.After(from) && at.Before(to) {
				edges = append(edges, at)
			}
		}
	}
	slices.SortFunc(edges, time.Time.Compare)
	for i := 1; i < len(edges); i++ {
		worst := 0.0
		for _, e := range effects {
			if !e.from.After(edges[i-1]) && (e.to.IsZero() || e.to.After(edges[i-1])) {
				worst = max(worst, e.weight)
			}
		}
		lost += worst * edges[i].Sub(edges[i-1]).Seconds()
	}
	return lost
}

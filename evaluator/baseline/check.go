package baseline

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Bounds of blindness in what is to become a baseline; they are those of a monitor that goes blind.
const (
	blindWindow   = 64
	blindSilence  = 10 * time.Minute
	blindMultiple = 20
)

// checkScores refuses scores that no baseline can be made of: too few, of several scorers, or with periods in
// which the scorer failed or was silent. Failed scores are among them. They are in the order of their times.
func checkScores(scores []quality.Score) error {
	versions, good := map[string]int{}, 0
	for i := range scores {
		if !scores[i].Failed() {
			versions[scores[i].Version]++
			good++
		}
	}
	if good < quality.MinBaseline {
		return refuse("%d scores in the period, at least %d needed", good, quality.MinBaseline)
	}
	if len(versions) > 1 {
		return refuse("the scores are of %d versions of the scorer: choose a period with one", len(versions))
	}
	if at, ok := failing(scores); ok {
		return refuse("the scorer failed on half of %d scores around %s: the monitor was blind", blindWindow, stamp(at))
	}
	if at, n, ok := constant(scores); ok {
		return refuse("the scorer said the same %d times in a row from %s on, which it does not say as often else: choose a period without it", n, stamp(at))
	}
	return checkSilence(scores)
}

// refuse makes the error of everything that the state of the data does not allow.
func refuse(format string, args ...any) error {
	return quality.Errorf(quality.KindConflict, format, args...)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func failing(scores []quality.Score) (time.Time, bool) {
	failed := 0
	for i := range scores {
		if scores[i].Failed() {
			failed++
		}
		if i >= blindWindow && scores[i-blindWindow].Failed() {
			failed--
		}
		if i >= blindWindow-1 && 2*failed >= blindWindow {
			return scores[i].Time, true
		}
	}
	return time.Time{}, false
}

// Bounds of a row of equal scores, as of a monitor that goes blind: of how many, and with what chance in all of
// the scores.
const (
	constantLeast  = 20
	constantChance = 1e-6
)

// constant looks for the longest row of equal scores, and reports whether it is longer than chance allows by how
// often the value stands outside of it. Scores that are all equal have nothing to be held against.
func constant(scores []quality.Score) (at time.Time, longest int, found bool) {
	counts, good, value := map[float64]int{}, 0, 0.0
	row, last, first := 0, 0.0, at
	for i := range scores {
		if scores[i].Failed() {
			continue
		}
		v := scores[i].Value
		counts[v]++
		good++
		if row == 0 || v != last {
			row, last, first = 0, v, scores[i].Time
		}
		if row++; row > longest {
			longest, value, at = row, v, first
		}
	}
	others := good - longest
	if longest < constantLeast || others < blindWindow {
		return at, longest, false
	}
	share := float64(counts[value]-longest+1) / float64(others+2)
	return at, longest, float64(good)*math.Pow(share, float64(longest)) < constantChance
}

// checkSilence looks for a silence that is longer than what is usual: nights come again, an outage does not.
func checkSilence(scores []quality.Score) error {
	var longest, second time.Duration
	var at time.Time
	for i := 1; i < len(scores); i++ {
		gap := scores[i].Time.Sub(scores[i-1].Time)
		if gap > longest {
			longest, second, at = gap, longest, scores[i-1].Time
		} else {
			second = max(second, gap)
		}
	}
	mean := scores[len(scores)-1].Time.Sub(scores[0].Time) / time.Duration(max(1, len(scores)-1))
	if longest > max(blindSilence, blindMultiple*mean, 3*second/2) {
		return refuse("there is no score for %s from %s on: the monitor was blind", longest.Round(time.Second), stamp(at))
	}
	return nil
}

// checkRegressions refuses a period that a regression touches, and anything while one is open.
func checkRegressions(all []quality.Regression, feature, metric string, from, to time.Time) error {
	for i := range all {
		r := &all[i]
		if r.Feature != feature || r.Metric != metric {
			continue
		}
		if r.Open() {
			return refuse("regression %s is open since %s in %s: what is worse would become what is usual; "+
				"wait for its recovery, or accept the new level by name with --accept %s", r.ID, stamp(began(r)), slicesOf(r), r.ID)
		}
		if began(r).Before(to) && ended(r).After(from) {
			return refuse("regression %s lay in the period, from %s to %s in %s", r.ID, stamp(began(r)), stamp(ended(r)), slicesOf(r))
		}
	}
	return nil
}

func began(r *quality.Regression) time.Time {
	if r.StartedAt != nil && r.StartedAt.Before(r.DetectedAt) {
		return *r.StartedAt
	}
	return r.DetectedAt
}

func ended(r *quality.Regression) time.Time {
	if r.RecoveredAt != nil {
		return *r.RecoveredAt
	}
	return *r.WithdrawnAt
}

func slicesOf(r *quality.Regression) string {
	var out []string
	for _, s := range r.Slices {
		if key := s.Slice.Key(); key != "" {
			out = append(out, key)
		} else {
			out = append(out, "the whole feature")
		}
	}
	if len(out) == 0 {
		return "the whole feature"
	}
	if len(out) > 5 {
		out = append(out[:5], fmt.Sprintf("%d more", len(out)-5))
	}
	return strings.Join(out, ", ")
}

// clearSlide is how many standard errors a slice must be worse by, beside being materially worse: there are
// many slices and small ones.
const clearSlide = 3

// checkSlide refuses what is materially worse than the version that a person stands for. Every step since may
// have been too small to notice: that is how a slow slide becomes the rule.
func checkSlide(m *quality.MonitorSpec, old, now []quality.Score) error {
	worse, err := worseBy(m, old, now)
	if err {
		return nil
	}
	material := materialOf(m)
	if worse.by >= material {
		return refuse("its mean is worse than that of the original by %.4g, and %.4g matters: quality slid slowly; accept the new level by name with --accept slide", worse.by, material)
	}
	before, after := bySlice(m, old), bySlice(m, now)
	for _, key := range slices.Sorted(keysOf(after)) {
		w, err := worseBy(m, before[key], after[key])
		if !err && w.by >= material && w.by > clearSlide*w.se {
			return refuse("slice %s is worse than in the original by %.4g, and %.4g matters: quality slid slowly there; accept the new level by name with --accept slide", key, w.by, material)
		}
	}
	return nil
}

type difference struct{ by, se float64 }

// worseBy compares two sets of scores: their means, or for a metric without bounds the mean rank of the later
// ones among the earlier. none says that one of them is too small.
func worseBy(m *quality.MonitorSpec, old, now []quality.Score) (d difference, none bool) {
	if len(old) < quality.MinBaseline || len(now) < quality.MinBaseline {
		return d, true
	}
	if m.Unbounded {
		old, now = ranks(old, old), ranks(old, now)
	}
	a, b := figuresOf(old), figuresOf(now)
	d.by = a.Mean - b.Mean
	if m.Worse == quality.WorseHigher {
		d.by = -d.by
	}
	d.se = math.Sqrt(a.SD*a.SD/float64(a.N) + b.SD*b.SD/float64(b.N))
	return d, false
}

// ranks replaces values by the share of the earlier ones that lie below, ties counting half.
func ranks(among, of []quality.Score) []quality.Score {
	sorted := make([]float64, len(among))
	for i := range among {
		sorted[i] = among[i].Value
	}
	sort.Float64s(sorted)
	out := slices.Clone(of)
	for i := range out {
		lo := sort.SearchFloat64s(sorted, out[i].Value)
		hi := sort.Search(len(sorted), func(j int) bool { return sorted[j] > out[i].Value })
		out[i].Value = float64(lo+hi) / 2 / float64(len(sorted))
	}
	return out
}

// materialOf is the smallest drop that matters, in what worseBy measures.
func materialOf(m *quality.MonitorSpec) float64 {
	const share = 0.01
	switch {
	case m.Unbounded:
		return share
	case m.Material != nil:
		return *m.Material
	case m.Range != nil:
		return share * (m.Range[1] - m.Range[0])
	default:
		return share
	}
}

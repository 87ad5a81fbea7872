package explain

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// How the time of a change speaks. A change is felt at once or after some hours, and clocks differ.
const (
	clockSlack  = time.Minute
	timeScale   = 4 * time.Hour      // a change that came so long before the start is e times less likely
	leastTime   = 0.02               // slow effects: no change of the past days is ruled out by its time
	lookBack    = 7 * 24 * time.Hour // changes before that are no suspects
	joinBefore  = 5 * time.Minute    // a new value in the scores may come so long before its entry
	joinAfter   = 2 * time.Hour      // or after it
	maxSuspects = 30
)

// noneWeight is how much speaks for none of the suspects, in the unit in which a change of the model or
// the prompt right at the start has 1.
const noneWeight = 0.15

// prior is how much speaks for a change of a layer before anything is known of it.
func prior(l quality.Layer) float64 {
	switch l {
	case quality.LayerModel, quality.LayerPrompt:
		return 1
	case quality.LayerRetrieval, quality.LayerTools:
		return 0.8
	case quality.LayerServing, quality.LayerJudge:
		return 0.5
	default:
		return 0.3
	}
}

// suspect is one with what speaks for it.
type suspect struct {
	quality.Suspect
	shift  bool // At is when its traffic was first seen
	fit    fit
	likely float64
}

// fresh are the values of an attribute that the product chooses which are new or much more common since
// the start.
func fresh(cells []quality.ScoreCell) (out []quality.ScoreCell) {
	var t [2]float64
	for _, c := range cells {
		t[0], t[1] = t[0]+c.Before.W, t[1]+c.After.W
	}
	if t[0] <= 0 || t[1] <= 0 {
		return nil
	}
	for _, c := range cells {
		before, after := c.Before.W/t[0], c.After.W/t[1]
		if c.Value != "" && after >= 0.01 && after >= 2*before && after-before >= min(0.1, after/2) {
			out = append(out, c)
		}
	}
	return out
}

// candidates are the changes that may have to do with it, each once, with the value by which their
// traffic is known, and the new values that no change tells of.
func candidates(changes []quality.Change, start quality.Period, detected time.Time, byAttribute map[string][]quality.ScoreCell) (out []suspect) {
	explained := map[string]quality.Change{}
	for _, c := range changes {
		if c.ExplainedBy != "" {
			explained[c.ExplainedBy] = c
		}
	}
	taken := map[string]bool{}
	for _, c := range nearest(changes, start, detected) {
		if c.ExplainedBy != "" {
			continue // told by the entry that explains it
		}
		s := ofChange(c)
		value := c.After
		if seen, ok := explained[c.ID]; ok {
			value = seen.After
		}
		s.locate(c, value, byAttribute)
		taken[s.Attribute+"\x00"+s.Value] = s.Attribute != ""
		out = append(out, s)
	}
	for _, a := range []string{"model", "prompt", quality.AttributeVersion} {
		for _, c := range fresh(byAttribute[a]) {
			if !taken[a+"\x00"+c.Value] {
				out = append(out, ofValue(a, c))
			}
		}
	}
	return out
}

// when is the time from which a change could have worked.
func when(c quality.Change) time.Time {
	if c.Undeclared && !c.FirstSeen.IsZero() {
		return c.FirstSeen
	}
	return c.At
}

// nearest are the changes of the days before the start and up to the detection, those nearest to the start.
func nearest(changes []quality.Change, start quality.Period, detected time.Time) (out []quality.Change) {
	for _, c := range changes {
		if at := when(c); !at.Before(start.From.Add(-lookBack)) && !at.After(later(detected, start.To)) {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b quality.Change) int {
		return cmp.Or(cmp.Compare(when(a).Sub(start.From).Abs(), when(b).Sub(start.From).Abs()), cmp.Compare(a.ID, b.ID))
	})
	return out[:min(len(out), maxSuspects)]
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func ofChange(c quality.Change) suspect {
	s := suspect{Suspect: quality.Suspect{ID: c.ID, Layer: c.Layer, Title: c.Title, At: when(c), Undeclared: c.Undeclared, Owner: c.Owner, Reference: c.Reference}}
	if c.Flagged(quality.FlagFailed) {
		s.Impossible = "it did not take effect"
	}
	return s
}

// ofValue is a suspect that only the scores know of.
func ofValue(attribute string, c quality.ScoreCell) suspect {
	layer := quality.LayerModel
	switch attribute {
	case "prompt":
		layer = quality.LayerPrompt
	case quality.AttributeVersion:
		layer = quality.LayerJudge
	}
	return suspect{shift: true, Suspect: quality.Suspect{ID: "seen:" + attribute + "=" + c.Value, Layer: layer,
		Title: "new " + quality.NameOf(attribute, c.Value), At: c.First, Undeclared: true, Attribute: attribute, Value: c.Value}}
}

// locate finds the value of an attribute by which the change's traffic is known: one that the change names,
// or the new one of its layer that came when it did.
func (s *suspect) locate(c quality.Change, value string, byAttribute map[string][]quality.ScoreCell) {
	for _, x := range []struct {
		attribute string
		layer     quality.Layer
	}{{"prompt", quality.LayerPrompt}, {"model", quality.LayerModel}, {quality.AttributeVersion, quality.LayerJudge}} {
		if !c.Covers(x.layer) {
			continue
		}
		for _, cell := range byAttribute[x.attribute] {
			if cell.After.N > 0 && named(cell.Value, value, c.Title) {
				s.Attribute, s.Value = x.attribute, cell.Value
				return
			}
		}
		for _, cell := range fresh(byAttribute[x.attribute]) {
			if d := cell.First.Sub(s.At); d >= -joinBefore && d <= joinAfter {
				s.Attribute, s.Value = x.attribute, cell.Value
				return
			}
		}
	}
}

// named reports whether a change speaks of a value: as what came after, or as a word of its title.
func named(value, after, title string) bool {
	if value == "" {
		return false
	}
	return value == after || slices.Contains(strings.FieldsFunc(title, func(r rune) bool { return strings.ContainsRune(" ,;()\"'", r) }), value)
}

// timeFit is how well the time of a change fits the start, 0 when it came after it.
func timeFit(at time.Time, start quality.Period) float64 {
	switch {
	case at.After(start.To.Add(clockSlack)):
		return 0
	case !at.Before(start.From.Add(-clockSlack)):
		return 1
	default:
		return max(leastTime, math.Exp(-float64(start.From.Sub(at))/float64(timeScale)))
	}
}

// judge gives every suspect its likelihood: how well its time fits, times what the comparison with the
// other traffic says, times what is to be expected of its layer.
func (s *suspect) judge(start quality.Period, within float64, compared bool) {
	t := timeFit(s.At, start)
	if t == 0 && s.Impossible == "" {
		s.Impossible = "it came after the start"
	}
	if s.Impossible != "" {
		return
	}
	s.likely = t * prior(s.Layer)
	if compared {
		s.likely *= s.fit.factor(within)
	}
}

// rank turns likelihoods into weights. What was measured to have made a part of the change, as the mix of
// traffic or the judge, has that part; the others and "none of them" divide the rest by their likelihoods.
func rank(measured, others []suspect) (out []quality.Suspect, unknown float64) {
	rest := 1.0
	for _, s := range measured {
		s.Weight = min(rest, max(0, s.likely))
		rest -= s.Weight
		out = append(out, s.Suspect)
	}
	sum := noneWeight
	for _, s := range others {
		sum += s.likely
	}
	for _, s := range others {
		s.Weight = rest * s.likely / sum
		out = append(out, s.Suspect)
	}
	slices.SortStableFunc(out, func(a, b quality.Suspect) int {
		return cmp.Or(cmp.Compare(b.Weight, a.Weight), cmp.Compare(a.ID, b.ID))
	})
	return out[:min(len(out), maxSuspects)], rest * noneWeight / sum
}

// tell writes what speaks for and against a suspect.
func (s *suspect) tell(start quality.Period, estimate time.Time, bounds [2]float64) {
	parts := []string{s.name() + " " + cameText(s.At, start, estimate)}
	if s.Impossible != "" {
		parts[0] += ": " + s.Impossible
	}
	switch {
	case s.Attribute == "":
		parts = append(parts, "which traffic it touched is not known")
	case s.With != nil && s.Without != nil:
		parts = append(parts, "traffic with it "+quality.MovedText(bounds, *s.With)+", traffic without it "+quality.MovedText(bounds, *s.Without))
	case s.Touched != nil && *s.Touched >= 0.99:
		parts = append(parts, "all traffic has it since, so nothing can be compared with it at the same time")
	case s.With != nil:
		parts = append(parts, "traffic with it "+quality.MovedText(bounds, *s.With)+", of the other there is too little to compare")
	default:
		parts = append(parts, "there is too little traffic with it to compare")
	}
	if t := s.Touched; t != nil && *t < 0.99 {
		parts[len(parts)-1] += fmt.Sprintf(" (it touched %.0f %% of the traffic)", 100**t)
	}
	s.Evidence = strings.ToUpper(parts[0][:1]) + parts[0][1:] + "; " + strings.Join(parts[1:], "; ") + "."
}

func (s *suspect) name() string {
	if s.Value != "" {
		return quality.NameOf(s.Attribute, s.Value)
	}
	if s.Layer != "" {
		return "the " + string(s.Layer) + " change"
	}
	return "the change"
}

// cameText says how a time lies to the start.
func cameText(at time.Time, start quality.Period, estimate time.Time) string {
	switch d := estimate.Sub(at); {
	case at.After(start.To.Add(clockSlack)):
		return "came " + longText(-d) + " after the start"
	case d < -clockSlack || d.Abs() <= clockSlack:
		return "came at the start, as near as can be told"
	default:
		return "came " + longText(d) + " before the start"
	}
}

func longText(d time.Duration) string {
	plural := func(n int, unit string) string {
		if n == 1 {
			return "1 " + unit
		}
		return fmt.Sprintf("%d %ss", n, unit)
	}
	switch {
	case d < 2*time.Minute:
		return plural(int(d.Round(time.Second).Seconds()), "second")
	case d < 2*time.Hour:
		return plural(int(d.Round(time.Minute).Minutes()), "minute")
	case d < 48*time.Hour:
		return plural(int(d.Round(time.Hour).Hours()), "hour")
	default:
		return plural(int(math.Round(d.Hours()/24)), "day")
	}
}

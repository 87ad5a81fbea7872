package explain

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// How much a share must move, beyond chance, to be a fact that changed, and how many shares a fact shows.
const (
	factMoved  = 0.05
	factShares = 10
)

// facts are the six things that may have changed, before and after.
func facts(byAttribute map[string][]quality.ScoreCell, traffic string, changes []quality.Change, start time.Time) []quality.Fact {
	out := []quality.Fact{
		sharesOf(quality.FactPrompt, byAttribute["prompt"], "the samples name no prompt"),
		sharesOf(quality.FactModel, byAttribute["model"], "the samples name no model"),
		sharesOf(quality.FactJudge, byAttribute[quality.AttributeVersion], "the scores name no scorer"),
		stateOf(quality.FactIndex, firstOf(byAttribute, "retrieval_index", "index"), quality.LayerRetrieval, changes, start),
		stateOf(quality.FactTools, firstOf(byAttribute, "tools", "tool"), quality.LayerTools, changes, start),
	}
	return append(out, sharesOf(quality.FactTraffic, byAttribute[traffic], "no attribute of the traffic is known"))
}

func firstOf(byAttribute map[string][]quality.ScoreCell, names ...string) []quality.ScoreCell {
	for _, n := range names {
		if c := byAttribute[n]; len(c) > 0 {
			return c
		}
	}
	return nil
}

// sharesOf is a fact that the scores tell.
func sharesOf(name string, cells []quality.ScoreCell, unknown string) quality.Fact {
	f := quality.Fact{Name: name, Before: []quality.Share{}, After: []quality.Share{}}
	var t [2]quality.Sums
	blank := true
	for _, c := range cells {
		t[0], t[1] = t[0].Plus(c.Before), t[1].Plus(c.After)
		blank = blank && c.Value == ""
	}
	if blank {
		f.Unknown = unknown
		return f
	}
	for _, c := range cells {
		share := [2]float64{part(c.Before, t[0]), part(c.After, t[1])}
		if share[0] > 0 {
			f.Before = append(f.Before, quality.Share{Value: c.Value, Share: share[0]})
		}
		if share[1] > 0 {
			f.After = append(f.After, quality.Share{Value: c.Value, Share: share[1]})
		}
		f.Changed = f.Changed || moved(share, t)
	}
	f.Before, f.After = largest(f.Before), largest(f.After)
	return f
}

func part(s, all quality.Sums) float64 {
	if all.W <= 0 {
		return 0
	}
	return s.W / all.W
}

// moved reports whether a share changed by more than chance and by enough to matter.
func moved(share [2]float64, t [2]quality.Sums) bool {
	if t[0].N == 0 || t[1].N == 0 {
		return false
	}
	p := (share[0] + share[1]) / 2
	chance := 3 * math.Sqrt(p*(1-p)*(1/t[0].Effective()+1/t[1].Effective()))
	return math.Abs(share[1]-share[0]) > max(factMoved, chance)
}

func largest(list []quality.Share) []quality.Share {
	slices.SortFunc(list, func(a, b quality.Share) int {
		return cmp.Or(cmp.Compare(b.Share, a.Share), cmp.Compare(a.Value, b.Value))
	})
	return list[:min(len(list), factShares)]
}

// stateOf is a fact that an attribute tells where there is one, and else the latest change of its layer.
func stateOf(name string, cells []quality.ScoreCell, layer quality.Layer, changes []quality.Change, start time.Time) quality.Fact {
	if f := sharesOf(name, cells, ""); f.Unknown == "" && len(f.Before)+len(f.After) > 0 {
		return f
	}
	var before, last *quality.Change
	for i := range changes {
		c := &changes[i]
		if !c.Covers(layer) || c.Flagged(quality.FlagFailed) {
			continue
		}
		if last == nil || when(*c).After(when(*last)) {
			last = c
		}
		if when(*c).Before(start.Add(-clockSlack)) && (before == nil || when(*c).After(when(*before))) {
			before = c
		}
	}
	f := quality.Fact{Name: name, Before: changed(before), After: changed(last), Changed: before != last}
	if last == nil {
		f.Unknown = "no attribute of the samples and no entry of the ledger tells it"
	}
	return f
}

func changed(c *quality.Change) []quality.Share {
	if c == nil {
		return []quality.Share{}
	}
	return []quality.Share{{Value: cmp.Or(c.After, c.Title) + " (since " + when(*c).UTC().Format(time.RFC3339) + ")", Share: 1}}
}

package explain

import (
	"fmt"
	"math"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// leastPart is the part of a change from which the mix of traffic or the judge is a suspect.
const leastPart = 0.1

// partOf is how much of a change a figure explains, 0 to 1; 0 when it may be chance or goes the other way.
func partOf(f quality.Figure, change float64) float64 {
	if f.Zero() || change == 0 || f.Value*change <= 0 {
		return 0
	}
	return min(1, f.Value/change)
}

// trafficSuspect is the mix of traffic, when it explains a part of the change.
func trafficSuspect(split *quality.Split, change quality.Figure, bounds [2]float64) []suspect {
	if split == nil {
		return nil
	}
	part := partOf(split.Mix, change.Value)
	if part < leastPart {
		return nil
	}
	return []suspect{{likely: part, Suspect: quality.Suspect{ID: "traffic:" + split.Attribute, Layer: quality.LayerTraffic,
		Title: "another mix of traffic by " + split.Attribute, Attribute: split.Attribute,
		Evidence: fmt.Sprintf("The mix of traffic by %s changed, which alone makes %s of %s; nothing need be wrong with the product for that part.",
			split.Attribute, quality.Amount(bounds, math.Abs(split.Mix.Value)), quality.Amount(bounds, math.Abs(change.Value)))}}}
}

// judgeSuspect is the judge, when it moved by itself.
func judgeSuspect(m *quality.JudgeShift, change quality.Figure, bounds [2]float64) []suspect {
	if m == nil {
		return nil
	}
	part := partOf(m.Shift, change.Value)
	if part < leastPart {
		return nil
	}
	return []suspect{{likely: part, Suspect: quality.Suspect{ID: "judge", Layer: quality.LayerJudge, Title: "the judge itself moved", At: m.At,
		Evidence: fmt.Sprintf("The judge's scores of the same fixed outputs moved: they %s. This was first seen %s.",
			quality.MovedText(bounds, m.Shift), m.At.UTC().Format(time.RFC3339))}}}
}

// canarySuspects are golden prompts that began to behave otherwise: the product changed, whatever the traffic
// did. What changed in it they do not tell.
func canarySuspects(feature string, histories []quality.BehaviourHistory, start quality.Period) (out []suspect) {
	for _, h := range histories {
		if h.Latest.Feature != feature || h.Latest.PromptID != "" {
			continue
		}
		runs := append([]quality.BehaviourRate{h.Latest}, h.Before...)
		for i := len(runs) - 2; i >= 0; i-- { // from the oldest on
			before, now := &runs[i+1], &runs[i]
			if !now.Left(before) || *now.Rate > *before.Rate || now.At.Before(start.From.Add(-lookBack)) {
				continue
			}
			// Between two runs nobody looked: it changed at some time between them.
			at := before.At
			if at.Before(start.From) && now.At.After(start.From) {
				at = start.From
			}
			out = append(out, suspect{Suspect: quality.Suspect{ID: "canary:" + h.Latest.Canary + ":" + string(now.Kind), At: at,
				Title: "golden prompts of " + h.Latest.Canary + " behave otherwise",
				Evidence: fmt.Sprintf("Between %s and %s the same golden prompts of %s changed: %s answers fell from %.0f %% to %.0f %%; the product changed, whatever the traffic did.",
					before.At.UTC().Format(time.RFC3339), now.At.UTC().Format(time.RFC3339), h.Latest.Canary, now.Kind, 100**before.Rate, 100**now.Rate)}})
			break
		}
	}
	return out
}

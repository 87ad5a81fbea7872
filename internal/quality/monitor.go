package quality

import (
	"slices"
	"strings"
)

// Bounds of what a monitor can be configured with. A monitor beyond them would never start.
const (
	MinBaseline          = 50      // below it the baseline itself is the largest source of false alarms
	MaxBaseline          = 100_000 // scores that are held while a baseline fills
	MinFalseAlarmSamples = 100     // between these two a threshold is known to be a run length
	MaxFalseAlarmSamples = 1e12
)

// productChoices are attributes that the product itself chooses, in small letters.
var productChoices = []string{
	"model", "prompt", "tool", "tools", "index", "retrieval_index",
	"gen_ai.request.model", "gen_ai.response.model", "gen_ai.prompt.name", "gen_ai.tool.name",
}

// ChosenByProduct reports whether the product itself chooses an attribute, whatever its case. Monitors
// cannot adjust for one: a silent change of it would open a stratum of its own, with nothing to be compared with.
func ChosenByProduct(attribute string) bool {
	return slices.Contains(productChoices, strings.ToLower(attribute))
}

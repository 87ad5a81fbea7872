package config

import (
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Bounds of conversations and objectives.
const (
	minConversationIdle = time.Minute
	maxConversationIdle = 12 * time.Hour // the turns of a day are looked at
	maxObjectiveDays    = 90
)

func (d *decoder) checkConversation(c quality.ConversationSpec, path string) {
	if d.has(path+".idle") && !d.failed(path+".idle") && (c.Idle < minConversationIdle || c.Idle > maxConversationIdle) {
		d.bad(path+".idle", "want between 1m and 12h")
	}
	if d.has(path+".max_turns") && !d.failed(path+".max_turns") && (c.MaxTurns < 1 || c.MaxTurns > quality.MaxConversationTurns) {
		d.bad(path+".max_turns", "want between 1 and %d", quality.MaxConversationTurns)
	}
}

func (d *decoder) checkObjective(o *quality.ObjectiveSpec, unbounded bool, path string) {
	if o == nil || d.failed(path) {
		return
	}
	switch {
	case unbounded:
		d.bad(path, "a metric without bounds has no percentage of its baseline")
	case !d.has(path + ".percent"):
		d.hidden(path+".percent", "required: percent of the baseline, such as 95")
	case !d.failed(path+".percent") && !(o.Percent > 0 && o.Percent < 100):
		d.bad(path+".percent", "want more than 0 and less than 100")
	}
	if d.has(path+".over") && !d.failed(path+".over") && (o.Over < day || o.Over > maxObjectiveDays*day || o.Over%day != 0) {
		d.bad(path+".over", "want whole days, 1d to %dd", maxObjectiveDays)
	}
}

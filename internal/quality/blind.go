package quality

import "time"

// BlindCause says why a monitor cannot tell how good the outputs are. What is missing is neither good nor 0.
type BlindCause string

// The causes. BlindNone means that the monitor sees.
const (
	BlindNone         BlindCause = ""
	BlindNoData       BlindCause = "no_data"       // samples come, and none was ever scored
	BlindStopped      BlindCause = "stopped"       // nothing came for longer than the monitor's own rhythm allows
	BlindFailing      BlindCause = "scores_fail"   // too many of the latest scores failed
	BlindSilent       BlindCause = "scorer_silent" // samples come, their scores do not
	BlindConstant     BlindCause = "constant"      // the scorer says the same of everything, which it did not
	BlindOtherVersion BlindCause = "other_version" // the scores that come are of another version of the scorer
	BlindLate         BlindCause = "late"          // the scores that come are older than the end of the baseline
)

// BlindCauses lists the causes.
func BlindCauses() []BlindCause {
	return []BlindCause{BlindNoData, BlindStopped, BlindFailing, BlindSilent, BlindConstant, BlindOtherVersion, BlindLate}
}

// MonitorEventType says what happened to a monitor itself.
type MonitorEventType string

// The types of monitor events.
const (
	MonitorWentBlind MonitorEventType = "blind"
	MonitorSees      MonitorEventType = "sees" // again
)

// MonitorEvent tells that a monitor went blind or sees again. The same event has the same id.
type MonitorEvent struct {
	ID        string           `json:"id"`
	Type      MonitorEventType `json:"type"`
	Blindness string           `json:"blindness"` // the same from going blind to seeing again
	Feature   string           `json:"feature"`
	Metric    string           `json:"metric"`
	Cause     BlindCause       `json:"cause"`  // of the blindness that begins, goes on or is over
	Reason    string           `json:"reason"` // in words; empty once it sees again
	Since     time.Time        `json:"since"`  // when the blindness was found
	At        time.Time        `json:"at"`     // time of the sample, or of the clock where nothing came
}

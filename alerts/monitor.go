package alerts

import (
	"fmt"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// The notices about monitors.
const (
	noticeBlind notice = "monitor.blind" // it cannot tell any more
	noticeSees  notice = "monitor.sees"  // it can again
)

// monitorMessage is what receivers get about a monitor. Like that about a change it is for the people who run
// the product, so it names metrics and errors.
type monitorMessage struct {
	Type      notice             `json:"type"`
	Timestamp time.Time          `json:"timestamp"`
	Data      monitorMessageData `json:"data"`
}

type monitorMessageData struct {
	Monitor quality.MonitorEvent `json:"monitor"`
	Text    string               `json:"text"`
}

func monitorMessageOf(ev quality.MonitorEvent, title string, loc *time.Location, now time.Time) monitorMessage {
	m := monitorMessage{Type: noticeBlind, Timestamp: now, Data: monitorMessageData{Monitor: ev, Text: blindText(ev, title, loc)}}
	if ev.Type == quality.MonitorSees {
		m.Type, m.Data.Text = noticeSees, seesText(ev, title, loc)
	}
	return m
}

// blindText says what cannot be told, why, and what that means.
func blindText(ev quality.MonitorEvent, title string, loc *time.Location) string {
	return fmt.Sprintf("The monitor of “%s” of %s is blind since %s: %s. %s Until it sees again it cannot tell whether %s got worse.",
		ev.Metric, title, clock(ev.Since, loc), ev.Reason, adviceText(ev.Cause), title)
}

func seesText(ev quality.MonitorEvent, title string, loc *time.Location) string {
	return fmt.Sprintf("The monitor of “%s” of %s sees again. It was blind from %s to %s. What happened in between was not watched.",
		ev.Metric, title, clock(ev.Since, loc), clock(ev.At, loc))
}

// adviceText says where to look.
func adviceText(c quality.BlindCause) string {
	switch c {
	case quality.BlindNoData:
		return "Please check that the scorer's metric is named as the monitor expects it."
	case quality.BlindStopped:
		return "Please check that the product still sends its outputs."
	case quality.BlindFailing:
		return "Please look at the error of the scores."
	case quality.BlindSilent:
		return "Outputs come, so please check the scorer."
	case quality.BlindConstant:
		return "Please check that the scorer still looks at the outputs."
	case quality.BlindOtherVersion:
		return "Please check which version of the scorer is meant to run."
	case quality.BlindLate:
		return "Please check the times of the samples that are scored."
	default:
		return "Please check the scorer."
	}
}

package alerts

import (
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// message is what receivers get.
type message struct {
	Type      notice      `json:"type"`
	Timestamp time.Time   `json:"timestamp"`
	Data      messageData `json:"data"`
}

type messageData struct {
	Incident   incidentData    `json:"incident"`
	Regression *regressionData `json:"regression,omitempty"`
}

type incidentData struct {
	ID         string                 `json:"id"`
	Kind       quality.IncidentKind   `json:"kind"`
	Name       string                 `json:"name"`
	Status     quality.IncidentStatus `json:"status"`
	Severity   quality.Severity       `json:"severity"`
	Reason     string                 `json:"reason"`
	Features   []string               `json:"features"`
	URL        string                 `json:"url"`
	Text       string                 `json:"text"` // the latest public update
	StartedAt  time.Time              `json:"started_at"`
	CreatedAt  time.Time              `json:"created_at"`
	ResolvedAt *time.Time             `json:"resolved_at"`

	// What people have to know to drive it.
	Owner      string     `json:"owner,omitempty"`
	PublishAt  *time.Time `json:"publish_at,omitempty"`  // a rule shows it to customers then, unless somebody vetoes
	NextUpdate *time.Time `json:"next_update,omitempty"` // promised
}

type regressionData struct {
	ID       string           `json:"id"`
	Metric   string           `json:"metric"`
	Slice    quality.Slice    `json:"slice"` // empty for the whole feature
	Baseline quality.Estimate `json:"baseline"`
	Current  quality.Estimate `json:"current"`
	Change   *float64         `json:"change"`
	Interval *[2]float64      `json:"interval"`

	// What made it, in sentences for people inside; absent while it is not explained.
	Explanation []string `json:"explanation,omitempty"`
}

func messageOf(r record, what notice, pageURL string, now time.Time) message {
	m := message{Type: what, Timestamp: now, Data: messageData{Incident: incidentData{
		ID: r.ID, Kind: r.Kind, Name: r.Name, Status: r.Status, Severity: r.Severity, Reason: r.Reason, Features: r.Features,
		URL: strings.TrimSuffix(pageURL, "/") + "/incidents/" + r.ID, StartedAt: r.StartedAt, CreatedAt: r.CreatedAt, ResolvedAt: r.ResolvedAt,
		Owner: r.Owner, PublishAt: r.PublishAt, NextUpdate: r.NextUpdate,
	}}}
	if n := len(r.Updates); n > 0 {
		m.Data.Incident.Text = r.Updates[n-1].Body
	}
	if g := r.Regression; g != nil {
		m.Data.Regression = &regressionData{ID: g.ID, Metric: g.Metric, Slice: g.Slice, Baseline: g.Baseline,
			Current: g.Current, Change: g.Change, Interval: g.Interval}
		if g.Slice == nil {
			m.Data.Regression.Slice = quality.Slice{}
		}
	}
	return m
}

// overdueMessageOf tells people inside that customers wait.
func overdueMessageOf(r record, pageURL string, now time.Time) message {
	m := messageOf(r, noticeOverdue, pageURL, now)
	who := "Nobody owns it."
	if r.Owner != "" {
		who = "Its owner is " + r.Owner + "."
	}
	m.Data.Incident.Text = "The update that was promised for " + r.NextUpdate.UTC().Format(time.RFC3339) + " did not come. " + who
	return m
}

package alerts

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// record is an incident as it is stored: what is shown, and what is needed to go on with it.
type record struct {
	quality.Incident
	Wide bool      `json:"wide,omitempty"` // the regression was once of the whole feature
	Down []string  `json:"down,omitempty"` // probes that do not answer
	Seq  uint64    `json:"seq,omitempty"`  // the last event of a probe that changed it
	Last time.Time `json:"last,omitzero"`  // the latest time in such an event
}

// heard reports whether an event of a probe was taken before. After the stream was made anew its numbers
// begin again, and after the clock was put back its times do; an event that is heard again repeats both.
func (r *record) heard(seq uint64, p quality.ProbeStatus) bool {
	return seq <= r.Seq && !p.Since.After(r.Last)
}

// notice says what people are told of. Empty means nothing.
type notice string

const (
	noticeOpened   notice = "incident.opened"
	noticeUpdated  notice = "incident.updated"
	noticeResolved notice = "incident.resolved"
)

// feature is what texts need of one.
type feature struct{ name, title string }

func incidentOf(regression string) string {
	return "inc_" + strings.TrimPrefix(regression, "reg_")
}

func downIncident(feature string, since time.Time) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q down %d", feature, since.UnixNano()))
	return "inc_" + hex.EncodeToString(sum[:10])
}

// update adds to the public timeline.
func (r *record) update(status quality.IncidentStatus, body string, now time.Time) {
	r.Status, r.UpdatedAt = status, now
	id := fmt.Sprintf("%s_%d", r.ID, len(r.Updates)+1)
	// A copy, so that the record before stays what it was.
	r.Updates = append(slices.Clone(r.Updates), quality.IncidentUpdate{ID: id, Status: status, Body: body, At: now})
}

// openRegression makes the incident of a regression.
func openRegression(f feature, r quality.Regression, loc *time.Location, now time.Time) record {
	started := r.DetectedAt
	if r.StartedAt != nil {
		started = *r.StartedAt
	}
	rec := record{Incident: quality.Incident{
		ID: incidentOf(r.ID), Kind: quality.IncidentQuality, Name: nameOf(f.title), Features: []string{f.name},
		Regression: &r, StartedAt: started, CreatedAt: now,
	}, Wide: len(r.Slice) == 0}
	rec.Severity, rec.Reason = Grade(r)
	rec.update(quality.IncidentInvestigating, openedText(f.title, r, loc), now)
	return rec
}

// applyRegression returns the incident after an event of its regression. old is nil when there is none;
// the same event again changes nothing.
func applyRegression(old *record, f feature, ev quality.RegressionEvent, loc *time.Location, now time.Time) (record, notice) {
	if old == nil {
		rec := openRegression(f, ev.Regression, loc, now)
		if ended(ev.Type) { // it came and went unheard of
			rec.resolve(endedText(f.title, ev, loc), now)
		}
		return rec, noticeOpened
	}
	rec := *old
	if !rec.Open() {
		return rec, ""
	}
	r := ev.Regression
	rec.Regression = &r
	// Not by the regression of before: events that come again would widen it again.
	wider := !rec.Wide && len(r.Slice) == 0
	rec.Wide = rec.Wide || wider
	if ended(ev.Type) {
		rec.resolve(endedText(f.title, ev, loc), now)
		return rec, noticeResolved
	}
	severity, reason := Grade(r)
	switch {
	case severity.Rank() > rec.Severity.Rank():
		rec.Severity, rec.Reason = severity, reason
		rec.update(rec.Status, worseText(f.title, r), now)
		return rec, noticeUpdated
	case wider:
		rec.update(rec.Status, widerText(f.title, r), now)
		return rec, noticeUpdated
	}
	return rec, ""
}

func ended(t quality.RegressionEventType) bool {
	return t == quality.RegressionRecovered || t == quality.RegressionWithdrawn
}

func (r *record) resolve(body string, now time.Time) {
	r.update(quality.IncidentResolved, body, now)
	r.ResolvedAt = &now
}

// applyProbe returns the incident of a feature that does not answer, after one of its probes changed.
// old is the open one, nil when there is none. It reports false when there is nothing to store.
func applyProbe(old *record, f feature, p quality.ProbeStatus, loc *time.Location, now time.Time) (record, notice, bool) {
	down := p.State == quality.Down
	switch {
	case old == nil && !down:
		return record{}, "", false
	case old == nil:
		rec := record{Down: []string{p.Probe}, Incident: quality.Incident{
			ID: downIncident(f.name, p.Since), Kind: quality.IncidentAvailability, Name: downName(f.title), Features: []string{f.name},
			Severity: quality.SeverityMajor, Reason: "a check of availability fails", StartedAt: p.Since, CreatedAt: now,
		}}
		rec.update(quality.IncidentInvestigating, downText(f.title, p.Since, loc), now)
		return rec, noticeOpened, true
	}
	rec := *old
	rec.Down = slices.DeleteFunc(slices.Clone(rec.Down), func(s string) bool { return s == p.Probe })
	if down {
		rec.Down = append(rec.Down, p.Probe)
		return rec, "", true
	}
	if len(rec.Down) > 0 {
		return rec, "", true
	}
	rec.resolve(upText(f.title, p.Since, loc), now)
	return rec, noticeResolved, true
}

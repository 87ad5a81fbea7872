package alerts

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/alerts/publish"
	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/wording"
)

// record is an incident as it is stored.
type record = publish.Record

// heard reports whether an event of a probe was taken before. After the stream was made anew its numbers
// begin again, and after the clock was put back its times do; an event that is heard again repeats both.
func heard(o publish.Outage, seq uint64, p quality.ProbeStatus) bool {
	return seq <= o.Seq && !p.Since.After(o.Last)
}

// notice says what people are told of. Empty means nothing.
type notice string

const (
	noticeOpened   notice = "incident.opened"
	noticeUpdated  notice = "incident.updated"
	noticeResolved notice = "incident.resolved"
	noticeOverdue  notice = "incident.update_due" // a promised update did not come
)

// feature is what texts need of one.
type feature struct{ name, title, advice string }

// surroundings are what decisions need beside the event.
type surroundings struct {
	loc   *time.Location
	rules publish.Rules
	words wording.Templates
	every time.Duration // after which the next update is promised; 0 promises none
}

func incidentOf(regression string) string {
	return "inc_" + strings.TrimPrefix(regression, "reg_")
}

func downIncident(feature string, since time.Time) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q down %d", feature, since.UnixNano()))
	return "inc_" + hex.EncodeToString(sum[:10])
}

// say adds an update made of figures.
func say(r *record, status quality.IncidentStatus, body string, facts wording.Facts, now time.Time) {
	r.Say(quality.IncidentUpdate{Status: status, Body: body}, facts, now)
}

// openRegression makes the incident of a regression.
func openRegression(f feature, r quality.Regression, at surroundings, now time.Time) record {
	started := r.DetectedAt
	if r.StartedAt != nil {
		started = *r.StartedAt
	}
	rec := record{Incident: quality.Incident{
		ID: incidentOf(r.ID), Kind: quality.IncidentQuality, Name: nameOf(f.title), Features: []string{f.name},
		Regression: &r, StartedAt: started, CreatedAt: now, Visibility: quality.VisibilityInternal,
	}, Wide: len(r.Slice) == 0}
	rec.Severity, rec.Reason = Grade(r)
	facts := at.promise(&rec, regressionFacts(f, r, at.loc), now)
	say(&rec, quality.IncidentInvestigating, at.openedText(rec, f, facts), facts, now)
	return rec
}

// promise sets when the next update is due, and says so.
func (at surroundings) promise(rec *record, facts wording.Facts, now time.Time) wording.Facts {
	if at.every > 0 {
		next := now.Add(at.every)
		rec.NextUpdate = &next
		earlier := "when the figures change"
		if rec.Kind == quality.IncidentAvailability {
			earlier = "when it answers again"
		}
		facts.Next = "The next update comes by " + clock(next, at.loc) + ", or earlier " + earlier + "."
	}
	return facts
}

// applyRegression returns the incident after an event of its regression. old is nil when there is none;
// the same event again changes nothing. What people decided about the incident stays.
func applyRegression(old *record, f feature, ev quality.RegressionEvent, at surroundings, now time.Time) (record, notice) {
	if old == nil {
		rec := openRegression(f, ev.Regression, at, now)
		if ended(ev.Type) { // it came and went unheard of
			resolve(&rec, f, ev, at, now)
		} else {
			at.rules.Begin(&rec, now)
		}
		return rec, noticeOpened
	}
	rec := *old
	r := ev.Regression
	if !rec.Open() {
		if rec.Regression != nil && rec.Regression.Open() { // a person resolved it: the figures go on
			rec.Regression = &r
		}
		return rec, ""
	}
	rec.Regression = &r
	// Not by the regression of before: events that come again would widen it again.
	wider := !rec.Wide && len(r.Slice) == 0
	rec.Wide = rec.Wide || wider
	if ended(ev.Type) {
		resolve(&rec, f, ev, at, now)
		return rec, noticeResolved
	}
	what := grow(&rec, f, r, wider, at, now)
	at.rules.Again(&rec, now)
	return rec, what
}

// grow tells of an incident that became more severe or wider. A severity that a person set stays.
func grow(rec *record, f feature, r quality.Regression, wider bool, at surroundings, now time.Time) notice {
	measured := regressionFacts(f, r, at.loc)
	facts := rec.Facts.Over(wording.Facts{Size: measured.Size, Who: measured.Who})
	severity, reason := Grade(r)
	switch {
	case severity.Rank() > rec.Severity.Rank() && !rec.Graded:
		rec.Severity, rec.Reason = severity, reason
		say(rec, rec.Status, worseText(f.title, r, facts), facts, now)
	case wider:
		say(rec, rec.Status, widerText(f.title, r, facts), facts, now)
	default:
		return ""
	}
	return noticeUpdated
}

func resolve(rec *record, f feature, ev quality.RegressionEvent, at surroundings, now time.Time) {
	text := endedText(f.title, ev, at.loc)
	say(rec, quality.IncidentResolved, text, wording.Facts{Fixed: text}, now)
}

func ended(t quality.RegressionEventType) bool {
	return t == quality.RegressionRecovered || t == quality.RegressionWithdrawn
}

// applyProbe returns the incident of a feature that does not answer, after one of its probes changed.
// old is the open one, nil when there is none. It reports false when there is nothing to store.
func applyProbe(old *record, f feature, p quality.ProbeStatus, at surroundings, now time.Time) (record, notice, bool) {
	down := p.State == quality.Down
	switch {
	case old == nil && !down:
		return record{}, "", false
	case old == nil:
		return openOutage(f, p, at, now), noticeOpened, true
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
	say(&rec, quality.IncidentResolved, upText(f.title, p.Since, at.loc), wording.Facts{}, now)
	return rec, noticeResolved, true
}

// openOutage makes the incident of a feature that does not answer.
func openOutage(f feature, p quality.ProbeStatus, at surroundings, now time.Time) record {
	rec := record{Down: []string{p.Probe}, Incident: quality.Incident{
		ID: downIncident(f.name, p.Since), Kind: quality.IncidentAvailability, Name: downName(f.title), Features: []string{f.name},
		Severity: quality.SeverityMajor, Reason: "a check of availability fails", StartedAt: p.Since, CreatedAt: now,
		Visibility: quality.VisibilityInternal,
	}}
	facts := at.promise(&rec, downFacts(f, p.Since, at.loc), now)
	say(&rec, quality.IncidentInvestigating, at.openedText(rec, f, facts), facts, now)
	at.rules.Begin(&rec, now)
	return rec
}

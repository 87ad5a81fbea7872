package app

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	desks "github.com/asgood-dev/asgood/alerts/publish"
	asker "github.com/asgood-dev/asgood/evaluator/ask"
	"github.com/asgood-dev/asgood/evaluator/views"
	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/wording"
	"github.com/asgood-dev/asgood/statuspage/console"
)

// consoleEvaluator tells the console of monitors and regressions.
type consoleEvaluator struct {
	a *App
	r *rooms
}

func (e consoleEvaluator) Monitors(ctx context.Context) ([]console.Monitor, []string, error) {
	answer, err := e.a.views().Monitors(ctx)
	if err != nil {
		return nil, nil, err
	}
	out := make([]console.Monitor, len(answer.Monitors))
	for i, m := range answer.Monitors {
		out[i] = console.Monitor{MonitorStatus: m.MonitorStatus, Week: m.Week, Objective: m.Objective, Corrected: m.Corrected}
	}
	return out, unread(answer.Unread), nil
}

// unread tells what could not be read beside monitors that could.
func unread(parts []views.Unread) (out []string) {
	for _, u := range parts {
		out = append(out, fmt.Sprintf("Not read: %s; %s", strings.Join(u.What, " and "), u.Why))
	}
	return out
}

func (e consoleEvaluator) Streams(feature, metric string) []quality.StreamStatus {
	return e.r.evaluator.StreamStatuses(feature, metric)
}

func (e consoleEvaluator) Report(ctx context.Context, id string) (console.Report, error) {
	r, err := e.r.explain.Report(ctx, id)
	return console.Report(r), err
}

// consoleJudges tells the console of judges, and takes labels as POST /v1/scores does.
type consoleJudges struct{ r *rooms }

func (j consoleJudges) List() []quality.JudgeStatus { return j.r.judges.List() }

func (j consoleJudges) Report(ctx context.Context, feature, metric string) (console.JudgeReport, error) {
	r, err := j.r.judges.Report(ctx, feature, metric)
	return console.JudgeReport{JudgeStatus: r.JudgeStatus, Agreement: r.Agreement, Earlier: r.Earlier, Week: r.Week}, err
}

func (j consoleJudges) Scorers() []console.Asking {
	var out []console.Asking
	for _, s := range j.r.asking {
		out = append(out, askingOf(s.Status()))
	}
	return out
}

func askingOf(s asker.Status) console.Asking {
	a := console.Asking{Feature: s.Feature, Name: s.Name, Type: s.Type, Version: s.Version, Endpoint: s.Endpoint, Model: s.Model, Rate: s.Rate, AwayUntil: s.AwayUntil}
	if s.Budget != nil {
		a.Budget = fmt.Sprintf("%d used of %s", s.Budget.Used, s.Budget.Limit)
	}
	for _, d := range s.Days {
		a.Days = append(a.Days, console.AskingDay{Day: d.Day, Spend: d.Spend})
	}
	return a
}

func (j consoleJudges) Label(ctx context.Context, f quality.Feedback) error {
	if err := j.r.audit.Append(ctx, quality.Audited{Action: "sample.labelled", Object: "sample/" + f.Feature + "/" + f.Sample, Detail: labelDetail(f)}); err != nil {
		return err
	}
	return j.r.collector.Label(ctx, f)
}

// labelDetail tells what a label says, without the words of who gave it: they may quote the sample.
func labelDetail(f quality.Feedback) string {
	if f.Value == nil {
		return f.Metric
	}
	return f.Metric + " " + strconv.FormatFloat(*f.Value, 'g', -1, 64)
}

// consoleDesk is the desk of incidents as the console uses it.
type consoleDesk struct{ desk *desks.Desk }

// statedFacts lists facts under the names by which forms know them. It hands out pointers, so that it serves both
// to read and to write them.
func statedFacts(f *wording.Facts) []struct {
	key, label string
	text       *string
} {
	return []struct {
		key, label string
		text       *string
	}{
		{"what", "What is worse", &f.What}, {"size", "By how much", &f.Size}, {"since", "Since when", &f.Since}, {"who", "Who is affected", &f.Who},
		{"changed", "What changed", &f.Changed}, {"done", "What was done", &f.Done}, {"meanwhile", "What to do meanwhile", &f.Meanwhile},
		{"fixed", "How we will know that it is fixed", &f.Fixed}, {"next", "When the next update comes", &f.Next},
	}
}

func (d consoleDesk) Incident(ctx context.Context, id string) (v console.DeskView, err error) {
	r, err := d.desk.Incident(ctx, id)
	if err != nil {
		return v, err
	}
	for _, f := range statedFacts(&r.Facts) {
		v.Facts = append(v.Facts, console.StatedFact{Key: f.key, Label: f.label, Text: *f.text})
	}
	v.Missing = r.Missing()
	return v, nil
}

func writtenOf(p console.Post) desks.Written {
	w := desks.Written{Status: p.Status, Body: p.Body, Internal: p.Internal, Reason: p.Reason, Next: p.Next}
	for _, f := range statedFacts(&w.Facts) {
		*f.text = p.Facts[f.key]
	}
	return w
}

func (d consoleDesk) Preview(ctx context.Context, id string, p console.Post) (string, []string, error) {
	return d.desk.Preview(ctx, id, writtenOf(p))
}

func (d consoleDesk) Post(ctx context.Context, id string, p console.Post) error {
	return d.desk.Say(ctx, id, writtenOf(p))
}

func (d consoleDesk) Publish(ctx context.Context, id string, override bool, reason string) error {
	return d.desk.Publish(ctx, id, override, reason)
}

func (d consoleDesk) Veto(ctx context.Context, id, reason string) error {
	return d.desk.Veto(ctx, id, reason)
}

func (d consoleDesk) Correct(ctx context.Context, id, update, body string) error {
	return d.desk.Correct(ctx, id, update, body)
}

func (d consoleDesk) Own(ctx context.Context, id, owner string) error {
	return d.desk.Own(ctx, id, owner)
}

func (d consoleDesk) Postmortem(ctx context.Context, id string) (string, bool, error) {
	return d.desk.Draft(ctx, id)
}

func (d consoleDesk) WritePostmortem(ctx context.Context, id, body string, public bool) error {
	return d.desk.WritePostmortem(ctx, id, body, public)
}

func (d consoleDesk) Report(ctx context.Context, r console.Reported) (string, error) {
	return d.desk.Report(ctx, desks.Reported{Name: r.Name, Kind: r.Kind, Features: r.Features, Severity: r.Severity, Status: r.Status,
		Body: r.Body, Owner: r.Owner, StartedAt: r.StartedAt, Next: r.Next})
}

func (d consoleDesk) Backfill(ctx context.Context, p console.PastIncident) (string, error) {
	return d.desk.Backfill(ctx, desks.Past{Name: p.Name, Kind: p.Kind, Features: p.Features, Severity: p.Severity, StartedAt: p.StartedAt,
		ResolvedAt: p.ResolvedAt, Began: p.Began, Ended: p.Ended, Public: p.Public, Reason: p.Reason})
}

func (d consoleDesk) Replan(ctx context.Context, id string, p console.Planned) error {
	return d.desk.Replan(ctx, id, quality.Maintenance{Name: p.Name, Features: p.Features, From: p.From, To: p.To, Auto: p.Auto})
}

func (d consoleDesk) Schedule(ctx context.Context, p console.Planned) (string, error) {
	return d.desk.Plan(ctx, quality.Maintenance{Name: p.Name, Features: p.Features, From: p.From, To: p.To, Auto: p.Auto}, p.Body)
}

func (d consoleDesk) Advance(ctx context.Context, id string, status quality.MaintenanceStatus, body string) error {
	return d.desk.Work(ctx, id, status, body)
}

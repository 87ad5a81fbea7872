package calibrate

import (
	"context"
	"slices"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// How far back a report looks, and the most samples of it. When there are more the newest count.
const (
	agreementTime = 90 * 24 * time.Hour
	week          = 7 * 24 * time.Hour
	maxJudged     = 100_000
	maxVersions   = 10
	weekFresh     = time.Minute
)

// Report is what is known of a judge, as of now.
type Report struct {
	quality.JudgeStatus
	Agreement quality.Agreement     `json:"agreement"`         // of the latest version, over 90 days
	Earlier   []quality.Agreement   `json:"earlier,omitempty"` // of the versions before it that people labelled
	Week      quality.CorrectedMean `json:"week"`              // of the latest version, over 7 days
	Cut       bool                  `json:"cut,omitempty"`     // there were more samples than are looked at
}

// List returns what is known of every judge without its history, in the order of the configuration.
func (k *Keeper) List() []quality.JudgeStatus {
	out := make([]quality.JudgeStatus, 0, len(k.judges))
	for _, j := range k.judges {
		s := j.status()
		s.Runs = s.Runs[:min(len(s.Runs), 1)]
		s.Moves, s.Steps = nil, nil
		out = append(out, s)
	}
	return out
}

func (j *judge) status() quality.JudgeStatus {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.doc.Status
}

// Report reads the scores and labels of a judge and compares them. An unknown judge is an error of kind not
// found. Two reports at a time are made; others wait.
func (k *Keeper) Report(ctx context.Context, feature, metric string) (Report, error) {
	j := k.find(feature, metric)
	if j == nil {
		return Report{}, quality.Errorf(quality.KindNotFound, "feature %.80q has no judge that makes %.80q", feature, metric)
	}
	now := k.opts.Now()
	items, err := k.judged(ctx, j, agreementTime, now)
	if err != nil {
		return Report{}, err
	}
	return j.report(items, now), nil
}

// judged reads what a judge scored in the time up to now, the newest first.
func (k *Keeper) judged(ctx context.Context, j *judge, long time.Duration, now time.Time) ([]quality.Judged, error) {
	select {
	case k.asking <- struct{}{}:
		defer func() { <-k.asking }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return k.opts.History.Judged(ctx, j.Feature, j.Metric, j.Human, now.Add(-long), now, maxJudged)
}

// Week returns the corrected mean of a judge's latest version over 7 days, as its report tells it, and nil for
// a metric that no judge makes. It is made anew once a minute at most.
func (k *Keeper) Week(ctx context.Context, feature, metric string) (*quality.CorrectedMean, error) {
	j := k.find(feature, metric)
	if j == nil {
		return nil, nil
	}
	now := k.opts.Now()
	j.mu.Lock()
	known := j.week
	j.mu.Unlock()
	if known != nil && now.Sub(known.To).Abs() < weekFresh {
		return known, nil
	}
	items, err := k.judged(ctx, j, week, now)
	if err != nil {
		return nil, err
	}
	c := j.correct(items, now)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.week = &c
	return &c, nil
}

// report is what the samples of the last 90 days, the newest first, say of a judge.
func (j *judge) report(items []quality.Judged, now time.Time) Report {
	r := Report{JudgeStatus: j.status(), Cut: len(items) >= maxJudged}
	if len(items) > 0 {
		r.Version = items[0].Version
	}
	r.Agreement = Agree(r.Version, items)
	for _, v := range versions(items) {
		if v != r.Version && len(r.Earlier) < maxVersions {
			if a := Agree(v, items); a.N > 0 {
				r.Earlier = append(r.Earlier, a)
			}
		}
	}
	r.Week = j.correct(items, now)
	return r
}

// correct is the corrected mean of the latest version over 7 days.
func (j *judge) correct(items []quality.Judged, now time.Time) quality.CorrectedMean {
	version, from := "", now.Add(-week)
	if len(items) > 0 {
		version = items[0].Version
	}
	latest := slices.DeleteFunc(slices.Clone(items), func(x quality.Judged) bool { return x.Version != version || x.Time.Before(from) })
	c := Correct(latest, boundsOf(j.Bounds, latest))
	c.From, c.To, c.Version = from.UTC(), now.UTC(), version
	return c
}

// boundsOf returns the bounds of the metric where the labels are on its scale, else nil.
func boundsOf(b [2]float64, items []quality.Judged) *[2]float64 {
	for i := range items {
		for _, l := range items[i].Labels {
			if l.Value < b[0] || l.Value > b[1] {
				return nil
			}
		}
	}
	return &b
}

// versions returns the versions of the items, in their order.
func versions(items []quality.Judged) (out []string) {
	seen := map[string]bool{}
	for i := range items {
		if v := items[i].Version; !seen[v] {
			seen[v] = true
			out = append(out, v)
		}
	}
	return out
}

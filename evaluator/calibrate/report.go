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
	select {
	case k.asking <- struct{}{}:
		defer func() { <-k.asking }()
	case <-ctx.Done():
		return Report{}, ctx.Err()
	}
	now := k.opts.Now()
	items, err := k.opts.History.Judged(ctx, feature, metric, j.Human, now.Add(-agreementTime), now, maxJudged)
	if err != nil {
		return Report{}, err
	}
	return j.report(items, now), nil
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
	from := now.Add(-week)
	latest := slices.DeleteFunc(slices.Clone(items), func(x quality.Judged) bool { return x.Version != r.Version || x.Time.Before(from) })
	r.Week = Correct(latest, boundsOf(j.Bounds, latest))
	r.Week.From, r.Week.To, r.Week.Version = from.UTC(), now.UTC(), r.Version
	return r
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

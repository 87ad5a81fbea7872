package calibrate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/asgood-dev/asgood/internal/quality"
)

const (
	chunk       = 16 // scores between two writes: what a crash costs at most
	concurrency = 4
	slotForm    = "20060102T150405Z"
)

// progress is a run that is under way. It is stored after every chunk, so that a restart goes on behind it.
type progress struct {
	Slot    time.Time `json:"slot"`
	At      time.Time `json:"at"`
	Version string    `json:"version,omitempty"` // of the latest score
	Done    int       `json:"done"`              // calls made
	Failed  int       `json:"failed,omitempty"`
	Problem string    `json:"problem,omitempty"` // the first failure
	Marks   []mark    `json:"marks,omitempty"`
}

// ask makes the calls that a run still lacks, every anchor once and then again.
func (k *Keeper) ask(ctx context.Context, j *judge) {
	for ctx.Err() == nil && j.doc.Under.Done < j.Anchors.Calls() {
		from := j.doc.Under.Done
		scores := make([]quality.Score, min(chunk, j.Anchors.Calls()-from))
		var g errgroup.Group
		g.SetLimit(concurrency)
		for i := range scores {
			g.Go(func() error { scores[i] = k.askOne(ctx, j, from+i); return nil })
		}
		_ = g.Wait() // its functions return nil
		if ctx.Err() != nil {
			return // what was cut short says nothing of the judge
		}
		k.note(ctx, j, scores)
	}
}

// askOne makes call n. What goes wrong is a failed score. A panic in a library is one of this call.
func (k *Keeper) askOne(ctx context.Context, j *judge, n int) (out quality.Score) {
	a := &j.Anchors.Anchors[n%len(j.Anchors.Anchors)]
	s := a.Sample
	s.Feature, s.Source, s.Time, s.Weight = j.Feature, quality.SourceAnchor, k.opts.Now().UTC(), 1
	s.ID = fmt.Sprintf("anchor/%s/%s/%s/%d", j.Metric, j.doc.Under.Slot.Format(slotForm), a.Sample.ID, n/len(j.Anchors.Anchors)+1)
	defer func() {
		if v := recover(); v != nil {
			k.opts.Logger.Error("a judge panicked", "feature", j.Feature, "metric", j.Metric, "anchor", a.Sample.ID)
			out = failedScore(j, s, errors.New("the judge broke off"))
		}
	}()
	scores, err := j.Scorer.Score(ctx, s)
	if err != nil {
		return failedScore(j, s, err)
	}
	for _, x := range scores {
		if x.Metric != j.Metric {
			continue
		}
		if !x.Failed() && (math.IsNaN(x.Value) || math.IsInf(x.Value, 0)) {
			return failedScore(j, s, errors.New("the judge gave no number"))
		}
		x.Feature, x.SampleID, x.Time, x.Source, x.Weight = j.Feature, s.ID, s.Time, quality.SourceAnchor, 1
		return x
	}
	return failedScore(j, s, errors.New("the judge gave no score"))
}

func failedScore(j *judge, s quality.Sample, err error) quality.Score {
	return quality.Score{
		Feature: j.Feature, SampleID: s.ID, Time: s.Time, Metric: j.Metric, Scorer: string(quality.FeedbackJudge),
		Source: quality.SourceAnchor, Weight: 1, Error: err.Error(), Version: j.doc.Status.Version,
	}
}

// note hands the scores of a chunk on and stores how far the run has come. Of a run in which the version
// changes only what the new one says counts.
func (k *Keeper) note(ctx context.Context, j *judge, scores []quality.Score) {
	u := *j.doc.Under
	u.Marks = append([]mark(nil), u.Marks...)
	id := fmt.Sprintf("anchors-%s-%s-%s-%d", j.Feature, j.Metric, u.Slot.Format(slotForm), u.Done)
	if err := k.opts.Sink.PublishAnchors(ctx, id, scores); err != nil {
		k.metrics.unsaved.Inc()
		k.opts.Logger.Warn("scores of anchors are not stored", "feature", j.Feature, "metric", j.Metric, "err", err)
	}
	for i := range scores {
		u.take(&scores[i], j.Anchors.Anchors[(u.Done+i)%len(j.Anchors.Anchors)].Sample.ID)
	}
	u.Done += len(scores)
	d := j.doc
	d.Under = &u
	k.keep(ctx, j, d)
}

// maxProblem bounds what is kept of a failure, in bytes.
const maxProblem = 300

func (u *progress) take(s *quality.Score, anchor string) {
	if s.Failed() {
		if u.Failed++; u.Problem == "" {
			u.Problem = strings.ToValidUTF8(s.Error[:min(len(s.Error), maxProblem)], "")
		}
		return
	}
	if s.Version != u.Version {
		u.Version, u.Marks = s.Version, nil
	}
	u.Marks = append(u.Marks, mark{anchor, s.Value})
}

// finish takes what a run found into what is known of the judge, and stores both at once.
func (k *Keeper) finish(ctx context.Context, j *judge) {
	d, u := j.doc, j.doc.Under
	d.Slot, d.Under = u.Slot, nil
	d.Status.Skipped = 0
	run := quality.AnchorRun{Slot: u.Slot, At: u.At, Version: u.Version, Scored: len(u.Marks), Failed: j.Anchors.Calls() - len(u.Marks)}
	if float64(run.Scored) < minRunShare*float64(j.Anchors.Calls()) {
		d.Status.Reason = fmt.Sprintf("the latest run has %d of %d scores: %s", run.Scored, j.Anchors.Calls(), problemOf(u))
		k.opts.Logger.Warn("a run of anchors says nothing", "feature", j.Feature, "metric", j.Metric, "scores", run.Scored, "of", j.Anchors.Calls(), "first", u.Problem)
	} else {
		k.compare(j, &d, u, &run)
	}
	d.Status.Runs = remember(d.Status.Runs, run)
	if d.Status.Moved != nil {
		m := *d.Status.Moved // a copy: readers may hold the other
		m.Change, m.Interval = movedBy(d.Status.Runs, &m)
		d.Status.Moved = &m
	}
	k.keep(ctx, j, d)
}

// compare takes the marks of a run into the watch of a document.
func (k *Keeper) compare(j *judge, d *Document, u *progress, run *quality.AnchorRun) {
	w, err := d.Watch.next(j, u, &d.Status, k.opts.Now())
	if err != nil {
		k.opts.Logger.Error("anchors begin a new reference: what was stored cannot be read", "feature", j.Feature, "metric", j.Metric, "err", err)
		d.Watch = nil
		return
	}
	j.describe(run, u, w)
	d.Watch = w
	d.Status.Version, d.Status.Reference, d.Status.Watching, d.Status.Reason = w.Version, w.Runs, w.full(), ""
	if !w.full() {
		d.Status.Reason = fmt.Sprintf("the reference is not full: %d runs, at least %d and %d scores are needed", w.Runs, minReferenceRuns, minReferenceScores)
	}
}

func problemOf(u *progress) string {
	if u.Problem == "" {
		return "its time was over"
	}
	return u.Problem
}

func remember(runs []quality.AnchorRun, r quality.AnchorRun) []quality.AnchorRun {
	out := append([]quality.AnchorRun{r}, runs...)
	return out[:min(len(out), maxRuns)]
}

// describe fills in what a run found.
func (j *judge) describe(run *quality.AnchorRun, u *progress, w *watch) {
	mean, off, marked := 0.0, 0.0, 0.0
	human := map[string]float64{}
	for i := range j.Anchors.Anchors {
		if a := &j.Anchors.Anchors[i]; a.Human != nil {
			human[a.Sample.ID] = *a.Human
		}
	}
	for _, m := range u.Marks {
		mean += m.Value / float64(len(u.Marks))
		if h, ok := human[m.Anchor]; ok {
			off, marked = off+math.Abs(m.Value-h), marked+1
		}
	}
	run.Mean = &mean
	if marked > 0 {
		off /= marked
		run.Human = &off
	}
	if w.full() {
		run.Change, run.Interval = w.change(u.Marks)
	}
}

// movedBy is the mean change of the runs since the judge moved. All are compared with one reference, whose
// error they share, so that more runs do not make the interval narrower than one run's is on average.
func movedBy(runs []quality.AnchorRun, m *quality.JudgeMove) (*float64, *[2]float64) {
	var mean, lo, hi, n float64
	for i := range runs {
		r := &runs[i]
		if r.Slot.Before(m.Since) || r.Change == nil || r.Interval == nil || r.Version != m.Version {
			continue
		}
		mean, lo, hi, n = mean+*r.Change, lo+r.Interval[0], hi+r.Interval[1], n+1
	}
	if n == 0 {
		return nil, nil
	}
	mean /= n
	return &mean, &[2]float64{lo / n, hi / n}
}

package calibrate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/asgood-dev/asgood/evaluator/detect"
	"github.com/asgood-dev/asgood/internal/quality"
)

const minReferenceScores = detect.MinBaseline

// Bounds of what is remembered of a judge.
const (
	maxMoves = 20
	maxSteps = 20
)

// next is the watch after a run. A new version of the judge is known, not undeclared: how far it is from the
// old one is noted, and its reference begins anew.
func (w *watch) next(j *judge, u *progress, s *quality.JudgeStatus, now time.Time) (*watch, error) {
	if w == nil || w.Version != u.Version {
		if w != nil && w.full() {
			step := quality.JudgeStep{From: w.Version, To: u.Version, At: u.At}
			step.Change, step.Interval = w.change(u.Marks)
			s.Steps = append([]quality.JudgeStep{step}, s.Steps...)
			s.Steps = s.Steps[:min(len(s.Steps), maxSteps)]
		}
		endMove(s, u.At)
		w = &watch{Version: u.Version, Bounds: j.Bounds, Threshold: thresholdOf(j.Anchors.Calls(), j.Anchors.Every)}
	} else {
		w = w.copy()
	}
	open := ""
	if s.Moved != nil {
		open = s.Moved.Way
	}
	way, since, back, err := w.add(u.Slot, u.Marks, open)
	switch {
	case err != nil:
		return nil, err
	case back:
		endMove(s, u.At)
	case way != "":
		s.Moved = &quality.JudgeMove{Way: way, Version: w.Version, Since: since, DetectedAt: now.UTC()}
	}
	return w, nil
}

// copy keeps what is stored apart from what a run changes.
func (w *watch) copy() *watch {
	c := *w
	c.Live = append([]liveRun(nil), w.Live...)
	c.Order = append([]mark(nil), w.Order...)
	c.Values = make(map[string][]float64, len(w.Values))
	for a, v := range w.Values {
		c.Values[a] = v[:len(v):len(v)]
	}
	return &c
}

// endMove puts an open move to those that are over.
func endMove(s *quality.JudgeStatus, at time.Time) {
	if s.Moved == nil {
		return
	}
	m := *s.Moved
	m.EndedAt = &at
	s.Moves = append([]quality.JudgeMove{m}, s.Moves...)
	s.Moves = s.Moves[:min(len(s.Moves), maxMoves)]
	s.Moved = nil
}

// tell enters an open move in the ledger. It was stored before, so that a crash in between leads to the same
// entry; what fails is tried again.
func (k *Keeper) tell(ctx context.Context, j *judge) {
	m := j.doc.Status.Moved
	if m == nil || m.Entry != "" {
		return
	}
	id, err := k.opts.Ledger.Observed(ctx, j.entry(m))
	if err != nil {
		if ctx.Err() == nil {
			k.opts.Logger.Error("a judge has moved, and the ledger does not take it", "feature", j.Feature, "metric", j.Metric, "err", err)
		}
		return
	}
	k.opts.Logger.Warn("a judge has moved", "feature", j.Feature, "metric", j.Metric, "way", m.Way, "since", m.Since, "entry", id)
	d, told := j.doc, *m
	told.Entry = id
	d.Status.Moved = &told
	k.keep(ctx, j, d)
}

// entry is what the ledger is told of a move, with its evidence. Its id follows from what moved.
func (j *judge) entry(m *quality.JudgeMove) quality.Change {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %d", j.Feature, j.Metric, m.Version, m.Way, m.DetectedAt.UnixNano()))
	does := map[string]string{
		quality.JudgeStricter: "scores its anchors lower than it did", quality.JudgeMilder: "scores its anchors higher than it did",
		quality.JudgeErratic: "scores the same anchors now one way, now another",
	}[m.Way]
	return quality.Change{
		ID: "observed_" + hex.EncodeToString(sum[:10]), At: m.Since, FirstSeen: m.Since, Features: []string{j.Feature}, Layer: quality.LayerJudge,
		Title:       fmt.Sprintf("Judge %s %s, and nobody recorded a change", j.Metric, does),
		Description: j.evidence(m), Facets: []string{"anchors of " + j.Metric}, After: m.Way + " " + j.Metric,
		Samples: uint64(len(j.Anchors.Anchors)),
	}
}

func (j *judge) evidence(m *quality.JudgeMove) string {
	text := fmt.Sprintf("%d anchors, which never change, were scored again by version %s of the judge and compared with the first %d runs.",
		len(j.Anchors.Anchors), m.Version, j.doc.Watch.Runs)
	if m.Change != nil && m.Interval != nil {
		text += fmt.Sprintf(" Their mean has moved by %+.3f (95 %% interval %+.3f to %+.3f).", *m.Change, m.Interval[0], m.Interval[1])
	}
	return text + " While this lasts, a drop of the metric " + j.Metric + " may be the judge and not the product."
}

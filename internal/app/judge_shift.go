package app

import (
	"context"

	"github.com/asgood-dev/asgood/evaluator/calibrate"
	"github.com/asgood-dev/asgood/internal/quality"
)

// judgeShifts tells explanations how judges moved.
type judgeShifts struct{ judges *calibrate.Keeper }

// Moved returns the latest move of a metric's judge that was on in a period, or nil.
func (j judgeShifts) Moved(_ context.Context, feature, metric string, _, after quality.Period) (*quality.JudgeShift, error) {
	for _, st := range j.judges.List() {
		if st.Feature != feature || st.Metric != metric {
			continue
		}
		moves := st.Moves
		if st.Moved != nil {
			moves = append([]quality.JudgeMove{*st.Moved}, moves...)
		}
		for _, m := range moves {
			if m.Change != nil && m.Interval != nil && m.Since.Before(after.To) && (m.EndedAt == nil || m.EndedAt.After(after.From)) {
				return &quality.JudgeShift{At: m.Since, Shift: quality.Figure{Value: *m.Change, Interval: *m.Interval}}, nil
			}
		}
	}
	return nil, nil
}

package evaluator_test

import (
	"testing"

	"github.com/asgood-dev/asgood/evaluator"
	"github.com/asgood-dev/asgood/internal/quality"
)

// The whole feature stands first, then its slices; each says what it learned, what it sees, and how near it is.
func TestStreamStatuses(t *testing.T) {
	o := evaluator.EngineOptions{Features: bot(quality.MonitorSpec{}), FalseAlarms: perSample}
	e := engine(t, o)
	if got := e.StreamStatuses("bot", "none"); got != nil {
		t.Errorf("a monitor that is not there: got %+v", got)
	}
	feed(e, traffic(1, stage{n: 100, pass: .92}))
	got := e.StreamStatuses("bot", "good")
	if len(got) != 1 || got[0].Ready || got[0].Reason == "" || got[0].Current.Mean != nil || len(got[0].Slice) > 0 {
		t.Fatalf("while it learns: got %+v", got)
	}
	e = engine(t, o)
	feed(e, traffic(1, stage{n: 2000, pass: .92}))
	calm := e.StreamStatuses("bot", "good")[0]
	if !calm.Ready || calm.Open || calm.Scores != 2000 || calm.Baseline.N != 500 || calm.Evidence >= calm.Threshold || calm.Interval == nil {
		t.Errorf("before the drop: got %+v", calm)
	}
	e = engine(t, o)
	feed(e, traffic(1, stage{n: 2000, pass: .92}, stage{n: 1500, pass: .60}))
	worse := e.StreamStatuses("bot", "good")[0]
	if !worse.Open || worse.Evidence <= calm.Evidence || worse.Change == nil || *worse.Change > -.2 || worse.Interval[1] > 0 {
		t.Errorf("after the drop: got %+v", worse)
	}
}

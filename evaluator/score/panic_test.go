package score

import (
	"strings"
	"testing"

	"github.com/asgood-dev/asgood/internal/quality"
)

func TestPanicFailsTheScore(t *testing.T) {
	s := &ruleScorer{metric: "m", kind: "regex", eval: func(string, *quality.Sample) (verdict, bool) {
		panic("out of order")
	}}
	got := s.Score(quality.Sample{Output: quality.Text("x")})
	if len(got) != 1 || !strings.Contains(got[0].Error, "out of order") || got[0].Value != 0 || got[0].Metric != "m" {
		t.Errorf("got %+v, want one failed score with the reason", got)
	}
}

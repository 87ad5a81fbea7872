package clickhouse_test

import (
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/clickhouse"
	"github.com/asgood-dev/asgood/internal/quality"
)

func TestJudgedPairsJudgeAndLabels(t *testing.T) {
	s := open(t, clickhouse.Options{})
	score := func(sample, metric, scorer, version, by string, value float64) quality.Score {
		return quality.Score{Feature: "bot", SampleID: sample, Time: day0.Add(time.Duration(len(sample)) * time.Hour), Metric: metric,
			Scorer: scorer, Version: version, By: by, Value: value, Weight: 4}
	}
	failed := score("a", "faithful", "judge", "v1", "", 0)
	failed.Error = "status 503"
	anchor := score("anchor/x", "faithful", "judge", "v1", "", 1)
	anchor.Source = quality.SourceAnchor
	aside := score("a", "faithful", "human", "ann", "ann", 4)
	aside.Aside = true
	err := s.InsertScores(t.Context(), "t-1-1", []quality.Score{
		failed, anchor, aside,
		score("a", "faithful", "judge", "v1", "", 5), score("a", "faithful", "human", "bob", "bob", 2),
		score("bb", "faithful", "judge", "v2", "", 3), score("bb", "other", "human", "ann", "ann", 1),
		score("ccc", "faithful", "human", "ann", "ann", 1), score("dddd", "faithful", "user", "", "", 1),
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Judged(t.Context(), "bot", "faithful", "faithful", day0, day0.Add(24*time.Hour), 10)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].Sample != "bb" || len(got[0].Labels) != 0 || got[1].Sample != "a" || got[1].Value != 5 || got[1].Weight != 4 {
		t.Fatalf("got %+v", got)
	}
	if l := got[1].Labels; len(l) != 2 || l[0] != (quality.HumanLabel{By: "ann", Value: 4}) || l[1] != (quality.HumanLabel{By: "bob", Value: 2}) {
		t.Errorf("labels %+v", l)
	}
	if got, err = s.Judged(t.Context(), "bot", "faithful", "other", day0, day0.Add(24*time.Hour), 1); err != nil || len(got) != 1 || len(got[0].Labels) != 1 {
		t.Errorf("another metric of labels, at most one: %+v, %v", got, err)
	}
}

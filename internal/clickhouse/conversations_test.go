package clickhouse_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/clickhouse"
	"github.com/asgood-dev/asgood/internal/quality"
)

func TestConversationsByCustomer(t *testing.T) { onBoth(t, testConversationsByCustomer) }

func testConversationsByCustomer(t *testing.T, s *clickhouse.Store) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var samples []quality.Sample
	for i := range 9 {
		samples = append(samples, quality.Sample{ID: fmt.Sprint("t", i), Feature: "talk", Time: at.Add(time.Duration(i/6) * time.Minute),
			Conversation: []string{"c1", "c1", "c2"}[i%3], Customer: []string{"acme", "globex", ""}[i%3], Output: quality.Text("x")})
	}
	if err := s.InsertSamples(t.Context(), "SAMPLES:77-77", samples); err != nil {
		t.Fatal(err)
	}
	var keys []quality.ConversationKey
	for after := (quality.ConversationKey{}); ; after = keys[len(keys)-1] {
		list, err := s.Conversations(t.Context(), "talk", at.Add(-time.Hour), at, at.Add(time.Hour), after, 2)
		if err != nil {
			t.Fatal(err)
		}
		if keys = append(keys, list...); len(list) < 2 {
			break
		}
	}
	want := []quality.ConversationKey{{Conversation: "c1", Customer: "acme"}, {Conversation: "c1", Customer: "globex"}, {Conversation: "c2"}}
	if !slices.Equal(keys, want) {
		t.Errorf("got %v", keys)
	}
	var ids []string
	since, after := at.Add(-time.Hour), ""
	for {
		list, err := s.Turns(t.Context(), "talk", want[1], since, after, 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			break
		}
		since, after, ids = list[0].Time, list[0].ID, append(ids, list[0].ID)
	}
	if !slices.Equal(ids, []string{"t1", "t4", "t7"}) {
		t.Errorf("got %v", ids)
	}
}

package conversation_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/evaluator/conversation"
	"github.com/asgood-dev/asgood/internal/quality"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func turn(conv string, minute int, in, out string) quality.Sample {
	return quality.Sample{ID: fmt.Sprint(conv, minute), Feature: "bot", Conversation: conv, Time: start.Add(time.Duration(minute) * time.Minute),
		Customer: "acme", Model: "m1", Input: quality.Text(in), Output: quality.Text(out), Attributes: map[string]string{"language": "de"}}
}

func TestJoin(t *testing.T) {
	a, b := turn("c", 0, "hello", "hi"), turn("c", 1, "", "bye")
	b.Input = quality.Content{Messages: []quality.Message{{Role: "user", Content: "hello"}, {Role: "assistant", Content: "hi"}, {Role: "user", Content: "end"}}}
	b.Model, b.Weight = "m2", 4
	s := conversation.Join([]quality.Sample{a, b}, 100)
	want := []quality.Message{{Role: "user", Content: "hello"}, {Role: "assistant", Content: "hi"}, {Role: "user", Content: "end"}, {Role: "assistant", Content: "bye"}}
	if !slices.Equal(s.Output.Messages, want) {
		t.Errorf("got %v", s.Output.Messages)
	}
	if s.Model != "" || s.Customer != "acme" || s.Weight != 4 || s.Attributes["turns"] != "2" || s.Attributes["cut"] != "" ||
		!s.Time.Equal(b.Time) || s.Source != quality.SourceConversation || a.Attributes["turns"] != "" {
		t.Errorf("got %+v", s)
	}
	if err := s.Validate(); err != nil {
		t.Error(err)
	}
}

func TestJoinIsBounded(t *testing.T) {
	var turns []quality.Sample
	for i := range 20 {
		turns = append(turns, turn("c", i, strings.Repeat("x", 60<<10), "y"))
	}
	s := conversation.Join(turns, 100)
	if n := len(s.Output.All()); n > 600<<10 || s.Attributes["cut"] != "true" || s.Attributes["turns"] != "20" {
		t.Errorf("got %d bytes, %v", n, s.Attributes)
	}
	if s := conversation.Join(turns[:5], 2); len(s.Output.Messages) != 4 || s.Attributes["cut"] != "true" {
		t.Errorf("got %d messages of 2 turns", len(s.Output.Messages))
	}
}

// memory is store, taker and state in one.
type memory struct {
	samples  []quality.Sample
	taken    []string
	joined   []quality.Sample
	most     int // turns asked for at once
	refuse   error
	progress map[string]conversation.Progress
}

func before(a, b quality.ConversationKey) int {
	return cmp.Or(cmp.Compare(a.Conversation, b.Conversation), cmp.Compare(a.Customer, b.Customer))
}

func (m *memory) Conversations(_ context.Context, _ string, begin, from, to time.Time, after quality.ConversationKey, limit int) ([]quality.ConversationKey, error) {
	latest := map[quality.ConversationKey]time.Time{}
	for _, s := range m.samples {
		if k := (quality.ConversationKey{Conversation: s.Conversation, Customer: s.Customer}); s.Time.After(latest[k]) && !s.Time.Before(begin) {
			latest[k] = s.Time
		}
	}
	var out []quality.ConversationKey
	for k, at := range latest {
		if before(k, after) > 0 && !at.Before(from) && at.Before(to) {
			out = append(out, k)
		}
	}
	slices.SortFunc(out, before)
	return out[:min(limit, len(out))], nil
}

func (m *memory) Turns(_ context.Context, _ string, k quality.ConversationKey, since time.Time, after string, limit int) (out []quality.Sample, err error) {
	m.most = max(m.most, limit)
	for _, s := range m.samples { // by time, as the tests make them
		if s.Conversation == k.Conversation && s.Customer == k.Customer && (s.Time.After(since) || s.Time.Equal(since) && s.ID > after) {
			out = append(out, s)
		}
	}
	return out[:min(limit, len(out))], nil
}

func (m *memory) Take(_ context.Context, samples []quality.Sample) error {
	if m.refuse != nil {
		return m.refuse
	}
	for _, s := range samples {
		m.taken, m.joined = append(m.taken, s.Conversation), append(m.joined, s)
	}
	return nil
}

func (m *memory) Load(_ context.Context, f string) (conversation.Progress, bool, error) {
	p, ok := m.progress[f]
	return p, ok, nil
}

func (m *memory) Save(_ context.Context, f string, p conversation.Progress) error {
	m.progress[f] = p
	return nil
}

func TestKeeper(t *testing.T) {
	m := &memory{progress: map[string]conversation.Progress{}}
	at, behind := start, uint64(0)
	f := quality.Feature{Name: "bot", Scorers: []quality.ScorerSpec{{Name: "solved", Type: "contains", On: quality.OnConversation}}}
	k, err := conversation.New(conversation.Options{Features: []quality.Feature{f}, Store: m, Taker: m, State: m,
		Behind: func(context.Context) (uint64, error) { return behind, nil }, Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	round := func(minute int, want ...string) {
		t.Helper()
		at = start.Add(time.Duration(minute) * time.Minute)
		m.taken = nil
		_ = k.Round(t.Context()) // what it did is what counts
		if !slices.Equal(m.taken, want) {
			t.Errorf("minute %d: took %v, want %v", minute, m.taken, want)
		}
	}
	m.samples = []quality.Sample{turn("before", -60, "a", "b"), turn("a", 0, "a", "b"), turn("b", 5, "a", "b")}
	round(0)
	round(29)
	m.samples = append(m.samples, turn("a", 20, "c", "d")) // still going on
	round(40, "b")
	round(45)
	behind = 5000
	round(55)
	behind, m.refuse = 0, errors.New("the disk is full")
	round(60)
	m.refuse = quality.Errorf(quality.KindInvalid, "too large")
	round(61)
	m.refuse = nil
	round(70) // what cannot be taken does not come again
	m.samples = append(m.samples, turn("c", 60, "c", "d"))
	round(100, "c")
}

func keeper(t *testing.T, m *memory, at *time.Time) *conversation.Keeper {
	t.Helper()
	f := quality.Feature{Name: "bot", Scorers: []quality.ScorerSpec{{Name: "solved", Type: "contains", On: quality.OnConversation}}}
	k, err := conversation.New(conversation.Options{Features: []quality.Feature{f}, Store: m, Taker: m, State: m,
		Behind: func(context.Context) (uint64, error) { return 0, nil }, Now: func() time.Time { return *at }})
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Round(t.Context()); err != nil {
		t.Fatal(err)
	}
	*at = start.Add(24 * time.Hour)
	return k
}

// Two customers use one id of a conversation.
func TestCustomersStayApart(t *testing.T) {
	m, at := &memory{progress: map[string]conversation.Progress{}}, start
	k := keeper(t, m, &at)
	mine, theirs := turn("c", 1, "my question", "my answer"), turn("c", 2, "their question", "their answer")
	mine.Customer, theirs.Customer = "acme", "globex"
	m.samples = []quality.Sample{mine, theirs, turn("c", 3, "my next", "my last")}
	if err := k.Round(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(m.joined) != 2 || m.joined[0].ID == m.joined[1].ID {
		t.Fatalf("got %+v", m.joined)
	}
	for _, s := range m.joined {
		if all := s.Output.All(); s.Customer == "acme" == strings.Contains(all, "their") || s.Customer == "globex" == strings.Contains(all, "my") {
			t.Errorf("customer %q has %q", s.Customer, all)
		}
	}
}

func TestLongConversationsAreReadInParts(t *testing.T) {
	m, at := &memory{progress: map[string]conversation.Progress{}}, start
	k := keeper(t, m, &at)
	for i := range 600 {
		s := turn("c", 1+i/100, "a", strings.Repeat("b", 2<<10)) // many at one time
		s.ID = fmt.Sprintf("%04d", i)
		s.Context = []quality.Document{{Text: "long"}}
		m.samples = append(m.samples, s)
	}
	if err := k.Round(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(m.joined) != 1 || m.joined[0].Attributes["turns"] != "500" || m.joined[0].Attributes["cut"] != "true" || m.most > 16 {
		t.Errorf("got %d samples, %v, %d turns at once", len(m.joined), m.joined[0].Attributes, m.most)
	}
	if n := len(m.joined[0].Output.Messages); n != 200 { // the first 100 turns
		t.Errorf("got %d messages", n)
	}
}

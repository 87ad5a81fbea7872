// Package conversation makes one sample of each conversation that is over, so that scorers can score it as a
// whole.
//
// Keeper looks in the store for conversations that had no turn for a while, joins their turns, and gives the
// samples to the collector, whose index of ids takes each only once. What it has looked at outlives a restart.
// The package scores nothing, and leaves the turns as they are.
package conversation

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"strconv"

	"github.com/asgood-dev/asgood/internal/quality"
)

// maxText bounds the text of a conversation. A sample may have twice as much.
const maxText = 512 << 10

// Attributes that Join adds.
const (
	attributeTurns = "turns" // how many the conversation has
	attributeCut   = "cut"   // "true" when only its first turns are in the sample
)

// Join makes the sample of a conversation from its turns, the oldest first, of which there is at least one
// and which are all of one customer; only the first most are taken. Its id follows from the conversation's and the customer's. Customer, model, prompt and
// attributes are those that all turns agree on. A turn is kept with its conversation or not at all where the
// sampling is by conversation, so the weight is that of the turn which was the least likely to be kept.
func Join(turns []quality.Sample, most int) quality.Sample {
	first, last := &turns[0], &turns[len(turns)-1]
	s := quality.Sample{
		ID: idOf(first), Time: last.Time, Feature: first.Feature, Conversation: first.Conversation,
		Source: quality.SourceConversation, Customer: first.Customer, Model: first.Model, Prompt: first.Prompt,
		Attributes: maps.Clone(first.Attributes), Input: quality.Text(said(first.Input, "user")),
	}
	messages, size, cut := []quality.Message{}, 0, len(turns) > most
	for i := range turns[:min(most, len(turns))] {
		t := &turns[i]
		in, out := said(t.Input, "user"), t.Output.Last()
		if size += len(in) + len(out); size > maxText {
			cut = true
			break
		}
		messages = appendText(appendText(messages, "user", in), "assistant", out)
		agree(&s, t)
	}
	s.Output = quality.Content{Messages: messages}
	note(&s, len(turns), cut)
	return s
}

// idOf names the sample of a conversation of one customer. No name holds a zero byte.
func idOf(first *quality.Sample) string {
	sum := sha256.Sum256([]byte(first.Conversation + "\x00" + first.Customer))
	return "conversation-" + hex.EncodeToString(sum[:16])
}

// said is the last message of a role. Inputs often repeat the turns before.
func said(c quality.Content, role string) string {
	for i := len(c.Messages) - 1; i >= 0; i-- {
		if c.Messages[i].Role == role {
			return c.Messages[i].Content
		}
	}
	return c.Text
}

func appendText(to []quality.Message, role, text string) []quality.Message {
	if text == "" {
		return to
	}
	return append(to, quality.Message{Role: role, Content: text})
}

// agree keeps of a sample what a turn says too.
func agree(s, t *quality.Sample) {
	for _, x := range []struct {
		all  *string
		this string
	}{{&s.Customer, t.Customer}, {&s.Model, t.Model}, {&s.Prompt, t.Prompt}} {
		if *x.all != x.this {
			*x.all = ""
		}
	}
	maps.DeleteFunc(s.Attributes, func(k, v string) bool { return t.Attributes[k] != v })
	s.Weight = max(s.Weight, t.Weight)
	if t.Usage != nil {
		if s.Usage == nil {
			s.Usage = &quality.Usage{}
		}
		s.Usage.InputTokens += t.Usage.InputTokens
		s.Usage.OutputTokens += t.Usage.OutputTokens
	}
	s.LatencyMS += t.LatencyMS
}

// note tells in attributes how long the conversation was, where there is room.
func note(s *quality.Sample, turns int, cut bool) {
	if len(s.Attributes)+2 > quality.MaxAttributes {
		return
	}
	if s.Attributes == nil {
		s.Attributes = map[string]string{}
	}
	s.Attributes[attributeTurns] = strconv.Itoa(turns)
	if cut {
		s.Attributes[attributeCut] = "true"
	}
}

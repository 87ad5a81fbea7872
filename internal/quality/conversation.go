package quality

import (
	"strings"
	"time"
)

// SourceConversation marks a sample that stands for a whole conversation: its output is every turn.
const SourceConversation = "conversation"

// OnConversation is what a scorer says that scores whole conversations in place of outputs.
const OnConversation = "conversation"

// Defaults and bounds of conversations.
const (
	DefaultConversationIdle  = 30 * time.Minute
	DefaultConversationTurns = 100
	MaxConversationTurns     = 500
)

// ConversationKey names a conversation. Two customers may use one id, by chance or on purpose, and their turns
// are never put together.
type ConversationKey struct {
	Conversation, Customer string
}

// ConversationSpec says when a conversation is over and how much of it is scored.
type ConversationSpec struct {
	Idle     time.Duration `yaml:"idle"`      // without a turn for so long it is over; 0 means DefaultConversationIdle
	MaxTurns int           `yaml:"max_turns"` // only so many of its first turns are scored; 0 means DefaultConversationTurns
}

// WithDefaults fills in what was left out.
func (c ConversationSpec) WithDefaults() ConversationSpec {
	if c.Idle == 0 {
		c.Idle = DefaultConversationIdle
	}
	if c.MaxTurns == 0 {
		c.MaxTurns = DefaultConversationTurns
	}
	return c
}

// Conversations reports whether a scorer of the feature scores whole conversations.
func (f *Feature) Conversations() bool {
	for i := range f.Scorers {
		if f.Scorers[i].On == OnConversation {
			return true
		}
	}
	return false
}

// Takes reports whether the scorer is for a sample: those of whole conversations are for no others.
func (s *ScorerSpec) Takes(x *Sample) bool {
	return (s.On == OnConversation) == (x.Source == SourceConversation)
}

// Read returns what a scorer reads of an output: the last message of the assistant, or every one.
func (s *ScorerSpec) Read(c Content) string {
	if s.On == "all" || s.On == OnConversation {
		return c.All()
	}
	return c.Last()
}

// Transcript returns the text, or every message behind its role.
func (c Content) Transcript() string {
	if c.Messages == nil {
		return c.Text
	}
	var b strings.Builder
	for i, m := range c.Messages {
		if i > 0 {
			b.WriteString("\n\n")
		}
		b.WriteString(m.Role + ": " + m.Content)
	}
	return b.String()
}

// Asked reports whether a sample is an output that somebody of the product asked for. Golden prompts and the
// samples that stand for whole conversations are none: they are neither sampled nor counted as traffic.
func (s *Sample) Asked() bool {
	return s.Source != SourceCanary && s.Source != SourceConversation
}

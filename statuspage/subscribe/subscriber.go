package subscribe

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Kind says how a subscriber is reached.
type Kind string

// The kinds of subscribers.
const (
	KindEmail   Kind = "email"
	KindWebhook Kind = "webhook"
	KindSlack   Kind = "slack"
	KindTeams   Kind = "teams"
)

// Kinds returns every kind.
func Kinds() []Kind { return []Kind{KindEmail, KindWebhook, KindSlack, KindTeams} }

// State says what a subscriber gets. The zero value is not a state.
type State string

// The states of a subscriber.
const (
	StateUnconfirmed State = "unconfirmed" // gets nothing but the question whether it wants to
	StateActive      State = "active"
	StateQuarantined State = "quarantined" // could not be reached: gets nothing until it is confirmed again or released
	stateGone        State = "gone"        // unsubscribed; the document is about to be removed
)

// Topics returns what can be chosen.
func Topics() []quality.NoticeKind {
	return []quality.NoticeKind{quality.NoticeQuality, quality.NoticeUptime, quality.NoticeMaintenance}
}

// Choice is what a subscriber wants to hear of. Nothing chosen means everything, also what comes later.
type Choice struct {
	Features []string             `json:"features,omitempty"` // names; empty: all
	Topics   []quality.NoticeKind `json:"topics,omitempty"`   // empty: all
}

// wants reports whether a notice is for somebody with this choice. A notice of no feature is for everybody.
func (c Choice) wants(n quality.Notice) bool {
	if len(c.Topics) > 0 && !slices.Contains(c.Topics, n.Kind) {
		return false
	}
	if len(c.Features) == 0 || len(n.Features) == 0 {
		return true
	}
	return slices.ContainsFunc(n.Features, func(f string) bool { return slices.Contains(c.Features, f) })
}

// Subscriber is somebody, or something, that hears of notices.
type Subscriber struct {
	ID        string     `json:"id"`
	Kind      Kind       `json:"kind"`
	Address   string     `json:"address"` // normalised; of Slack, Teams and webhooks it is a secret
	Choice    Choice     `json:"choice"`
	Lang      string     `json:"lang,omitempty"` // of the messages; empty: the first of the page
	State     State      `json:"state"`
	Nonce     []byte     `json:"nonce"` // 256 random bits: its tokens are made with it and end with it
	CreatedAt time.Time  `json:"created_at"`
	Confirmed *time.Time `json:"confirmed_at,omitempty"`

	// What became of the deliveries.
	Failures     int        `json:"failures,omitempty"`      // since the last success
	FailingSince *time.Time `json:"failing_since,omitempty"` // first of them
	Quarantined  *time.Time `json:"quarantined_at,omitempty"`
	Why          string     `json:"why,omitempty"` // it is in quarantine
}

// When a subscriber that is not reached goes into quarantine, and how long it may stay unconfirmed.
const (
	failingTime   = 3 * 24 * time.Hour
	failingTimes  = 5
	confirmTime   = 24 * time.Hour
	quarantineFor = 90 * 24 * time.Hour // then it is removed
)

// failed notes a delivery that failed. Permanent means that trying again cannot help. It reports whether the
// subscriber has gone into quarantine.
func (s *Subscriber) failed(permanent bool, why string, now time.Time) bool {
	if s.State != StateActive {
		return false
	}
	s.Failures++
	if s.FailingSince == nil {
		s.FailingSince = &now
	}
	if !permanent && (s.Failures < failingTimes || now.Sub(*s.FailingSince) < failingTime) {
		return false
	}
	s.State, s.Quarantined, s.Why = StateQuarantined, &now, clip(why, 200)
	return true
}

// reached forgets the failures of before, and reports whether there were any.
func (s *Subscriber) reached() bool {
	was := s.Failures > 0 || s.FailingSince != nil
	s.Failures, s.FailingSince = 0, nil
	return was
}

// confirm makes it active, and reports whether it was not.
func (s *Subscriber) confirm(now time.Time) bool {
	if s.State != StateUnconfirmed && s.State != StateQuarantined {
		return false
	}
	s.reached()
	s.State, s.Confirmed, s.Quarantined, s.Why = StateActive, &now, nil, ""
	return true
}

// over reports whether it is to be removed: never confirmed, long in quarantine, or gone.
func (s *Subscriber) over(now time.Time) bool {
	switch s.State {
	case StateUnconfirmed:
		return now.Sub(s.CreatedAt) >= confirmTime
	case StateQuarantined:
		return s.Quarantined != nil && now.Sub(*s.Quarantined) >= quarantineFor
	case stateGone:
		return true
	}
	return false
}

// clip cuts a text at a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n]
}

// messageID names one thing told to one subscriber: the same when it is sent again. It holds no dot, which parts
// id, time and body in what is signed.
func messageID(what, subscriber string) string {
	sum := sha256.Sum256([]byte(what + "\x00" + subscriber))
	return "ntc_" + hex.EncodeToString(sum[:16])
}

package subscribe

import (
	"errors"
	"time"

	"github.com/asgood-dev/asgood/internal/mail"
	"github.com/asgood-dev/asgood/internal/webhook"
)

// The reasons of failed deliveries beside those of webhooks, as label values.
const (
	reasonRelay     = "relay"
	reasonRecipient = "recipient"
	reasonMessage   = "message"
	reasonOther     = "other"
)

func reasons() []string {
	return append(webhook.Reasons(), reasonRelay, reasonRecipient, reasonMessage, reasonOther)
}

// fault says what a failed delivery means.
type fault struct {
	reason  string
	text    string // without an address or a secret
	verdict verdict
	dead    bool // there is no such recipient: no use in ever trying again
	final   bool // this message is not taken, others may be
	after   time.Duration
}

func classify(err error) fault {
	var m *mail.Error
	var w *webhook.Error
	switch {
	case errors.As(err, &m):
		return classifyMail(m)
	case errors.As(err, &w):
		f := fault{reason: w.Reason, text: w.Error(), verdict: verdictAgain, after: w.RetryAfter}
		f.dead = w.Reason == webhook.ReasonGone
		return f
	}
	return fault{reason: reasonOther, text: "not sent", verdict: verdictRelay}
}

// classifyMail knows three faults. Words of the relay may hold the address: they are not kept.
func classifyMail(m *mail.Error) fault {
	switch m.Fault {
	case mail.FaultRecipient:
		return fault{reason: reasonRecipient, text: "the mail relay does not take the recipient", verdict: verdictAgain, dead: m.Permanent}
	case mail.FaultMessage:
		return fault{reason: reasonMessage, text: "the mail relay does not take the message", verdict: verdictAgain, final: m.Permanent}
	}
	return fault{reason: reasonRelay, text: "the mail relay does not work", verdict: verdictRelay}
}

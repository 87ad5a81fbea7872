// Package mail hands messages to a mail relay by SMTP and says of a failure whose fault it is: the recipient's,
// the message's or the relay's. It is the only importer of go-mail.
//
// It owns connections and the form of a message. What is said, to whom and when it is tried again is decided by
// who sends. Signatures (DKIM) are made by the relay.
package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/asgood-dev/asgood/internal/quality"
)

// TLS says how the connection to the relay is encrypted.
type TLS string

// The ways of encryption.
const (
	StartTLS    TLS = "starttls" // required: without it nothing is sent
	ImplicitTLS TLS = "tls"
	NoTLS       TLS = "none"
)

// The bounds of a Sender.
const (
	connections = 8
	timeout     = 30 * time.Second
	idleTime    = 10 * time.Second // a connection that was idle for longer is not used again
	perDial     = 100              // messages of one connection; relays ask for a new one sooner or later
)

// Options configures a Sender.
type Options struct {
	Host     string
	Port     int
	Username string // empty: no login
	Password string // never logged
	From     string // an address, or a name and an address in angle brackets
	TLS      TLS
	Config   *tls.Config                                                       // nil: the system's authorities
	Dial     func(ctx context.Context, network, addr string) (net.Conn, error) // nil: a net.Dialer
}

// Message is one message to one recipient.
type Message struct {
	ID      string // of the header Message-ID, without angle brackets: the same when it is sent again
	To      string // one address without a name
	Subject string
	Text    string // the whole as plain text
	HTML    string // the whole as HTML
	Date    time.Time
	// Unsubscribe is the URL of List-Unsubscribe; empty for messages that belong to no subscription. One of https
	// is offered for one click (RFC 8058).
	Unsubscribe string
}

// Fault says whose a failure is.
type Fault int

// The faults.
const (
	FaultRelay     Fault = iota // not reached, no login, or it takes nothing now: the same for every recipient
	FaultRecipient              // the relay does not take this recipient
	FaultMessage                // the relay does not take this message
)

// Error is a failed attempt. Its text holds no password.
type Error struct {
	Fault     Fault
	Permanent bool // trying again does not help (5xx)
	Err       error
}

// Error returns what went wrong.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the wrapped error.
func (e *Error) Unwrap() error { return e.Err }

// Sender sends messages over a few connections. It is safe for concurrent use.
type Sender struct {
	o     Options
	from  mail.Address
	slots chan *slot
}

// slot is a connection, or the room for one.
type slot struct {
	client *gomail.Client // nil: not connected
	used   time.Time
	sent   int
}

// New returns a sender. It connects when there is something to send.
func New(o Options) (*Sender, error) {
	from, err := mail.ParseAddress(o.From)
	if err != nil {
		return nil, quality.Errorf(quality.KindInvalid, "sender of mails %q: %w", o.From, err)
	}
	if o.Host == "" || o.Port <= 0 || o.Port > 65535 {
		return nil, quality.Errorf(quality.KindInvalid, "mail relay %q, port %d: want a host and a port", o.Host, o.Port)
	}
	s := &Sender{o: o, from: *from, slots: make(chan *slot, connections)}
	for range connections {
		s.slots <- &slot{}
	}
	return s, nil
}

// Domain is that of the sender, for message ids.
func (s *Sender) Domain() string {
	_, domain, _ := strings.Cut(s.from.Address, "@")
	return domain
}

// Send hands a message over. The error is an *Error, or that of ctx.
func (s *Sender) Send(ctx context.Context, m Message) error {
	msg, err := s.message(m)
	if err != nil {
		return &Error{Fault: FaultMessage, Permanent: true, Err: err}
	}
	var c *slot
	select {
	case c = <-s.slots:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { s.slots <- c }()
	fresh, err := s.connect(ctx, c)
	if err != nil {
		return err
	}
	err = s.hand(ctx, c, msg)
	var failed *Error
	if !fresh && errors.As(err, &failed) && failed.Fault == FaultRelay && !failed.Permanent {
		// The relay may have closed a connection that was idle: that is no failure yet.
		if _, err := s.connect(ctx, c); err != nil {
			return err
		}
		return s.hand(ctx, c, msg)
	}
	return err
}

// Flush closes the connections that nobody uses now.
func (s *Sender) Flush() {
	for range connections {
		select {
		case c := <-s.slots:
			c.close()
			s.slots <- c
		default:
			return
		}
	}
}

func (c *slot) close() {
	if c.client != nil {
		_ = c.client.Close() // the relay may have closed it already
	}
	*c = slot{}
}

// connect makes the connection of a slot where there is none that can be used, and reports whether it is new.
func (s *Sender) connect(ctx context.Context, c *slot) (fresh bool, err error) {
	if c.client != nil && c.sent < perDial && time.Since(c.used) < idleTime {
		return false, nil
	}
	c.close()
	client, err := gomail.NewClient(s.o.Host, s.options()...)
	if err != nil {
		return true, &Error{Fault: FaultRelay, Permanent: true, Err: fmt.Errorf("mail relay %q: %w", s.o.Host, err)}
	}
	if err := client.DialWithContext(ctx); err != nil {
		if ctx.Err() != nil {
			return true, ctx.Err()
		}
		return true, &Error{Fault: FaultRelay, Err: fmt.Errorf("connecting to mail relay %q: %w", s.o.Host, err)}
	}
	c.client, c.used = client, time.Now()
	return true, nil
}

func (s *Sender) options() []gomail.Option {
	out := []gomail.Option{gomail.WithPort(s.o.Port), gomail.WithTimeout(timeout)}
	switch s.o.TLS {
	case ImplicitTLS:
		out = append(out, gomail.WithSSL())
	case NoTLS:
		out = append(out, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		out = append(out, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if s.o.Username != "" {
		out = append(out, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(s.o.Username), gomail.WithPassword(s.o.Password))
	}
	if s.o.Config != nil {
		out = append(out, gomail.WithTLSConfig(s.o.Config))
	}
	if s.o.Dial != nil {
		out = append(out, gomail.WithDialContextFunc(s.o.Dial))
	}
	return out
}

// message builds the message. The library refuses line breaks in addresses and folds headers; they are taken out
// of what we put there all the same.
func (s *Sender) message(m Message) (*gomail.Msg, error) {
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if err := msg.FromFormat(oneLine(s.from.Name), s.from.Address); err != nil {
		return nil, fmt.Errorf("sender: %w", err)
	}
	if err := msg.To(m.To); err != nil {
		return nil, fmt.Errorf("recipient: %w", err)
	}
	msg.Subject(oneLine(m.Subject))
	msg.SetDateWithValue(m.Date)
	msg.SetMessageIDWithValue(oneLine(m.ID))
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader("Precedence", "bulk")
	msg.SetGenHeader("X-Auto-Response-Suppress", "All")
	if m.Unsubscribe != "" {
		msg.SetGenHeaderPreformatted("List-Unsubscribe", "<"+oneLine(m.Unsubscribe)+">")
		if strings.HasPrefix(m.Unsubscribe, "https://") {
			msg.SetGenHeader("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
		}
	}
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	return msg, nil
}

// oneLine makes one line of a text: what comes after a line break would be a header of its own.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\u2028' || r == '\u2029' }), " ")
}

// hand sends over the connection of a slot, and closes what cannot be used again.
func (s *Sender) hand(ctx context.Context, c *slot, msg *gomail.Msg) error {
	stop := context.AfterFunc(ctx, func() { _ = c.client.Close() })
	err := c.client.Send(msg)
	if !stop() {
		c.close()
		if err != nil {
			return ctx.Err()
		}
		return nil
	}
	c.sent, c.used = c.sent+1, time.Now()
	failed := fault(err, msg)
	if failed == nil {
		if err != nil { // taken, and then the connection broke
			c.close()
		}
		return nil
	}
	if failed.Fault == FaultRelay {
		c.close()
	}
	return failed
}

// fault says what an error of the library means; nil when the relay has taken the message.
func fault(err error, msg *gomail.Msg) *Error {
	if err == nil {
		return nil
	}
	var send *gomail.SendError
	if !errors.As(err, &send) {
		return &Error{Fault: FaultRelay, Err: err}
	}
	permanent := send.ErrorCode() >= 500
	switch send.Reason {
	case gomail.ErrSMTPReset:
		return nil // comes after the relay has taken it
	case gomail.ErrSMTPRcptTo:
		if send.ErrorCode() > 0 && send.ErrorCode() != 421 {
			return &Error{Fault: FaultRecipient, Permanent: permanent, Err: err}
		}
	case gomail.ErrSMTPDataClose, gomail.ErrSMTPData:
		if send.ErrorCode() > 0 && send.ErrorCode() != 421 {
			return &Error{Fault: FaultMessage, Permanent: permanent, Err: err}
		}
	case gomail.ErrConnCheck:
		if msg.IsDelivered() {
			return nil
		}
	case gomail.ErrGetSender, gomail.ErrGetRcpts:
		return &Error{Fault: FaultMessage, Permanent: true, Err: err}
	}
	return &Error{Fault: FaultRelay, Permanent: false, Err: err}
}

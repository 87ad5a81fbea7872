package config

import (
	"net/mail"
	"net/url"
	"strconv"
	"strings"
)

// Mail is the relay to which mails are handed. It signs them (DKIM), and answers for their delivery.
type Mail struct {
	SMTP     string `yaml:"smtp"`     // such as smtp://mail.example.com:587
	Username string `yaml:"username"` // empty: no login
	Password string `yaml:"password"` // never logged
	From     string `yaml:"from"`     // an address, or a name and an address in angle brackets
	TLS      string `yaml:"tls"`      // starttls (default): required; tls: from the first byte; none
}

// Subscriptions says which kinds of subscriptions the status page offers.
type Subscriptions struct {
	Email   bool `yaml:"email"` // only with mail
	Webhook bool `yaml:"webhook"`
	Slack   bool `yaml:"slack"`
	Teams   bool `yaml:"teams"`
}

// The values of Mail.TLS.
const (
	MailStartTLS = "starttls"
	MailTLS      = "tls"
	MailNoTLS    = "none"
)

// Relay returns the host and the port of the relay. Without a port it is 587, of tls 465, of none 25.
func (m *Mail) Relay() (host string, port int) {
	u, err := url.Parse(m.SMTP)
	if err != nil {
		return "", 0
	}
	port = map[string]int{MailTLS: 465, MailNoTLS: 25}[m.TLS]
	if port == 0 {
		port = 587
	}
	if p, err := strconv.Atoi(u.Port()); err == nil {
		port = p
	}
	return u.Hostname(), port
}

func completeMail(m *Mail) {
	if m != nil {
		m.TLS = or(m.TLS, MailStartTLS)
	}
}

func (d *decoder) checkMail(m *Mail) {
	if m == nil {
		return
	}
	if !d.failed("mail.smtp") && !isRelay(m.SMTP) {
		// It may hold a password, which belongs elsewhere.
		d.hidden("mail.smtp", "want a relay such as smtp://mail.example.com:587, with no user or path (the login is username and password)")
	}
	if a, err := mail.ParseAddress(m.From); !d.failed("mail.from") && (err != nil || !strings.Contains(a.Address, "@")) {
		d.bad("mail.from", "want an address such as status@example.com, or \"Acme status <status@example.com>\"")
	}
	if !d.failed("mail.tls") && m.TLS != "" && m.TLS != MailStartTLS && m.TLS != MailTLS && m.TLS != MailNoTLS {
		d.bad("mail.tls", "want starttls, tls or none")
	}
	if (m.Username == "") != (m.Password == "") && !d.failed("mail.username") && !d.failed("mail.password") {
		d.bad("mail", "username and password go together")
	}
	if m.Username != "" && m.TLS == MailNoTLS && !d.failed("mail.tls") {
		d.bad("mail.tls", "a password would be sent in the open: want starttls or tls with a username")
	}
}

func isRelay(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "smtp" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
		return false
	}
	if u.Port() == "" {
		return true
	}
	p, err := strconv.ParseUint(u.Port(), 10, 16)
	return err == nil && p > 0
}

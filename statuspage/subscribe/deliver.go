package subscribe

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"sync"

	"golang.org/x/net/publicsuffix"

	"github.com/asgood-dev/asgood/internal/mail"
	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/webhook"
)

// perHost is how many deliveries may be under way to the webhooks of one domain, so that a slow one does not take
// all the room.
const perHost = 4

// attempt tells a subscriber one thing, and notes at the subscriber how that went. The first time who was not reached
// before waits for its own turn, so that those who do not answer hold up nobody who does.
func (l *lane) attempt(ctx context.Context, id string, it item, first bool) outcome {
	sub, _, err := l.s.store.get(ctx, id)
	if err != nil {
		if quality.KindOf(err) == quality.KindNotFound {
			return outcome{verdict: verdictGone}
		}
		return outcome{verdict: verdictRelay}
	}
	if !l.s.tells(sub, it) {
		if it.What == tellNotice && sub.State != StateActive {
			return outcome{verdict: verdictGone}
		}
		return outcome{}
	}
	if first && sub.FailingSince != nil {
		return outcome{verdict: verdictAgain, crowded: true}
	}
	free, ok := l.hosts.take(sub)
	if !ok {
		return outcome{verdict: verdictAgain, crowded: true}
	}
	sent, err := l.send(ctx, sub, it)
	free()
	if err == nil {
		if sent {
			l.succeeded(ctx, sub, it)
		}
		return outcome{}
	}
	return l.failedOnce(ctx, sub, it, err)
}

// tells reports whether an item is for a subscriber in its state.
func (s *Service) tells(sub Subscriber, it item) bool {
	if !slices.Contains(s.offered(), sub.Kind) {
		return false
	}
	switch it.What {
	case tellConfirm:
		return sub.State != StateActive
	case tellManage:
		return sub.State == StateActive
	default:
		return sub.State == StateActive && it.Notice != nil && sub.Choice.wants(*it.Notice)
	}
}

// send renders an item and sends it by the subscriber's channel. What is not public any more is not sent.
func (l *lane) send(ctx context.Context, sub Subscriber, it item) (sent bool, err error) {
	m, err := l.s.texts.message(ctx, sub, it, l.s.links(sub))
	if err != nil || m == nil {
		return false, err
	}
	switch l.kind {
	case KindEmail:
		return true, l.s.mail(ctx, sub, it, m)
	case KindWebhook:
		return true, l.s.hook(ctx, sub, it, m)
	case KindSlack:
		return true, l.s.post(ctx, sub, slackOf(m))
	default:
		return true, l.s.post(ctx, sub, teamsOf(m))
	}
}

func (s *Service) mail(ctx context.Context, sub Subscriber, it item, m *message) error {
	out := mail.Message{ID: messageID(it.ID, sub.ID) + "@" + s.o.Mailer.Domain(), To: sub.Address, Subject: m.Subject,
		Text: m.Text, HTML: m.HTML, Date: it.At}
	// A question is no mail of a subscription: there is nothing to unsubscribe from yet.
	if it.What != tellConfirm {
		out.Unsubscribe = m.Links.Unsubscribe
	}
	return s.o.Mailer.Send(ctx, out)
}

func (s *Service) post(ctx context.Context, sub Subscriber, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return s.hooks.Post(ctx, sub.Address, data)
}

// hook sends to a webhook. Of one that is not confirmed the answer to the challenge is awaited, and confirms it.
func (s *Service) hook(ctx context.Context, sub Subscriber, it item, m *message) error {
	if it.What == tellConfirm {
		m.Payload.Data.Challenge, m.Payload.Data.Secret = s.tokens.make(sub, toConfirm), s.tokens.secret(sub)
	}
	data, err := json.Marshal(m.Payload)
	if err != nil {
		return err
	}
	id := messageID(it.ID, sub.ID)
	if it.What != tellConfirm {
		return s.hooks.Send(ctx, sub.Address, s.tokens.secret(sub), id, data)
	}
	answer, err := s.hooks.Ask(ctx, sub.Address, s.tokens.secret(sub), id, data)
	if err != nil {
		return err
	}
	if !answers(answer, m.Payload.Data.Challenge) {
		return &webhook.Error{Retry: true, Reason: webhook.ReasonStatus, Err: errors.New("it did not answer the challenge")}
	}
	_, err = s.confirm(ctx, sub.ID, "challenge")
	return err
}

// answers reports whether a body is the challenge, as text or as the member "challenge" of a JSON object.
func answers(body []byte, challenge string) bool {
	if challenge == "" {
		return false
	}
	var o struct{ Challenge string }
	if json.Unmarshal(body, &o) == nil && o.Challenge != "" {
		return o.Challenge == challenge
	}
	return strings.TrimSpace(string(body)) == challenge
}

func (l *lane) succeeded(ctx context.Context, sub Subscriber, it item) {
	l.s.metrics.delivered.WithLabelValues(string(l.kind), string(it.What)).Inc()
	if it.What == tellConfirm || sub.FailingSince == nil {
		return
	}
	if _, err := l.s.store.update(context.WithoutCancel(ctx), sub.ID, (*Subscriber).reached); err != nil {
		l.s.o.Logger.Warn("a success was not noted", "subscriber", sub.ID, "err", err)
	}
}

// failedOnce says what a failure leads to, and notes it at the subscriber where it is the subscriber's.
func (l *lane) failedOnce(ctx context.Context, sub Subscriber, it item, err error) outcome {
	if ctx.Err() != nil {
		return outcome{verdict: verdictAgain}
	}
	f := classify(err)
	l.s.metrics.failed.WithLabelValues(string(l.kind), f.reason).Inc()
	if f.verdict == verdictRelay {
		l.s.trouble(l.kind, err)
		return outcome{verdict: verdictRelay}
	}
	quarantined := false
	if it.What != tellConfirm {
		var uerr error
		_, uerr = l.s.store.update(context.WithoutCancel(ctx), sub.ID, func(s *Subscriber) bool {
			if s.State != StateActive {
				return false
			}
			quarantined = s.failed(f.dead, f.text, l.s.o.Now())
			return true
		})
		if uerr != nil && quality.KindOf(uerr) != quality.KindNotFound {
			l.s.o.Logger.Warn("a failure was not noted", "subscriber", sub.ID, "err", uerr)
		}
	}
	switch {
	case quarantined:
		l.s.metrics.quarantined.WithLabelValues(string(l.kind)).Inc()
		l.s.o.Logger.Info("a subscriber is not reached and gets no more", "subscriber", sub.ID, "address", obfuscate(sub.Kind, sub.Address), "reason", f.text)
		return outcome{verdict: verdictGone}
	case f.dead && it.What == tellConfirm:
		return outcome{verdict: verdictGone} // whoever asked gave an address that there is not
	case f.final:
		l.s.metrics.lost(l.kind, lostRefused)
		return outcome{}
	}
	return outcome{verdict: verdictAgain, after: f.after}
}

// hosts counts what is under way to the domains of webhooks.
type hosts struct {
	mu sync.Mutex
	n  map[string]int
}

func newHosts() *hosts { return &hosts{n: map[string]int{}} }

// take reports whether one more may go to the host of a webhook, and how to give the room back.
func (h *hosts) take(sub Subscriber) (free func(), ok bool) {
	if sub.Kind != KindWebhook {
		return func() {}, true
	}
	d := domain(sub.Address)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.n[d] >= perHost {
		return nil, false
	}
	h.n[d]++
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.n[d]--; h.n[d] == 0 {
			delete(h.n, d)
		}
	}, true
}

// domain is what one owner registers of a host's name.
func domain(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	if d, err := publicsuffix.EffectiveTLDPlusOne(u.Hostname()); err == nil {
		return d
	}
	return u.Hostname()
}

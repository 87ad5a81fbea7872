package app

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/asgood-dev/asgood/internal/auth"
	"github.com/asgood-dev/asgood/internal/bus"
	"github.com/asgood-dev/asgood/internal/config"
	"github.com/asgood-dev/asgood/internal/mail"
	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/statuspage/subscribe"
)

var (
	_ subscribe.KV     = (*bus.Bucket)(nil)
	_ subscribe.Mailer = (*mail.Sender)(nil)
)

func (r *rooms) buildSubscribe(ctx context.Context, a *App) error {
	b, cfg := a.engines.bus, a.opts.Config
	reader, err := b.Reader(ctx, bus.Notices, readerSubscribe)
	if err != nil {
		return fmt.Errorf("reading stream %q: %w", bus.Notices, err)
	}
	subscribers, err := b.Bucket(ctx, bucketSubscribers)
	if err != nil {
		return err
	}
	outbox, err := b.Bucket(ctx, bucketTellings)
	if err != nil {
		return err
	}
	public, err := newNoticed(ctx, b)
	if err != nil {
		return err
	}
	key, err := secretKey(cfg.Storage.Dir)
	if err != nil {
		return err
	}
	relay, err := newRelay(cfg.Mail)
	if err != nil {
		return err
	}
	look := r.page.Look()
	// The time of deliveries is real, also where that of samples is simulated.
	r.subscribe, err = subscribe.New(subscribe.Options{
		Title: cfg.StatusPage.Title, PageURL: cfg.StatusPage.URL, Features: cfg.Features, Location: cfg.Location(),
		Languages: cfg.StatusPage.Languages, Styles: look.Styles, Logo: look.Logo,
		Offer: offer(cfg.StatusPage), Subscribers: subscribers, Outbox: outbox, Source: noticeSource{reader, a.log}, Reader: public,
		Mailer: relay, Key: key, Actor: auth.ActorOf, Audit: r.audit.Append, Logger: a.log, Registerer: a.registry,
	})
	if err != nil {
		return err
	}
	r.add("subscriptions", r.subscribe.Run)
	return nil
}

// offer is what customers can subscribe by. Without an address of the page no link would lead anywhere.
func offer(p config.StatusPage) subscribe.Offer {
	if p.URL == "" {
		return subscribe.Offer{}
	}
	return subscribe.Offer(p.Subscriptions)
}

// offersSome reports whether customers can subscribe by anything.
func offersSome(cfg *config.Config) bool {
	o := offer(cfg.StatusPage)
	return o.Email && cfg.Mail != nil || o.Webhook || o.Slack || o.Teams
}

// newRelay returns who takes mails; nil without one.
func newRelay(m *config.Mail) (subscribe.Mailer, error) {
	if m == nil {
		return nil, nil
	}
	host, port := m.Relay()
	return mail.New(mail.Options{Host: host, Port: port, Username: m.Username, Password: m.Password, From: m.From, TLS: mail.TLS(m.TLS)})
}

// noticed reads what notices speak of.
type noticed struct {
	incidents    *bus.Documents[quality.Incident]
	maintenances *bus.Documents[quality.Maintenance]
}

func newNoticed(ctx context.Context, b *bus.Bus) (noticed, error) {
	incidents, err := b.Bucket(ctx, bucketIncidents)
	if err != nil {
		return noticed{}, err
	}
	maintenances, err := b.Bucket(ctx, bucketMaintenances)
	if err != nil {
		return noticed{}, err
	}
	return noticed{bus.NewDocuments[quality.Incident](incidents), bus.NewDocuments[quality.Maintenance](maintenances)}, nil
}

func (n noticed) Incident(ctx context.Context, id string) (quality.Incident, error) {
	i, _, err := n.incidents.Get(ctx, id)
	return i, err
}

func (n noticed) Maintenance(ctx context.Context, id string) (quality.Maintenance, error) {
	m, _, err := n.maintenances.Get(ctx, id)
	return m, err
}

// noticeSource feeds the subscriptions.
type noticeSource struct {
	reader *bus.Reader
	log    *slog.Logger
}

func (s noticeSource) Next(ctx context.Context) (subscribe.Batch, error) {
	b, err := s.reader.Next(ctx, followLimits)
	if err != nil {
		return subscribe.Batch{}, err
	}
	out := subscribe.Batch{First: b.First, Last: b.Last}
	for _, m := range b.Messages {
		var n quality.Notice
		if err := json.Unmarshal(m.Data, &n); err != nil {
			s.log.Error("a notice is not readable", "seq", m.Seq, "err", err)
			continue
		}
		out.Notices = append(out.Notices, n)
	}
	return out, nil
}

func (s noticeSource) Commit(ctx context.Context, b subscribe.Batch) error {
	return s.reader.Commit(ctx, bus.Batch{Stream: bus.Notices, First: b.First, Last: b.Last})
}

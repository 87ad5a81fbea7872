package subscribe

import (
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// payload is what webhooks get, in the envelope of Standard Webhooks.
type payload struct {
	Type      string      `json:"type"` // such as incident.updated, maintenance.scheduled, subscription.challenge
	Timestamp time.Time   `json:"timestamp"`
	Data      payloadData `json:"data"`
}

type payloadData struct {
	ID          string              `json:"id,omitempty"` // of the notice
	Kind        quality.NoticeKind  `json:"kind,omitempty"`
	Incident    *incidentPayload    `json:"incident,omitempty"`
	Maintenance *maintenancePayload `json:"maintenance,omitempty"`
	Challenge   string              `json:"challenge,omitempty"` // to be answered
	Secret      string              `json:"secret,omitempty"`    // with the challenge: what all messages are signed with
	Page        string              `json:"page"`
	Manage      string              `json:"manage_url"`
	Unsubscribe string              `json:"unsubscribe_url,omitempty"`
}

type featurePayload struct {
	Name  string `json:"name"`
	Title string `json:"title"`
}

type updatePayload struct {
	ID     string    `json:"id"`
	Status string    `json:"status"`
	Body   string    `json:"body"` // Markdown
	At     time.Time `json:"at"`
}

type incidentPayload struct {
	ID         string               `json:"id"`
	Kind       quality.IncidentKind `json:"kind"`
	Name       string               `json:"name"`
	Status     string               `json:"status"`
	Features   []featurePayload     `json:"features"`
	URL        string               `json:"url"`
	StartedAt  time.Time            `json:"started_at"`
	ResolvedAt *time.Time           `json:"resolved_at"`
	NextUpdate *time.Time           `json:"next_update"`
	Update     updatePayload        `json:"update"`
}

type maintenancePayload struct {
	ID       string           `json:"id"`
	Name     string           `json:"name"`
	Status   string           `json:"status"`
	Features []featurePayload `json:"features"`
	URL      string           `json:"url"`
	From     time.Time        `json:"from"`
	To       time.Time        `json:"to"`
	Update   *updatePayload   `json:"update"`
}

func payloadOf(m *message, it item, now time.Time) payload {
	p := payload{Type: "subscription.exists", Timestamp: now.UTC(), Data: payloadData{Page: m.Title, Manage: m.Links.Manage, Unsubscribe: m.Links.Unsubscribe}}
	switch {
	case it.What == tellConfirm:
		p.Type = "subscription.challenge"
	case m.News != nil:
		p.Type = "incident." + string(it.Notice.What)
		if m.News.maintenance != nil {
			p.Type = "maintenance." + string(it.Notice.What)
		}
		p.Data.ID, p.Data.Kind = it.Notice.ID, it.Notice.Kind
		p.Data.Incident, p.Data.Maintenance = m.News.incident, m.News.maintenance
	}
	return p
}

func (t *texts) featurePayloads(names []string) []featurePayload {
	out := make([]featurePayload, len(names))
	for i, n := range names {
		out[i] = featurePayload{Name: n, Title: t.title(n)}
	}
	return out
}

func (t *texts) incidentPayload(i *quality.Incident, u *quality.IncidentUpdate, url string) *incidentPayload {
	return &incidentPayload{ID: i.ID, Kind: i.Kind, Name: i.Name, Status: string(u.Status), Features: t.featurePayloads(i.Features), URL: url,
		StartedAt: i.StartedAt, ResolvedAt: i.ResolvedAt, NextUpdate: i.NextUpdate,
		Update: updatePayload{ID: u.ID, Status: string(u.Status), Body: u.Body, At: u.At}}
}

func (t *texts) maintenancePayload(m *quality.Maintenance, u *quality.MaintenanceUpdate, url string) *maintenancePayload {
	out := &maintenancePayload{ID: m.ID, Name: m.Name, Status: string(m.Status), Features: t.featurePayloads(m.Features), URL: url, From: m.From, To: m.To}
	if u != nil {
		out.Update = &updatePayload{ID: u.ID, Status: string(u.Status), Body: u.Body, At: u.At}
	}
	return out
}

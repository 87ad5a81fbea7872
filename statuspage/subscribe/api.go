package subscribe

import (
	"cmp"
	"mime"
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
)

// apiRequest is the body of POST /api/v2/subscribers.json as clients of Statuspage send it.
type apiRequest struct {
	Subscriber struct {
		Email        string   `json:"email"`
		Endpoint     string   `json:"endpoint"`
		ComponentIDs []string `json:"component_ids"`
		Topics       []string `json:"topics"`   // ours: quality, uptime, maintenance
		Language     string   `json:"language"` // ours: of the messages; empty: by Accept-Language
	} `json:"subscriber"`
}

// apiSubscriber is the answer. Its id is that of the request, and says nothing of who is subscribed.
type apiSubscriber struct {
	ID          string     `json:"id"`
	Mode        string     `json:"mode"`
	Email       string     `json:"email,omitempty"`
	Endpoint    string     `json:"endpoint,omitempty"`
	Components  []string   `json:"components"`
	CreatedAt   time.Time  `json:"created_at"`
	Quarantined *time.Time `json:"quarantined_at"`
	PurgeAt     time.Time  `json:"purge_at"`
	Skip        bool       `json:"skip_confirmation_notification"`
}

// postAPI takes a request from a program: a form with subscriber[email], or JSON.
func (s *Service) postAPI(c *gin.Context) error {
	c.Header("Access-Control-Allow-Origin", "*")
	c.Header("Cache-Control", "no-store")
	return say(s.tongues.set.English(), s.takeAPI(c))
}

func (s *Service) takeAPI(c *gin.Context) error {
	if err := s.allow(c); err != nil {
		return err
	}
	in, err := s.readAPI(c)
	if err != nil {
		return err
	}
	kind, address := KindEmail, in.Subscriber.Email
	if in.Subscriber.Endpoint != "" {
		kind, address = endpointKind(in.Subscriber.Endpoint), in.Subscriber.Endpoint
	}
	choice := Choice{Features: in.Subscriber.ComponentIDs}
	for _, t := range in.Subscriber.Topics {
		choice.Topics = append(choice.Topics, quality.NoticeKind(t))
	}
	r, err := s.newRequest(kind, address, choice, cmp.Or(in.Subscriber.Language, s.tongues.of(c).Tag))
	if err != nil {
		return err
	}
	if err := s.ask(c.Request.Context(), r); err != nil {
		return err
	}
	out := apiSubscriber{ID: r.ID, Mode: string(kind), Components: append([]string{}, r.Choice.Features...), CreatedAt: r.At.UTC(), PurgeAt: r.At.Add(confirmTime).UTC()}
	if kind == KindEmail {
		out.Email = r.Address
	} else {
		out.Endpoint = r.Address
	}
	c.JSON(http.StatusCreated, gin.H{"subscriber": out})
	return nil
}

// endpointKind tells by the host what takes messages at a URL: Slack and Teams want their own form.
func endpointKind(endpoint string) Kind {
	for _, k := range []Kind{KindSlack, KindTeams} {
		if _, err := normalise(k, endpoint); err == nil {
			return k
		}
	}
	return KindWebhook
}

func (s *Service) readAPI(c *gin.Context) (in apiRequest, err error) {
	kind, _, _ := mime.ParseMediaType(c.GetHeader("Content-Type"))
	if kind == "application/json" {
		return in, web.ReadJSON(c, &in, maxForm)
	}
	if kind != "application/x-www-form-urlencoded" {
		return in, quality.Errorf(quality.KindInvalid, "want the header Content-Type: application/json or application/x-www-form-urlencoded")
	}
	if err := s.readForm(c); err != nil {
		return in, err
	}
	f := c.Request.PostForm
	in.Subscriber.Email, in.Subscriber.Endpoint = f.Get("subscriber[email]"), f.Get("subscriber[endpoint]")
	in.Subscriber.ComponentIDs = slices.Concat(f["subscriber[component_ids]"], f["subscriber[component_ids][]"])
	in.Subscriber.Topics, in.Subscriber.Language = f["subscriber[topics][]"], f.Get("subscriber[language]")
	return in, nil
}

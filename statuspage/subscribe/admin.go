package subscribe

import (
	"context"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
)

// Bounds of a list.
const (
	defaultList = 100
	maxList     = 1000
)

// Listed is a subscriber as people inside see it: without what would reach or replace it.
type Listed struct {
	ID           string               `json:"id"`
	Kind         Kind                 `json:"kind"`
	Address      string               `json:"address"` // obfuscated
	State        State                `json:"state"`
	Features     []string             `json:"features"` // empty: all
	Topics       []quality.NoticeKind `json:"topics"`   // empty: all
	CreatedAt    time.Time            `json:"created_at"`
	ConfirmedAt  *time.Time           `json:"confirmed_at"`
	Failures     int                  `json:"failures"`
	FailingSince *time.Time           `json:"failing_since"`
	Quarantined  *time.Time           `json:"quarantined_at"`
	Why          string               `json:"why,omitempty"`
}

// list is a part of the subscribers, by id, and how many there are of all.
type list struct {
	Counts      []count  `json:"counts"`
	Subscribers []Listed `json:"subscribers"`
	Next        string   `json:"next,omitempty"` // ?after= of the next part
}

func listedOf(s Subscriber) Listed {
	return Listed{ID: s.ID, Kind: s.Kind, Address: obfuscate(s.Kind, s.Address), State: s.State,
		Features: append([]string{}, s.Choice.Features...), Topics: append([]quality.NoticeKind{}, s.Choice.Topics...),
		CreatedAt: s.CreatedAt, ConfirmedAt: s.Confirmed, Failures: s.Failures, FailingSince: s.FailingSince, Quarantined: s.Quarantined, Why: s.Why}
}

// All returns every subscriber, by id, as people inside may see it.
func (s *Service) All(ctx context.Context) (out []Listed, err error) {
	_, err = s.count(ctx, func(sub Subscriber) error {
		if sub.State != stateGone {
			out = append(out, listedOf(sub))
		}
		return nil
	})
	return out, err
}

// RegisterInternal adds the routes for people inside.
func (s *Service) RegisterInternal(r gin.IRouter) {
	r.GET("/v1/subscribers", web.Handle(s.getList))
	r.DELETE("/v1/subscribers/:id", web.Handle(s.delete))
	r.POST("/v1/subscribers/:id/release", web.Handle(s.release))
}

func (s *Service) getList(c *gin.Context) error {
	limit, err := strconv.Atoi(c.DefaultQuery("limit", strconv.Itoa(defaultList)))
	if err != nil || limit < 1 || limit > maxList {
		return quality.Errorf(quality.KindInvalid, "limit: want 1 to %d", maxList)
	}
	kind, state, after := Kind(c.Query("kind")), State(c.Query("state")), c.Query("after")
	if kind != "" && !slices.Contains(Kinds(), kind) {
		return quality.Errorf(quality.KindInvalid, "kind: want email, webhook, slack or teams")
	}
	if state != "" && !slices.Contains([]State{StateUnconfirmed, StateActive, StateQuarantined}, state) {
		return quality.Errorf(quality.KindInvalid, "state: want unconfirmed, active or quarantined")
	}
	out := list{Subscribers: []Listed{}}
	out.Counts, err = s.count(c.Request.Context(), func(sub Subscriber) error {
		if sub.ID <= after || sub.State == stateGone || kind != "" && sub.Kind != kind || state != "" && sub.State != state {
			return nil
		}
		if len(out.Subscribers) == limit {
			out.Next = out.Subscribers[limit-1].ID
			return nil
		}
		out.Subscribers = append(out.Subscribers, listedOf(sub))
		return nil
	})
	if err != nil {
		return err
	}
	c.Header("Cache-Control", "no-store")
	c.JSON(http.StatusOK, out)
	return nil
}

// audit writes down what is about to be done to a subscriber.
func (s *Service) audit(c *gin.Context, action string, sub Subscriber) error {
	now := s.o.Now()
	return s.o.Audit(c.Request.Context(), quality.Audited{
		ID: hex.EncodeToString(newNonce()[:16]), At: now, Actor: s.o.Actor(c.Request.Context()), Action: action,
		Object: "subscriber/" + sub.ID, Detail: obfuscate(sub.Kind, sub.Address), From: c.Request.RemoteAddr,
	})
}

func (s *Service) delete(c *gin.Context) error {
	sub, _, err := s.store.get(c.Request.Context(), c.Param("id"))
	if err != nil {
		return err
	}
	if err := s.audit(c, "subscriber.removed", sub); err != nil {
		return err
	}
	if err := s.store.remove(c.Request.Context(), sub.ID, func(Subscriber) bool { return true }); err != nil {
		return err
	}
	c.JSON(http.StatusOK, listedOf(sub))
	return nil
}

// release lets a subscriber out of quarantine. One that never confirmed stays out.
func (s *Service) release(c *gin.Context) error {
	sub, _, err := s.store.get(c.Request.Context(), c.Param("id"))
	if err != nil {
		return err
	}
	if sub.State != StateQuarantined || sub.Confirmed == nil {
		return quality.Errorf(quality.KindConflict, "the subscriber is not in quarantine")
	}
	if err := s.audit(c, "subscriber.released", sub); err != nil {
		return err
	}
	sub, err = s.store.update(c.Request.Context(), sub.ID, func(sub *Subscriber) bool { return sub.State == StateQuarantined && sub.confirm(s.o.Now()) })
	if err != nil {
		return err
	}
	c.JSON(http.StatusOK, listedOf(sub))
	return nil
}

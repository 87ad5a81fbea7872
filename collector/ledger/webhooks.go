package ledger

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/collector/ledger/hooks"
	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
)

// hookReply is the answer to a webhook. Its sender shows it to whoever looks into a delivery.
type hookReply struct {
	Status string `json:"status"` // recorded, known or ignored
	ID     string `json:"id,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// notConfigured is what a source gets that has no secret here.
func notConfigured(key string) error {
	return quality.Errorf(quality.KindNotFound, "not taken: %s is not set in the configuration", key)
}

func (l *Ledger) postGitHub(g *gin.Context) {
	l.serveHook(g, quality.ChangeGitHub, func(body []byte) (hooks.Deploy, error) {
		if err := hooks.VerifyGitHub(l.opts.Spec.GitHub.Secret, g.Request.Header, body); err != nil {
			return hooks.Deploy{}, err
		}
		return hooks.GitHub(g.GetHeader("X-GitHub-Event"), body, l.opts.Spec.GitHub.Push)
	})
}

func (l *Ledger) postGitLab(g *gin.Context) {
	l.serveHook(g, quality.ChangeGitLab, func(body []byte) (hooks.Deploy, error) {
		if err := hooks.VerifyGitLab(l.opts.Spec.GitLab.Secret, g.Request.Header, body); err != nil {
			return hooks.Deploy{}, err
		}
		return hooks.GitLab(body)
	})
}

func (l *Ledger) serveHook(g *gin.Context, source quality.ChangeSource, decode func([]byte) (hooks.Deploy, error)) {
	reply, err := l.takeHook(g.Request, source, decode)
	if err != nil {
		web.Fail(g, err)
		return
	}
	g.JSON(http.StatusOK, reply)
}

// secretOf returns a source's secret and the key of the configuration that holds it.
func (l *Ledger) secretOf(source quality.ChangeSource) (secret, key string) {
	s := l.opts.Spec
	switch source {
	case quality.ChangeGitHub:
		return s.GitHub.Secret, "changes.github.secret"
	case quality.ChangeGitLab:
		return s.GitLab.Secret, "changes.gitlab.secret"
	default:
		return s.PagerDuty.RoutingKey, "changes.pagerduty.routing_key"
	}
}

func (l *Ledger) takeHook(r *http.Request, source quality.ChangeSource, decode func([]byte) (hooks.Deploy, error)) (hookReply, error) {
	if secret, key := l.secretOf(source); secret == "" {
		return hookReply{}, notConfigured(key)
	}
	d, err := l.decodeHook(r, decode)
	var c quality.Change
	if err == nil {
		c, err = l.changeOf(source, d)
	}
	var ignored hooks.Ignored
	if errors.As(err, &ignored) {
		l.metrics.count(source, resultIgnored)
		return hookReply{Status: "ignored", Reason: ignored.Error()}, nil
	}
	if err != nil {
		l.metrics.count(source, resultRefused)
		return hookReply{}, err
	}
	return l.enterHook(r.Context(), c)
}

func (l *Ledger) enterHook(ctx context.Context, c quality.Change) (hookReply, error) {
	result, err := l.record(ctx, c)
	if err != nil {
		l.metrics.count(c.Source, resultFailed)
		return hookReply{}, unavailable(err)
	}
	l.metrics.count(c.Source, result)
	if result == resultDuplicate {
		return hookReply{Status: "known", ID: c.ID}, nil
	}
	return hookReply{Status: "recorded", ID: c.ID}, nil
}

// decodeHook holds a slot until the body is decoded: it may be large.
func (l *Ledger) decodeHook(r *http.Request, decode func([]byte) (hooks.Deploy, error)) (hooks.Deploy, error) {
	if err := l.slot(r.Context()); err != nil {
		return hooks.Deploy{}, err
	}
	defer func() { <-l.reading }()
	body, err := readBody(r, maxHook)
	if err != nil {
		return hooks.Deploy{}, err
	}
	return decode(body)
}

// changeOf makes an entry of a deployment, or says why it is none.
func (l *Ledger) changeOf(source quality.ChangeSource, d hooks.Deploy) (quality.Change, error) {
	m, err := l.mapping(source, d)
	if err != nil {
		return quality.Change{}, err
	}
	now := l.opts.Now()
	c := quality.Change{
		ID: d.ID, At: d.At, Features: m.Features, Layer: m.Layer, Carries: m.Carries, Title: d.Title, Description: d.Description,
		Owner: m.Owner, Reviewer: d.Reviewer, Reference: d.Reference, Before: d.Before, After: d.After, Source: source,
	}
	if c.Owner == "" {
		c.Owner = d.Owner
	}
	if len(d.Features) > 0 {
		c.Features = d.Features
	}
	if d.Layer != "" {
		c.Layer = d.Layer
	}
	if c.At.IsZero() || c.At.After(now) { // clocks differ
		c.At = now
	}
	if now.Sub(c.At) > l.opts.Retention {
		return c, hooks.Ignored("it is older than what is kept")
	}
	if c, err = l.complete(c, now); err != nil {
		return c, err
	}
	c.SetFlag(quality.FlagStarted, d.Stage == hooks.Started)
	c.SetFlag(quality.FlagFailed, d.Stage == hooks.Failed)
	return c, nil
}

// mapping finds what a deployment changes. Where repositories are listed, others are ignored: a webhook of a
// whole organisation tells of everything. A change event of PagerDuty was sent here on purpose.
func (l *Ledger) mapping(source quality.ChangeSource, d hooks.Deploy) (quality.ChangeMap, error) {
	for _, m := range l.opts.Spec.Map {
		if strings.EqualFold(m.Repository, d.Repository) && fits(m, d) {
			if m.Layer == "" {
				m.Layer = quality.LayerServing
			}
			return m, nil
		}
	}
	everything := quality.ChangeMap{Layer: quality.LayerServing}
	switch {
	case source == quality.ChangePagerDuty && live(d):
		return everything, nil
	case len(l.opts.Spec.Map) > 0:
		return everything, hooks.Ignored(fmt.Sprintf("no entry of changes.map is for repository %q and environment %q", d.Repository, d.Environment))
	case !live(d):
		return everything, hooks.Ignored(fmt.Sprintf("environment %q is not production", d.Environment))
	}
	return everything, nil
}

func fits(m quality.ChangeMap, d hooks.Deploy) bool {
	if m.Environment == "" {
		return live(d)
	}
	return d.Environment == "" || strings.EqualFold(m.Environment, d.Environment)
}

// live reports whether a deployment reaches users.
func live(d hooks.Deploy) bool {
	return d.Production || slices.Contains([]string{"", "production", "prod", "live"}, strings.ToLower(d.Environment))
}

// pagerdutyReply has the form that clients of PagerDuty's Events API know.
type pagerdutyReply struct {
	Status  string   `json:"status"`
	Message string   `json:"message"`
	Errors  []string `json:"errors,omitempty"`
}

func (l *Ledger) postPagerDuty(g *gin.Context) {
	_, err := l.takeHook(g.Request, quality.ChangePagerDuty, func(body []byte) (hooks.Deploy, error) {
		d, err := hooks.PagerDuty(l.opts.Spec.PagerDuty.RoutingKey, body)
		d.ID = l.slotted(d)
		return d, err
	})
	if err == nil {
		g.JSON(http.StatusAccepted, pagerdutyReply{Status: "success", Message: "Change event processed"})
		return
	}
	status, problem := web.ProblemOf(err)
	reply := pagerdutyReply{Status: "invalid event", Message: "Event object is invalid", Errors: []string{problem.Message}}
	if status != http.StatusBadRequest {
		reply = pagerdutyReply{Status: problem.Kind, Message: problem.Message}
	}
	g.JSON(status, reply)
}

// slotSeconds is how long an event without a time that comes again is the same event.
const slotSeconds = 600

// slotted tells an event that is sent again from the same words at the next deployment.
func (l *Ledger) slotted(d hooks.Deploy) string {
	if !d.At.IsZero() {
		return d.ID
	}
	slot := l.opts.Now().Unix() / slotSeconds
	before := fmt.Sprintf("%s/%d", d.ID, slot-1)
	if _, known := l.book.get(before); known {
		return before
	}
	return fmt.Sprintf("%s/%d", d.ID, slot)
}

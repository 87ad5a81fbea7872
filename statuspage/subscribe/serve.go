package subscribe

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
)

// policy lets the pages load their own style, show the icon that they carry and send their own forms.
const policy = "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// maxForm bounds a form, in bytes: a choice of many features is long.
const maxForm = 256 << 10

// Register adds the routes for everyone. Where no kind is offered there are none, but those by which who was
// subscribed before can leave.
func (s *Service) Register(r gin.IRouter) {
	both := func(path string, h gin.HandlerFunc) {
		r.GET(path, h)
		r.HEAD(path, h)
	}
	both(s.pages.stylePath, s.pages.style)
	both("/subscribe", web.Handle(s.form))
	r.POST("/subscribe", web.Handle(s.postForm))
	both("/subscribe/confirm/:token", web.Handle(s.getConfirm))
	r.POST("/subscribe/confirm/:token", web.Handle(s.postConfirm))
	both("/subscribe/manage/:token", web.Handle(s.getManage))
	r.POST("/subscribe/manage/:token", web.Handle(s.postManage))
	both("/unsubscribe/:token", web.Handle(s.getUnsubscribe))
	r.POST("/unsubscribe/:token", web.Handle(s.postUnsubscribe))
	r.POST("/api/v2/subscribers.json", web.Handle(s.postAPI))
}

// caller is the address that a request came from: as a trusted proxy says it, or that of the connection. All
// whose address cannot be read count as one.
func caller(c *gin.Context) netip.Addr {
	a, err := netip.ParseAddr(c.ClientIP())
	if err != nil {
		return netip.Addr{}
	}
	return a
}

func (s *Service) allow(c *gin.Context) error { return s.limits.request(caller(c), s.o.Now()) }

// bearer returns the subscriber of the link that was followed, for a purpose.
func (s *Service) bearer(c *gin.Context, p purpose) (Subscriber, error) {
	if err := s.limits.link(caller(c), s.o.Now()); err != nil {
		return Subscriber{}, err
	}
	return s.holder(c.Request.Context(), c.Param("token"), p)
}

// errLink is the answer to a link that does not work, whatever the reason.
var errLink = quality.Errorf(quality.KindNotFound, "this link does not work, or not any more")

// holder returns the subscriber of a token that is good for a purpose.
func (s *Service) holder(ctx context.Context, token string, p purpose) (Subscriber, error) {
	id, mac, err := s.tokens.read(token)
	if err != nil {
		return Subscriber{}, errLink
	}
	sub, _, err := s.store.get(ctx, id)
	if err != nil && quality.KindOf(err) == quality.KindNotFound || err == nil && !s.tokens.good(sub, p, mac) {
		return Subscriber{}, errLink
	}
	if err == nil && sub.State == StateUnconfirmed && sub.over(s.o.Now()) {
		return Subscriber{}, errLink
	}
	return sub, err
}

func (s *Service) form(c *gin.Context) error {
	return s.pages.draw(c, http.StatusOK, "form", s.pages.formView(Choice{}, s.firstKind(), "", ""))
}

func (s *Service) firstKind() Kind {
	if o := s.offered(); len(o) > 0 {
		return o[0]
	}
	return ""
}

func (s *Service) postForm(c *gin.Context) error {
	if err := s.readForm(c); err != nil {
		return err
	}
	if err := s.allow(c); err != nil {
		return s.refuse(c, err, Choice{}, s.firstKind(), "")
	}
	kind, address := Kind(c.Request.PostForm.Get("kind")), c.Request.PostForm.Get("address")
	choice, err := chosen(c.Request.PostForm)
	var r request
	if err == nil {
		r, err = s.newRequest(kind, address, choice)
	}
	if err == nil {
		err = s.ask(c.Request.Context(), r)
	}
	if err != nil {
		return s.refuse(c, err, choice, kind, address)
	}
	return s.pages.draw(c, http.StatusOK, "asked", s.pages.askedView(kind))
}

// refuse shows the form again with what is wrong, in the words that the error has for strangers.
func (s *Service) refuse(c *gin.Context, err error, choice Choice, k Kind, address string) error {
	status, p := web.ProblemOf(err)
	if status == http.StatusInternalServerError {
		return err
	}
	return s.pages.draw(c, status, "form", s.pages.formView(choice, k, address, p.Message))
}

func (s *Service) readForm(c *gin.Context) error {
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, maxForm)
	if err := c.Request.ParseForm(); err != nil {
		return quality.Errorf(quality.KindInvalid, "the form is not readable")
	}
	return nil
}

// chosen reads what a form chose: every box that is ticked.
func chosen(form url.Values) (c Choice, err error) {
	c.Features = form["feature"]
	for _, t := range form["topic"] {
		c.Topics = append(c.Topics, quality.NoticeKind(t))
	}
	// Of nothing at all there is nothing to tell; where there are no features there are no boxes.
	if len(c.Topics) == 0 || form.Has("features") && len(c.Features) == 0 {
		return c, quality.Errorf(quality.KindInvalid, "choose at least one of each list")
	}
	return c, nil
}

func (s *Service) getConfirm(c *gin.Context) error {
	sub, err := s.bearer(c, toConfirm)
	if err != nil {
		return s.lost(c, err)
	}
	return s.pages.draw(c, http.StatusOK, "confirm", s.pages.subscriberView(sub))
}

func (s *Service) postConfirm(c *gin.Context) error {
	sub, err := s.bearer(c, toConfirm)
	if err != nil {
		return s.lost(c, err)
	}
	if sub, err = s.confirm(c.Request.Context(), sub.ID, "link"); err != nil {
		return s.lost(c, err)
	}
	return s.pages.draw(c, http.StatusOK, "confirmed", s.pages.subscriberView(sub))
}

// confirm makes a subscriber active.
func (s *Service) confirm(ctx context.Context, id, by string) (Subscriber, error) {
	was := false
	sub, err := s.store.update(ctx, id, func(sub *Subscriber) bool { was = sub.confirm(s.o.Now()); return was })
	if err == nil && was {
		s.o.Logger.Info("a subscription was confirmed", "subscriber", id, "kind", string(sub.Kind), "by", by)
	}
	return sub, err
}

func (s *Service) getManage(c *gin.Context) error {
	sub, err := s.bearer(c, toManage)
	if err != nil {
		return s.lost(c, err)
	}
	return s.pages.draw(c, http.StatusOK, "manage", s.pages.subscriberView(sub))
}

func (s *Service) postManage(c *gin.Context) error {
	sub, err := s.bearer(c, toManage)
	if err != nil {
		return s.lost(c, err)
	}
	if err := s.readForm(c); err != nil {
		return err
	}
	choice, err := chosen(c.Request.PostForm)
	if err == nil {
		choice, err = s.choice(choice)
	}
	if err != nil {
		_, p := web.ProblemOf(err)
		v := s.pages.subscriberView(sub)
		v.Problem = p.Message
		return s.pages.draw(c, http.StatusBadRequest, "manage", v)
	}
	sub, err = s.store.update(c.Request.Context(), sub.ID, func(sub *Subscriber) bool { sub.Choice = choice; return true })
	if err != nil {
		return s.lost(c, err)
	}
	v := s.pages.subscriberView(sub)
	v.Done = "Saved."
	return s.pages.draw(c, http.StatusOK, "manage", v)
}

func (s *Service) getUnsubscribe(c *gin.Context) error {
	sub, err := s.bearer(c, toUnsubscribe)
	if err != nil {
		return s.lost(c, err)
	}
	return s.pages.draw(c, http.StatusOK, "leave", s.pages.subscriberView(sub))
}

// postUnsubscribe ends a subscription, by the button or by one click of a mail program (RFC 8058). Who does it
// twice is told the same.
func (s *Service) postUnsubscribe(c *gin.Context) error {
	sub, err := s.bearer(c, toUnsubscribe)
	if err == nil {
		err = s.store.remove(c.Request.Context(), sub.ID, func(Subscriber) bool { return true })
	}
	if err != nil && quality.KindOf(err) != quality.KindNotFound {
		return err
	}
	if sub.ID != "" {
		s.o.Logger.Info("a subscription was ended", "subscriber", sub.ID, "kind", string(sub.Kind), "by", "link")
	}
	return s.pages.draw(c, http.StatusOK, "left", s.pages.view("You are not subscribed any more"))
}

// lost shows a page for a link that does not work.
func (s *Service) lost(c *gin.Context, err error) error {
	if quality.KindOf(err) != quality.KindNotFound {
		return err
	}
	return s.pages.draw(c, http.StatusNotFound, "lost", s.pages.view("This link does not work"))
}

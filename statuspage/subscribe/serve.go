package subscribe

import (
	"cmp"
	"context"
	"net/http"
	"net/netip"
	"net/url"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
)

// policy lets the pages load their own styles and logo, show the icon that they carry and send their own forms.
const policy = "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

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
	return s.pages.draw(c, http.StatusOK, "form", s.pages.formView(s.tongues.of(c), asking{Kind: s.firstKind()}, ""))
}

func (s *Service) firstKind() Kind {
	if o := s.offered(); len(o) > 0 {
		return o[0]
	}
	return ""
}

func (s *Service) postForm(c *gin.Context) error {
	l := s.tongues.of(c)
	a := asking{Kind: s.firstKind()}
	err := s.readForm(c)
	if err == nil {
		err = s.allow(c)
	}
	if err == nil {
		a, err = s.asked(c, l)
	}
	if err != nil {
		return s.refuse(c, l, err, a)
	}
	return s.pages.draw(c, http.StatusOK, "asked", s.pages.askedView(l, a.Kind))
}

// asked takes the request of a form, and returns what was filled in also when it cannot.
func (s *Service) asked(c *gin.Context, l *tongue) (a asking, err error) {
	f := c.Request.PostForm
	a = asking{Kind: Kind(f.Get("kind")), Address: f.Get("address"), Lang: cmp.Or(f.Get("language"), l.Tag)}
	if a.Choice, err = chosen(f); err != nil {
		return a, err
	}
	r, err := s.newRequest(a.Kind, a.Address, a.Choice, a.Lang)
	if err != nil {
		return a, err
	}
	return a, s.ask(c.Request.Context(), r)
}

// refuse shows the form again with what is wrong, in the words that the error has for strangers.
func (s *Service) refuse(c *gin.Context, l *tongue, err error, a asking) error {
	status, p := web.ProblemOf(say(l.Language, err))
	if status == http.StatusInternalServerError {
		return err
	}
	return s.pages.draw(c, status, "form", s.pages.formView(l, a, p.Message))
}

func (s *Service) readForm(c *gin.Context) error {
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, maxForm)
	if err := c.Request.ParseForm(); err != nil {
		return wrong("subscribe.wrong.form")
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
		return c, wrong("subscribe.wrong.nothing")
	}
	return c, nil
}

func (s *Service) getConfirm(c *gin.Context) error {
	sub, err := s.bearer(c, toConfirm)
	if err != nil {
		return s.lost(c, err)
	}
	return s.pages.draw(c, http.StatusOK, "confirm", s.pages.subscriberView(s.tongues.of(c), sub))
}

func (s *Service) postConfirm(c *gin.Context) error {
	sub, err := s.bearer(c, toConfirm)
	if err != nil {
		return s.lost(c, err)
	}
	if sub, err = s.confirm(c.Request.Context(), sub.ID, "link"); err != nil {
		return s.lost(c, err)
	}
	return s.pages.draw(c, http.StatusOK, "confirmed", s.pages.subscriberView(s.tongues.of(c), sub))
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
	return s.pages.draw(c, http.StatusOK, "manage", s.pages.subscriberView(s.tongues.of(c), sub))
}

func (s *Service) postManage(c *gin.Context) error {
	sub, err := s.bearer(c, toManage)
	if err != nil {
		return s.lost(c, err)
	}
	l := s.tongues.of(c)
	choice, lang, err := s.changed(c, sub)
	if err != nil {
		status, p := web.ProblemOf(say(l.Language, err))
		v := s.pages.subscriberView(l, sub)
		v.Problem = p.Message
		return s.pages.draw(c, status, "manage", v)
	}
	sub, err = s.store.update(c.Request.Context(), sub.ID, func(sub *Subscriber) bool { sub.Choice, sub.Lang = choice, lang; return true })
	if err != nil {
		return s.lost(c, err)
	}
	v := s.pages.subscriberView(l, sub)
	v.Done = l.Say("subscribe.saved")
	return s.pages.draw(c, http.StatusOK, "manage", v)
}

// changed reads what a subscriber wants from now on.
func (s *Service) changed(c *gin.Context, sub Subscriber) (choice Choice, lang string, err error) {
	if err = s.readForm(c); err != nil {
		return choice, "", err
	}
	if choice, err = chosen(c.Request.PostForm); err != nil {
		return choice, "", err
	}
	lang = cmp.Or(c.Request.PostForm.Get("language"), sub.Lang)
	if _, ok := s.tongues.set.Named(lang); lang != sub.Lang && !ok {
		return choice, "", wrong("subscribe.wrong.language")
	}
	choice, err = s.choice(choice)
	return choice, lang, err
}

func (s *Service) getUnsubscribe(c *gin.Context) error {
	sub, err := s.bearer(c, toUnsubscribe)
	if err != nil {
		return s.lost(c, err)
	}
	return s.pages.draw(c, http.StatusOK, "leave", s.pages.subscriberView(s.tongues.of(c), sub))
}

// postUnsubscribe ends a subscription, by the button or by one click of a mail program (RFC 8058). Who does it
// twice is told the same.
func (s *Service) postUnsubscribe(c *gin.Context) error {
	sub, err := s.bearer(c, toUnsubscribe)
	if err == nil {
		err = s.store.remove(c.Request.Context(), sub.ID, func(Subscriber) bool { return true })
	}
	if err != nil && quality.KindOf(err) != quality.KindNotFound {
		return say(s.tongues.of(c).Language, err)
	}
	if sub.ID != "" {
		s.o.Logger.Info("a subscription was ended", "subscriber", sub.ID, "kind", string(sub.Kind), "by", "link")
	}
	return s.pages.draw(c, http.StatusOK, "left", s.pages.view(s.tongues.of(c), "subscribe.left"))
}

// lost shows a page for a link that does not work.
func (s *Service) lost(c *gin.Context, err error) error {
	if quality.KindOf(err) != quality.KindNotFound {
		return say(s.tongues.of(c).Language, err)
	}
	return s.pages.draw(c, http.StatusNotFound, "lost", s.pages.view(s.tongues.of(c), "subscribe.lost"))
}

package statuspage

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
	"github.com/asgood-dev/asgood/statuspage/speech"
)

// Private configures the pages of customers. Check, Days and Streams are required.
type Private struct {
	// Check returns the customer of a link. An error of kind not found is that of a link that nobody made;
	// ErrLinkExpired and ErrLinkRevoked are told to who holds the link.
	Check func(ctx context.Context, token string) (customer string, err error)
	// Days sums the scores of one customer, whose samples may carry any of the names. Both ends are midnights in loc;
	// to is not included.
	Days func(ctx context.Context, names []string, loc *time.Location, from, to time.Time) ([]quality.ScoreDay, error)
	// Streams returns what the streams of a monitor know. Of those of other customers nothing is used.
	Streams   func(feature, metric string) []quality.StreamStatus
	Customers []quality.Customer // titles and other names; who is not among them has none
	Least     uint64             // answers of their own that a figure of their own needs
}

// Why a link leads nowhere any more.
var (
	ErrLinkExpired = errors.New("the link expired")
	ErrLinkRevoked = errors.New("the link was taken back")
)

// privatePath is that of a customer's page; what follows it is the secret of the link.
const privatePath = "/private/:token"

// registerPrivate adds the pages of customers, where there are any.
func (p *Page) registerPrivate(r gin.IRouter) {
	if p.opts.Private != nil {
		both(r, privatePath, web.Handle(p.private))
	}
}

// private answers with the page of the customer whose link it is.
func (p *Page) private(c *gin.Context) error {
	l := p.language(c)
	c.Header("Referrer-Policy", "no-referrer") // the address is a secret
	c.Header("X-Robots-Tag", "noindex, nofollow, noarchive")
	name, err := p.opts.Private.Check(c.Request.Context(), c.Param("token"))
	switch {
	case err == nil:
	case errors.Is(err, ErrLinkExpired):
		return p.closed(c, l, http.StatusForbidden, "customer.expired")
	case errors.Is(err, ErrLinkRevoked):
		return p.closed(c, l, http.StatusForbidden, "customer.revoked")
	case quality.KindOf(err) == quality.KindNotFound:
		d, _, err := p.view.Load().document(l, lostPath)
		if err != nil {
			return err
		}
		p.privately(c, d, http.StatusNotFound)
		return nil
	default:
		p.log.Error("a link of a customer is not checked", "err", err)
		return p.closed(c, l, http.StatusServiceUnavailable, "customer.unchecked")
	}
	d, err := p.customerPage(c.Request.Context(), l, name)
	if err != nil {
		return err
	}
	p.privately(c, d, http.StatusOK)
	return nil
}

// privately sends a page that nobody may keep.
func (p *Page) privately(c *gin.Context, d document, status int) {
	c.Header("Content-Security-Policy", policy)
	send(c, d, status, "private, no-store")
}

// closedPage says why a link leads nowhere.
type closedPage struct {
	frame
	Why string
}

func (p *Page) closed(c *gin.Context, l *speech.Language, status int, why string) error {
	v := p.view.Load()
	d, err := p.render.in(l).draw("customer_closed.html", closedPage{frame: v.frame(p.render.in(l), "/"), Why: l.Say(why)})
	if err != nil {
		return err
	}
	p.privately(c, d, status)
	return nil
}

// registered returns the entry of a customer in the registry, and all names that its samples may carry.
func (o *Private) registered(name string) (quality.Customer, []string) {
	for _, c := range o.Customers {
		if c.Name == name {
			return c, append([]string{name}, c.Aliases...)
		}
	}
	return quality.Customer{Name: name}, []string{name}
}

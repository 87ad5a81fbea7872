package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/auth"
	"github.com/asgood-dev/asgood/internal/auth/links"
	"github.com/asgood-dev/asgood/internal/config"
	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
	"github.com/asgood-dev/asgood/statuspage"
)

// purposePrivate is that of links to the page of a customer.
const purposePrivate = "private-page"

// private is what the status page needs for the pages of customers. The evaluator is made after the page, and asked
// when it runs.
func (r *rooms) private(a *App) *statuspage.Private {
	return &statuspage.Private{
		Check: r.checkLink, Days: a.engines.store.CustomerDays, Customers: a.opts.Config.Customers, Least: uint64(a.opts.Config.StatusPage.Private.Least),
		Streams: func(feature, metric string) []quality.StreamStatus {
			return r.evaluator.StreamStatuses(feature, metric)
		},
	}
}

// checkLink returns the customer of a link to its page.
func (r *rooms) checkLink(ctx context.Context, token string) (string, error) {
	l, err := r.links.Check(ctx, token, purposePrivate)
	switch {
	case errors.Is(err, links.ErrExpired):
		return "", fmt.Errorf("%w: %w", statuspage.ErrLinkExpired, err)
	case errors.Is(err, links.ErrRevoked):
		return "", fmt.Errorf("%w: %w", statuspage.ErrLinkRevoked, err)
	}
	return l.Customer, err
}

// CustomerLink is a link to the page of a customer. Its address is told once, when it is made.
type CustomerLink struct {
	links.Link
	State string `json:"state"` // active, expired or revoked
	URL   string `json:"url,omitempty"`
}

// CustomerLinks is the answer to a question for all links of a customer.
type CustomerLinks struct {
	Links []CustomerLink `json:"links"` // the newest first
}

// customerLinkSpec asks for a link.
type customerLinkSpec struct {
	Expires string `json:"expires"` // from now, such as 720h or 30d
}

// maxLinkSpec bounds the body that asks for a link, in bytes.
const maxLinkSpec = 4 << 10

// registerCustomers adds the routes by which links to pages of customers are made, listed and taken back.
func (a *App) registerCustomers(r gin.IRouter) {
	r.GET("/v1/customers/:name/links", web.Handle(a.listCustomerLinks))
	r.POST("/v1/customers/:name/links", web.Handle(a.makeCustomerLink))
	r.DELETE("/v1/customers/:name/links/:id", web.Handle(a.revokeCustomerLink))
}

// shownLink is a link as staff see it.
func shownLink(l links.Link) CustomerLink {
	return CustomerLink{Link: l, State: l.State(time.Now())}
}

func (a *App) listCustomerLinks(c *gin.Context) error {
	out := CustomerLinks{Links: []CustomerLink{}}
	for _, l := range a.rooms.links.List(c.Param("name")) {
		if l.Purpose == purposePrivate {
			out.Links = append(out.Links, shownLink(l))
		}
	}
	c.Header("Cache-Control", "no-store")
	c.JSON(http.StatusOK, out)
	return nil
}

func (a *App) makeCustomerLink(c *gin.Context) error {
	var spec customerLinkSpec
	if err := web.ReadJSON(c, &spec, maxLinkSpec); err != nil {
		return err
	}
	name := c.Param("name")
	if err := ownName(a.opts.Config.Customers, name); err != nil {
		return err
	}
	life, err := config.ParseDuration(spec.Expires)
	if err != nil {
		return quality.Errorf(quality.KindInvalid, "field %q: %w", "expires", err)
	}
	ctx := c.Request.Context()
	token, l, err := a.rooms.links.Make(ctx, name, purposePrivate, time.Now().Add(life), auth.ActorOf(ctx))
	if err != nil {
		return err
	}
	out := shownLink(l)
	out.URL = a.publicURL() + "/private/" + token
	c.Header("Cache-Control", "no-store")
	c.JSON(http.StatusOK, out)
	return nil
}

// ownName refuses a name that belongs to a customer of another name: the page is the customer's, with all its names.
func ownName(customers []quality.Customer, name string) error {
	for _, c := range customers {
		for _, alias := range c.Aliases {
			if alias == name {
				return quality.Errorf(quality.KindInvalid, "%q is another name of customer %q: make the link for that", name, c.Name)
			}
		}
	}
	return nil
}

func (a *App) revokeCustomerLink(c *gin.Context) error {
	ctx, id := c.Request.Context(), c.Param("id")
	for _, l := range a.rooms.links.List(c.Param("name")) {
		if l.ID != id || l.Purpose != purposePrivate {
			continue
		}
		l, err := a.rooms.links.Revoke(ctx, id, auth.ActorOf(ctx))
		if err != nil {
			return err
		}
		c.JSON(http.StatusOK, shownLink(l))
		return nil
	}
	return quality.Errorf(quality.KindNotFound, "customer %.60q has no link with the id %.40q", c.Param("name"), id)
}

// MakeCustomerLink asks the running server for a link to the page of a customer, which works for so long.
func MakeCustomerLink(ctx context.Context, o KeyOptions, customer, expires string) (l CustomerLink, err error) {
	return l, o.ask(ctx, http.MethodPost, customerPath(customer), customerLinkSpec{Expires: expires}, &l)
}

// ListCustomerLinks asks the running server for the links of a customer.
func ListCustomerLinks(ctx context.Context, o KeyOptions, customer string) ([]CustomerLink, error) {
	var list CustomerLinks
	err := o.ask(ctx, http.MethodGet, customerPath(customer), nil, &list)
	return list.Links, err
}

// RevokeCustomerLink has the running server end a link of a customer for good.
func RevokeCustomerLink(ctx context.Context, o KeyOptions, customer, id string) (l CustomerLink, err error) {
	return l, o.ask(ctx, http.MethodDelete, customerPath(customer)+"/"+url.PathEscape(id), nil, &l)
}

func customerPath(customer string) string {
	return "/v1/customers/" + url.PathEscape(customer) + "/links"
}

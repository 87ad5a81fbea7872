package console

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/quality"
)

// linkLife is how long a link lasts unless another time is given.
const linkLife = 30 * 24 * time.Hour

// maxLinks bounds the links that a page lists.
const maxLinks = 200

// customerRow is a customer that has links.
type customerRow struct {
	Name         string
	Active, Over int
	LastUsed     time.Time
}

// customerList is the page of customers.
type customerList struct {
	Absent bool
	Rows   []customerRow
	Left   int
	Form   linkForm
}

// linkForm is what the form that makes a link holds.
type linkForm struct{ Customer, Expires string }

func (c *Console) customers(*gin.Context) (view, error) {
	v := view{name: "customers", Title: "Customers", Section: "customers", Crumbs: []crumb{{"Overview", root}}}
	p := customerList{Absent: c.o.Customers == nil, Form: c.newLink("")}
	if !p.Absent {
		p.Rows = customerRows(c.o.Customers.Links(""))
		p.Left = max(0, len(p.Rows)-maxLinks)
		p.Rows = p.Rows[:len(p.Rows)-p.Left]
	}
	v.Page = &p
	return v, nil
}

func (c *Console) newLink(customer string) linkForm {
	return linkForm{Customer: customer, Expires: c.o.Now().Add(linkLife).In(c.o.Location).Format(timeLayouts[0])}
}

// customerRows gathers links by customer, in the order of the names. It is pure.
func customerRows(links []CustomerLink) (out []customerRow) {
	at := map[string]int{}
	for _, l := range links {
		i, known := at[l.Customer]
		if !known {
			i = len(out)
			at[l.Customer], out = i, append(out, customerRow{Name: l.Customer})
		}
		r := &out[i]
		if r.Over++; l.State == "active" {
			r.Active, r.Over = r.Active+1, r.Over-1
		}
		if l.LastUsed.After(r.LastUsed) {
			r.LastUsed = l.LastUsed
		}
	}
	slices.SortFunc(out, func(a, b customerRow) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// customerView is the page of one customer.
type customerView struct {
	Name  string
	Links []CustomerLink
	Left  int
	Made  string // the address of the link that was just made, which is shown this once
	Until time.Time
	Form  linkForm
}

func (c *Console) customerPage(g *gin.Context) (view, error) { return c.customerOf(tail(g, "name")) }

func (c *Console) customerOf(name string) (view, error) {
	if c.o.Customers == nil || name == "" || len(name) > quality.MaxNameLen {
		return view{}, quality.Errorf(quality.KindNotFound, "no customer %.80q", name)
	}
	v := view{name: "customer", Title: name, Section: "customers", Crumbs: []crumb{{"Customers", root + "/customers"}}}
	p := customerView{Name: name, Links: c.o.Customers.Links(name), Form: c.newLink(name)}
	p.Left = max(0, len(p.Links)-maxLinks)
	p.Links = p.Links[:len(p.Links)-p.Left]
	v.Page = &p
	return v, nil
}

// makeLink answers with the page itself: what leads to a customer's figures stands in no address of the console.
func (c *Console) makeLink(g *gin.Context) (view, error) {
	if err := c.customerForm(g); err != nil {
		return view{}, err
	}
	f := linkForm{Customer: field(g, "customer"), Expires: field(g, "expires")}
	expires, err := c.when("expires", f.Expires)
	var to string
	if err == nil && f.Customer == "" {
		err = quality.Errorf(quality.KindInvalid, `field "customer": required`)
	}
	if err == nil {
		to, err = c.o.Customers.MakeLink(g.Request.Context(), f.Customer, expires)
	}
	v, shown := c.customerOf(f.Customer)
	if shown != nil {
		v, shown = c.customers(g)
	}
	switch p := v.Page.(type) {
	case *customerView:
		if err == nil {
			p.Made, p.Until = to, expires
			return v, nil
		}
		p.Form = f
	case *customerList:
		p.Form = f
	}
	return refused(v, shown, err, "customer", "expires")
}

func (c *Console) customerForm(g *gin.Context) error {
	if c.o.Customers == nil {
		return quality.Errorf(quality.KindNotFound, "there are no customer links here")
	}
	return parseForm(g)
}

func (c *Console) revokeLink(g *gin.Context) (view, error) {
	if err := c.customerForm(g); err != nil {
		return view{}, err
	}
	customer := g.PostForm("customer")
	if err := c.o.Customers.RevokeLink(g.Request.Context(), g.Param("id")); err != nil {
		v, shown := c.customerOf(customer)
		return refused(v, shown, err)
	}
	return done(customerURL(customer), "unlinked")
}

func customerURL(name string) string { return root + "/customers/" + url.PathEscape(name) }

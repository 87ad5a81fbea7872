package app

import (
	"context"
	"net"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/auth"
	"github.com/asgood-dev/asgood/internal/auth/links"
	"github.com/asgood-dev/asgood/statuspage/console"
)

// consoleCustomers are the links of customers as the console uses them.
type consoleCustomers struct {
	book *links.Book
	url  func() string // of the status page
}

// Links lists links without their secrets, those of a customer or of all.
func (c consoleCustomers) Links(customer string) []console.CustomerLink {
	list, now := c.book.List(customer), time.Now()
	out := make([]console.CustomerLink, 0, len(list))
	for _, l := range list {
		if l.Purpose == purposePrivate {
			out = append(out, console.CustomerLink{ID: l.ID, Customer: l.Customer, State: l.State(now), By: l.By.String(), Created: l.Created,
				Expires: l.Expires, Revoked: l.Revoked, LastUsed: l.LastUsed, Uses: l.Uses})
		}
	}
	return out
}

// MakeLink returns the address of a new link.
func (c consoleCustomers) MakeLink(ctx context.Context, customer string, expires time.Time) (string, error) {
	token, _, err := c.book.Make(ctx, customer, purposePrivate, expires, auth.ActorOf(ctx))
	if err != nil {
		return "", err
	}
	return c.url() + "/private/" + token, nil
}

// RevokeLink ends a link.
func (c consoleCustomers) RevokeLink(ctx context.Context, id string) error {
	_, err := c.book.Revoke(ctx, id, auth.ActorOf(ctx))
	return err
}

// publicURL is where customers reach the status page: as configured, else by the address of its listener.
func (a *App) publicURL() string {
	if url := a.opts.Config.StatusPage.URL; url != "" {
		return strings.TrimSuffix(url, "/")
	}
	host, port, err := net.SplitHostPort(a.addr[listenerPublic])
	if err != nil {
		return "http://" + a.addr[listenerPublic]
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}

package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/asgood-dev/asgood/collector/ledger"
	"github.com/asgood-dev/asgood/internal/auth"
	"github.com/asgood-dev/asgood/internal/bus"
	"github.com/asgood-dev/asgood/internal/config"
	"github.com/asgood-dev/asgood/internal/quality"
)

var _ ledger.Store = (*bus.Bucket)(nil)

func (r *rooms) buildLedger(ctx context.Context, a *App) (err error) {
	if r.ledger, err = openLedger(ctx, a.engines.bus, a.opts.Config, a.opts.Now, a.log, a.registry); err != nil {
		return err
	}
	r.add("ledger of changes", r.ledger.Run)
	return nil
}

func openLedger(ctx context.Context, b *bus.Bus, cfg *config.Config, now func() time.Time, log *slog.Logger, r prometheus.Registerer) (*ledger.Ledger, error) {
	changes, err := b.Bucket(ctx, bucketChanges)
	if err != nil {
		return nil, err
	}
	state, err := b.Bucket(ctx, bucketLedger)
	if err != nil {
		return nil, err
	}
	return ledger.New(ctx, ledger.Options{
		Features: cfg.Features, Spec: cfg.Changes, Changes: changes, State: state, Retention: cfg.Retention.Scores,
		Allow: auth.Guard{}.Allow, Now: now, Logger: log, Registerer: r,
		Tell: func(ctx context.Context, c quality.Change) error {
			return publish(ctx, b, bus.Events, "change-"+c.ID, quality.Event{Change: &c})
		},
	})
}

// ChangeOptions say which ledger a command works on.
type ChangeOptions struct {
	Config *config.Config
	Server string // address of the listener; empty means the configuration's, or the data directory when nothing answers there
	Key    string // for an ingest listener that asks for one
	Logger *slog.Logger
}

// AddChange enters one change, in a running server or in the data directory of one that does not run. It
// returns the id, and whether it is new. What is wrong with the change is an error of kind invalid.
func AddChange(ctx context.Context, o ChangeOptions, c quality.Change) (id string, added bool, err error) {
	c.Source = quality.ChangeCLI
	result, err := o.add(ctx, c)
	switch {
	case len(result.Rejected) > 0:
		return "", false, quality.Errorf(quality.KindInvalid, "%s", result.Rejected[0].Error)
	case err != nil:
		return "", false, err
	case len(result.IDs) != 1:
		return "", false, errors.New("the ledger did not say what became of the change")
	}
	return result.IDs[0], result.Accepted == 1, nil
}

func (o ChangeOptions) add(ctx context.Context, c quality.Change) (result ledger.Result, err error) {
	if addr, ok := running(ctx, o.Server, o.Config.Listen.Ingest); ok {
		data, err := json.Marshal(c)
		if err != nil {
			return result, fmt.Errorf("encoding a change: %w", err)
		}
		return result, ask(ctx, http.MethodPost, addr+"/v1/changes", o.Key, data, &result)
	}
	err = o.withLedger(ctx, func(l *ledger.Ledger) error {
		result, err = l.Accept(ctx, []quality.Change{c})
		return err
	})
	return result, err
}

// ChangePage is a part of the ledger, the newest first.
type ChangePage = ledger.Page

// ListChanges returns a page of the ledger. The parameters are those of GET /v1/changes.
func ListChanges(ctx context.Context, o ChangeOptions, parameters url.Values) (page ChangePage, err error) {
	q, err := ledger.ParseQuery(parameters)
	if err != nil {
		return page, err
	}
	if addr, ok := running(ctx, o.Server, o.Config.Listen.Internal); ok {
		return page, ask(ctx, http.MethodGet, addr+"/v1/changes?"+q.Values().Encode(), "", nil, &page)
	}
	err = o.withLedger(ctx, func(l *ledger.Ledger) error {
		page = l.List(q)
		return nil
	})
	return page, err
}

// running is the base of a server's URLs, when one is named or answers where the configuration says.
func running(ctx context.Context, server, configured string) (string, bool) {
	addr := server
	if addr == "" {
		if !answers(ctx, configured) {
			return "", false
		}
		addr = reachable(configured)
	}
	if !strings.Contains(addr, "://") {
		addr = "http://" + addr
	}
	return strings.TrimSuffix(addr, "/"), true
}

// reachable is how this machine reaches an address that a listener is bound to.
func reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err == nil && (host == "" || ip != nil && ip.IsUnspecified()) {
		return net.JoinHostPort("localhost", port)
	}
	return addr
}

// withLedger opens the ledger of the data directory for one piece of work.
func (o ChangeOptions) withLedger(ctx context.Context, fn func(*ledger.Ledger) error) (err error) {
	r := prometheus.NewRegistry()
	b, err := openBus(ctx, o.Config, o.Logger, r)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	l, err := openLedger(ctx, b, o.Config, time.Now, o.Logger, r)
	if err != nil {
		return err
	}
	return fn(l)
}

// askTime bounds a question to a server, and maxAnswer what is read of its answer.
const (
	askTime   = 30 * time.Second
	maxAnswer = 64 << 20
)

// ask sends a request to a server and decodes its answer. A refusal is decoded too, and is an error with the
// server's words.
func ask(ctx context.Context, method, address, key string, body []byte, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return quality.Errorf(quality.KindInvalid, "server address: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("asking the server: %w", err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("reading the answer of the server: %w", err)
	}
	decoded := json.Unmarshal(data, answer)
	if res.StatusCode == http.StatusOK && decoded == nil {
		return nil
	}
	return refusal(res, data)
}

func refusal(res *http.Response, data []byte) error {
	var problem struct {
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	kind := quality.KindInternal
	switch res.StatusCode {
	case http.StatusBadRequest:
		kind = quality.KindInvalid
	case http.StatusUnauthorized:
		kind = quality.KindUnauthenticated
	case http.StatusNotFound:
		kind = quality.KindNotFound
	}
	if json.Unmarshal(data, &problem) != nil || problem.Error.Message == "" {
		return quality.Errorf(kind, "the server answered %s: %.300s", res.Status, data)
	}
	return quality.Errorf(kind, "the server answered %s: %s", res.Status, problem.Error.Message)
}

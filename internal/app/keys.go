package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/asgood-dev/asgood/collector"
	"github.com/asgood-dev/asgood/internal/auth"
	"github.com/asgood-dev/asgood/internal/bus"
	"github.com/asgood-dev/asgood/internal/config"
)

var (
	_ auth.Store      = (*bus.Bucket)(nil)
	_ collector.Guard = auth.Guard{}
)

const bucketKeys = "keys"

func (r *rooms) buildKeys(ctx context.Context, a *App) (err error) {
	if r.keys, err = openKeys(ctx, a.engines.bus, a.opts.Config, a.log, a.registry); err != nil {
		return err
	}
	r.add("keys", r.keys.Run)
	return nil
}

// openKeys reads the keys. Their time is real, also where that of samples is simulated.
func openKeys(ctx context.Context, b *bus.Bus, cfg *config.Config, log *slog.Logger, r prometheus.Registerer) (*auth.Keys, error) {
	store, err := b.Bucket(ctx, bucketKeys)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(cfg.Features))
	for i, f := range cfg.Features {
		names[i] = f.Name
	}
	return auth.New(ctx, auth.Options{Store: store, Features: names, Audit: auditLog{b}.Append, Logger: log, Registerer: r})
}

// CreateKey makes a key for senders and returns its token, which is shown this once.
func (a *App) CreateKey(ctx context.Context, spec KeySpec) (token string, err error) {
	_, token, err = a.rooms.keys.Create(ctx, spec)
	return token, err
}

// KeySpec says what a key shall be allowed to do.
type KeySpec = auth.Spec

// KeyScope is a sort of data that a key may send.
type KeyScope = auth.Scope

// Key is what is known of a key.
type Key = auth.Key

// CreatedKey is a key that was just made, with its token.
type CreatedKey = auth.Created

// KeyOptions say which server's keys a command works on.
type KeyOptions struct {
	Config *config.Config
	Server string // address of the internal listener; empty means the configuration's, or the data directory when nothing answers there
	Logger *slog.Logger
}

// CreateKey makes a key, in a running server or in the data directory of one that does not run.
func CreateKey(ctx context.Context, o KeyOptions, spec KeySpec) (created CreatedKey, err error) {
	body, err := json.Marshal(spec)
	if err != nil {
		return created, fmt.Errorf("encoding a key: %w", err)
	}
	err = o.do(ctx, http.MethodPost, "/v1/keys", body, &created, func(k *auth.Keys) (err error) {
		created.Key, created.Token, err = k.Create(ctx, spec)
		return err
	})
	return created, err
}

// ListKeys returns all keys, the newest first.
func ListKeys(ctx context.Context, o KeyOptions) ([]Key, error) {
	var list auth.List
	err := o.do(ctx, http.MethodGet, "/v1/keys", nil, &list, func(k *auth.Keys) error {
		list.Keys = k.List()
		return nil
	})
	return list.Keys, err
}

// RevokeKey ends a key for good. A server that runs refuses it from its next request on.
func RevokeKey(ctx context.Context, o KeyOptions, id string) (key Key, err error) {
	err = o.do(ctx, http.MethodDelete, "/v1/keys/"+url.PathEscape(id), nil, &key, func(k *auth.Keys) (err error) {
		key, err = k.Revoke(ctx, id)
		return err
	})
	return key, err
}

// do asks the running server, or does it in the data directory.
func (o KeyOptions) do(ctx context.Context, method, path string, body []byte, answer any, directly func(*auth.Keys) error) (err error) {
	if addr, ok := running(ctx, o.Server, o.Config.Listen.Internal); ok {
		return ask(ctx, method, addr+path, "", body, answer)
	}
	r := prometheus.NewRegistry()
	b, err := openBus(ctx, o.Config, o.Logger, r)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	k, err := openKeys(ctx, b, o.Config, o.Logger, r)
	if err != nil {
		return err
	}
	return directly(k)
}

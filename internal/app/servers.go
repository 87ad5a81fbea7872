package app

import (
	"context"
	"errors"
	"strings"

	"github.com/gin-gonic/gin"

	asker "github.com/asgood-dev/asgood/evaluator/ask"
	"github.com/asgood-dev/asgood/internal/auth"
	"github.com/asgood-dev/asgood/internal/web"
)

// The listeners.
const (
	listenerPublic   = "public"
	listenerIngest   = "ingest"
	listenerGRPC     = "grpc"
	listenerInternal = "internal"
)

// server is a bound listener and what will answer on it.
type server interface {
	Addr() string
	Serve() error
	Shutdown(ctx context.Context) error
}

// servers are the bound listeners.
type servers struct {
	list   []server
	addr   map[string]string         // by listener
	routes map[string]gin.RoutesInfo // by listener, of those that speak HTTP
}

// listen binds every listener. Two with one address share it.
func (a *App) listen() (_ *servers, err error) {
	s := &servers{addr: map[string]string{}, routes: map[string]gin.RoutesInfo{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.shutdown(context.Background()))
		}
	}()
	engines, table := map[string]*gin.Engine{}, audiences()
	l := a.opts.Config.Listen
	for _, x := range []struct {
		name, addr string
		register   func(gin.IRouter)
	}{
		{listenerPublic, l.Public, a.registerPublic},
		{listenerIngest, l.Ingest, a.registerIngest},
		{listenerInternal, l.Internal, a.registerInternal},
	} {
		if e := engines[x.addr]; e != nil {
			x.register(e)
			if err := checkAudiences(table, e); err != nil {
				return s, err
			}
			s.addr[x.name], s.routes[x.name] = s.list[len(s.list)-1].Addr(), e.Routes()
			continue
		}
		e := web.New(web.Options{Logger: a.log, Registerer: a.registry, Listener: x.name, TrustedProxies: l.TrustedProxies})
		e.Use(a.rooms.keys.Gate(a.gate(table, x.addr)))
		x.register(e)
		if err := checkAudiences(table, e); err != nil {
			return s, err
		}
		server, err := web.Listen(x.addr, e, a.log)
		if err != nil {
			return s, err
		}
		s.list = append(s.list, server)
		s.addr[x.name], s.routes[x.name] = server.Addr(), e.Routes()
		if !strings.HasSuffix(x.addr, ":0") { // each of those gets a port of its own
			engines[x.addr] = e
		}
	}
	gate := a.gate(table, l.GRPC)
	g, err := listenGRPC(l.GRPC, a.rooms.collector.RegisterGRPC, a.rooms.keys.Tap(gate), a.rooms.keys.ServerOptions(gate)...)
	if err != nil {
		return s, err
	}
	s.list = append(s.list, g)
	s.addr[listenerGRPC] = g.Addr()
	return s, nil
}

// gate configures the gate of the listener with an address.
func (a *App) gate(table auth.Table, addr string) auth.GateOptions {
	cfg := a.opts.Config
	return auth.GateOptions{Table: table, KeyRequired: cfg.KeyRequired(addr), MaxBody: int64(cfg.Ingest.MaxBody), People: a.rooms.people}
}

// registerPublic adds what everyone may read and do.
func (a *App) registerPublic(r gin.IRouter) {
	a.rooms.page.Register(r)
	a.rooms.subscribe.Register(r)
}

// registerIngest adds what senders and heartbeats call.
func (a *App) registerIngest(r gin.IRouter) {
	a.rooms.collector.Register(r)
	a.rooms.prober.Register(r)
	a.rooms.ledger.Register(r)
}

// registerInternal adds what this machine may know and do.
func (a *App) registerInternal(r gin.IRouter) {
	a.health().Register(r)
	a.rooms.ledger.RegisterInternal(r)
	a.rooms.keys.RegisterInternal(r)
	a.rooms.people.Register(r)
	a.registerAudit(r)
	a.registerCustomers(r)
	a.rooms.canaries.Register(r)
	a.views().Register(r)
	a.rooms.explain.Register(r)
	a.registerStored(r)
	a.rooms.steps.register(r)
	a.rooms.baselines.Register(r)
	a.rooms.judges.Register(r)
	asker.Register(r, a.rooms.asking)
	a.registerConsole(r)
	a.rooms.alerts.Register(r)
	a.rooms.subscribe.RegisterInternal(r)
	a.registerExport(r)
}

// health serves what the process knows of itself, to this machine only.
func (a *App) health() web.Health {
	return web.Health{
		Checks: []web.Check{
			{Name: "clickhouse", Run: a.engines.store.Ping},
			{Name: "nats", Run: a.engines.bus.Ping},
		},
		Gatherer: a.registry, Profile: true,
	}
}

func (s *servers) shutdown(ctx context.Context) error {
	var errs []error
	for _, x := range s.list {
		errs = append(errs, x.Shutdown(ctx))
	}
	s.list = nil
	return errors.Join(errs...)
}

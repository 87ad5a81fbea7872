package app

import (
	"context"
	"io"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/asgood-dev/asgood/collector/ledger"
	"github.com/asgood-dev/asgood/evaluator/calibrate"
	"github.com/asgood-dev/asgood/internal/quality"
)

// Judges opens what is known of judges, with a clock of the test. The regressions of the app ask it from now on.
func Judges(ctx context.Context, a *App, judges []calibrate.Judge, now func() time.Time) (*calibrate.Keeper, error) {
	k, err := a.rooms.openJudges(ctx, a, judges, now, prometheus.NewRegistry())
	if err == nil {
		a.rooms.scores.suspect = k.Suspect
	}
	return k, err
}

// Routes returns the routes of each listener that speaks HTTP.
func Routes(a *App) map[string]gin.RoutesInfo { return a.servers.routes }

// Methods returns the methods of the gRPC listener.
func Methods(a *App) (out []string) {
	for _, s := range a.servers.list {
		g, ok := s.(*grpcServer)
		if !ok {
			continue
		}
		for name, service := range g.server.GetServiceInfo() {
			for _, m := range service.Methods {
				out = append(out, "/"+name+"/"+m.Name)
			}
		}
	}
	return out
}

// Audiences is the table of audiences.
var Audiences = audiences

// CheckAudiences reports routes without an audience.
var CheckAudiences = checkAudiences

// Regressions returns the open regressions as they are stored.
func Regressions(ctx context.Context, a *App) ([]quality.Regression, error) {
	return a.rooms.scores.OpenRegressions(ctx)
}

// Changes returns the newest entries of the ledger.
func Changes(a *App) []quality.Change { return a.rooms.ledger.List(ledger.Query{}).Changes }

// Announce tells how the first person comes in.
func Announce(ctx context.Context, a *App, w io.Writer) error {
	a.opts.Announce = w
	return a.announce(ctx)
}

// Append puts an entry into the audit log.
func Append(ctx context.Context, a *App, e quality.Audited) error {
	return a.rooms.audit.Append(ctx, e)
}

package app

import (
	"fmt"
	"strings"

	"github.com/gin-gonic/gin"
	"google.golang.org/grpc"

	"github.com/asgood-dev/asgood/internal/auth"
)

// audiences declares for whom each route of each listener is. A route that is not here is open to nobody, and
// the process does not start with one.
func audiences() auth.Table {
	t := auth.Table{
		// The status page.
		"* /":                               auth.Public,
		"* /incidents/:id":                  auth.Public,
		"* /maintenances/:id":               auth.Public,
		"* /features/:name":                 auth.Public,
		"* /history":                        auth.Public,
		"* /history/:month":                 auth.Public,
		"* /about":                          auth.Public,
		"* /assets/*":                       auth.Public,
		"* /api/v2/*":                       auth.Public,
		"* /history.atom":                   auth.Public,
		"* /history.rss":                    auth.Public,
		"* /feed.json":                      auth.Public,
		"* /maintenance.ics":                auth.Public,
		"* /features/:name/history.atom":    auth.Public,
		"* /features/:name/history.rss":     auth.Public,
		"* /features/:name/feed.json":       auth.Public,
		"* /features/:name/maintenance.ics": auth.Public,
		"* /badges/*":                       auth.Public,
		"* /widget.js":                      auth.Public,
		"* /widget.css":                     auth.Public,
		"* /embed":                          auth.Public,
		"* /embed.js":                       auth.Public,
		"* /embed.css":                      auth.Public,
		"* /robots.txt":                     auth.Public,
		"* /og.png":                         auth.Public,
		"GET /live":                         auth.Public,

		// The pages of customers: links hold their own token.
		"* /private/:token": auth.Public,

		// Subscriptions: links hold their own token.
		"* /subscribe":          auth.Public,
		"* /subscribe/*":        auth.Public,
		"* /unsubscribe/:token": auth.Public,

		// What senders and heartbeats call.
		"POST /v1/samples":       auth.Machine(auth.ScopeSamples),
		"POST /v1/scores":        auth.Machine(auth.ScopeScores),
		"POST /v1/traces":        auth.Machine(auth.ScopeTraces),
		"POST /v1/logs":          auth.Machine(auth.ScopeTraces),
		"POST /v1/changes":       auth.Machine(auth.ScopeChanges),
		"* /v1/heartbeats/:name": auth.Machine(auth.ScopeHeartbeats),
		auth.MethodGRPC + " /opentelemetry.proto.collector.trace.v1.TraceService/Export": auth.Machine(auth.ScopeTraces),
		auth.MethodGRPC + " /opentelemetry.proto.collector.logs.v1.LogsService/Export":   auth.Machine(auth.ScopeTraces),

		// Webhooks, which sign what they send.
		"POST /v1/changes/github":                      auth.Signed,
		"POST /v1/changes/gitlab":                      auth.Signed,
		"POST /v1/changes/pagerduty":                   auth.Signed,
		"POST /v1/changes/pagerduty/v2/change/enqueue": auth.Signed,

		// How people sign in. These pages show nothing to who has no link and no account elsewhere.
		"GET /login":                     auth.Public,
		"GET /login/oidc":                auth.Public,
		"GET /login/callback":            auth.Public,
		"GET /login/link/:token":         auth.Public,
		"POST /login/link/:token":        auth.Public,
		"GET /login/assets/:file":        auth.Public,
		"POST /login/passkey/*":          auth.Public,
		"POST /logout":                   auth.Person(auth.RoleViewer),
		"GET /account":                   auth.Person(auth.RoleViewer),
		"POST /account/sessions/:id/end": auth.Person(auth.RoleViewer),
		"POST /account/passkeys/*":       auth.Person(auth.RoleViewer),

		// What this machine may know and do.
		"GET /healthz":                                auth.Health,
		"GET /readyz":                                 auth.Health,
		"GET /metrics":                                auth.Internal,
		"* /debug/pprof/*":                            auth.Internal,
		"GET /v1/changes":                             auth.Internal,
		"GET /v1/canaries":                            auth.Internal,
		"GET /v1/monitors":                            auth.Internal,
		"POST /v1/canaries/:name/run":                 auth.Internal,
		"GET /v1/regressions":                         auth.Internal,
		"GET /v1/regressions/:id":                     auth.Internal,
		"GET /v1/people":                              auth.Internal,
		"POST /v1/people/links":                       auth.Internal,
		"POST /v1/people/remove":                      auth.Internal,
		"GET /v1/audit":                               auth.Internal,
		"GET /v1/keys":                                auth.Internal,
		"POST /v1/keys":                               auth.Internal,
		"DELETE /v1/keys/:id":                         auth.Internal,
		"GET /v1/stored-scores":                       auth.Internal,
		"GET /v1/stored-samples":                      auth.Internal,
		"GET /v1/steps":                               auth.Internal,
		"POST /v1/steps":                              auth.Internal,
		"GET /v1/baselines":                           auth.Internal,
		"GET /v1/baselines/:feature/:metric":          auth.Internal,
		"POST /v1/baselines/:feature/:metric/promote": auth.InternalFor(auth.RoleEditor),
		"POST /v1/baselines/:feature/:metric/pin":     auth.InternalFor(auth.RoleEditor),
		"GET /v1/judges":                              auth.Internal,
		"GET /v1/judges/:feature/:metric":             auth.Internal,
		"GET /v1/scorers":                             auth.Internal,
		"GET /v1/export":                              auth.Internal,

		// Publishing: whoever may sign in reads, responders work on incidents, editors decide what customers see. The
		// desk asks for more where a request does more than its route needs.
		"GET /v1/incidents":                         auth.InternalFor(auth.RoleViewer),
		"GET /v1/incidents/:id":                     auth.InternalFor(auth.RoleViewer),
		"GET /v1/incidents/:id/postmortem":          auth.InternalFor(auth.RoleViewer),
		"POST /v1/incidents":                        auth.InternalFor(auth.RoleResponder),
		"PATCH /v1/incidents/:id":                   auth.InternalFor(auth.RoleResponder),
		"POST /v1/incidents/:id/updates":            auth.InternalFor(auth.RoleResponder),
		"POST /v1/incidents/:id/preview":            auth.InternalFor(auth.RoleResponder),
		"POST /v1/incidents/:id/veto":               auth.InternalFor(auth.RoleResponder),
		"POST /v1/incidents/backfill":               auth.InternalFor(auth.RoleEditor),
		"POST /v1/incidents/import":                 auth.InternalFor(auth.RoleEditor),
		"PATCH /v1/incidents/:id/updates/:update":   auth.InternalFor(auth.RoleEditor),
		"POST /v1/incidents/:id/publish":            auth.InternalFor(auth.RoleEditor),
		"PUT /v1/incidents/:id/postmortem":          auth.InternalFor(auth.RoleEditor),
		"POST /v1/incidents/:id/postmortem/publish": auth.InternalFor(auth.RoleEditor),
		"GET /v1/maintenances":                      auth.InternalFor(auth.RoleViewer),
		"GET /v1/maintenances/:id":                  auth.InternalFor(auth.RoleViewer),
		"POST /v1/maintenances":                     auth.InternalFor(auth.RoleEditor),
		"PATCH /v1/maintenances/:id":                auth.InternalFor(auth.RoleEditor),
		"POST /v1/maintenances/:id/updates":         auth.InternalFor(auth.RoleEditor),
		// Links to the pages of customers.
		"GET /v1/customers/:name/links":        auth.InternalFor(auth.RoleAccount),
		"POST /v1/customers/:name/links":       auth.InternalFor(auth.RoleAccount),
		"DELETE /v1/customers/:name/links/:id": auth.InternalFor(auth.RoleAccount),
		// Subscribers.
		"GET /v1/subscribers":              auth.InternalFor(auth.RoleViewer),
		"DELETE /v1/subscribers/:id":       auth.InternalFor(auth.RoleEditor),
		"POST /v1/subscribers/:id/release": auth.InternalFor(auth.RoleEditor),
	}
	consoleAudiences(t)
	return t
}

// checkAudiences reports the routes of an engine that declare no audience.
func checkAudiences(table auth.Table, e *gin.Engine) error {
	var missing []string
	for _, r := range e.Routes() {
		if _, ok := table.Of(r.Method, r.Path); !ok {
			missing = append(missing, r.Method+" "+r.Path)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("routes without an audience: %s", strings.Join(missing, ", "))
	}
	return nil
}

// checkMethods reports the methods of a gRPC server that declare no audience.
func checkMethods(services map[string]grpc.ServiceInfo) error {
	table := audiences()
	for name, service := range services {
		for _, m := range service.Methods {
			if _, ok := table.Of(auth.MethodGRPC, "/"+name+"/"+m.Name); !ok {
				return fmt.Errorf("gRPC method /%s/%s has no audience", name, m.Name)
			}
		}
	}
	return nil
}

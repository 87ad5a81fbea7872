package app

import "github.com/gin-gonic/gin"

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

package probe

import (
	"context"
	"crypto/tls"
	"net"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Bounds on what a checked server can make us read.
const (
	grpcMessage = 4 << 10
	grpcHeader  = 16 << 10
)

// grpcChecker asks the standard health service. Each check makes its own connection.
type grpcChecker struct {
	addr, service, agent string
	creds                credentials.TransportCredentials
}

func newGRPC(spec quality.ProbeSpec, o Options) *grpcChecker {
	c := &grpcChecker{addr: spec.GRPC, service: spec.Service, agent: o.UserAgent, creds: insecure.NewCredentials()}
	if spec.Secure {
		c.creds = credentials.NewTLS(&tls.Config{RootCAs: o.Roots, InsecureSkipVerify: !spec.Verifies()}) // as configured
	}
	return c
}

func (c *grpcChecker) check(ctx context.Context) error {
	var seen connectError
	conn, err := grpc.NewClient("passthrough:///"+c.addr,
		grpc.WithTransportCredentials(observed{c.creds, &seen}), grpc.WithContextDialer(seen.dial),
		grpc.WithUserAgent(c.agent), grpc.WithDisableServiceConfig(), grpc.WithDisableRetry(), grpc.WithNoProxy(),
		grpc.WithMaxHeaderListSize(grpcHeader), grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(grpcMessage)))
	if err != nil {
		return said("the address cannot be used")
	}
	defer conn.Close()
	answer, err := grpc_health_v1.NewHealthClient(conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: c.service})
	if err != nil {
		return c.failure(err, &seen)
	}
	if answer.GetStatus() != grpc_health_v1.HealthCheckResponse_SERVING {
		return said("status %s", answer.GetStatus())
	}
	return nil
}

// failure keeps the code of a failed call, and leaves out the text, which the server chose.
func (c *grpcChecker) failure(err error, seen *connectError) error {
	switch code := status.Code(err); code {
	case codes.Unimplemented:
		return said("the server has no health service")
	case codes.NotFound:
		return said("the server does not know the service")
	case codes.DeadlineExceeded, codes.Canceled:
		return context.DeadlineExceeded
	case codes.Unavailable:
		if err := seen.get(); err != nil {
			return err
		}
		fallthrough
	default:
		return said("the health service answers with code %s", code)
	}
}

// connectError remembers why no connection came about: the library gives it as text only.
type connectError struct {
	mu  sync.Mutex
	err error
}

func (e *connectError) get() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.err
}

func (e *connectError) set(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.err = err
}

func (e *connectError) dial(ctx context.Context, addr string) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", addr)
	e.set(err)
	return conn, err
}

// observed are credentials whose failed handshakes are remembered.
type observed struct {
	credentials.TransportCredentials
	seen *connectError
}

// ClientHandshake is that of the credentials.
func (o observed) ClientHandshake(ctx context.Context, authority string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := o.TransportCredentials.ClientHandshake(ctx, authority, raw)
	o.seen.set(err)
	return conn, info, err
}

// Clone keeps remembering.
func (o observed) Clone() credentials.TransportCredentials {
	return observed{o.TransportCredentials.Clone(), o.seen}
}

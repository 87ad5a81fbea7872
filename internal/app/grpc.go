package app

import (
	"context"
	"fmt"
	"net"
	"time"

	"google.golang.org/grpc"
	_ "google.golang.org/grpc/encoding/gzip" // senders compress
	"google.golang.org/grpc/keepalive"

	"github.com/asgood-dev/asgood/collector"
)

// grpcServer is a bound listener and the gRPC server that will answer on it.
type grpcServer struct {
	listener net.Listener
	server   *grpc.Server
}

func listenGRPC(addr string, register func(grpc.ServiceRegistrar), options ...grpc.ServerOption) (*grpcServer, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listening on %q: %w", addr, err)
	}
	s := grpc.NewServer(append(options,
		grpc.MaxRecvMsgSize(collector.MaxBody), // after decompression
		grpc.MaxConcurrentStreams(64),
		grpc.ConnectionTimeout(10*time.Second),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second, PermitWithoutStream: true}),
		grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionIdle: 10 * time.Minute}),
	)...)
	register(s)
	return &grpcServer{listener: l, server: s}, nil
}

// Addr returns the bound address.
func (s *grpcServer) Addr() string { return s.listener.Addr().String() }

// Serve answers until Shutdown, and then returns nil.
func (s *grpcServer) Serve() error {
	if err := s.server.Serve(s.listener); err != nil {
		return fmt.Errorf("serving gRPC on %q: %w", s.Addr(), err)
	}
	return nil
}

// Shutdown waits for open calls until ctx is done, then cuts them.
func (s *grpcServer) Shutdown(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		s.server.GracefulStop()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		s.server.Stop()
		<-done
	}
	return nil
}

package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	_ "google.golang.org/grpc/encoding/gzip" // senders compress
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/tap"

	"github.com/asgood-dev/asgood/collector"
)

// maxCalls bounds the calls that are read at a time: each may hold a message of the largest size in memory.
const maxCalls = 32

// openCalls counts calls from before their messages are read until they are answered.
type openCalls struct {
	n     atomic.Int64
	guard tap.ServerInHandle
}

// begin refuses a call when too many are open; senders try again. Who may not call does not count.
func (o *openCalls) begin(ctx context.Context, info *tap.Info) (context.Context, error) {
	ctx, err := o.guard(ctx, info)
	if err != nil {
		return ctx, err
	}
	if o.n.Add(1) > maxCalls {
		o.n.Add(-1)
		return ctx, status.Error(codes.Unavailable, "too many calls at a time; try again shortly")
	}
	return ctx, nil
}

// HandleRPC notes the end of a call.
func (o *openCalls) HandleRPC(_ context.Context, s stats.RPCStats) {
	if _, ended := s.(*stats.End); ended {
		o.n.Add(-1)
	}
}

// TagRPC, TagConn and HandleConn have nothing to do.
func (o *openCalls) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (o *openCalls) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (o *openCalls) HandleConn(context.Context, stats.ConnStats)                       {}

// grpcServer is a bound listener and the gRPC server that will answer on it.
type grpcServer struct {
	listener net.Listener
	server   *grpc.Server
}

// listenGRPC binds the address. guard judges callers before their calls count as open.
func listenGRPC(addr string, register func(grpc.ServiceRegistrar), guard tap.ServerInHandle, options ...grpc.ServerOption) (*grpcServer, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listening on %q: %w", addr, err)
	}
	open := &openCalls{guard: guard}
	s := grpc.NewServer(append(options,
		grpc.InTapHandle(open.begin), grpc.StatsHandler(open),
		grpc.MaxRecvMsgSize(collector.MaxBody), // after decompression
		grpc.MaxConcurrentStreams(64),
		grpc.ConnectionTimeout(10*time.Second),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second, PermitWithoutStream: true}),
		grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionIdle: 10 * time.Minute}),
	)...)
	register(s)
	if err := checkMethods(s.GetServiceInfo()); err != nil {
		return nil, errors.Join(err, l.Close())
	}
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

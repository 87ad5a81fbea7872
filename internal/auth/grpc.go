package auth

import (
	"context"
	"net"
	"net/netip"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/tap"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/asgood-dev/asgood/internal/quality"
)

// ServerOptions returns what a gRPC server needs to ask its callers for keys: the audiences of its methods
// stand in the table under MethodGRPC. With Tap beside them, callers without a good key are refused before their
// message is read.
func (k *Keys) ServerOptions(o GateOptions) []grpc.ServerOption {
	return []grpc.ServerOption{grpc.ChainUnaryInterceptor(k.UnaryInterceptor(o)), grpc.ChainStreamInterceptor(refuseStreams)}
}

// Tap refuses calls when their headers are there, before a message is read. A server has one tap.
func (k *Keys) Tap(o GateOptions) tap.ServerInHandle {
	return func(ctx context.Context, info *tap.Info) (context.Context, error) {
		_, err := k.call(ctx, info.FullMethodName, info.Header, o)
		return ctx, err
	}
}

// UnaryInterceptor checks each call, gives its sender to the handler and charges its size.
func (k *Keys) UnaryInterceptor(o GateOptions) grpc.UnaryServerInterceptor {
	if o.MaxBody <= 0 {
		o.MaxBody = defaultMaxBody
	}
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		header, _ := metadata.FromIncomingContext(ctx)
		sender, err := k.call(ctx, info.FullMethod, header, o)
		if err != nil {
			return nil, err
		}
		size := sizeOf(req)
		if limit := bodyLimit(sender, o.MaxBody); size > limit {
			k.metrics.refuse(ReasonTooLarge)
			return nil, grpcError(tooLarge(limit))
		}
		if sender == nil {
			return handler(ctx, req)
		}
		if err := sender.spend(ReasonBytes, int(size), k.opts.Now()); err != nil {
			return nil, grpcError(err)
		}
		return handler(withSender(ctx, sender), req)
	}
}

func refuseStreams(any, grpc.ServerStream, *grpc.StreamServerInfo, grpc.StreamHandler) error {
	return grpcError(quality.Errorf(quality.KindForbidden, "streams are open to nobody"))
}

// call checks the caller of a method.
func (k *Keys) call(ctx context.Context, method string, header metadata.MD, o GateOptions) (*Sender, error) {
	a, _ := o.Table.Of(MethodGRPC, method)
	switch a.kind {
	case public:
		return nil, nil
	case machine:
	default:
		k.metrics.refuse(ReasonAudience)
		return nil, grpcError(quality.Errorf(quality.KindForbidden, "%s declares no audience and is open to nobody", method))
	}
	sender, r := k.admit(readCredential(header.Get("authorization"), header.Get("x-api-key")), a.scope, o.KeyRequired)
	if r.reason == "" {
		return sender, nil
	}
	var from netip.Addr
	if p, ok := peer.FromContext(ctx); ok {
		if tcp, ok := p.Addr.(*net.TCPAddr); ok {
			from = tcp.AddrPort().Addr()
		}
	}
	return nil, grpcError(k.judge(r, from, method))
}

// grpcError gives an error its code, and the time to wait in the form that senders of OTLP heed.
func grpcError(err error) error {
	s := status.New(codeOf(err), err.Error())
	if wait := quality.RetryOf(err); wait > 0 {
		if with, detailErr := s.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(wait)}); detailErr == nil {
			s = with
		}
	}
	return s.Err()
}

// sizeOf returns the size of a message; messages of OTLP have a method of their own for it.
func sizeOf(req any) int64 {
	switch m := req.(type) {
	case interface{ SizeProto() int }:
		return int64(m.SizeProto())
	case interface{ Size() int }:
		return int64(m.Size())
	default:
		return 0
	}
}

package auth_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/asgood-dev/asgood/internal/auth"
)

type traces struct {
	ptraceotlp.UnimplementedGRPCServer
	sender chan *auth.Sender
}

func (s *traces) Export(ctx context.Context, _ ptraceotlp.ExportRequest) (ptraceotlp.ExportResponse, error) {
	s.sender <- auth.SenderOf(ctx)
	return ptraceotlp.NewExportResponse(), nil
}

type health struct {
	healthpb.UnimplementedHealthServer
}

// serveGRPC runs a gRPC server behind the gate and connects to it.
func (f *fixture) serveGRPC(t testing.TB, o auth.GateOptions) (*grpc.ClientConn, *traces) {
	t.Helper()
	o.Table = auth.Table{auth.MethodGRPC + " /opentelemetry.proto.collector.trace.v1.TraceService/Export": auth.Machine(auth.ScopeTraces)}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer(append(f.ServerOptions(o), grpc.InTapHandle(f.Tap(o)))...)
	svc := &traces{sender: make(chan *auth.Sender, 1000)}
	ptraceotlp.RegisterGRPCServer(s, svc)
	healthpb.RegisterHealthServer(s, health{})
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn, svc
}

func export(t testing.TB, conn *grpc.ClientConn, size int, headers ...string) *status.Status {
	t.Helper()
	ctx, cancel := context.WithTimeout(metadata.AppendToOutgoingContext(t.Context(), headers...), 20*time.Second)
	defer cancel()
	td := ptrace.NewTraces()
	td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty().SetName(strings.Repeat("x", size))
	_, err := ptraceotlp.NewGRPCClient(conn).Export(ctx, ptraceotlp.NewExportRequestFromTraces(td))
	return status.Convert(err)
}

func TestGRPC(t *testing.T) {
	f := keys(t, bucket(t))
	conn, svc := f.serveGRPC(t, auth.GateOptions{KeyRequired: true, MaxBody: 64 << 10})
	key, good := f.make(t, auth.Spec{Scopes: []auth.Scope{auth.ScopeTraces}})
	_, samples := f.make(t, auth.Spec{})
	_, slow := f.make(t, auth.Spec{Scopes: []auth.Scope{auth.ScopeTraces}, Bytes: 1 << 10})
	for _, tt := range []struct {
		name    string
		size    int
		headers []string
		code    codes.Code
		want    string
	}{
		{"bearer", 1, []string{"authorization", "Bearer " + good}, codes.OK, ""},
		{"x-api-key", 1, []string{"x-api-key", good}, codes.OK, ""},
		{"none", 1, nil, codes.Unauthenticated, "a key is required"},
		{"wrong", 1, []string{"x-api-key", good[:60] + "~"}, codes.Unauthenticated, "not known here"},
		{"two", 1, []string{"x-api-key", good, "x-api-key", samples}, codes.Unauthenticated, "two different keys"},
		{"another scope", 1, []string{"x-api-key", samples}, codes.PermissionDenied, "may not send traces"},
		{"large", 64 << 10, []string{"x-api-key", good}, codes.InvalidArgument, "larger than the limit"},
		{"slow", 20 << 10, []string{"x-api-key", slow}, codes.OK, ""},
		{"in debt", 1, []string{"x-api-key", slow}, codes.ResourceExhausted, "1024 bytes per second"},
	} {
		got := export(t, conn, tt.size, tt.headers...)
		if got.Code() != tt.code || !strings.Contains(got.Message(), tt.want) {
			t.Errorf("%s: got %v, want %v and %q", tt.name, got, tt.code, tt.want)
		}
		if tt.code == codes.ResourceExhausted {
			info, ok := got.Details()[0].(*errdetails.RetryInfo)
			if !ok || info.RetryDelay.AsDuration() < time.Second {
				t.Errorf("%s: got details %v, want the time to wait", tt.name, got.Details())
			}
		}
	}
	if sender := <-svc.sender; sender == nil || sender.ID() != key.ID || sender.Key().Name != "test" {
		t.Errorf("the handler got sender %v", sender)
	}
	if log := f.log.String(); !strings.Contains(log, "from=127.0.0.1") {
		t.Errorf("the log does not tell from where: %s", log)
	}
	// What declares no audience is open to nobody, unary or stream.
	_, err := healthpb.NewHealthClient(conn).Check(metadata.AppendToOutgoingContext(t.Context(), "x-api-key", good), &healthpb.HealthCheckRequest{})
	if status.Code(err) != codes.PermissionDenied {
		t.Errorf("got %v, want permission denied", err)
	}
	watch, err := healthpb.NewHealthClient(conn).Watch(metadata.AppendToOutgoingContext(t.Context(), "x-api-key", good), &healthpb.HealthCheckRequest{})
	if err == nil {
		_, err = watch.Recv()
	}
	if status.Code(err) != codes.PermissionDenied {
		t.Errorf("got %v, want permission denied", err)
	}
}

// A revoked key fails on a connection that stays open.
func TestGRPCRevokedAtOnce(t *testing.T) {
	store := bucket(t)
	here, there := keys(t, store), keys(t, store)
	conn, _ := there.serveGRPC(t, auth.GateOptions{KeyRequired: true})
	key, token := here.make(t, auth.Spec{Scopes: []auth.Scope{auth.ScopeTraces}})
	wait(t, time.Second, "the new key", func() bool { return export(t, conn, 1, "x-api-key", token).Code() == codes.OK })
	if _, err := here.Revoke(t.Context(), key.ID); err != nil {
		t.Fatal(err)
	}
	took := wait(t, time.Second, "the refusal", func() bool { return export(t, conn, 1, "x-api-key", token).Code() == codes.Unauthenticated })
	t.Logf("refused after %s", took)
}

func TestGRPCWithoutAKey(t *testing.T) {
	f := keys(t, bucket(t))
	conn, svc := f.serveGRPC(t, auth.GateOptions{})
	if got := export(t, conn, 1); got.Code() != codes.OK {
		t.Errorf("got %v", got)
	}
	if sender := <-svc.sender; sender != nil {
		t.Errorf("got sender %v", sender)
	}
	if got := export(t, conn, 1, "authorization", "Bearer x"); got.Code() != codes.Unauthenticated {
		t.Errorf("got %v, want unauthenticated", got)
	}
}

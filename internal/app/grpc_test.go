package app_test

import (
	"bytes"
	"strings"
	"sync"
	"testing"

	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/asgood-dev/asgood/internal/config"
)

// Many calls at once are answered, or told to come again; none is left over in the count of open ones.
func TestManyCallsOverGRPC(t *testing.T) {
	needEngine(t)
	text := strings.ReplaceAll(loadConfiguration, "%s", "")
	cfg, err := config.Parse("grpc.yaml", []byte(strings.Replace(text, "%q", `"`+t.TempDir()+`"`, 1)), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	a, _ := start(t, cfg)
	conn, err := grpc.NewClient(a.Addr("grpc"), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	client := ptraceotlp.NewGRPCClient(conn)
	traces := ptrace.NewTraces()
	traces.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty().Attributes().PutStr("a", string(bytes.Repeat([]byte("x"), 1<<20)))
	for range 3 {
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				_, err := client.Export(t.Context(), ptraceotlp.NewExportRequestFromTraces(traces))
				if code := status.Code(err); code != codes.OK && code != codes.Unavailable {
					t.Errorf("got %v", err)
				}
			})
		}
		wg.Wait()
	}
	if _, err := client.Export(t.Context(), ptraceotlp.NewExportRequestFromTraces(traces)); err != nil {
		t.Errorf("a single call after the rush: %v", err)
	}
}

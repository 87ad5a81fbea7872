package collector

import (
	"context"
	"iter"
	"time"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/asgood-dev/asgood/collector/spans"
	"github.com/asgood-dev/asgood/internal/quality"
)

// RegisterGRPC adds the OTLP services for traces and logs.
func (c *Collector) RegisterGRPC(s grpc.ServiceRegistrar) {
	// The library registers on a *grpc.Server only.
	if server, ok := s.(*grpc.Server); ok {
		ptraceotlp.RegisterGRPCServer(server, &traceService{c: c})
		plogotlp.RegisterGRPCServer(server, &logService{c: c})
	}
}

type traceService struct {
	ptraceotlp.UnimplementedGRPCServer
	c *Collector
}

// Export takes spans in; those that were refused are told in a partial success.
func (t *traceService) Export(ctx context.Context, req ptraceotlp.ExportRequest) (ptraceotlp.ExportResponse, error) {
	reply := ptraceotlp.NewExportResponse()
	result, err := t.c.stageChecked(ctx, t.c.extractor.Spans(req.Traces()))
	if err != nil {
		return reply, grpcError(err)
	}
	if result.Refused > 0 {
		reply.PartialSuccess().SetRejectedSpans(int64(result.Refused))
		reply.PartialSuccess().SetErrorMessage(refusals(result))
	}
	return reply, nil
}

type logService struct {
	plogotlp.UnimplementedGRPCServer
	c *Collector
}

// Export takes log records in; those that were refused are told in a partial success.
func (l *logService) Export(ctx context.Context, req plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	reply := plogotlp.NewExportResponse()
	result, err := l.c.stageChecked(ctx, l.c.extractor.Logs(req.Logs()))
	if err != nil {
		return reply, grpcError(err)
	}
	if result.Refused > 0 {
		reply.PartialSuccess().SetRejectedLogRecords(int64(result.Refused))
		reply.PartialSuccess().SetErrorMessage(refusals(result))
	}
	return reply, nil
}

// stageChecked takes records in while there is room on the disk.
func (c *Collector) stageChecked(ctx context.Context, found iter.Seq[spans.Found]) (Result, error) {
	if err := c.opts.Room(); err != nil {
		return Result{}, err
	}
	return c.stageSpans(ctx, found)
}

// grpcError gives an error the code by which OTLP senders know whether to try again, and when.
func grpcError(err error) error {
	switch quality.KindOf(err) {
	case quality.KindUnavailable, quality.KindFull:
		return tryAgain(codes.Unavailable, err, retryAfter*time.Second)
	case quality.KindTooMany:
		return tryAgain(codes.ResourceExhausted, err, max(quality.RetryOf(err), time.Second))
	case quality.KindInvalid, quality.KindTooLarge:
		return status.Error(codes.InvalidArgument, err.Error())
	case quality.KindForbidden:
		return status.Error(codes.PermissionDenied, err.Error())
	default:
		return status.Error(codes.Internal, "something went wrong on our side")
	}
}

// tryAgain says when to try again; senders of OTLP heed it.
func tryAgain(code codes.Code, err error, wait time.Duration) error {
	s := status.New(code, err.Error())
	if with, detailErr := s.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(wait)}); detailErr == nil {
		s = with
	}
	return s.Err()
}

package collector

import (
	"context"
	"fmt"
	"io"
	"iter"
	"mime"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/asgood-dev/asgood/collector/spans"
	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
	"github.com/asgood-dev/asgood/internal/wire"
)

const (
	mediaProto = "application/x-protobuf"
	mediaJSON  = "application/json"
)

// signal is one kind of OTLP data over HTTP.
type signal struct {
	decode func(c *Collector, data []byte, media string) (iter.Seq[spans.Found], error)
	reply  func(media string, r Result) ([]byte, error)
}

var (
	signalTraces = signal{decode: decodeTraces, reply: tracesReply}
	signalLogs   = signal{decode: decodeLogs, reply: logsReply}
)

// post speaks OTLP/HTTP: the answer has the request's content type, what was refused is told in a partial
// success, and errors are a google.rpc.Status.
func (s signal) post(c *Collector) gin.HandlerFunc {
	return func(g *gin.Context) {
		media, _, err := mime.ParseMediaType(g.GetHeader("Content-Type"))
		if err != nil || (media != mediaProto && media != mediaJSON) {
			body := statusBody(mediaJSON, codeInvalid, fmt.Sprintf("Content-Type: want %s or %s, got %.60q", mediaProto, mediaJSON, g.GetHeader("Content-Type")))
			g.Data(http.StatusUnsupportedMediaType, mediaJSON, body)
			return
		}
		reply, err := s.take(c, g.Request, media)
		if err != nil {
			c.failOTLP(g, media, err)
			return
		}
		g.Data(http.StatusOK, media, reply)
	}
}

func (s signal) take(c *Collector, r *http.Request, media string) ([]byte, error) {
	if err := c.opts.Room(); err != nil {
		return nil, err
	}
	select {
	case c.decoding <- struct{}{}:
		defer func() { <-c.decoding }()
	case <-r.Context().Done():
		return nil, quality.Errorf(quality.KindUnavailable, "gave up waiting to be read: %w", r.Context().Err())
	}
	body, err := openBody(r)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	found, err := s.decode(c, data, media)
	if err != nil {
		return nil, err
	}
	result, err := c.stageSpans(r.Context(), found)
	if err != nil {
		return nil, err
	}
	return s.reply(media, result)
}

// stageSpans makes what matters of spans and log records durable; they are joined to samples afterwards.
func (c *Collector) stageSpans(ctx context.Context, found iter.Seq[spans.Found]) (Result, error) {
	result := Result{Rejected: []Rejection{}}
	var records [][]byte
	for f := range found {
		data, outcome, err := c.record(ctx, f)
		if err != nil {
			err = fmt.Errorf("span %s of trace %s: %w", f.Span, f.Trace, err)
			result.reject(atIndex(f.Index), err)
			c.metrics.countRefusal(err)
		} else if data != nil {
			records = append(records, data)
		}
		c.metrics.spans.WithLabelValues(outcome).Inc()
	}
	err := c.opts.Guard.Spend(ctx, len(records))
	if err == nil {
		err = c.spans.put(ctx, records)
	}
	if err != nil {
		c.metrics.refused.WithLabelValues(failReason(err)).Add(float64(len(records)))
		return result, err
	}
	result.Accepted = len(records)
	return result, nil
}

// record is a span or log record as it is kept until it is joined, redacted.
func (c *Collector) record(ctx context.Context, f spans.Found) (data []byte, outcome string, err error) {
	switch {
	case f.Err != nil:
		return nil, spanRefused, f.Err
	case f.Record == nil && f.Feature == "":
		return nil, spanNoFeature, nil
	case f.Record == nil:
		return nil, spanOther, nil
	}
	if err := c.opts.Guard.Allow(ctx, f.Feature); err != nil {
		return nil, spanRefused, err
	}
	c.redact.record(f.Record)
	if data, err = wire.Marshal(f.Record); err != nil {
		return nil, spanRefused, quality.Errorf(quality.KindInvalid, "the span cannot be written as JSON: %w", err)
	}
	if len(data) > maxEncoded {
		return nil, spanRefused, errRecordTooLarge
	}
	return data, spanTaken, nil
}

func decodeTraces(c *Collector, data []byte, media string) (iter.Seq[spans.Found], error) {
	req := ptraceotlp.NewExportRequest()
	if err := decodeOTLP(req, data, media); err != nil {
		return nil, err
	}
	return c.extractor.Spans(req.Traces()), nil
}

func decodeLogs(c *Collector, data []byte, media string) (iter.Seq[spans.Found], error) {
	req := plogotlp.NewExportRequest()
	if err := decodeOTLP(req, data, media); err != nil {
		return nil, err
	}
	return c.extractor.Logs(req.Logs()), nil
}

func decodeOTLP(req interface {
	UnmarshalProto([]byte) error
	UnmarshalJSON([]byte) error
}, data []byte, media string) error {
	decode := req.UnmarshalProto
	if media == mediaJSON {
		decode = req.UnmarshalJSON
		if err := checkNesting(data); err != nil {
			return err
		}
	}
	if err := decode(data); err != nil {
		return quality.Errorf(quality.KindInvalid, "body is not an OTLP request (%s): %w", media, err)
	}
	return nil
}

func tracesReply(media string, r Result) ([]byte, error) {
	reply := ptraceotlp.NewExportResponse()
	if r.Refused > 0 {
		reply.PartialSuccess().SetRejectedSpans(int64(r.Refused))
		reply.PartialSuccess().SetErrorMessage(refusals(r))
	}
	if media == mediaJSON {
		return reply.MarshalJSON()
	}
	return reply.MarshalProto()
}

func logsReply(media string, r Result) ([]byte, error) {
	reply := plogotlp.NewExportResponse()
	if r.Refused > 0 {
		reply.PartialSuccess().SetRejectedLogRecords(int64(r.Refused))
		reply.PartialSuccess().SetErrorMessage(refusals(r))
	}
	if media == mediaJSON {
		return reply.MarshalJSON()
	}
	return reply.MarshalProto()
}

// refusals is a text that a person finds in the log of an exporter.
func refusals(r Result) string {
	const most = 3
	text := ""
	for i, rejection := range r.Rejected {
		if i == most {
			return fmt.Sprintf("%s; and %d more", text, r.Refused-most)
		}
		if i > 0 {
			text += "; "
		}
		text += rejection.Error
	}
	return text
}

// maxNesting is deeper than any honest attribute.
const maxNesting = 1000

// checkNesting refuses JSON that nests deeply: its decoder, unlike the one of protobuf, follows any
// depth, and takes memory for each level.
func checkNesting(data []byte) error {
	var s scan
	s.end(data)
	if s.deepest > maxNesting {
		return quality.Errorf(quality.KindInvalid, "body nests deeper than %d levels", maxNesting)
	}
	return nil
}

// failOTLP answers so that senders know whether to try again: OTLP calls 503 worth it, and not 507.
func (c *Collector) failOTLP(g *gin.Context, media string, err error) {
	status, problem := web.ProblemOf(err)
	code := codeInvalid
	switch status {
	case http.StatusServiceUnavailable, http.StatusInsufficientStorage:
		status, code = http.StatusServiceUnavailable, codeUnavailable
		g.Header("Retry-After", strconv.Itoa(retryAfter))
	case http.StatusTooManyRequests:
		code = codeExhausted
		g.Header("Retry-After", strconv.Itoa(web.RetryAfter(status, err)))
	case http.StatusForbidden:
		code = codeForbidden
	case http.StatusInternalServerError:
		code = codeInternal
		c.opts.Logger.Error("spans were not taken in", "err", err)
	}
	g.Data(status, media, statusBody(media, code, problem.Message))
}

package collector

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/asgood-dev/asgood/collector/spans"
	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
)

const (
	mediaProto = "application/x-protobuf"
	mediaJSON  = "application/json"
)

// postTraces speaks OTLP/HTTP: the answer has the request's content type, refused spans are told in a
// partial success, and errors are a google.rpc.Status.
func (c *Collector) postTraces(g *gin.Context) {
	media, _, err := mime.ParseMediaType(g.GetHeader("Content-Type"))
	if err != nil || (media != mediaProto && media != mediaJSON) {
		body := statusBody(mediaJSON, codeInvalid, fmt.Sprintf("Content-Type: want %s or %s, got %.60q", mediaProto, mediaJSON, g.GetHeader("Content-Type")))
		g.Data(http.StatusUnsupportedMediaType, mediaJSON, body)
		return
	}
	result, err := c.takeTraces(g.Request, media)
	if err != nil {
		c.failTraces(g, media, err)
		return
	}
	reply, err := exportReply(media, result)
	if err != nil {
		c.failTraces(g, media, err)
		return
	}
	g.Data(http.StatusOK, media, reply)
}

func (c *Collector) failTraces(g *gin.Context, media string, err error) {
	status, problem := web.ProblemOf(err)
	code := codeInvalid
	switch status {
	case http.StatusServiceUnavailable:
		code = codeUnavailable
		g.Header("Retry-After", strconv.Itoa(retryAfter))
	case http.StatusInternalServerError:
		code = codeInternal
		c.opts.Logger.Error("spans were not taken in", "err", err)
	}
	g.Data(status, media, statusBody(media, code, problem.Message))
}

// Codes of google.rpc.Status.
const (
	codeInvalid     = 3
	codeInternal    = 13
	codeUnavailable = 14
)

// statusBody is a google.rpc.Status, whose code is field 1 and whose message is field 2.
func statusBody(media string, code int, message string) []byte {
	if media == mediaProto {
		b := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), uint64(code))
		return protowire.AppendString(protowire.AppendTag(b, 2, protowire.BytesType), message)
	}
	b, err := json.Marshal(map[string]any{"code": code, "message": message})
	if err != nil {
		return []byte(`{"code":13}`) // a number and a string can always be written
	}
	return b
}

// takeTraces reads a request and takes in the spans that are samples.
func (c *Collector) takeTraces(r *http.Request, media string) (Result, error) {
	select {
	case c.decoding <- struct{}{}:
		defer func() { <-c.decoding }()
	case <-r.Context().Done():
		return Result{}, quality.Errorf(quality.KindUnavailable, "gave up waiting to be read: %w", r.Context().Err())
	}
	body, err := openBody(r)
	if err != nil {
		return Result{}, err
	}
	data, err := io.ReadAll(body)
	if err != nil {
		return Result{}, err
	}
	traces, err := decodeTraces(data, media)
	if err != nil {
		return Result{}, err
	}
	in := c.newIntake(r.Context())
	c.addSpans(in, traces)
	err = in.finish()
	return in.result, err
}

func decodeTraces(data []byte, media string) (ptrace.Traces, error) {
	req := ptraceotlp.NewExportRequest()
	decode := req.UnmarshalProto
	if media == mediaJSON {
		decode = req.UnmarshalJSON
		if err := checkNesting(data); err != nil {
			return ptrace.Traces{}, err
		}
	}
	if err := decode(data); err != nil {
		return ptrace.Traces{}, quality.Errorf(quality.KindInvalid, "body is not an OTLP trace request (%s): %w", media, err)
	}
	return req.Traces(), nil
}

func (c *Collector) addSpans(in *intake, traces ptrace.Traces) {
	outcomes := map[string]int{}
	for found := range c.extractor.Spans(traces) {
		outcome, err := c.addSpan(in, found)
		if err != nil {
			in.reject(atIndex(found.Index), fmt.Errorf("span %s of trace %s: %w", found.Span, found.Trace, err))
		}
		outcomes[outcome]++
	}
	for outcome, n := range outcomes {
		c.metrics.spans.WithLabelValues(outcome).Add(float64(n))
	}
}

// addSpan takes a span in when it is an output of a feature.
func (c *Collector) addSpan(in *intake, found spans.Found) (outcome string, err error) {
	switch {
	case found.Feature == "":
		return spanNoFeature, nil
	case found.Err != nil:
		return spanRefused, found.Err
	case found.Record == nil || found.Record.Role != spans.RoleOutput:
		return spanOther, nil
	}
	sample, err := found.Record.Alone()
	if err == nil {
		err = in.add(&sample)
	}
	if err != nil {
		return spanRefused, err
	}
	return spanSample, nil
}

func exportReply(media string, r Result) ([]byte, error) {
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

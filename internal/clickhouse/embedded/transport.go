package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2/lib/column"
	block "github.com/ClickHouse/clickhouse-go/v2/lib/proto"

	"github.com/asgood-dev/asgood/internal/quality"
)

// hello is the driver's first question. It is answered here: the engine writes Native in its oldest
// form, revision 0, and the driver has to be told so in the form of its own revision.
const hello = "SELECT displayName(), version(), revision(), timezone()"

// notSettings are the parameters of a request that are no settings of the statement.
var notSettings = []string{"database", "default_format", "client_protocol_version", "query", "query_id", "quota_key", "session_id"}

// RoundTrip runs the request's statement. It implements http.RoundTripper.
func (e *Engine) RoundTrip(req *http.Request) (*http.Response, error) {
	buf, _ := e.bodies.Get().(*bytes.Buffer)
	if buf == nil {
		buf = &bytes.Buffer{}
	}
	defer e.bodies.Put(buf) // nothing below keeps the body
	if err := readBody(buf, req); err != nil {
		return nil, err
	}
	out, err := e.answer(req.Context(), req.URL.Query(), buf.Bytes())
	var ours *engineError
	switch {
	case errors.As(err, &ours):
		return failure(req, ours), nil
	case err != nil:
		return nil, err
	}
	return response(req, http.StatusOK, out), nil
}

// readBody reads into a buffer that was used before: inserts are many megabytes, again and again.
func readBody(buf *bytes.Buffer, req *http.Request) error {
	buf.Reset()
	if req.Body == nil {
		return nil
	}
	_, err := buf.ReadFrom(req.Body)
	if err = errors.Join(err, req.Body.Close()); err != nil {
		return fmt.Errorf("reading the statement: %w", err)
	}
	return nil
}

func (e *Engine) answer(ctx context.Context, q url.Values, body []byte) ([]byte, error) {
	sql := q.Get("query")
	if sql == "" {
		sql, body = string(body), nil
	}
	if sql == hello {
		return e.greet(q)
	}
	s := statement{format: "Native", params: parameters(q)}
	settings := settingsOf(ctx, q, time.Now())
	if len(body) > 0 {
		return e.insert(ctx, s, sql, settings, body)
	}
	var err error
	if s.sql, err = withSettings(sql, settings); err != nil {
		return nil, err
	}
	return e.run(ctx, s)
}

// greet answers hello.
func (e *Engine) greet(q url.Values) ([]byte, error) {
	revision, err := strconv.ParseUint(q.Get("client_protocol_version"), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("reading the driver's revision: %w", err)
	}
	var b block.Block
	for _, c := range []struct{ name, typ string }{{"displayName()", "String"}, {"version()", "String"}, {"revision()", "UInt32"}, {"timezone()", "String"}} {
		if err := b.AddColumn(c.name, column.Type(c.typ)); err != nil {
			return nil, fmt.Errorf("answering the driver: %w", err)
		}
	}
	if err := b.Append("embedded", e.version, uint32(0), e.zone); err != nil {
		return nil, fmt.Errorf("answering the driver: %w", err)
	}
	var buf proto.Buffer
	if err := b.Encode(&buf, revision); err != nil {
		return nil, fmt.Errorf("answering the driver: %w", err)
	}
	return buf.Buf, nil
}

var insertStatement = regexp.MustCompile(`(?is)^\s*(INSERT\s+INTO\s+.+?)\s+FORMAT\s+Native\s*;?\s*$`)

// insert runs an INSERT with its data. Data inside a statement are cut short by the engine's parser where
// they hold a semicolon, so it reads them from a file in memory. It is never abandoned half way: the
// next attempt must find it either done or not.
func (e *Engine) insert(ctx context.Context, s statement, sql string, settings []string, data []byte) ([]byte, error) {
	m := insertStatement.FindStringSubmatch(sql)
	if m == nil {
		return nil, quality.Errorf(quality.KindInternal, "want INSERT ... FORMAT Native with this data, got %.80q", sql)
	}
	path, free, err := memoryFile(data)
	if err != nil {
		return nil, fmt.Errorf("putting data where the engine reads them: %w", err)
	}
	defer free()
	settings = slices.DeleteFunc(settings, isTimeLimit) // half an insert is worse than a late one
	s.sql, s.finish = m[1], true
	if len(settings) > 0 {
		s.sql += " SETTINGS " + strings.Join(settings, ", ")
	}
	s.sql += fmt.Sprintf(" SELECT * FROM file('%s', Native)", path)
	return e.run(ctx, s)
}

// longestQuery bounds every query, since one that nobody waits for any more cannot be stopped.
const longestQuery = time.Minute

// settingsOf lists the settings of a request, in order, as they stand in a statement.
func settingsOf(ctx context.Context, q url.Values, now time.Time) []string {
	var out []string
	for name := range q {
		if slices.Contains(notSettings, name) || strings.HasPrefix(name, "param_") || name == "max_execution_time" {
			continue
		}
		out = append(out, name+" = "+literal(q.Get(name)))
	}
	limit := longestQuery
	if end, ok := ctx.Deadline(); ok {
		limit = min(limit, max(end.Sub(now), time.Millisecond))
	}
	out = append(out, fmt.Sprintf("max_execution_time = %.3f", limit.Seconds()))
	slices.Sort(out)
	return out
}

func isTimeLimit(setting string) bool { return strings.HasPrefix(setting, "max_execution_time ") }

// literal quotes every value: the engine reads numbers from strings, but no string from a number.
func literal(v string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(v) + "'"
}

var (
	readStatement = regexp.MustCompile(`(?is)^[\s(]*(SELECT|WITH)\b`)
	ownSettings   = regexp.MustCompile(`(?is)\bSETTINGS\s+\w+\s*=[^)]*$`)
)

// withSettings appends the settings to a reading statement. On others the clause would mean something
// else; there only the time limit, which no such statement of ours needs, may be left out.
func withSettings(sql string, settings []string) (string, error) {
	if !readStatement.MatchString(sql) {
		if rest := slices.DeleteFunc(settings, isTimeLimit); len(rest) > 0 {
			return "", quality.Errorf(quality.KindInternal, "setting %q cannot go with statement %.40q", rest[0], sql)
		}
		return sql, nil
	}
	sql = strings.TrimRight(sql, "; \t\r\n")
	if ownSettings.MatchString(sql) {
		return sql + ", " + strings.Join(settings, ", "), nil
	}
	return sql + " SETTINGS " + strings.Join(settings, ", "), nil
}

func parameters(q url.Values) map[string]string {
	out := map[string]string{}
	for name := range q {
		if p, ok := strings.CutPrefix(name, "param_"); ok {
			out[p] = q.Get(name)
		}
	}
	return out
}

var errorCode = regexp.MustCompile(`^Code:\s*(\d+)\.`)

// failure is the engine's error as a server would send it.
func failure(req *http.Request, err *engineError) *http.Response {
	res := response(req, http.StatusInternalServerError, []byte(err.text))
	if m := errorCode.FindStringSubmatch(err.text); m != nil {
		res.Header.Set("X-ClickHouse-Exception-Code", m[1])
	}
	return res
}

func response(req *http.Request, status int, body []byte) *http.Response {
	return &http.Response{
		Status: strconv.Itoa(status) + " " + http.StatusText(status), StatusCode: status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Request: req,
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}
}

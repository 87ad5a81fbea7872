package auth

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"

	"github.com/gin-gonic/gin"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
)

// GateOptions configure the gate of a listener.
type GateOptions struct {
	Table       Table
	KeyRequired bool  // machines need a key; without it a key is optional, and must be good when it is sent
	MaxBody     int64 // bytes of a machine's body as sent; 0 means 64 MiB

	People People // who is signed in; nil: nobody is
}

const defaultMaxBody = 64 << 20

// gate asks every request for what the audience of its route needs.
type gate struct {
	keys    *Keys
	opts    GateOptions
	foreign *http.CrossOriginProtection

	mu    sync.RWMutex
	found map[routed]Audience // what the table said: to look it up costs more than to answer many a request
}

// routed is a route of the listener, of which there are few.
type routed struct{ method, path string }

// Gate returns a handler to be used before all routes of a listener. A route without an audience is open to
// nobody.
func (k *Keys) Gate(o GateOptions) gin.HandlerFunc {
	if o.MaxBody <= 0 {
		o.MaxBody = defaultMaxBody
	}
	g := &gate{keys: k, opts: o, foreign: http.NewCrossOriginProtection(), found: map[routed]Audience{}}
	return g.handle
}

func (g *gate) handle(c *gin.Context) {
	path := c.FullPath()
	if path == "" {
		return // no route: the answer is 404 or 405, for everybody
	}
	a := g.audience(routed{c.Request.Method, path})
	switch a.kind {
	case public, signed:
		g.note(c, nil)
	case internal:
		g.internal(c, a.role)
	case health:
		g.health(c)
	case person:
		g.person(c, a.role)
	case local:
		g.local(c, a.role)
	case machine:
		g.machine(c, a.scope)
	default:
		g.keys.metrics.refuse(ReasonAudience)
		g.keys.opts.Logger.Error("a route declares no audience and is open to nobody", "method", c.Request.Method, "route", path)
		web.Fail(c, quality.Errorf(quality.KindForbidden, "this route declares no audience and is open to nobody"))
	}
}

// audience is for whom a route is. The zero Audience is nobody.
func (g *gate) audience(r routed) Audience {
	g.mu.RLock()
	a, ok := g.found[r]
	g.mu.RUnlock()
	if ok {
		return a
	}
	a, _ = g.opts.Table.Of(r.method, r.path)
	g.mu.Lock()
	g.found[r] = a
	g.mu.Unlock()
	return a
}

func (g *gate) machine(c *gin.Context, scope Scope) {
	sender, r := g.keys.admit(readHeader(c.Request.Header), scope, g.opts.KeyRequired)
	if r.reason != "" {
		g.refuse(c, r)
		return
	}
	limit := bodyLimit(sender, g.opts.MaxBody)
	if c.Request.ContentLength > limit {
		g.keys.metrics.refuse(ReasonTooLarge)
		g.fail(c, scope, tooLarge(limit))
		return
	}
	if sender != nil {
		c.Request = c.Request.WithContext(withCaller(c.Request.Context(), caller{sender: sender, from: remoteAddr(c.Request.RemoteAddr)}))
	}
	if c.Request.Body != nil && c.Request.Body != http.NoBody {
		c.Request.Body = &body{ReadCloser: c.Request.Body, keys: g.keys, sender: sender, limit: limit, left: limit,
			pace: pace{set: http.NewResponseController(c.Writer).SetReadDeadline}}
	}
}

// admit checks what a request gives as its key. Without a reason it may go on; without a sender it needs none.
func (k *Keys) admit(c credential, scope Scope, required bool) (*Sender, refusal) {
	now := k.opts.Now()
	switch {
	case c.reason == ReasonSeveral:
		return nil, refusal{reason: c.reason, scope: scope, now: now}
	case !c.sent && !required:
		return nil, refusal{}
	case !c.sent && c.reason != "":
		return nil, refusal{reason: c.reason, scope: scope, now: now}
	case !c.sent:
		return nil, refusal{reason: ReasonMissing, scope: scope, now: now}
	}
	sender, reason := k.check(c.token, scope, now)
	return sender, refusal{reason: reason, scope: scope, sender: sender, now: now}
}

// refuse counts a refusal and answers it.
func (g *gate) refuse(c *gin.Context, r refusal) {
	err := g.keys.judge(r, remoteAddr(c.Request.RemoteAddr), c.FullPath())
	if quality.KindOf(err) != quality.KindTooMany {
		r.setHeader(c.Writer.Header())
	}
	g.fail(c, r.scope, err)
}

// judge counts and logs a refusal and returns what the caller is told. An address that fails too often is told
// to come later.
func (k *Keys) judge(r refusal, from netip.Addr, route string) error {
	if !r.reason.failed() {
		k.metrics.refuse(r.reason)
		return r.err()
	}
	v := k.attempts.Fail(from, r.now)
	if v.Log {
		id := ""
		if r.sender != nil {
			id = r.sender.id
		}
		k.opts.Logger.Warn("a request without a good key was refused", "from", from.String(), "route", route, "reason", string(r.reason),
			"id", id, "not_logged", v.Suppressed)
	}
	if v.Wait > 0 {
		k.metrics.refuse(ReasonAttempts)
		return quality.TooMany(v.Wait, "too many requests without a good key; try again later")
	}
	k.metrics.refuse(r.reason)
	return r.err()
}

func remoteAddr(s string) netip.Addr {
	ap, err := netip.ParseAddrPort(s)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr()
}

// fail answers with an error, to senders of OTLP in the form that they know.
func (g *gate) fail(c *gin.Context, scope Scope, err error) {
	if scope != ScopeTraces {
		web.Fail(c, err)
		return
	}
	status, problem := web.ProblemOf(err)
	if after := web.RetryAfter(status, err); after > 0 {
		c.Header("Retry-After", strconv.Itoa(after))
	}
	media, data := rpcStatus(c.GetHeader("Content-Type"), codeOf(err), problem.Message)
	c.Data(status, media, data)
	c.Abort()
}

// codeOf is the code of gRPC for an error.
func codeOf(err error) codes.Code {
	switch quality.KindOf(err) {
	case quality.KindUnauthenticated:
		return codes.Unauthenticated
	case quality.KindForbidden:
		return codes.PermissionDenied
	case quality.KindTooMany:
		return codes.ResourceExhausted
	case quality.KindTooLarge, quality.KindInvalid:
		return codes.InvalidArgument
	default:
		return codes.Internal
	}
}

// rpcStatus is a google.rpc.Status in the form of the request.
func rpcStatus(contentType string, code codes.Code, message string) (media string, data []byte) {
	const protobuf, text = "application/x-protobuf", "application/json"
	if m, _, err := mime.ParseMediaType(contentType); err == nil && m == protobuf {
		if data, err := proto.Marshal(&spb.Status{Code: int32(code), Message: strings.ToValidUTF8(message, "\uFFFD")}); err == nil {
			return protobuf, data
		}
	}
	data, err := json.Marshal(map[string]any{"code": int(code), "message": message})
	if err != nil {
		data = fmt.Appendf(nil, `{"code":%d}`, code) // a number and a string can always be written
	}
	return text, data
}

package probe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
)

// Bounds on what a call may say.
const (
	maxBeatBody    = 16 << 10
	maxBeatMessage = 500 // characters kept
)

func (p *Prober) newHeartbeat(w *watched) (*heart, error) {
	if p.opts.Beats == nil {
		return nil, errors.New("nothing keeps the beats")
	}
	name := w.spec.Heartbeat
	if p.hearts[name] != nil {
		return nil, errors.New("another probe waits for this heartbeat")
	}
	b := Beat{Name: name}
	for _, known := range p.opts.KnownBeats {
		if known.Name == name {
			b = known
		}
	}
	w.heart = newHeart(b, w.spec.Every, w.spec.Grace, p.opts.Now)
	w.heart.feature = w.feature
	p.hearts[name] = w.heart
	return w.heart, nil
}

// resume begins to wait for a heartbeat. The last stored state says until when it was watched before.
func (p *Prober) resume(ctx context.Context, w *watched) {
	h := w.heart
	h.mu.Lock()
	h.beat = h.beat.resume(w.status.CheckedAt, p.opts.Now(), h.period())
	h.mu.Unlock()
	if err := h.save(ctx, p.opts.Beats); err != nil && ctx.Err() == nil {
		p.opts.Logger.Warn("a heartbeat could not be stored", "heartbeat", w.spec.Heartbeat, "err", err)
	}
}

// Register adds the route that heartbeats call.
func (p *Prober) Register(r gin.IRouter) {
	for _, method := range []string{http.MethodPost, http.MethodGet, http.MethodHead} {
		r.Handle(method, "/v1/heartbeats/:name", web.Handle(p.takeBeat))
	}
}

// beatReply is the answer to a beat.
type beatReply struct {
	Heartbeat string    `json:"heartbeat"`
	Status    string    `json:"status"`  // ok or fail
	NextBy    time.Time `json:"next_by"` // when the next beat is late
}

// takeBeat answers once the beat is durable.
func (p *Prober) takeBeat(c *gin.Context) error {
	name := c.Param("name")
	h := p.hearts[name]
	if h == nil {
		p.metrics.beats.WithLabelValues(beatRefused).Inc()
		return quality.Errorf(quality.KindNotFound, "no probe waits for a heartbeat of this name")
	}
	err := p.opts.Allow(c.Request.Context(), h.feature)
	failed, message := false, ""
	if err == nil {
		failed, message, err = readBeat(c.Request)
	}
	if err != nil {
		p.metrics.beats.WithLabelValues(beatRefused).Inc()
		return err
	}
	h.take(failed, message)
	if err := h.save(c.Request.Context(), p.opts.Beats); err != nil {
		p.metrics.beats.WithLabelValues(beatUnsaved).Inc()
		p.opts.Logger.Warn("a heartbeat could not be stored", "heartbeat", name, "err", err) // the caller gets other words
		return quality.Errorf(quality.KindUnavailable, "the beat could not be stored; try again shortly")
	}
	status := beatOK
	if failed {
		status = beatFail
	}
	p.metrics.beats.WithLabelValues(status).Inc()
	c.Header("Cache-Control", "no-store")
	c.JSON(http.StatusOK, beatReply{Heartbeat: name, Status: status, NextBy: h.due().UTC()})
	return nil
}

// readBeat reads the body of a POST; without one all is well.
func readBeat(r *http.Request) (failed bool, message string, err error) {
	if r.Method != http.MethodPost || r.Body == nil {
		return false, "", nil
	}
	data, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBeatBody))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return false, "", quality.Errorf(quality.KindTooLarge, "the body of a beat has at most %d bytes", maxBeatBody)
		}
		return false, "", quality.Errorf(quality.KindInvalid, "reading the body: %w", err)
	}
	return parseBeat(data)
}

// parseBeat reads a body such as {"status":"fail","message":"..."}.
func parseBeat(data []byte) (failed bool, message string, err error) {
	text := strings.TrimSpace(string(data))
	if text == "" {
		return false, "", nil
	}
	var body struct {
		Status  string `json:"status"`
		Message string `json:"message"`
	}
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&body); err != nil {
		return false, "", quality.Errorf(quality.KindInvalid, `want no body, or {"status":"fail","message":"..."}: %s`, jsonReason(err))
	}
	if dec.More() {
		return false, "", quality.Errorf(quality.KindInvalid, "the body holds more than one value")
	}
	if body.Status != "" && body.Status != beatOK && body.Status != beatFail {
		return false, "", quality.Errorf(quality.KindInvalid, `field "status": want ok or fail`)
	}
	return body.Status == beatFail, printable(body.Message), nil
}

func jsonReason(err error) string {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return fmt.Sprintf("field %q: want text", wrong.Field)
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}

// printable keeps the beginning of a message, without what would disturb a log or a terminal.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(s, "�"))
	if r := []rune(s); len(r) > maxBeatMessage {
		s = string(r[:maxBeatMessage]) + "..."
	}
	return strings.TrimSpace(s)
}

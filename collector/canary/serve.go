package canary

import (
	"encoding/json"
	"mime"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
)

// Status is what is known of a canary.
type Status struct {
	Feature      string                    `json:"feature"`
	Name         string                    `json:"name"`
	Endpoint     string                    `json:"endpoint"` // without anything secret
	EverySeconds int64                     `json:"every_seconds"`
	Prompts      int                       `json:"prompts"`
	Repeat       int                       `json:"repeat"`
	Running      bool                      `json:"running"`
	NextAt       time.Time                 `json:"next_at,omitzero"` // absent where no schedule runs
	Last         *quality.CanaryRun        `json:"last"`             // null before the first run
	All          *quality.BehaviourHistory `json:"all"`              // all prompts together
	Rates        []quality.BehaviourRate   `json:"rates"`            // latest of each prompt, in the order of the configuration
}

// List returns what is known of every canary, in the order of the configuration.
func (k *Keeper) List() []Status {
	out := make([]Status, 0, len(k.canaries))
	for _, c := range k.canaries {
		out = append(out, c.status())
	}
	return out
}

func (c *canary) status() Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := Status{
		Feature: c.feature, Name: c.spec.Name, Endpoint: c.spec.Endpoint(), EverySeconds: int64(c.spec.Every / time.Second),
		Prompts: len(c.spec.Prompts), Repeat: c.spec.Repeat, Running: len(c.busy) > 0, NextAt: c.next, Rates: []quality.BehaviourRate{},
	}
	if run := c.run; !run.StartedAt.IsZero() {
		s.Last = &run
	}
	if all, ok := c.rates[""]; ok {
		s.All = &all
	}
	for i := range c.spec.Prompts {
		if h, ok := c.rates[c.spec.Prompts[i].ID]; ok {
			s.Rates = append(s.Rates, h.Latest)
		}
	}
	return s
}

// Line is one line of the answer to a run that was asked for: how far it has come, and at last what it
// found or why it failed.
type Line struct {
	Progress *Progress    `json:"progress,omitempty"`
	Report   *Report      `json:"report,omitempty"`
	Error    *web.Problem `json:"error,omitempty"`
}

// writeTime is how long a caller may take to read a line.
const writeTime = 10 * time.Second

// Register adds the routes, for the internal listener.
func (k *Keeper) Register(r gin.IRouter) {
	r.GET("/v1/canaries", func(g *gin.Context) { g.JSON(http.StatusOK, gin.H{"canaries": k.List()}) })
	r.POST("/v1/canaries/:name/run", web.Handle(k.postRun))
}

// postRun runs a canary and tells of it line by line. It ends with its caller. Only JSON is taken, which a page
// of another site cannot make a browser send.
func (k *Keeper) postRun(g *gin.Context) error {
	if kind, _, err := mime.ParseMediaType(g.GetHeader("Content-Type")); err != nil || kind != "application/json" {
		return quality.Errorf(quality.KindInvalid, "want the header Content-Type: application/json")
	}
	enc := json.NewEncoder(g.Writer)
	g.Header("Content-Type", "application/x-ndjson")
	write := func(l Line) {
		// The run waits for no caller that does not read; one that has gone ends it by its context.
		_ = http.NewResponseController(g.Writer).SetWriteDeadline(time.Now().Add(writeTime))
		_ = enc.Encode(l)
		g.Writer.Flush()
	}
	report, err := k.RunNow(g.Request.Context(), g.Param("name"), func(p Progress) { write(Line{Progress: &p}) })
	switch {
	case err == nil:
		write(Line{Report: &report})
	case !g.Writer.Written():
		return err
	default:
		_, problem := web.ProblemOf(err)
		write(Line{Error: &problem})
	}
	return nil
}

package ask

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/web"
)

// Status is what is known of a scorer that asks.
type Status struct {
	Feature   string    `json:"feature"`
	Name      string    `json:"name"`
	Type      string    `json:"type"`
	Version   string    `json:"version"`
	Endpoint  string    `json:"endpoint"` // without anything secret
	Model     string    `json:"model,omitempty"`
	Rate      float64   `json:"rate"`                // probability with which samples are asked about now
	Budget    *Budget   `json:"budget,omitempty"`    // absent when there is none
	AwayUntil time.Time `json:"away_until,omitzero"` // when the endpoint is tried again, while it is left alone
	Detail    any       `json:"detail,omitempty"`    // what the scorer itself tells, such as a judge's bias
	Days      []Day     `json:"days"`                // oldest first
}

// Budget is how a budget stands.
type Budget struct {
	Limit string    `json:"limit"` // as 2000/d
	Used  int       `json:"used"`  // calls of the period
	Left  int       `json:"left"`
	Until time.Time `json:"until"` // end of the period
}

// Status returns what is known of the scorer.
func (s *Stage) Status() Status {
	spec := &s.o.Spec
	a, used, left, until := s.purse.snapshot()
	out := Status{Feature: s.o.Feature, Name: spec.Name, Type: spec.Type, Version: s.scorer.Version(), Endpoint: spec.Endpoint(),
		Model: spec.Model, Rate: a.Rate, AwayUntil: s.circuit.away(), Days: a.Days}
	if !spec.Budget.IsZero() {
		out.Budget = &Budget{Limit: spec.Budget.String(), Used: used, Left: left, Until: until}
		s.meter.left.WithLabelValues(s.meter.labels...).Set(float64(left))
	}
	if out.Days == nil {
		out.Days = []Day{}
	}
	if d, ok := s.scorer.(interface{ Detail() any }); ok {
		out.Detail = d.Detail()
	}
	return out
}

// Register adds GET /v1/scorers, for the internal listener.
func Register(r gin.IRouter, stages []*Stage) {
	r.GET("/v1/scorers", web.Handle(func(g *gin.Context) error {
		list := make([]Status, 0, len(stages))
		for _, s := range stages {
			list = append(list, s.Status())
		}
		return web.JSON(g, http.StatusOK, gin.H{"scorers": list})
	}))
}

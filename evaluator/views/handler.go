package views

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
)

// Store sums scores.
type Store interface {
	// ScoreHours returns the sums of every metric by hour, in order of feature, metric and hour.
	ScoreHours(ctx context.Context, from, to time.Time) ([]quality.ScoreHour, error)
}

// Monitor is what is told of one monitor.
type Monitor struct {
	quality.MonitorStatus
	Sight     string                 `json:"sight"` // what it would notice, in words
	Week      quality.WeekView       `json:"week"`
	Objective *quality.ObjectiveView `json:"objective"` // null without one

	// Corrected is the mean of the last 7 days beside what people said of some of the samples, with a note
	// where they said too little; only of metrics that a judge makes.
	Corrected *quality.CorrectedMean `json:"corrected,omitempty"`
}

// Handler serves the monitors.
type Handler struct {
	Features []quality.Feature
	Location *time.Location
	Statuses func(now time.Time) []quality.MonitorStatus
	Store    Store
	Now      func() time.Time

	// Corrected returns the corrected mean of a judge's metric, nil for others. Nil means that there is none.
	Corrected func(ctx context.Context, feature, metric string) (*quality.CorrectedMean, error)
}

// Register adds the routes, for the internal listener.
func (h *Handler) Register(r gin.IRouter) {
	r.GET("/v1/monitors", web.Handle(func(g *gin.Context) error {
		list, err := h.Monitors(g.Request.Context())
		if err != nil {
			return err
		}
		g.JSON(http.StatusOK, gin.H{"monitors": list})
		return nil
	}))
}

// Monitors returns every monitor with its views, in the order of the configuration.
func (h *Handler) Monitors(ctx context.Context) ([]Monitor, error) {
	now := h.Now()
	hours, err := h.Store.ScoreHours(ctx, now.In(h.Location).AddDate(0, 0, -max(14, h.longest())), now)
	if err != nil {
		return nil, err
	}
	byMetric := map[[2]string][]quality.ScoreHour{}
	for _, x := range hours {
		key := [2]string{x.Feature, x.Metric}
		byMetric[key] = append(byMetric[key], x)
	}
	out := []Monitor{}
	for _, st := range h.Statuses(now) {
		of := byMetric[[2]string{st.Feature, st.Metric}]
		m := Monitor{MonitorStatus: st, Sight: Sight(&st), Week: Week(now, h.Location, of)}
		if spec := h.objective(st); spec != nil {
			v := Objective(now, h.Location, *spec, st, of)
			m.Objective = &v
		}
		if h.Corrected != nil {
			if m.Corrected, err = h.Corrected(ctx, st.Feature, st.Metric); err != nil {
				return nil, err
			}
		}
		out = append(out, m)
	}
	return out, nil
}

// longest is the longest period of an objective in days.
func (h *Handler) longest() int {
	days := 0
	for _, f := range h.Features {
		for _, m := range f.Monitors {
			if m.Objective != nil {
				days = max(days, int(m.Objective.Over/(24*time.Hour)))
			}
		}
	}
	return days
}

func (h *Handler) objective(st quality.MonitorStatus) *quality.ObjectiveSpec {
	for _, f := range h.Features {
		for _, m := range f.Monitors {
			if f.Name == st.Feature && m.Metric == st.Metric {
				return m.Objective
			}
		}
	}
	return nil
}

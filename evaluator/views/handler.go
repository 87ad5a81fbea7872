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
	Sight     string                 `json:"sight"`     // what it would notice, in words
	Week      *quality.WeekView      `json:"week"`      // null where it could not be read
	Objective *quality.ObjectiveView `json:"objective"` // null without one, and where it could not be read

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

// readTime bounds the reading from the store for one answer.
const readTime = 15 * time.Second

// Answer is what is told of all monitors.
type Answer struct {
	Monitors []Monitor `json:"monitors"` // in the order of the configuration
	Unread   []Unread  `json:"unread"`   // what could not be read, so that it is missing in the monitors
}

// Unread is a part of the monitors that could not be read.
type Unread struct {
	What []string `json:"what"` // names of fields of the monitors
	Why  string   `json:"why"`
}

// Register adds the routes, for the internal listener.
func (h *Handler) Register(r gin.IRouter) {
	r.GET("/v1/monitors", web.Handle(func(g *gin.Context) error {
		answer, err := h.Monitors(g.Request.Context())
		if err != nil {
			return err
		}
		return web.JSON(g, http.StatusOK, answer)
	}))
}

// Monitors returns every monitor with its views. What the store does not give is left out and said: what a
// monitor itself tells is there without it. An error is only that ctx ended.
func (h *Handler) Monitors(ctx context.Context) (Answer, error) {
	within, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	now := h.Now()
	out := Answer{Monitors: []Monitor{}, Unread: []Unread{}}
	byMetric, hoursErr := h.hours(within, now)
	if hoursErr != nil {
		out.Unread = append(out.Unread, Unread{[]string{"week", "objective"}, reason(hoursErr)})
	}
	var correctedErr error
	for _, st := range h.Statuses(now) {
		m := Monitor{MonitorStatus: st, Sight: Sight(&st)}
		if hoursErr == nil {
			h.view(&m, now, byMetric[[2]string{st.Feature, st.Metric}])
		}
		if h.Corrected != nil && correctedErr == nil {
			m.Corrected, correctedErr = h.Corrected(within, st.Feature, st.Metric)
		}
		out.Monitors = append(out.Monitors, m)
	}
	if correctedErr != nil {
		out.Unread = append(out.Unread, Unread{[]string{"corrected"}, reason(correctedErr)})
	}
	return out, ctx.Err()
}

// reason says why something could not be read. What is internal stays inside.
func reason(err error) string {
	if quality.KindOf(err) == quality.KindInternal {
		return "something went wrong on our side"
	}
	return "the store is away"
}

func (h *Handler) hours(ctx context.Context, now time.Time) (map[[2]string][]quality.ScoreHour, error) {
	hours, err := h.Store.ScoreHours(ctx, now.In(h.Location).AddDate(0, 0, -max(14, h.longest())), now)
	if err != nil {
		return nil, err
	}
	out := map[[2]string][]quality.ScoreHour{}
	for _, x := range hours {
		key := [2]string{x.Feature, x.Metric}
		out[key] = append(out[key], x)
	}
	return out, nil
}

func (h *Handler) view(m *Monitor, now time.Time, hours []quality.ScoreHour) {
	week := Week(now, h.Location, hours)
	m.Week = &week
	if spec := h.objective(m.MonitorStatus); spec != nil {
		v := Objective(now, h.Location, *spec, m.MonitorStatus, hours)
		m.Objective = &v
	}
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

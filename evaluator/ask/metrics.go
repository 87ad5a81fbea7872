package ask

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Metrics are what all stages of a process tell of themselves.
type Metrics struct {
	seen, asked, scores, passed *prometheus.CounterVec
	calls, tokens, cost         *prometheus.CounterVec
	rate, left, away, flying    *prometheus.GaugeVec
	retries, lost               *prometheus.CounterVec
}

// NewMetrics registers the metrics.
func NewMetrics(r prometheus.Registerer) (*Metrics, error) {
	if r == nil {
		r = prometheus.NewRegistry()
	}
	var errs []error
	counter := func(name, help string, more ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "asgood", Subsystem: "ask", Name: name, Help: help},
			append([]string{"feature", "scorer"}, more...))
		errs = append(errs, r.Register(c))
		return c
	}
	gauge := func(name, help string) *prometheus.GaugeVec {
		g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "asgood", Subsystem: "ask", Name: name, Help: help}, []string{"feature", "scorer"})
		errs = append(errs, r.Register(g))
		return g
	}
	m := &Metrics{
		seen:    counter("seen_total", "Samples of the feature that were read."),
		asked:   counter("asked_total", "Samples that were chosen and asked about."),
		scores:  counter("scores_total", "Scores made, by outcome.", "outcome"),
		passed:  counter("passed_over_total", "Samples that were chosen and not asked about, by reason.", "reason"),
		calls:   counter("calls_total", "Calls made, and answers that were known already.", "kind"),
		tokens:  counter("tokens_total", "Tokens that calls took, by direction.", "direction"),
		cost:    counter("cost_total", "What calls cost, in the currency of the configured prices."),
		retries: counter("retries_total", "Tries after the first."),
		lost:    counter("messages_unreadable_total", "Messages that are no delivery."),
		rate:    gauge("rate", "Probability with which samples are asked about now."),
		left:    gauge("budget_left", "Calls left of the budget's period."),
		away:    gauge("away", "1 while the endpoint is left alone."),
		flying:  gauge("in_flight", "Samples that are being asked about."),
	}
	return m, errors.Join(errs...)
}

// meter are the metrics of one stage.
type meter struct {
	*Metrics
	labels []string
}

func (m meter) with(more ...string) []string {
	return append(m.labels[:len(m.labels):len(m.labels)], more...)
}

func (m meter) spent(s quality.Spend) {
	m.calls.WithLabelValues(m.with("made")...).Add(float64(s.Calls))
	m.calls.WithLabelValues(m.with("cached")...).Add(float64(s.Cached))
	m.tokens.WithLabelValues(m.with("input")...).Add(float64(s.InputTokens))
	m.tokens.WithLabelValues(m.with("output")...).Add(float64(s.OutputTokens))
	m.cost.WithLabelValues(m.labels...).Add(max(0, s.Cost))
}

package alerts

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	incidents *prometheus.CounterVec
	changes   *prometheus.CounterVec
	monitors  *prometheus.CounterVec
	bad       prometheus.Counter
	pending   prometheus.Gauge
	delivered *prometheus.CounterVec
	failed    *prometheus.CounterVec
	retries   *prometheus.CounterVec
}

// known makes the series of a receiver, so that the first failure is seen as a change from none.
func (m *metrics) known(receiver string) {
	m.delivered.WithLabelValues(receiver)
	m.retries.WithLabelValues(receiver)
	for _, reason := range reasons() {
		m.failed.WithLabelValues(receiver, reason)
	}
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	counters := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "asgood", Subsystem: "alerts", Name: name, Help: help}, labels)
	}
	m := &metrics{
		incidents: counters("incidents_total", "Incidents opened, updated and resolved.", "kind", "what"),
		changes:   counters("changes_total", "Changes that people were told of, by type of message.", "what"),
		monitors:  counters("monitor_events_total", "Monitors that went blind or see again, that people were told of, by type of message.", "what"),
		bad: prometheus.NewCounter(prometheus.CounterOpts{Namespace: "asgood", Subsystem: "alerts",
			Name: "events_unreadable_total", Help: "Events that could not be read."}),
		pending: prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "asgood", Subsystem: "alerts",
			Name: "outbox_pending", Help: "Messages that wait for delivery."}),
		delivered: counters("delivered_total", "Messages delivered.", "receiver"),
		failed:    counters("failed_total", "Messages given up, by reason.", "receiver", "reason"),
		retries:   counters("retries_total", "Attempts that failed and will be made again.", "receiver"),
	}
	for _, c := range []prometheus.Collector{m.incidents, m.changes, m.monitors, m.bad, m.pending, m.delivered, m.failed, m.retries} {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("registering the metrics of alerts: %w", err)
		}
	}
	return m, nil
}

package explain

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	seconds prometheus.Histogram
	failed  prometheus.Counter
	bad     prometheus.Counter
	waiting prometheus.Gauge
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "asgood_explain_seconds", Help: "Time of explanations that were made.",
			Buckets: prometheus.ExponentialBuckets(0.01, 4, 8)}),
		failed:  prometheus.NewCounter(prometheus.CounterOpts{Name: "asgood_explain_failed_total", Help: "Explanations that could not be made and are tried again."}),
		bad:     prometheus.NewCounter(prometheus.CounterOpts{Name: "asgood_explain_bad_messages_total", Help: "Events that were not readable."}),
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{Name: "asgood_explain_waiting", Help: "Regressions whose explanation is due."}),
	}
	for _, c := range []prometheus.Collector{m.seconds, m.failed, m.bad, m.waiting} {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("registering the metrics of explanations: %w", err)
		}
	}
	return m, nil
}

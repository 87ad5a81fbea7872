package bus

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	messages *prometheus.CounterVec
	bytes    *prometheus.CounterVec
	lag      *prometheus.GaugeVec
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	if r == nil {
		r = prometheus.NewRegistry()
	}
	m := &metrics{
		messages: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "asgood_bus_messages_total", Help: "Messages published, by stream and result."}, []string{"stream", "result"}),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "asgood_bus_bytes_total", Help: "Bytes published, by stream."}, []string{"stream"}),
		lag: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "asgood_bus_lag_messages", Help: "Messages that a reader has not committed."}, []string{"stream", "reader"}),
	}
	for _, c := range []prometheus.Collector{m.messages, m.bytes, m.lag} {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("registering the metrics of the bus: %w", err)
		}
	}
	return m, nil
}

func (m *metrics) published(stream string, size int, err error) {
	if err != nil {
		m.messages.WithLabelValues(stream, "failed").Inc()
		return
	}
	m.messages.WithLabelValues(stream, "ok").Inc()
	m.bytes.WithLabelValues(stream).Add(float64(size))
}

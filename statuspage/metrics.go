package statuspage

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	refreshes *prometheus.CounterVec
	readAt    *prometheus.GaugeVec
	stale     prometheus.Gauge
	building  prometheus.Histogram
	clients   prometheus.Gauge
	dropped   *prometheus.CounterVec
	exports   *prometheus.CounterVec
}

// Reasons for which a live connection is refused or ended by us.
const (
	dropSlow   = "slow"
	dropFull   = "full"
	dropOrigin = "origin"
)

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	if r == nil {
		r = prometheus.NewRegistry()
	}
	m := &metrics{
		refreshes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "asgood_statuspage_refreshes_total", Help: "Reads of what the page shows, by source and result.",
		}, []string{"source", "result"}),
		readAt: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "asgood_statuspage_read_timestamp_seconds", Help: "Time of the last good read, by source.",
		}, []string{"source"}),
		stale: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "asgood_statuspage_stale", Help: "1 while the page shows old figures because a source does not answer.",
		}),
		building: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "asgood_statuspage_build_seconds", Help: "Time to build and render a view.",
			Buckets: []float64{.001, .005, .01, .05, .1, .5, 1, 5},
		}),
		clients: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "asgood_statuspage_live_clients", Help: "Live connections.",
		}),
		dropped: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "asgood_statuspage_live_dropped_total", Help: "Live connections refused or ended by the server, by reason.",
		}, []string{"reason"}),
	}
	m.exports = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "asgood_statuspage_exports_total", Help: "Writes of the page as files, by result.",
	}, []string{"result"})
	m.exports.WithLabelValues("ok")
	m.exports.WithLabelValues("failed")
	for _, c := range []prometheus.Collector{m.refreshes, m.readAt, m.stale, m.building, m.clients, m.dropped, m.exports} {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("registering metrics: %w", err)
		}
	}
	for _, reason := range []string{dropSlow, dropFull, dropOrigin} {
		m.dropped.WithLabelValues(reason)
	}
	for _, s := range []string{"state", "days"} {
		m.refreshes.WithLabelValues(s, "ok")
		m.refreshes.WithLabelValues(s, "failed")
	}
	return m, nil
}

func result(err error) string {
	if err != nil {
		return "failed"
	}
	return "ok"
}

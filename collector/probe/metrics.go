package probe

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/asgood-dev/asgood/internal/quality"
)

// What became of a call to the heartbeats, as label values.
const (
	beatOK      = "ok"
	beatFail    = "fail"
	beatRefused = "refused"
	beatUnsaved = "unsaved"
)

// metrics are labelled by features and the labels of probes, which the configuration bounds and which
// hold no secrets.
type metrics struct {
	checks  *prometheus.CounterVec
	retries *prometheus.CounterVec
	lost    prometheus.Counter
	up      *prometheus.GaugeVec
	seconds *prometheus.GaugeVec
	expires *prometheus.GaugeVec
	beats   *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	gauge := func(name, help string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "asgood_probe_" + name, Help: help}, []string{"feature", "probe"})
	}
	counter := func(name, help string, label ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "asgood_probe_" + name, Help: help}, label)
	}
	m := &metrics{
		checks:  counter("checks_total", "Availability checks made.", "feature", "result"),
		retries: counter("retries_total", "Further tries within a check that had failed.", "feature"),
		lost: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "asgood_probe_results_lost_total", Help: "Checks whose result could not be recorded."}),
		up:      gauge("up", "State after confirmation: 1 is up, 0 is down; absent while unknown."),
		seconds: gauge("seconds", "Time that the last check took."),
		expires: gauge("certificate_expiry_timestamp_seconds", "When the certificate ends, in Unix time."),
		beats:   counter("heartbeat_calls_total", "Calls of heartbeats, by what became of them.", "result"),
	}
	for _, result := range []string{beatOK, beatFail, beatRefused, beatUnsaved} {
		m.beats.WithLabelValues(result)
	}
	var errs []error
	for _, c := range []prometheus.Collector{m.checks, m.retries, m.lost, m.up, m.seconds, m.expires, m.beats} {
		errs = append(errs, reg.Register(c))
	}
	return m, errors.Join(errs...)
}

func (m *metrics) check(r Result) {
	result := "down"
	switch {
	case r.Unknown:
		result = "unknown"
	case r.Up:
		result = "up"
	}
	m.checks.WithLabelValues(r.Feature, result).Inc()
	m.seconds.WithLabelValues(r.Feature, r.Probe).Set(r.Latency.Seconds())
}

func (m *metrics) state(feature, label string, s quality.UpState) {
	switch s {
	case quality.Up:
		m.up.WithLabelValues(feature, label).Set(1)
	case quality.Down:
		m.up.WithLabelValues(feature, label).Set(0)
	default:
		m.up.DeleteLabelValues(feature, label)
	}
}

func (m *metrics) expiry(feature, label string, at time.Time) {
	m.expires.WithLabelValues(feature, label).Set(float64(at.Unix()))
}

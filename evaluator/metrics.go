package evaluator

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/asgood-dev/asgood/internal/quality"
)

// metrics are what the service tells of itself.
type metrics struct {
	samples, duplicates, unknown prometheus.Counter
	scores, failed, bad, retries prometheus.Counter
	other                        prometheus.Counter
	events, blind                *prometheus.CounterVec
	seq, savedAt                 prometheus.Gauge
	saving                       prometheus.Histogram
}

func newMetrics(r prometheus.Registerer) *metrics {
	if r == nil {
		r = prometheus.NewRegistry()
	}
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Namespace: "asgood", Subsystem: "evaluator", Name: name, Help: help})
		r.MustRegister(c)
		return c
	}
	gauge := func(name, help string) prometheus.Gauge {
		g := prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "asgood", Subsystem: "evaluator", Name: name, Help: help})
		r.MustRegister(g)
		return g
	}
	m := &metrics{
		samples:    counter("samples_total", "Samples scored."),
		duplicates: counter("duplicates_total", "Samples dropped because their id was seen before."),
		unknown:    counter("unknown_total", "Samples dropped because their feature is not configured."),
		scores:     counter("scores_total", "Scores made, failed ones included."),
		failed:     counter("scores_failed_total", "Scores that carry an error."),
		other:      counter("scores_other_version_total", "Scores left out because they are of another version of their scorer."),
		bad:        counter("messages_unreadable_total", "Messages that are no list of samples."),
		retries:    counter("retries_total", "Failed tries to read, publish or save."),
		seq:        gauge("last_sequence", "Sequence of the last message worked through."),
		savedAt:    gauge("saved_timestamp_seconds", "When the state was saved last."),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "asgood", Subsystem: "evaluator",
			Name: "regression_events_total", Help: "Regression events published, by type."}, []string{"type"}),
		blind: prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "asgood", Subsystem: "evaluator",
			Name: "monitor_events_total", Help: "Events of monitors that went blind or see again, by type and cause."}, []string{"type", "cause"}),
		saving: prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: "asgood", Subsystem: "evaluator",
			Name: "save_duration_seconds", Help: "Time to save the state.", Buckets: prometheus.ExponentialBuckets(0.001, 4, 8)}),
	}
	r.MustRegister(m.events, m.blind, m.saving)
	for _, t := range []quality.RegressionEventType{quality.RegressionOpened, quality.RegressionUpdated, quality.RegressionRecovered, quality.RegressionWithdrawn} {
		m.events.WithLabelValues(string(t))
	}
	for _, cause := range quality.BlindCauses() {
		m.blind.WithLabelValues(string(quality.MonitorWentBlind), string(cause))
		m.blind.WithLabelValues(string(quality.MonitorSees), string(cause))
	}
	return m
}

func (m *metrics) observed(before, after Counts, seq uint64) {
	m.samples.Add(float64(after.Samples - before.Samples))
	m.duplicates.Add(float64(after.Duplicates - before.Duplicates))
	m.unknown.Add(float64(after.Unknown - before.Unknown))
	m.scores.Add(float64(after.Scores - before.Scores))
	m.failed.Add(float64(after.Failed - before.Failed))
	m.other.Add(float64(after.Other - before.Other))
	m.seq.Set(float64(seq))
}

func (m *metrics) saved(took time.Duration, now time.Time) {
	m.saving.Observe(took.Seconds())
	m.savedAt.Set(float64(now.Unix()))
}

package ledger

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/asgood-dev/asgood/internal/quality"
)

// What became of what was sent, as label values.
const (
	resultNew       = "new"
	resultDuplicate = "duplicate"
	resultIgnored   = "ignored"
	resultRefused   = "refused"
	resultFailed    = "failed"
)

type metrics struct {
	received    *prometheus.CounterVec // by source and result
	told        *prometheus.CounterVec
	swept       prometheus.Counter
	unreadable  prometheus.Counter
	dropped     prometheus.Counter
	entries     prometheus.Gauge
	unexplained prometheus.Gauge
	varying     prometheus.Gauge
	held        prometheus.Gauge
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "asgood_ledger_" + name, Help: help})
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: "asgood_ledger_" + name, Help: help})
	}
	m := &metrics{
		received: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "asgood_ledger_changes_total",
			Help: "Changes that came or were seen, by source and result."}, []string{"source", "result"}),
		told: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "asgood_ledger_told_total",
			Help: "Changes whose owners were told, by reason."}, []string{"reason"}),
		swept:       counter("swept_total", "Entries removed because they were too old or too many."),
		unreadable:  counter("unreadable_total", "Stored documents that could not be read."),
		dropped:     counter("values_dropped_total", "Values in samples that were not tracked because there were too many."),
		entries:     gauge("entries", "Entries of the ledger."),
		unexplained: gauge("undeclared", "Undeclared changes that no entry explains."),
		varying:     gauge("facets_varying", "Facets of features that differ from sample to sample, so that their changes are not looked for."),
		held:        gauge("held", "Changes whose owners are told later because many were told today."),
	}
	for _, s := range []quality.ChangeSource{quality.ChangeAPI, quality.ChangeCLI, quality.ChangeGitHub, quality.ChangeGitLab, quality.ChangePagerDuty, quality.ChangeObserved} {
		m.received.WithLabelValues(string(s), resultNew)
	}
	for _, c := range []prometheus.Collector{m.received, m.told, m.swept, m.unreadable, m.dropped, m.entries, m.unexplained, m.varying, m.held} {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("registering the metrics of the ledger: %w", err)
		}
	}
	return m, nil
}

func (m *metrics) count(source quality.ChangeSource, result string) {
	m.received.WithLabelValues(string(source), result).Inc()
}

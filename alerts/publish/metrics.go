package publish

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	actions *prometheus.CounterVec
	notices *prometheus.CounterVec
	overdue prometheus.Counter
	bad     prometheus.Counter
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	opts := func(name, help string) prometheus.CounterOpts {
		return prometheus.CounterOpts{Namespace: "asgood", Subsystem: "publish", Name: name, Help: help}
	}
	m := &metrics{
		actions: prometheus.NewCounterVec(opts("actions_total", "What was done to incidents and maintenances, by kind of actor."), []string{"action", "actor"}),
		notices: prometheus.NewCounterVec(opts("notices_total", "Notices given to subscribers."), []string{"kind", "what"}),
		overdue: prometheus.NewCounter(opts("updates_overdue_total", "Promised updates that did not come in time.")),
		bad:     prometheus.NewCounter(opts("documents_unreadable_total", "Incidents and maintenances that could not be read.")),
	}
	for _, c := range []prometheus.Collector{m.actions, m.notices, m.overdue, m.bad} {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("registering the metrics of publishing: %w", err)
		}
	}
	return m, nil
}

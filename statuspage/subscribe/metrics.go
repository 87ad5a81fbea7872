package subscribe

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// Why something that was to be told is told to nobody, as label values.
const (
	lostLate    = "late"    // not delivered in three days
	lostFull    = "full"    // too much waits for one subscriber
	lostRefused = "refused" // the receiver does not take it, and never will
)

type metrics struct {
	requests    *prometheus.CounterVec
	delivered   *prometheus.CounterVec
	failed      *prometheus.CounterVec
	given       *prometheus.CounterVec
	quarantined *prometheus.CounterVec
	subscribers *prometheus.GaugeVec
	jobs        *prometheus.GaugeVec
	behind      *prometheus.GaugeVec
	unreadable  prometheus.Counter
}

func (m *metrics) lost(k Kind, why string) { m.given.WithLabelValues(string(k), why).Inc() }

// known makes the series of a kind, so that the first failure is seen as a change from none.
func (m *metrics) known(k Kind) {
	kind := string(k)
	for _, result := range []string{"taken", "limited"} {
		m.requests.WithLabelValues(kind, result)
	}
	for _, what := range []told{tellNotice, tellConfirm, tellManage} {
		m.delivered.WithLabelValues(kind, string(what))
	}
	for _, reason := range reasons() {
		m.failed.WithLabelValues(kind, reason)
	}
	for _, why := range []string{lostLate, lostFull, lostRefused} {
		m.given.WithLabelValues(kind, why)
	}
	m.quarantined.WithLabelValues(kind)
	m.jobs.WithLabelValues(kind)
	m.behind.WithLabelValues(kind)
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	counters := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "asgood", Subsystem: "subscribe", Name: name, Help: help}, labels)
	}
	gauges := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "asgood", Subsystem: "subscribe", Name: name, Help: help}, labels)
	}
	m := &metrics{
		requests:    counters("requests_total", "Requests to subscribe an address, taken or silently left out because the address was asked for too often.", "kind", "result"),
		delivered:   counters("delivered_total", "Messages delivered to subscribers.", "kind", "what"),
		failed:      counters("failures_total", "Attempts that failed, by reason.", "kind", "reason"),
		given:       counters("given_up_total", "Messages that a subscriber will not get.", "kind", "why"),
		quarantined: counters("quarantined_total", "Subscribers that went into quarantine.", "kind"),
		subscribers: gauges("subscribers", "Subscribers by state, counted every ten minutes.", "kind", "state"),
		jobs:        gauges("notices_pending", "Notices that have not gone to every subscriber of a kind.", "kind"),
		behind:      gauges("subscribers_behind", "Subscribers that wait for something that could not be delivered yet.", "kind"),
		unreadable:  prometheus.NewCounter(prometheus.CounterOpts{Namespace: "asgood", Subsystem: "subscribe", Name: "unreadable_total", Help: "Notices and documents that could not be read."}),
	}
	for _, c := range []prometheus.Collector{m.requests, m.delivered, m.failed, m.given, m.quarantined, m.subscribers, m.jobs, m.behind, m.unreadable} {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("registering the metrics of subscriptions: %w", err)
		}
	}
	return m, nil
}

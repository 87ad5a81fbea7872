package auth

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	refused    *prometheus.CounterVec
	unreadable prometheus.Counter
}

func newMetrics(reg prometheus.Registerer, k *Keys) (*metrics, error) {
	m := &metrics{
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "asgood_auth_refused_total", Help: "Requests, and records of a feature that a key may not send for, refused by reason."}, []string{"reason"}),
		unreadable: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "asgood_auth_unreadable_keys_total", Help: "Stored keys that cannot be read and are not taken."}),
	}
	for _, r := range reasons() {
		m.refused.WithLabelValues(string(r))
	}
	known := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "asgood_auth_keys", Help: "Keys stored, revoked and expired ones included."},
		func() float64 { return float64(len(*k.byID.Load())) })
	return m, errors.Join(reg.Register(m.refused), reg.Register(m.unreadable), reg.Register(known))
}

func (m *metrics) refuse(r Reason) { m.refused.WithLabelValues(string(r)).Inc() }

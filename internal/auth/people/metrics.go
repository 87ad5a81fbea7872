package people

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	signIns *prometheus.CounterVec
}

func newMetrics(r prometheus.Registerer, sessions func() int) (*metrics, error) {
	m := &metrics{signIns: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "asgood_auth_sign_ins_total", Help: "Attempts of people to sign in, by way and result."}, []string{"how", "result"})}
	for _, how := range []string{howLink, howOIDC, howPasskey} {
		for _, result := range []string{"ok", "failed"} {
			m.signIns.WithLabelValues(how, result)
		}
	}
	open := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "asgood_auth_sessions", Help: "Sessions of people, those that are over for at most a minute included."},
		func() float64 { return float64(sessions()) })
	return m, errors.Join(r.Register(m.signIns), r.Register(open))
}

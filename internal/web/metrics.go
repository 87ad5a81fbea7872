package web

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	seconds  *prometheus.HistogramVec
	panics   prometheus.Counter
	inFlight prometheus.Gauge

	mu    sync.RWMutex
	known map[observed]prometheus.Observer // of seconds, so that its labels need not be put together for each request
}

// observed are the labels of a request. There are few: templates of routes, known methods, classes of status.
type observed struct {
	route, method string
	class         int
}

func newMetrics(r prometheus.Registerer, listener string) *metrics {
	if r == nil {
		r = prometheus.NewRegistry()
	}
	r = prometheus.WrapRegistererWith(prometheus.Labels{"listener": listener}, r)
	m := &metrics{
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "asgood_http_request_duration_seconds",
			Help:    "Time to answer a request, by route template, method and class of status.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"route", "method", "status"}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "asgood_http_panics_total",
			Help: "Handlers that panicked.",
		}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "asgood_http_requests_in_flight",
			Help: "Requests being answered now, live connections included.",
		}),
		known: map[observed]prometheus.Observer{},
	}
	r.MustRegister(m.seconds, m.panics, m.inFlight)
	return m
}

func (m *metrics) observe(route, method string, status int, took time.Duration) {
	key := observed{route, methodLabel(method), status / 100}
	m.mu.RLock()
	o := m.known[key]
	m.mu.RUnlock()
	if o == nil {
		o = m.seconds.WithLabelValues(key.route, key.method, strconv.Itoa(key.class)+"xx")
		m.mu.Lock()
		m.known[key] = o
		m.mu.Unlock()
	}
	o.Observe(took.Seconds())
}

// methodLabel keeps callers from making labels: a method can be any word.
func methodLabel(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	default:
		return "other"
	}
}

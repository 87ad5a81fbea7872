package collector

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Reasons for which a sample is refused, as label values.
const (
	reasonInvalid        = "invalid"
	reasonTooLarge       = "too_large"
	reasonUnknownFeature = "unknown_feature"
	reasonUnavailable    = "unavailable"
	reasonForbidden      = "forbidden" // the sender's key is for other features
	reasonTooMany        = "too_many"  // the sender or the customer sends more than its share
)

// What became of a span, as label values.
const (
	spanTaken      = "taken"
	spanNoFeature  = "no_feature"
	spanOther      = "of_no_interest"
	spanRefused    = "refused"
	spanUnreadable = "unreadable"
)

// What joining made of what was taken, as label values.
const (
	joinedSample    = "sample"
	joinedLate      = "late"       // spans that came after their request's sample
	joinedNoOutput  = "no_output"  // spans of requests without an output of a feature
	joinedNoContent = "no_content" // requests whose output was not captured
	joinedEarly     = "early"      // requests that were ended for want of room
	joinedTrimmed   = "trimmed"    // samples whose context was cut to fit
	joinedFailed    = "failed_evaluation"
)

type metrics struct {
	accepted      *prometheus.CounterVec // by feature, which the configuration bounds
	duplicates    *prometheus.CounterVec
	refused       *prometheus.CounterVec
	spans         *prometheus.CounterVec
	feedback      *prometheus.CounterVec
	notKept       *prometheus.CounterVec
	joined        *prometheus.CounterVec
	redacted      *prometheus.CounterVec
	pendingTraces prometheus.Gauge
	pendingBytes  prometheus.Gauge
	queued        prometheus.Gauge
	publish       prometheus.Histogram
	publishFailed prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		accepted:   counters("samples_accepted_total", "Samples accepted and durable.", "feature"),
		duplicates: counters("samples_duplicate_total", "Samples known by their ids.", "feature"),
		refused:    counters("samples_refused_total", "Samples refused, by reason.", "reason"),
		spans:      counters("spans_total", "Spans received, by what became of them.", "outcome"),
		feedback:   counters("feedback_total", "Scores that came apart from their samples, by what became of them.", "outcome"),
		notKept:    counters("samples_not_kept_total", "Outputs counted and, by sampling, not kept.", "feature"),
		joined:     counters("joined_total", "What joining made of spans, by outcome.", "outcome"),
		redacted:   counters("redacted_total", "Replacements made before storing, by kind.", "kind"),
		pendingTraces: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "asgood_collector_pending_traces", Help: "Traces that wait for more spans."}),
		pendingBytes: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "asgood_collector_pending_bytes", Help: "Memory taken by traces that wait, about."}),
		queued: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "asgood_collector_queued_bytes", Help: "Room taken by samples waiting for the hand-off."}),
		publish: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "asgood_collector_publish_seconds", Help: "Time to make a message durable.",
			Buckets: prometheus.ExponentialBuckets(0.0002, 4, 9)}),
		publishFailed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "asgood_collector_publish_failed_total", Help: "Messages that the hand-off did not take."}),
	}
	for _, reason := range []string{reasonInvalid, reasonTooLarge, reasonUnknownFeature, reasonUnavailable, reasonForbidden, reasonTooMany} {
		m.refused.WithLabelValues(reason)
	}
	for _, outcome := range []string{spanTaken, spanNoFeature, spanOther, spanRefused, spanUnreadable} {
		m.spans.WithLabelValues(outcome)
	}
	for _, outcome := range []string{joinedSample, joinedLate, joinedNoOutput, joinedNoContent, joinedEarly, joinedTrimmed, joinedFailed} {
		m.joined.WithLabelValues(outcome)
	}
	for _, outcome := range []string{feedbackTaken, feedbackWaits, feedbackNotKept, feedbackDropped, feedbackForgotten, feedbackBad, feedbackNoTarget, feedbackKnown, feedbackOther} {
		m.feedback.WithLabelValues(outcome)
	}
	var errs []error
	for _, c := range []prometheus.Collector{m.accepted, m.duplicates, m.refused, m.spans, m.feedback, m.notKept, m.joined, m.redacted, m.pendingTraces, m.pendingBytes, m.queued, m.publish, m.publishFailed} {
		errs = append(errs, reg.Register(c))
	}
	return m, errors.Join(errs...)
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "asgood_collector_" + name, Help: help}, labels)
}

func (m *metrics) countRefusal(err error) {
	var unknown *unknownFeatureError
	reason := reasonInvalid
	switch {
	case errors.As(err, &unknown):
		reason = reasonUnknownFeature
	case quality.KindOf(err) == quality.KindTooLarge:
		reason = reasonTooLarge
	case quality.KindOf(err) == quality.KindForbidden:
		reason = reasonForbidden
	}
	m.refused.WithLabelValues(reason).Inc()
}

// shared registers a collector, or returns the one that has its name already: several writers
// use one family of metrics and differ by label.
func shared[C prometheus.Collector](reg prometheus.Registerer, c C) (C, error) {
	err := reg.Register(c)
	var already prometheus.AlreadyRegisteredError
	if errors.As(err, &already) {
		if existing, ok := already.ExistingCollector.(C); ok {
			return existing, nil
		}
	}
	return c, err
}

package canary

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Label values.
const (
	callAnswered = "answered"
	callFailed   = "failed"

	runFinished = "finished"
	runShort    = "short"   // its time was over before all was asked
	runStopped  = "stopped" // Asgood stopped, or whoever asked for it left

	skippedOverlap = "overlap" // a run was under way
	skippedMissed  = "missed"  // Asgood did not run
	skippedBudget  = "budget"
)

// metrics are labelled by names of the configuration, which bounds them.
type metrics struct {
	calls    *prometheus.CounterVec
	retries  *prometheus.CounterVec
	runs     *prometheus.CounterVec
	skipped  *prometheus.CounterVec
	lost     prometheus.Counter
	unsaved  prometheus.Counter
	last     *prometheus.GaugeVec
	rates    *prometheus.GaugeVec
	low      *prometheus.GaugeVec
	high     *prometheus.GaugeVec
	finishes *prometheus.GaugeVec
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	counter := func(name, help string, label ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "asgood_canary_" + name, Help: help}, append([]string{"feature", "canary"}, label...))
	}
	gauge := func(name, help string, label ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "asgood_" + name, Help: help}, append([]string{"feature", "canary"}, label...))
	}
	m := &metrics{
		calls:   counter("calls_total", "Golden prompts asked, by whether there was an answer.", "result"),
		retries: counter("retries_total", "Further tries of calls that had failed."),
		runs:    counter("runs_total", "Runs, by how they ended.", "result"),
		skipped: counter("runs_skipped_total", "Runs of the schedule that were left out.", "reason"),
		lost: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "asgood_canary_samples_lost_total", Help: "Answers that could not be handed on as samples."}),
		unsaved: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "asgood_canary_unsaved_total", Help: "Runs and behaviour rates that could not be stored."}),
		finishes: gauge("canary_last_run_timestamp_seconds", "When the last run ended, in Unix time."),
		last:     gauge("canary_last_run_failed_calls", "Calls of the last run without an answer."),
		rates:    gauge("behaviour_rate", "Share of answers that behaved alike in the last run; without prompt_id of all prompts.", "prompt_id"),
		low:      gauge("behaviour_rate_low", "Lower end of its 95 % interval.", "prompt_id"),
		high:     gauge("behaviour_rate_high", "Upper end of its 95 % interval.", "prompt_id"),
	}
	var errs []error
	for _, c := range []prometheus.Collector{m.calls, m.retries, m.runs, m.skipped, m.lost, m.unsaved, m.finishes, m.last, m.rates, m.low, m.high} {
		errs = append(errs, reg.Register(c))
	}
	return m, errors.Join(errs...)
}

// start makes the known label values of a canary.
func (m *metrics) start(c *canary) {
	m.retries.WithLabelValues(c.feature, c.spec.Name)
	for _, r := range []string{callAnswered, callFailed} {
		m.calls.WithLabelValues(c.feature, c.spec.Name, r)
	}
	for _, r := range []string{runFinished, runShort, runStopped} {
		m.runs.WithLabelValues(c.feature, c.spec.Name, r)
	}
	for _, r := range []string{skippedOverlap, skippedMissed, skippedBudget} {
		m.skipped.WithLabelValues(c.feature, c.spec.Name, r)
	}
}

func (m *metrics) call(c *canary, bad bool) {
	result := callAnswered
	if bad {
		result = callFailed
	}
	m.calls.WithLabelValues(c.feature, c.spec.Name, result).Inc()
}

func (m *metrics) run(c *canary, result string) {
	m.runs.WithLabelValues(c.feature, c.spec.Name, result).Inc()
}

func (m *metrics) skip(c *canary, why string, n int) {
	m.skipped.WithLabelValues(c.feature, c.spec.Name, why).Add(float64(n))
}

func (m *metrics) finished(c *canary, r *quality.CanaryRun) {
	result := runFinished
	if r.Unasked > 0 {
		result = runShort
	}
	m.run(c, result)
	m.finishes.WithLabelValues(c.feature, c.spec.Name).Set(float64(r.FinishedAt.Unix()))
	m.last.WithLabelValues(c.feature, c.spec.Name).Set(float64(r.Failed))
}

// rate shows a rate; one without answers is absent.
func (m *metrics) rate(r *quality.BehaviourRate) {
	labels := []string{r.Feature, r.Canary, r.PromptID}
	if r.Rate == nil {
		m.rates.DeleteLabelValues(labels...)
		m.low.DeleteLabelValues(labels...)
		m.high.DeleteLabelValues(labels...)
		return
	}
	m.rates.WithLabelValues(labels...).Set(*r.Rate)
	m.low.WithLabelValues(labels...).Set(r.Lo)
	m.high.WithLabelValues(labels...).Set(r.Hi)
}

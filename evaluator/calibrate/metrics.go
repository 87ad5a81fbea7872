package calibrate

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Why a run was left out, as label values.
const (
	skippedMissed  = "missed"  // Asgood did not run
	skippedBudget  = "budget"  // a whole run does not fit into it
	skippedStopped = "stopped" // it was cut short, and the next was due before it could go on
)

// metrics are labelled by names of the configuration, which bounds them.
type metrics struct {
	moved   *prometheus.GaugeVec
	change  *prometheus.GaugeVec
	failed  *prometheus.GaugeVec
	skipped *prometheus.CounterVec
	unsaved prometheus.Counter
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	judge := []string{"feature", "metric"}
	m := &metrics{
		moved: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "asgood_judge_moved", Help: "1 while a judge scores its anchors otherwise than it did."}, judge),
		change: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "asgood_judge_anchor_change", Help: "Mean change of the anchors in the latest run, in the metric's unit."}, judge),
		failed: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "asgood_judge_anchor_failures", Help: "Scores of anchors that failed in the latest run."}, judge),
		skipped: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "asgood_judge_anchor_runs_skipped_total", Help: "Runs of anchors that were left out, by reason."}, append(judge, "reason")),
		unsaved: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "asgood_judge_unsaved_total", Help: "Writes of states of judges and of scores of anchors that failed."}),
	}
	var errs []error
	for _, c := range []prometheus.Collector{m.moved, m.change, m.failed, m.skipped, m.unsaved} {
		errs = append(errs, r.Register(c))
	}
	return m, errors.Join(errs...)
}

// show shows what is known of a judge.
func (m *metrics) show(s *quality.JudgeStatus) {
	if s.Anchors == 0 {
		return
	}
	moved := 0.0
	if s.Moved != nil {
		moved = 1
	}
	m.moved.WithLabelValues(s.Feature, s.Metric).Set(moved)
	if len(s.Runs) == 0 {
		return
	}
	m.failed.WithLabelValues(s.Feature, s.Metric).Set(float64(s.Runs[0].Failed))
	if c := s.Runs[0].Change; c != nil {
		m.change.WithLabelValues(s.Feature, s.Metric).Set(*c)
	}
}

package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Bounds on sampling. A rate below minRate would give weights with which one sample outweighs a day.
const (
	minRate      = 1e-6
	maxMinimums  = 8
	maxQuota     = 1_000_000_000
	maxHold      = day
	minHold      = time.Second
	maxSlowLimit = day
)

func (d *decoder) checkSampling(s *quality.SamplingSpec, path string) {
	if s == nil {
		return
	}
	if p := path + ".rate"; d.has(p) && !d.failed(p) && !(s.Rate >= minRate && s.Rate <= 1) {
		d.bad(p, "want more than 0 (%g or more) and at most 1: what has no chance of being kept is missing from every figure", minRate)
	}
	d.checkMinimums(s, path)
	d.checkAlways(s, path)
	d.checkQuota(s.Budget, path+".budget")
}

func (d *decoder) checkMinimums(s *quality.SamplingSpec, path string) {
	p := path + ".min"
	if _, both := s.Min["customer"]; both && d.has(path+".per_customer_min") {
		d.bad(path+".per_customer_min", "min.customer says it already")
	}
	d.checkQuota(s.PerCustomerMin, path+".per_customer_min")
	if len(s.Min) > maxMinimums {
		d.bad(p, "%d attributes, at most %d", len(s.Min), maxMinimums)
	}
	for name, q := range s.Min {
		at := join(p, name)
		if name == "" || len(name) > quality.MaxNameLen || strings.ContainsAny(name, "=, \t\r\n") {
			d.bad(at, "want the name of an attribute, such as customer, model or language")
		}
		d.checkQuota(q, at)
	}
}

func (d *decoder) checkQuota(q quality.Quota, path string) {
	if d.has(path) && !d.failed(path) && (q.N < 1 || q.N > maxQuota) {
		d.bad(path, "want 1 to %d in each period", maxQuota)
	}
}

func alwaysRules() []string {
	return []string{quality.AlwaysError, quality.AlwaysLowFeedback, quality.AlwaysSlow}
}

func (d *decoder) checkAlways(s *quality.SamplingSpec, path string) {
	for i, rule := range s.Always {
		p := fmt.Sprintf("%s.always[%d]", path, i)
		switch {
		case d.failed(p):
		case !slices.Contains(alwaysRules(), rule):
			d.bad(p, "not a rule (known: %s)", strings.Join(alwaysRules(), ", "))
		case slices.Contains(s.Always[:i], rule):
			d.bad(p, "stands twice")
		}
	}
	d.checkLowFeedback(s, path)
	d.checkSlow(s, path)
}

func (d *decoder) checkLowFeedback(s *quality.SamplingSpec, path string) {
	for _, key := range []string{".hold", ".low_feedback"} {
		if d.has(path+key) && !s.Keeps(quality.AlwaysLowFeedback) && !d.failed(path+".always") {
			d.bad(path+key, "has no effect unless always holds low_feedback")
		}
	}
	if p := path + ".hold"; d.has(p) && !d.failed(p) && (s.Hold < minHold || s.Hold > maxHold) {
		d.bad(p, "want 1s to 1d")
	}
	if p := path + ".low_feedback.metric"; d.has(p) && !d.failed(p) && (s.LowFeedback.Metric == "" || len(s.LowFeedback.Metric) > quality.MaxNameLen) {
		d.bad(p, "want the name of a metric that comes with feedback, such as thumbs")
	}
}

func (d *decoder) checkSlow(s *quality.SamplingSpec, path string) {
	p := path + ".slower_than"
	slow := s.Keeps(quality.AlwaysSlow)
	switch {
	case d.failed(p) || d.failed(path+".always"):
	case slow && !d.has(p):
		d.bad(path+".always", "the rule slow wants slower_than beside it, such as slower_than: 10s")
	case d.has(p) && !slow:
		d.bad(p, "has no effect unless always holds slow")
	case slow && (s.SlowerThan <= 0 || s.SlowerThan > maxSlowLimit):
		d.bad(p, "want more than 0 and at most 1d")
	}
}

// completeSampling fills in what the checked file left out.
func completeSampling(s *quality.SamplingSpec) {
	if s == nil {
		return
	}
	s.Rate = or(s.Rate, 1)
	s.Min = s.Minimums()
	if !s.Keeps(quality.AlwaysLowFeedback) {
		return
	}
	s.Hold = or(s.Hold, quality.DefaultHold)
	s.LowFeedback.Metric = or(s.LowFeedback.Metric, quality.DefaultFeedbackMetric)
	if s.LowFeedback.Below == nil {
		below := quality.DefaultFeedbackBelow
		s.LowFeedback.Below = &below
	}
}

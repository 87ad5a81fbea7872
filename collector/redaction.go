package collector

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/asgood-dev/asgood/collector/redact"
	"github.com/asgood-dev/asgood/collector/spans"
	"github.com/asgood-dev/asgood/internal/quality"
)

// redaction takes out of everything what must not touch a disk, by the rules of its feature.
type redaction struct {
	byFeature map[string]*redact.Redactor
	any       *redact.Redactor // for what no feature matched: the rules of all of them
	replaced  [len(redact.Counts{})]prometheus.Counter
}

func newRedaction(features []quality.Feature, key []byte, m *metrics) (*redaction, error) {
	r := &redaction{byFeature: map[string]*redact.Redactor{}}
	for i := range r.replaced {
		r.replaced[i] = m.redacted.WithLabelValues(redact.Kind(i).String())
	}
	var all []quality.RedactRule
	var errs []error
	for _, f := range features {
		rules := f.Redact
		if rules == nil {
			rules = quality.DefaultRedact()
		}
		x, err := redact.New(redact.Options{Key: key, Rules: rules})
		if err != nil {
			errs = append(errs, fmt.Errorf("redaction of feature %q: %w", f.Name, err))
		}
		r.byFeature[f.Name] = x
		all = append(all, rules...)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	var err error
	if r.any, err = redact.New(redact.Options{Key: key, Rules: distinct(all)}); err != nil {
		return nil, fmt.Errorf("redaction of spans without a feature: %w", err)
	}
	return r, nil
}

// distinct drops the rules that stand there before.
func distinct(rules []quality.RedactRule) []quality.RedactRule {
	seen := map[quality.RedactRule]bool{}
	out := []quality.RedactRule{}
	for _, r := range rules {
		if !seen[r] {
			seen[r] = true
			out = append(out, r)
		}
	}
	return out
}

func (r *redaction) of(feature string) *redact.Redactor {
	if x, ok := r.byFeature[feature]; ok {
		return x
	}
	return r.any
}

func (r *redaction) sample(s *quality.Sample) {
	n := r.of(s.Feature).Sample(s)
	for i, c := range n {
		if c > 0 {
			r.replaced[i].Add(float64(c))
		}
	}
}

func (r *redaction) record(rec *spans.Record) {
	r.sample(&rec.Sample)
	x, customer := r.of(rec.Sample.Feature), rec.Sample.Customer
	for i := range rec.Results {
		rec.Results[i].Result = x.JSON(customer, rec.Results[i].Result)
	}
	for i := range rec.Feedback {
		r.words(&rec.Feedback[i], customer)
	}
}

func (r *redaction) feedback(f *quality.Feedback) { r.words(f, "") }

func (r *redaction) words(f *quality.Feedback, customer string) {
	x := r.of(f.Feature)
	f.Explanation, f.Error = x.Text(customer, f.Explanation), x.Text(customer, f.Error)
}

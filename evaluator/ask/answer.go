package ask

import (
	"bytes"
	"encoding/json"
	"sync"

	"github.com/asgood-dev/asgood/internal/quality"
)

// said is one score as an endpoint, a command or a module says it.
type said struct {
	Metric      string   `json:"metric"` // absent: that of the scorer; else behind its name and a dot
	Value       *float64 `json:"value"`
	Label       string   `json:"label"`
	Explanation string   `json:"explanation"`
	Error       string   `json:"error"`
}

// maxMetrics is how many metrics one scorer may have: each is a series of its own wherever scores are summed, and
// an endpoint that makes names out of samples would make as many series as samples.
const maxMetrics = 64

// reader reads the answers of one scorer. It is safe for concurrent use.
type reader struct {
	spec    *quality.ScorerSpec
	version string

	mu    sync.Mutex
	known map[string]bool // metrics
}

func newReader(spec *quality.ScorerSpec, version string) *reader {
	return &reader{spec: spec, version: version, known: map[string]bool{}}
}

// takes reports whether a metric is one of those that the scorer may have.
func (r *reader) takes(metric string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.known[metric] && len(r.known) < maxMetrics {
		r.known[metric] = true
	}
	return r.known[metric]
}

// read reads an answer: one score as an object, or a list of them. An empty list, or null, says that the sample
// has nothing to score.
func (r *reader) read(s *quality.Sample, data []byte) ([]quality.Score, error) {
	var list []said
	data = bytes.TrimSpace(data)
	if len(data) > 0 && data[0] == '{' {
		data = append(append([]byte{'['}, data...), ']')
	}
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, quality.Errorf(quality.KindInvalid, "the answer is not JSON of the form {value, label, explanation}")
	}
	if len(list) > maxScores {
		return nil, quality.Errorf(quality.KindInvalid, "the answer holds %d scores, at most %d", len(list), maxScores)
	}
	out := make([]quality.Score, 0, len(list))
	seen := map[string]bool{}
	for _, x := range list {
		sc, err := x.score(r.spec, r.version, s)
		if err != nil {
			return nil, err
		}
		if seen[sc.Metric] {
			return nil, quality.Errorf(quality.KindInvalid, "the answer scores one metric twice")
		}
		if !r.takes(sc.Metric) {
			return nil, quality.Errorf(quality.KindInvalid, "the answer has a metric beyond the first %d of this scorer", maxMetrics)
		}
		seen[sc.Metric] = true
		out = append(out, sc)
	}
	return out, nil
}

func (x *said) score(spec *quality.ScorerSpec, version string, s *quality.Sample) (quality.Score, error) {
	sc := quality.NewScore(s, spec.Name, spec.Type, version)
	sc.Label, sc.Explanation, sc.Error, sc.By = x.Label, x.Explanation, x.Error, spec.Name
	if x.Metric != "" && x.Metric != spec.Name {
		sc.Metric = spec.Name + "." + x.Metric
	}
	if len(sc.Metric) > quality.MaxNameLen || quality.Visible(sc.Metric) != sc.Metric {
		return sc, quality.Errorf(quality.KindInvalid, `field "metric": want a name of at most %d bytes that can be seen`, quality.MaxNameLen)
	}
	if x.Value != nil {
		sc.Value = *x.Value
	} else if x.Error == "" {
		return sc, quality.Errorf(quality.KindInvalid, `field "value": required (or "error")`)
	}
	return sc, nil
}

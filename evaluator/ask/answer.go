package ask

import (
	"bytes"
	"encoding/json"

	"github.com/asgood-dev/asgood/internal/quality"
)

// said is one score as an endpoint or a command says it.
type said struct {
	Metric      string   `json:"metric"` // absent: that of the scorer; else behind its name and a dot
	Value       *float64 `json:"value"`
	Label       string   `json:"label"`
	Explanation string   `json:"explanation"`
	Error       string   `json:"error"`
}

// read reads an answer: one score as an object, or a list of them. An empty list, or null, says that the sample
// has nothing to score.
func read(spec *quality.ScorerSpec, version string, s *quality.Sample, data []byte) ([]quality.Score, error) {
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
		sc, err := x.score(spec, version, s)
		if err != nil {
			return nil, err
		}
		if seen[sc.Metric] {
			return nil, quality.Errorf(quality.KindInvalid, "the answer scores one metric twice")
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
	if len(sc.Metric) > quality.MaxNameLen || bytes.IndexByte([]byte(sc.Metric), 0) >= 0 {
		return sc, quality.Errorf(quality.KindInvalid, `field "metric": want a name of at most %d bytes`, quality.MaxNameLen)
	}
	if x.Value != nil {
		sc.Value = *x.Value
	} else if x.Error == "" {
		return sc, quality.Errorf(quality.KindInvalid, `field "value": required (or "error")`)
	}
	return sc, nil
}

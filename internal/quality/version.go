package quality

import "math"

// VersionStep is how far a metric moves when its scorer changes from one version to another, estimated on
// samples that both have scored. It is what a reader must know before scores of the two are compared.
type VersionStep struct {
	Feature  string     `json:"feature"`
	Metric   string     `json:"metric"`
	From     string     `json:"from"`     // version of the scorer before
	To       string     `json:"to"`       // version of the scorer after
	Step     float64    `json:"step"`     // mean of the new value less the old one, in the metric's unit
	Interval [2]float64 `json:"interval"` // of Step, 95 %
	N        uint64     `json:"n"`        // samples that both versions scored
}

// Validate checks that the step is one between two versions, with finite numbers.
func (s *VersionStep) Validate() error {
	for _, f := range []struct{ name, text string }{{"feature", s.Feature}, {"metric", s.Metric}, {"from", s.From}, {"to", s.To}} {
		if f.text == "" || len(f.text) > MaxNameLen {
			return Errorf(KindInvalid, "field %q: want 1 to %d bytes", f.name, MaxNameLen)
		}
	}
	switch {
	case s.From == s.To:
		return Errorf(KindInvalid, `fields "from" and "to": want two versions`)
	case s.N == 0:
		return Errorf(KindInvalid, `field "n": want the samples that both versions scored`)
	case math.IsNaN(s.Step-s.Step) || !(s.Interval[0] <= s.Step && s.Step <= s.Interval[1]) || math.IsInf(s.Interval[1]-s.Interval[0], 0):
		return Errorf(KindInvalid, `field "interval": want two numbers that enclose the step`)
	}
	return nil
}

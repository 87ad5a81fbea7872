package quality

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

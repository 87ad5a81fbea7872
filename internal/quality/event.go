package quality

// Event is what happened that people may have to hear of. Exactly one field is set.
type Event struct {
	Regression *RegressionEvent `json:"regression,omitempty"`
	Probe      *ProbeStatus     `json:"probe,omitempty"`   // a probe went down or came back
	Change     *Change          `json:"change,omitempty"`  // a change is undeclared, or nobody owns it
	Monitor    *MonitorEvent    `json:"monitor,omitempty"` // a monitor went blind, or sees again
}

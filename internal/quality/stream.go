package quality

// StreamStatus is what one stream of a monitor knows: the whole feature, or one slice.
type StreamStatus struct {
	Slice     Slice       `json:"slice"` // empty for the whole feature
	Scores    uint64      `json:"scores"`
	Ready     bool        `json:"ready"` // its baseline is full
	Open      bool        `json:"open"`  // a regression is open in it
	Own       bool        `json:"own"`   // compared with the first scores that came of it
	Reason    string      `json:"reason,omitempty"`
	Baseline  Estimate    `json:"baseline"`
	Current   Estimate    `json:"current"`
	Change    *float64    `json:"change"`
	Interval  *[2]float64 `json:"interval"`  // 95 %, of the change, for one look
	Evidence  float64     `json:"evidence"`  // that it is worse: how many times likelier than chance; frozen while a regression is open
	Threshold float64     `json:"threshold"` // evidence that one stream alone needs
}

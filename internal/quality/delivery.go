package quality

// Delivery is what the collector hands on at once. All of it is durable together or not at all, so that
// an output is counted exactly when it was taken in.
type Delivery struct {
	Samples []Sample    `json:"samples,omitempty"`
	Dropped []SampleKey `json:"dropped,omitempty"` // taken in and counted, not kept
	Traffic []Traffic   `json:"traffic,omitempty"` // of the samples and of what was dropped
	Scores  []Score     `json:"scores,omitempty"`  // that came after their samples
	Aliases []Alias     `json:"aliases,omitempty"` // other names by which later scores may call a sample
	Said    []Said      `json:"said,omitempty"`    // who gave the scores that were joined into samples
}

// Said names the evaluations whose numbers are among a sample's scores, so that one that comes again does
// not count twice.
type Said struct {
	Sample SampleKey `json:"sample"`
	Scores []string  `json:"scores"` // metric, zero byte, giver
}

// SampleKey names a sample: ids are unique for each feature.
type SampleKey struct {
	Feature string `json:"feature"`
	ID      string `json:"id"`
}

// Alias is another name of a sample, such as that of a span that was joined into it.
type Alias struct {
	Name   string    `json:"name"`
	Sample SampleKey `json:"sample"`
}

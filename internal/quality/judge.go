package quality

import "time"

// SourceAnchor marks the scores that a judge gives to its anchors. They are no outputs of the product: no
// monitor and no figure that customers see counts them.
const SourceAnchor = "anchor"

// AnchorSpec configures the anchors of a judge: a fixed set of samples that it scores again and again, so that
// a judge that has moved is told from a product that got worse.
type AnchorSpec struct {
	File   string        `yaml:"file"`   // NDJSON beside the configuration, one anchor a line
	Every  time.Duration `yaml:"every"`  // between two runs, in whole seconds; default 24 h
	Repeat int           `yaml:"repeat"` // how often a run asks for each anchor; default 1
	Budget Quota         `yaml:"budget"` // most scores in a period; none means no such limit

	Anchors []Anchor `yaml:"-"` // content of File, loaded with the configuration
}

// anchorEvery is the time between two runs where none is configured.
const anchorEvery = 24 * time.Hour

// WithDefaults returns the anchors with what was left out filled in.
func (a AnchorSpec) WithDefaults() AnchorSpec {
	a.Every = positive(a.Every, anchorEvery)
	a.Repeat = positive(a.Repeat, 1)
	return a
}

// Calls is how many scores one run asks for.
func (a *AnchorSpec) Calls() int { return len(a.Anchors) * max(a.Repeat, 1) }

// Anchor is one fixed sample of a judge, with the mark that people gave it where there is one.
type Anchor struct {
	Sample Sample
	Human  *float64
}

// Bounds of an anchor set.
const (
	MinAnchors      = 5
	MaxAnchors      = 500
	MaxAnchorRepeat = 20
)

// Judged is a sample that a judge scored, with what people said of it.
type Judged struct {
	Sample  string
	Time    time.Time
	Version string // of the judge
	Value   float64
	Weight  float64 // 1 / probability that the sample was kept; below 1 means 1
	Chance  float64 // probability that a judged sample was given to people, 0 to 1; 0 means that all had the same
	Labels  []HumanLabel
}

// HumanLabel is a score by a person.
type HumanLabel struct {
	By    string
	Value float64
}

// Measure is a number with its 95 % interval; nil is what cannot be told.
type Measure struct {
	Value    *float64    `json:"value"`
	Interval *[2]float64 `json:"interval"`
}

// Agreement says how far a judge of one version and people mark alike.
type Agreement struct {
	Version    string    `json:"version"`
	N          int       `json:"n"`         // samples that both have marked
	Labels     int       `json:"labels"`    // of them, by people
	Labellers  int       `json:"labellers"` // people
	Categories []float64 `json:"categories"`
	Confusion  [][]int   `json:"confusion"` // rows: people, columns: judge, both in the order of the categories
	Raw        Measure   `json:"raw"`       // share of samples with the same category
	Kappa      Measure   `json:"kappa"`     // Cohen's, with quadratic weights where there are more than two categories
	Weighted   bool      `json:"weighted"`  // kappa has quadratic weights
	Shared     int       `json:"shared"`    // samples that more than one person marked
	Humans     Measure   `json:"humans"`    // Krippendorff's alpha of the people among themselves
	Note       string    `json:"note,omitempty"`
}

// CorrectedMean is the mean of a judge's scores, corrected by what people said of some of them.
type CorrectedMean struct {
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	Version string    `json:"version,omitempty"` // of the judge
	Judged  int       `json:"judged"`            // samples with a score of the judge
	Labels  int       `json:"labels"`            // of them, with a label
	Raw     Measure   `json:"raw"`               // mean of the judge's scores as they are
	Mean    Measure   `json:"mean"`              // what people would have said, on average
	Alone   Measure   `json:"alone"`             // mean of the labels alone
	Gain    float64   `json:"gain"`              // how many labels one label is worth beside the judge; 0 where nothing can be told
	Method  string    `json:"method"`            // judge and labels, labels, or none
	Note    string    `json:"note,omitempty"`
}

// The methods of a corrected mean.
const (
	MethodNone        = "none" // too few labels
	MethodLabels      = "labels"
	MethodJudgeLabels = "judge and labels"
)

// AnchorRun is what one run of a judge's anchors found.
type AnchorRun struct {
	Slot     time.Time   `json:"slot"`
	At       time.Time   `json:"at"` // when it began
	Version  string      `json:"version"`
	Scored   int         `json:"scored"`
	Failed   int         `json:"failed"`             // scores that failed or did not come
	Mean     *float64    `json:"mean"`               // over the anchors
	Change   *float64    `json:"change"`             // against the reference, anchor by anchor; nil while that is not full
	Interval *[2]float64 `json:"interval,omitempty"` // 95 % interval of the change
	Human    *float64    `json:"human,omitempty"`    // mean distance from the marks of people
}

// The ways in which a judge moves.
const (
	JudgeStricter = "stricter" // it gives lower scores
	JudgeMilder   = "milder"   // it gives higher scores
	JudgeErratic  = "erratic"  // it scores the same anchors now one way, now another
)

// JudgeMove says that a judge scores its anchors otherwise than it did.
type JudgeMove struct {
	Way        string      `json:"way"`
	Version    string      `json:"version"`
	Since      time.Time   `json:"since"` // estimated; a run of the anchors
	DetectedAt time.Time   `json:"detected_at"`
	Change     *float64    `json:"change"`   // of the mean over the anchors
	Interval   *[2]float64 `json:"interval"` // 95 % interval of the change
	Entry      string      `json:"entry"`    // id in the ledger of changes
	EndedAt    *time.Time  `json:"ended_at,omitempty"`
}

// JudgeStep is how far apart two versions of a judge score the same anchors.
type JudgeStep struct {
	From     string      `json:"from"`
	To       string      `json:"to"`
	At       time.Time   `json:"at"`
	Change   *float64    `json:"change"`
	Interval *[2]float64 `json:"interval"`
}

// JudgeStatus is what the anchors tell of a judge. It is shared: whoever shows a regression of the judge's
// metric asks it whether the judge is suspect.
type JudgeStatus struct {
	Feature   string      `json:"feature"`
	Metric    string      `json:"metric"`
	Human     string      `json:"human"` // metric of the human labels
	Version   string      `json:"version,omitempty"`
	Anchors   int         `json:"anchors"`           // in the set; 0: it has none
	Reference int         `json:"reference"`         // runs that the reference was made of
	Watching  bool        `json:"watching"`          // the reference is full
	Moved     *JudgeMove  `json:"moved"`             // open: the judge is suspect
	Moves     []JudgeMove `json:"moves,omitempty"`   // ended, the newest first
	Steps     []JudgeStep `json:"steps,omitempty"`   // between versions, the newest first
	Runs      []AnchorRun `json:"runs,omitempty"`    // the newest first
	NextAt    time.Time   `json:"next_at,omitzero"`  // of the schedule
	Reason    string      `json:"reason,omitempty"`  // why nothing can be told, in words
	Skipped   int         `json:"skipped,omitempty"` // runs that were left out since the latest
}

// Suspect reports whether the judge had moved at a time: what its metric shows then may be the judge.
func (s *JudgeStatus) Suspect(at time.Time) bool {
	if s.Moved != nil && !at.Before(s.Moved.Since) {
		return true
	}
	for i := range s.Moves {
		if m := &s.Moves[i]; !at.Before(m.Since) && m.EndedAt != nil && at.Before(*m.EndedAt) {
			return true
		}
	}
	return false
}

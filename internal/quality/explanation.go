package quality

import "time"

// Figure is a value with its 95 % interval.
type Figure struct {
	Value    float64    `json:"value"`
	Interval [2]float64 `json:"interval"`
}

// Zero reports whether the interval holds zero: nothing is known to have changed.
func (f Figure) Zero() bool { return f.Interval[0] <= 0 && f.Interval[1] >= 0 }

// Explanation says what made a metric worse, as far as the scores can tell. Its figures compare the traffic
// after the start of the regression with the traffic just before it; the regression's own figures compare
// with the monitor's baseline, which may be older.
type Explanation struct {
	Regression string     `json:"regression"`
	Feature    string     `json:"feature"`
	Metric     string     `json:"metric"`
	Range      [2]float64 `json:"range"`
	Worse      Direction  `json:"worse"`
	Material   float64    `json:"material"`
	At         time.Time  `json:"at,omitzero"`       // when it was made; zero while there is none yet
	Pending    string     `json:"pending,omitempty"` // why there is none yet, or no newer one
	Final      bool       `json:"final"`             // the regression is over and this will not change

	Start    Period         `json:"start"` // 95 % interval of the start of the regression
	Before   Period         `json:"before"`
	After    Period         `json:"after"`
	Usual    Estimate       `json:"usual"`   // before
	Current  Estimate       `json:"current"` // after
	Change   *Figure        `json:"change"`
	Splits   []Split        `json:"splits"`    // the one that explains most first, then those of the product's own choices
	Slices   []CarryingPart `json:"slices"`    // that are known to have got worse, the one that stands out most first
	Tested   int            `json:"tested"`    // slices that were tested
	TooSmall int            `json:"too_small"` // slices with too few scores to tell
	Suspects []Suspect      `json:"suspects"`  // the likeliest first
	Unknown  float64        `json:"unknown"`   // 0 to 1: that it was none of the suspects
	Facts    []Fact         `json:"facts"`
	Notes    []string       `json:"notes,omitempty"` // what could not be told, in sentences
}

// Split divides the change of a mean by one attribute. Mix, Within, New and Gone add up to the change.
type Split struct {
	Attribute string    `json:"attribute"`
	Product   bool      `json:"product,omitempty"` // the product chooses its values: a shift of them is its doing and no mix of traffic
	Mix       Figure    `json:"mix"`               // other shares of the same segments
	Within    Figure    `json:"within"`            // other scores within the segments
	New       Figure    `json:"new"`               // segments that were not there before
	Gone      Figure    `json:"gone"`              // segments that are not there any more
	Gain      float64   `json:"gain"`              // how much better the split fits than none: higher explains more
	Segments  []Segment `json:"segments"`          // the largest first, at most 100, the rest as "other"
}

// Segment is the traffic with one value of an attribute.
type Segment struct {
	Value  string     `json:"value"` // empty: the attribute is absent
	Before Estimate   `json:"before"`
	After  Estimate   `json:"after"`
	Shares [2]float64 `json:"shares"` // of the traffic before and after, 0 to 1
	Change *Figure    `json:"change"` // nil where there is none on one side
}

// CarryingPart is a slice that is known to have got worse. Over all slices of all attributes together at most
// one in twenty of those named is named by mistake, on average.
type CarryingPart struct {
	Attribute string  `json:"attribute"`
	Value     string  `json:"value"`
	Change    Figure  `json:"change"`
	Traffic   float64 `json:"traffic"` // its share of the traffic, 0 to 1
	Share     float64 `json:"share"`   // its share of the whole change; may be over 1 where other slices got better
	P         float64 `json:"p"`       // of the test that it did not get worse
	Rest      *Figure `json:"rest"`    // change of all other traffic; nil where there is none
	Stands    bool    `json:"stands"`  // it fell more than the rest, beyond chance
	RestSame  bool    `json:"rest_same"`
}

// Suspect is something that may have made the metric worse.
type Suspect struct {
	ID         string    `json:"id"` // of the change in the ledger, or what else it is
	Layer      Layer     `json:"layer,omitempty"`
	Title      string    `json:"title"`
	At         time.Time `json:"at,omitzero"`
	Undeclared bool      `json:"undeclared,omitempty"`
	Owner      string    `json:"owner,omitempty"`
	Reference  string    `json:"reference,omitempty"`
	Attribute  string    `json:"attribute,omitempty"` // by which its traffic is known, with Value
	Value      string    `json:"value,omitempty"`
	Touched    *float64  `json:"touched,omitempty"` // share of the traffic after the start that it touched
	With       *Figure   `json:"with,omitempty"`    // change of the traffic that it touched, at the same mix
	Without    *Figure   `json:"without,omitempty"` // change of the other traffic at the same time, at the same mix
	Impossible string    `json:"impossible,omitempty"`
	Weight     float64   `json:"weight"`   // 0 to 1; all weights and Unknown add up to 1
	Evidence   string    `json:"evidence"` // in a sentence
}

// Fact is one of the six things that may have changed, before and after the start.
type Fact struct {
	Name    string  `json:"name"`
	Before  []Share `json:"before"` // the largest first
	After   []Share `json:"after"`
	Changed bool    `json:"changed"`
	Unknown string  `json:"unknown,omitempty"` // why it is not known
}

// Share is a value with its share of the traffic, 0 to 1.
type Share struct {
	Value string  `json:"value"`
	Share float64 `json:"share"`
}

// The six facts.
const (
	FactPrompt  = "prompt revision"
	FactModel   = "model slice"
	FactJudge   = "judge configuration"
	FactIndex   = "index state"
	FactTools   = "tool schema versions"
	FactTraffic = "traffic mix"
)

// Evidence are the samples that show a regression, kept beyond the retention of samples.
type Evidence struct {
	Regression string    `json:"regression"`
	At         time.Time `json:"at"`
	Examples   []Example `json:"examples"`
	Left       int       `json:"left,omitempty"` // found and left out: their text was gone, or their customer does not consent
}

// Example is one sample of the evidence.
type Example struct {
	Role    ExampleRole `json:"role"`
	Pair    int         `json:"pair,omitempty"` // those of one pair have the same number, from 1
	Why     string      `json:"why,omitempty"`  // why these two are a pair
	Score   float64     `json:"score"`
	Sample  Sample      `json:"sample"`
	Cut     bool        `json:"cut,omitempty"` // long texts were shortened
	Outside bool        `json:"outside"`       // the customer allows that it is shown outside
}

// ExampleRole says what an example shows.
type ExampleRole string

// The roles of examples.
const (
	ExampleWorst  ExampleRole = "worst"
	ExampleBefore ExampleRole = "before" // of a pair of like inputs
	ExampleAfter  ExampleRole = "after"
)

// JudgeShift is by how much a judge itself moved: its scores of the same fixed outputs, now against before.
type JudgeShift struct {
	At    time.Time `json:"at"` // when it was first seen
	Shift Figure    `json:"shift"`
}

// TrafficSplit returns the split by an attribute that the product does not choose which explains most, or nil.
func (e *Explanation) TrafficSplit() *Split {
	for i := range e.Splits {
		if !e.Splits[i].Product {
			return &e.Splits[i]
		}
	}
	return nil
}

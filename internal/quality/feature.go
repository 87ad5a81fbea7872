package quality

import "time"

// Feature is an AI feature that is watched, as configured.
type Feature struct {
	Name     string              `yaml:"name"`
	Title    string              `yaml:"title"` // shown to customers; defaults to the name
	Owner    string              `yaml:"owner"`
	Match    map[string]string   `yaml:"match"` // OTLP attributes that make a span a sample of this feature
	Map      map[string][]string `yaml:"map"`   // fields and attributes of a sample by the OTLP attributes they come from, the first present one wins
	Spans    SpanSpec            `yaml:"spans"`
	Redact   []RedactRule        `yaml:"redact"` // what is replaced before storing; absent means every kind, an empty list means nothing
	Scorers  []ScorerSpec        `yaml:"scorers"`
	Monitors []MonitorSpec       `yaml:"monitors"`
	Probes   []ProbeSpec         `yaml:"probes"`
	Canaries []CanarySpec        `yaml:"canaries"`
	Sampling *SamplingSpec       `yaml:"sampling"` // absent: every output is kept, with weight 1

	Conversation ConversationSpec `yaml:"conversation"` // when one is over, for the scorers of whole conversations

	// Publishing.
	Advice string `yaml:"advice"` // what customers are told to do while it is worse; Markdown
	// What customers read of it.
	Description string `yaml:"description"` // plain text, one line
}

// ScorerSpec configures a scorer. Its metric has the scorer's name.
type ScorerSpec struct {
	Name       string   `yaml:"name"`
	Type       string   `yaml:"type"`
	Pattern    string   `yaml:"pattern"` // regex
	Extract    string   `yaml:"extract"` // reference: what to compare; group 1 when the pattern has one
	Match      string   `yaml:"match"`   // reference: first (default) or last
	IgnoreCase bool     `yaml:"ignore_case"`
	Schema     string   `yaml:"schema"`  // json_schema: file beside the configuration
	Any        []string `yaml:"any"`     // contains: at least one
	All        []string `yaml:"all"`     // contains: every one
	On         string   `yaml:"on"`      // last (default): last assistant message; all: every message; conversation: a whole conversation
	Metrics    []string `yaml:"metrics"` // external: the metrics taken; empty means all that come

	SchemaText []byte `yaml:"-"` // content of Schema, loaded with the configuration

	// Rules without a model, in scorer.go.
	Tools     []ToolSpec       `yaml:"tools"`     // tool_calls: the contract of each tool
	Others    string           `yaml:"others"`    // tool_calls: allow (default) or forbid tools that are not listed
	Order     []string         `yaml:"order"`     // tool_calls: no call of a tool stands after a call of a later one in this list
	MaxCalls  int              `yaml:"max_calls"` // tool_calls: calls of all tools together; 0 means any number
	Phrases   []string         `yaml:"phrases"`   // refusal: phrases beside the built-in ones
	Languages []string         `yaml:"languages"` // language: those allowed; refusal: whose phrases are looked for, empty means all
	Attribute string           `yaml:"attribute"` // language: the attribute that names the language the output must have
	Claims    []string         `yaml:"claims"`    // grounded: what is checked; empty means numbers, quotes and dates
	Sources   []string         `yaml:"sources"`   // grounded: where it must be found; empty means context, tools and input
	Formula   string           `yaml:"formula"`   // readability: lix (default), flesch or amstad
	Prices    map[string]Price `yaml:"prices"`    // cost: by model; a name may end in *
	Count     string           `yaml:"count"`     // tokens: total (default), input or output
	Expr      string           `yaml:"expr"`      // expr: the expression
	// Calibration of judges.
	Human   string      `yaml:"human"`   // judge, external with one metric: metric of the human labels; default the same
	Anchors *AnchorSpec `yaml:"anchors"` // judge: fixed samples that are scored again and again
	// Scorers that ask something outside the process: judge, embedding, http, command, wasm.
	Model       string            `yaml:"model"`       // judge, embedding
	BaseURL     string            `yaml:"base_url"`    // judge, embedding: of an OpenAI-compatible endpoint
	APIKey      string            `yaml:"api_key"`     // judge, embedding: sent as a bearer token; never logged
	Rubric      string            `yaml:"rubric"`      // judge: file beside the configuration
	Scale       *[2]float64       `yaml:"scale"`       // judge: worst and best score; default 1 to 5
	Mode        string            `yaml:"mode"`        // judge: single (default) or pairwise
	Votes       int               `yaml:"votes"`       // judge: answers for one sample; default 1
	Vote        string            `yaml:"vote"`        // judge: median (default) or mean of the votes
	Temperature *float64          `yaml:"temperature"` // judge; absent leaves it to the endpoint
	MaxTokens   int               `yaml:"max_tokens"`  // judge: of one answer; 0 leaves it to the endpoint
	Price       AskPrice          `yaml:"price"`       // what a call costs
	Budget      Quota             `yaml:"budget"`      // most calls in a period; none means no such limit
	Rate        *float64          `yaml:"rate"`        // share of the samples that is scored at most; default 1
	Concurrency int               `yaml:"concurrency"` // samples scored at a time; default 4
	Timeout     time.Duration     `yaml:"timeout"`     // of one call; default 30 s
	Patience    time.Duration     `yaml:"patience"`    // a sample that waited longer is passed over; default 15 min
	URL         string            `yaml:"url"`         // http
	Headers     map[string]string `yaml:"headers"`     // http: values may be secret and are never shown
	Command     []string          `yaml:"command"`     // command: program and arguments
	Env         map[string]string `yaml:"env"`         // command: its whole environment; values may be secret
	MemoryMB    int               `yaml:"memory_mb"`   // command: address space, in MiB; default 512. wasm: memory of one run; default 64
	Persistent  bool              `yaml:"persistent"`  // command: stays and reads a sample a line
	Module      string            `yaml:"module"`      // wasm: file beside the configuration

	RubricText string `yaml:"-"` // content of Rubric, loaded with the configuration
	ModuleCode []byte `yaml:"-"` // content of Module, loaded with the configuration
}

// Direction says which way a metric gets worse.
type Direction string

// The directions; the zero value means WorseLower.
const (
	WorseLower  Direction = "lower"
	WorseHigher Direction = "higher"
)

// MonitorSpec configures a monitor of one metric.
type MonitorSpec struct {
	Metric      string       `yaml:"metric"`
	Worse       Direction    `yaml:"worse"`
	Range       *[2]float64  `yaml:"range"`     // bounds of the metric; absent means 0 to 1, or unbounded where the scorer is
	Unbounded   bool         `yaml:"unbounded"` // no bounds: watched by its ranks in the baseline
	Material    *float64     `yaml:"material"`  // smallest drop that matters, in the metric's unit; absent means 1 % of the range
	Slices      []string     `yaml:"slices"`
	MaxSlices   int          `yaml:"max_slices"` // values watched per attribute, the largest first; 0 means 50
	Adjust      []string     `yaml:"adjust"`
	Season      string       `yaml:"season"` // hour, or empty
	Baseline    BaselineSpec `yaml:"baseline"`
	FalseAlarms *FalseAlarms `yaml:"false_alarms"` // overrides the top-level budget
	Tile        *bool        `yaml:"tile"`         // shown on the status page's tile; absent means true

	Objective *ObjectiveSpec `yaml:"objective"` // the quality to have over a period; absent means none
}

// BaselineSpec says which scores later ones are compared with. Exactly one form is set.
type BaselineSpec struct {
	First  int             `yaml:"first"`  // the first N scores of each stream, at least 50
	Window *BaselineWindow `yaml:"window"` // a period
	Pinned string          `yaml:"pinned"` // a named, frozen baseline

	// Promotion. It steers which baseline is in force and is no part of what a monitor compares with.
	LastGood *LastGoodSpec `yaml:"last_good" json:"-"` // promotes what was good for a while; absent: only people do
}

// BaselineWindow is a period of scores: From and To, or the Last duration before the monitor was made.
type BaselineWindow struct {
	From time.Time     `yaml:"from"`
	To   time.Time     `yaml:"to"`
	Last time.Duration `yaml:"-"`
}

// FalseAlarms is the budget for false alarms: one in so many samples of a stream, or one in a period
// over all streams of the fleet.
type FalseAlarms struct {
	Samples float64       `yaml:"samples"`
	Period  time.Duration `yaml:"-"`
}

// Customer is one entry of the registry of customers.
type Customer struct {
	Name  string `yaml:"name"`
	Title string `yaml:"title"`

	Aliases []string `yaml:"aliases"` // other names that samples carry for it: on its private page they count together

	// Of evidence.
	Examples *bool `yaml:"examples"` // its samples may be examples of a regression, also outside; absent: inside only; false: never
}

package evaluator

import (
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/evaluator/score"
	"github.com/asgood-dev/asgood/internal/quality"
)

// Limits and defaults of monitors.
const (
	// MinBaseline is the smallest baseline a stream is watched with (docs/statistics: below it the
	// baseline itself is the largest source of false alarms).
	MinBaseline = quality.MinBaseline
	// DefaultFirst is the size of a baseline when none is configured.
	DefaultFirst = 500
	// DefaultMaxSlices is how many values of one attribute are watched, the rest together as OtherSlice.
	DefaultMaxSlices = 50
	// DefaultPeriod is the budget for false alarms when none is configured: one in this time.
	DefaultPeriod = 30 * 24 * time.Hour
	// DefaultRemember is how many sample ids of a feature are remembered to drop duplicates.
	DefaultRemember = 1 << 18
	// OtherSlice is the value of the stream that takes the values beyond the cap. A value that is
	// itself called so joins it.
	OtherSlice = "other"

	defaultMaterial = 0.01 // of the metric's range
	maxStrata       = 2048 // of one monitor; later ones share one stratum
)

// EngineOptions configures an Engine.
type EngineOptions struct {
	Features    []quality.Feature
	FalseAlarms quality.FalseAlarms // the budget of monitors that have none; zero means DefaultPeriod
	Location    *time.Location      // the reporting time zone, for season: hour; nil means UTC
	Logger      *slog.Logger        // nil means silence

	// Baselines returns the scores of a stored baseline: of a pinned one by its name, or of a window.
	// It is asked once when the engine is made. Nil, or an error of kind not found for a window, means
	// that a window takes its scores from what is observed.
	Baselines func(feature, metric string, spec quality.BaselineSpec) ([]quality.Score, error)

	// Made is when the monitors without saved state were made, the end of a window such as 7d. Zero, or
	// a window that holds less than MinBaseline scores, means that the window opens with the first
	// score observed: a monitor cannot be older than its data.
	Made time.Time

	// Remember is how many sample ids of each feature, and as many names of its later scores, are kept to
	// drop duplicates: 0 means DefaultRemember, negative means all.
	Remember int

	// Steps returns the known step between two versions of a metric's scorer. A monitor that moves from one
	// to the other tells it with its status. Nil means that none is known.
	Steps func(feature, metric, from, to string) (quality.VersionStep, bool)
}

func (o EngineOptions) withDefaults() EngineOptions {
	if o.FalseAlarms == (quality.FalseAlarms{}) {
		o.FalseAlarms.Period = DefaultPeriod
	}
	if o.Location == nil {
		o.Location = time.UTC
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Remember == 0 {
		o.Remember = DefaultRemember
	}
	return o
}

// monitorConfig is a monitor's configuration with its defaults in place.
type monitorConfig struct {
	feature     string
	spec        quality.MonitorSpec
	scale       scale
	material    float64 // in the metric's unit; for an unbounded metric without its own, in ranks
	ranks       bool    // material is in ranks
	maxSlices   int
	falseAlarms quality.FalseAlarms
	baseline    quality.BaselineSpec
	location    *time.Location
	version     string // of the one rule that makes the metric; empty where versions come with the scores
	fingerprint string
}

func (c *monitorConfig) strata() bool { return len(c.spec.Adjust) > 0 || c.spec.Season != "" }

// fixed reports whether every stream alarms at its own number of samples, without the fleet rule.
func (c *monitorConfig) fixed() bool { return c.falseAlarms.Samples > 0 }

func newMonitorConfig(f quality.Feature, spec quality.MonitorSpec, o EngineOptions) (*monitorConfig, error) {
	c := &monitorConfig{feature: f.Name, spec: spec, location: o.Location, maxSlices: spec.MaxSlices}
	for _, step := range []func(quality.Feature) error{c.setMetric, c.setRange, c.setStrata, c.setBaseline} {
		if err := step(f); err != nil {
			return nil, fmt.Errorf("monitor of metric %q of feature %q: %w", spec.Metric, f.Name, err)
		}
	}
	if c.maxSlices <= 0 {
		c.maxSlices = DefaultMaxSlices
	}
	c.falseAlarms = o.FalseAlarms
	if spec.FalseAlarms != nil && *spec.FalseAlarms != (quality.FalseAlarms{}) {
		c.falseAlarms = *spec.FalseAlarms
	}
	if !c.budgeted() {
		return nil, quality.Errorf(quality.KindInvalid, "monitor of metric %q of feature %q: false_alarms: want %d to %.0f samples, or a period",
			spec.Metric, f.Name, quality.MinFalseAlarmSamples, quality.MaxFalseAlarmSamples)
	}
	c.version = ruleVersion(f, spec.Metric)
	c.fingerprint = c.makeFingerprint(f)
	return c, nil
}

// budgeted reports whether the budget for false alarms is one that a detector takes.
func (c *monitorConfig) budgeted() bool {
	n := c.falseAlarms.Samples
	return c.falseAlarms.Period >= 0 && (n == 0 || n >= quality.MinFalseAlarmSamples && n <= quality.MaxFalseAlarmSamples)
}

// setMetric checks that a scorer makes the metric.
func (c *monitorConfig) setMetric(f quality.Feature) error {
	if c.spec.Metric == "" {
		return quality.Errorf(quality.KindInvalid, `field "metric": required`)
	}
	if slices.ContainsFunc(f.Scorers, func(s quality.ScorerSpec) bool { return makes(s, c.spec.Metric) }) {
		return nil
	}
	return quality.Errorf(quality.KindInvalid, `field "metric": no scorer of the feature makes it`)
}

func makes(s quality.ScorerSpec, metric string) bool {
	if s.Asks() {
		return s.Name == metric || strings.HasPrefix(metric, s.Name+".") // an endpoint may make several
	}
	if s.Type == score.TypeExternal {
		return len(s.Metrics) == 0 || slices.Contains(s.Metrics, metric)
	}
	return s.Name == metric
}

// ruleVersion is the version of the rule of a metric, empty where no rule makes it.
func ruleVersion(f quality.Feature, metric string) string {
	for _, s := range f.Scorers {
		if s.Type != score.TypeExternal && s.Name == metric && !s.Asks() {
			return score.Version(s)
		}
	}
	return ""
}

func (c *monitorConfig) setRange(f quality.Feature) error {
	if c.spec.Worse == "" {
		c.spec.Worse = quality.WorseLower
	}
	if c.spec.Worse != quality.WorseLower && c.spec.Worse != quality.WorseHigher {
		return quality.Errorf(quality.KindInvalid, `field "worse": want lower or higher, got %q`, c.spec.Worse)
	}
	unbounded := slices.ContainsFunc(f.Scorers, func(s quality.ScorerSpec) bool {
		return s.Name == c.spec.Metric && score.Unbounded(s)
	})
	c.scale = scale{lo: 0, hi: 1, mirrored: c.spec.Worse == quality.WorseHigher}
	switch {
	case c.spec.Range != nil && c.spec.Unbounded:
		return quality.Errorf(quality.KindInvalid, `fields "range" and "unbounded" exclude each other`)
	case c.spec.Range != nil && !(math.Abs(c.spec.Range[0]) <= maxValue && math.Abs(c.spec.Range[1]) <= maxValue):
		return quality.Errorf(quality.KindInvalid, `field "range": want bounds within %g and %g, got [%v, %v]`, -maxValue, maxValue, c.spec.Range[0], c.spec.Range[1])
	case c.spec.Range != nil:
		c.scale.lo, c.scale.hi = c.spec.Range[0], c.spec.Range[1]
	case c.spec.Unbounded || unbounded:
		c.scale.unbounded = true
	}
	if w := c.scale.hi - c.scale.lo; !(w > 0) || math.IsInf(w, 0) {
		return quality.Errorf(quality.KindInvalid, `field "range": want two numbers, the lower first, got [%v, %v]`, c.scale.lo, c.scale.hi)
	}
	return c.setMaterial()
}

func (c *monitorConfig) setMaterial() error {
	switch m := c.spec.Material; {
	case m == nil:
		c.material, c.ranks = defaultMaterial*(c.scale.hi-c.scale.lo), c.scale.unbounded
	case !(*m >= 0) || math.IsInf(*m, 0):
		return quality.Errorf(quality.KindInvalid, `field "material": want 0 or more, got %v`, *m)
	default:
		c.material = *m
	}
	return nil
}

func (c *monitorConfig) setStrata(quality.Feature) error {
	for _, a := range c.spec.Adjust {
		if quality.ChosenByProduct(a) {
			return quality.Errorf(quality.KindInvalid, `field "adjust": %q is chosen by the product: `+
				`a silent change of it would hide in a stratum of its own; adjust by what users bring, such as language or customer`, a)
		}
		if a == "" {
			return quality.Errorf(quality.KindInvalid, `field "adjust": an attribute without a name`)
		}
	}
	if c.spec.Season != "" && c.spec.Season != "hour" {
		return quality.Errorf(quality.KindInvalid, `field "season": want hour, got %q`, c.spec.Season)
	}
	if len(c.spec.Slices) != len(slices.Compact(slices.Sorted(slices.Values(c.spec.Slices)))) || slices.Contains(c.spec.Slices, "") {
		return quality.Errorf(quality.KindInvalid, `field "slices": want distinct attribute names, got %q`, c.spec.Slices)
	}
	return nil
}

func (c *monitorConfig) setBaseline(quality.Feature) error {
	b := c.spec.Baseline
	forms := 0
	for _, set := range []bool{b.First != 0, b.Window != nil, b.Pinned != ""} {
		if set {
			forms++
		}
	}
	switch {
	case forms > 1:
		return quality.Errorf(quality.KindInvalid, `field "baseline": want one of first, window and pinned`)
	case forms == 0:
		b.First = DefaultFirst
	case b.First != 0 && (b.First < MinBaseline || b.First > maxBaseline):
		return quality.Errorf(quality.KindInvalid, `field "baseline": first: want at least %d and at most %d, got %d`, MinBaseline, maxBaseline, b.First)
	case b.Window != nil && b.Window.Last < 0,
		b.Window != nil && b.Window.Last == 0 && !b.Window.From.Before(b.Window.To):
		return quality.Errorf(quality.KindInvalid, `field "baseline": window: want a duration, or "from" before "to"`)
	}
	c.baseline = b
	return nil
}

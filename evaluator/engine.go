// Package evaluator judges production outputs: it scores samples, compares the scores of every feature
// and slice with a baseline, and says when quality got worse, by how much and since when.
//
// Engine is the pure core: samples in, scores and regression events out. It does no input and output,
// reads no clock, and gives the same answer for the same samples in the same order, so that what was
// lost in a crash is made again by reading the samples again. Service feeds an engine from a durable
// stream and keeps its state. Backtest runs one over a file. Neither is safe to be shared except where
// said.
//
// The package leaves out where samples come from, who is told of a regression, and what customers see
// of it. It is the only importer of montanaflynn/stats.
package evaluator

import (
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/evaluator/score"
	"github.com/asgood-dev/asgood/internal/quality"
)

// keepPast is how many recovered regressions of a monitor are kept by a live engine.
const keepPast = 100

// Engine scores samples and watches the scores. It is not safe for concurrent use.
type Engine struct {
	log      *slog.Logger
	features []*feature
	byName   map[string]*feature
	fleet    *fleet
	steps    func(feature, metric, from, to string) (quality.VersionStep, bool)
	sights   []quality.MonitorEvent // not taken yet
	counts   Counts
}

// Counts are what an engine has seen since it was made.
type Counts struct {
	Samples    uint64 // taken
	Duplicates uint64 // samples and later scores dropped, since they were seen before
	Unknown    uint64 // dropped, since their feature is not configured
	Scores     uint64
	Failed     uint64 // scores that carry an error
	Other      uint64 // scores left out, since they are of another version than the one watched
}

// feature is a configured feature at work.
type feature struct {
	name     string
	scorers  []score.Scorer
	ruled    map[string]bool   // metrics that a rule makes
	outside  map[string]string // metrics that are made outside the engine, by the type of their scorer
	memory   *memory           // of samples
	later    *memory           // of scores that came apart from their samples
	monitors []*monitor
	byMetric map[string]*monitor
}

// NewEngine builds an engine. An error names the feature and the scorer or monitor that is wrong.
func NewEngine(o EngineOptions) (*Engine, error) {
	o = o.withDefaults()
	e := &Engine{log: o.Logger.With("component", "evaluator"), byName: make(map[string]*feature), fleet: newFleet(), steps: o.Steps}
	for _, spec := range o.Features {
		if e.byName[spec.Name] != nil {
			return nil, quality.Errorf(quality.KindInvalid, "feature %q: configured twice", spec.Name)
		}
		f, err := newFeature(spec, o, e.fleet)
		if err != nil {
			return nil, err
		}
		e.features = append(e.features, f)
		e.byName[spec.Name] = f
	}
	return e, nil
}

func newFeature(spec quality.Feature, o EngineOptions, fl *fleet) (*feature, error) {
	f := &feature{name: spec.Name, ruled: make(map[string]bool), outside: make(map[string]string),
		memory: newMemory(o.Remember), later: newMemory(o.Remember), byMetric: make(map[string]*monitor)}
	for _, s := range spec.Scorers {
		if err := f.addScorer(s); err != nil {
			return nil, fmt.Errorf("feature %q: %w", spec.Name, err)
		}
	}
	for _, s := range spec.Monitors {
		if f.byMetric[s.Metric] != nil {
			return nil, quality.Errorf(quality.KindInvalid, "feature %q: two monitors of metric %q", spec.Name, s.Metric)
		}
		c, err := newMonitorConfig(spec, s, o)
		if err != nil {
			return nil, err
		}
		ref, err := newReference(c, o)
		if err != nil {
			return nil, err
		}
		m := newMonitor(c, ref, fl)
		if m.keep = keepPast; o.Remember < 0 {
			m.keep = 0
		}
		f.monitors = append(f.monitors, m)
		f.byMetric[s.Metric] = m
	}
	return f, nil
}

// addScorer takes a scorer in. One whose scores are made outside the engine only says which metric is its own.
func (f *feature) addScorer(s quality.ScorerSpec) error {
	if s.Type != score.TypeExternal {
		if _, taken := f.outside[s.Name]; taken || f.ruled[s.Name] {
			return quality.Errorf(quality.KindInvalid, "two scorers of the name %q", s.Name)
		}
	}
	if s.Asks() {
		f.outside[s.Name] = s.Type
		return nil
	}
	sc, err := score.New(s)
	if err != nil {
		return err
	}
	if s.Type != score.TypeExternal {
		f.ruled[s.Name] = true
	}
	f.scorers = append(f.scorers, sc)
	return nil
}

// aside reports whether a score from outside has the name of a metric that a configured scorer makes.
func (f *feature) aside(sc *quality.Score) bool {
	if f.ruled[sc.Metric] {
		return true
	}
	for name, kind := range f.outside {
		if own := sc.Metric == name || strings.HasPrefix(sc.Metric, name+"."); own && sc.Scorer != kind {
			return true
		}
	}
	return false
}

// score runs every scorer. Where a score that came with the sample has the name of a rule's metric,
// the rule's counts.
func (f *feature) score(s quality.Sample) []quality.Score {
	var out []quality.Score
	seen := make(map[string]bool, len(f.scorers))
	for _, sc := range f.scorers {
		for _, v := range sc.Score(s) {
			if seen[v.Metric] || v.Scorer == score.TypeExternal && f.aside(&v) {
				continue
			}
			seen[v.Metric] = true
			out = append(out, v)
		}
	}
	return out
}

// The times that fit into nanoseconds since 1970 with room for sums.
var (
	earliest = time.Unix(0, 0).UTC()
	latest   = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)

// bounded moves a time that no clock of a product shows to the nearest that one could.
func bounded(t time.Time) time.Time {
	switch {
	case t.Before(earliest):
		return earliest
	case t.After(latest):
		return latest
	default:
		return t
	}
}

// Observe takes the next sample, with its place in the input, and returns its scores and what it
// brought to light. A sample whose id was seen before changes nothing.
func (e *Engine) Observe(s quality.Sample, pos uint64) ([]quality.Score, []quality.RegressionEvent) {
	f := e.byName[s.Feature]
	if f == nil {
		e.counts.Unknown++
		return nil, nil
	}
	if !f.memory.add(s.ID) {
		e.counts.Duplicates++
		return nil, nil
	}
	e.counts.Samples++
	s.Time = bounded(s.Time)
	scores := f.score(s)
	var events []quality.RegressionEvent
	for _, m := range f.monitors {
		m.health.sample()
		m.changed = true
	}
	for i := range scores {
		events = append(events, e.watch(f, &scores[i], pos)...)
	}
	e.look(f.monitors, cause{at: s.Time, pos: pos, id: s.ID})
	return scores, events
}

// ObserveScore takes a score that came apart from its sample, with the place in the input where it came.
// It counts as the sample's own would have, but that a metric which a configured scorer makes stays the
// scorer's: then the score is kept and not watched. The same metric and version of the same sample a second
// time changes nothing.
func (e *Engine) ObserveScore(sc quality.Score, pos uint64) ([]quality.Score, []quality.RegressionEvent) {
	f := e.byName[sc.Feature]
	if f == nil {
		e.counts.Unknown++
		return nil, nil
	}
	if sc.SampleID != "" && !f.later.add(sc.SampleID+"\x00"+sc.Metric+"\x00"+sc.Version) {
		e.counts.Duplicates++
		return nil, nil
	}
	sc.Time = bounded(sc.Time)
	if f.aside(&sc) {
		e.counts.Scores++
		sc.Aside = true
		return []quality.Score{sc}, nil
	}
	events := e.watch(f, &sc, pos)
	if m := f.byMetric[sc.Metric]; m != nil {
		e.look([]*monitor{m}, cause{at: sc.Time, pos: pos, id: sc.SampleID})
	}
	return []quality.Score{sc}, events
}

// ObserveTraffic takes how many outputs came, so that a monitor can tell that nothing came from nothing scored.
func (e *Engine) ObserveTraffic(t quality.Traffic) {
	f := e.byName[t.Feature]
	if f == nil {
		return
	}
	for _, m := range f.monitors {
		m.health.Traffic += t.Total
		m.changed = true
	}
	e.look(f.monitors, cause{at: bounded(t.Minute), id: t.Customer})
}

// watch gives a score to the monitor of its metric, if it is of the version that the monitor watches.
func (e *Engine) watch(f *feature, sc *quality.Score, pos uint64) (events []quality.RegressionEvent) {
	e.counts.Scores++
	if sc.Failed() {
		e.counts.Failed++
	}
	m := f.byMetric[sc.Metric]
	if m == nil {
		return nil
	}
	c := cause{at: sc.Time, pos: pos, id: sc.SampleID}
	switch m.lineage.admit(sc) {
	case admitNot:
		e.counts.Other++
		sc.Aside = true
		m.changed = true
		m.health.refuse()
		return nil
	case admitAnew:
		events = e.move(m, c)
	}
	return append(events, e.decide(m, m.observe(sc, pos), c)...)
}

// decide acts on what the detectors of a monitor say after a sample.
func (e *Engine) decide(m *monitor, touched []*stream, c cause) (events []quality.RegressionEvent) {
	suspicious := false
	for _, s := range touched {
		if s.Open {
			if s.watch.recovered() {
				events = append(events, m.recover(s))
			}
			continue
		}
		if s.E >= s.threshold(m.config.falseAlarms) && s.material(m.config, s.watch, s.watch.start()) {
			suspicious = true
		}
	}
	if suspicious {
		events = append(events, e.alarm(m, touched, c)...)
	}
	for _, s := range touched {
		m.better(s)
	}
	if m.open != nil && m.grown() {
		events = append(events, m.tell(quality.RegressionUpdated))
	}
	return events
}

// alarm raises the streams whose evidence is enough: alone when the budget counts samples, among all
// streams of the fleet when it is a period.
func (e *Engine) alarm(m *monitor, touched []*stream, c cause) (events []quality.RegressionEvent) {
	if m.config.fixed() {
		for _, s := range touched {
			if !s.Open && s.E >= m.config.falseAlarms.Samples && s.material(m.config, s.watch, s.watch.start()) {
				events = append(events, m.raise(s, c))
			}
		}
		return events
	}
	for _, x := range e.fleet.alarms(c.at) {
		if !x.Open && x.material(x.config, x.watch, x.watch.start()) {
			events = append(events, x.raise(x.stream, c))
		}
	}
	return events
}

// betterFactor makes an improvement rarer by mistake than a regression: no rule of the fleet guards it,
// and praise that is taken back costs trust where a page costs sleep.
const betterFactor = 100

// better notes a confirmed improvement of the whole feature, and its end. It is shown, and never more.
func (m *monitor) better(s *stream) {
	switch {
	case s.improve == nil || s.Open:
	case s.Improved && s.improve.recovered():
		s.improve.reset()
		s.Improved = false
	case !s.Improved && s.Better >= betterFactor*s.threshold(m.config.falseAlarms) && s.material(m.config, s.improve, s.improve.start()+s.Skipped):
		s.improve.raise()
		s.Improved = true
	}
}

// Counts returns what was seen since the engine was made.
func (e *Engine) Counts() Counts { return e.counts }

// Streams returns how many streams there are.
func (e *Engine) Streams() int {
	n := 0
	for _, f := range e.features {
		for _, m := range f.monitors {
			n += len(m.streams)
		}
	}
	return n
}

// Statuses returns what every monitor can tell at a time, in the order of the configuration.
func (e *Engine) Statuses(now time.Time) []quality.MonitorStatus {
	var out []quality.MonitorStatus
	for _, f := range e.features {
		for _, m := range f.monitors {
			out = append(out, m.status(now))
		}
	}
	return out
}

// Regressions returns the regressions of every monitor, the recovered ones first, with the figures as
// they are now.
func (e *Engine) Regressions() []quality.Regression {
	var out []quality.Regression
	for _, f := range e.features {
		for _, m := range f.monitors {
			out = append(out, m.past...)
			if m.open != nil {
				out = append(out, m.regression())
			}
		}
	}
	return out
}

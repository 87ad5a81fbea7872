// Package backtest measures what a configuration of monitors is worth on stored scores: how often it would
// have cried wolf where nothing changed, and how fast it would have found a drop that was planted.
//
// Scores are made once, or taken as they are stored, and replayed through the engine of package evaluator as
// often as is needed. Everything follows from a seed: the same scores and the same seed give the same study,
// on any number of processors. The package reads no file and no database, and draws the plot as text. It
// leaves out what a regression is and where scores come from.
package backtest

import (
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// MaxRecords is how many scores a study holds in memory, over all its monitors: at 64 bytes each they take
// 128 MiB, beside the distinct sets of attributes.
const MaxRecords = 2_000_000

// record is what is kept of a score. What it belongs to is shared by all scores of the same attributes.
type record struct {
	at     int64 // unix nanoseconds
	value  float64
	weight float64
	of     *provenance
}

type provenance struct {
	customer, model, prompt, source string
	attributes                      map[string]string
}

// Series are the scores of one metric of one feature, in the order of their times.
type Series struct {
	Feature, Metric string

	records  []record
	versions map[string]int64 // latest time of each scorer version
	byPos    []string         // version of each record, until they are settled
	failed   int
	skipped  int // of another scorer version
}

// Len returns how many scores there are.
func (s *Series) Len() int { return len(s.records) }

// Collector gathers scores into series. It is not safe for concurrent use.
type Collector struct {
	series map[[2]string]*Series
	known  map[string]*provenance
	needed map[string][]string // attributes that the monitors of a feature look at
	total  int
}

// NewCollector returns a collector for the monitors of some features.
func NewCollector(features []quality.Feature) *Collector {
	c := &Collector{series: map[[2]string]*Series{}, known: map[string]*provenance{}, needed: map[string][]string{}}
	for _, f := range features {
		for _, m := range f.Monitors {
			key := [2]string{f.Name, m.Metric}
			if c.series[key] == nil {
				c.series[key] = &Series{Feature: f.Name, Metric: m.Metric, versions: map[string]int64{}}
			}
			c.needed[f.Name] = append(append(c.needed[f.Name], m.Slices...), m.Adjust...)
		}
	}
	return c
}

// Add takes a score. A failed one is counted; one that no monitor watches, or that stands beside its
// metric's own, is nothing. More than MaxRecords are an error of kind too large.
func (c *Collector) Add(sc *quality.Score) error {
	s := c.series[[2]string{sc.Feature, sc.Metric}]
	switch {
	case s == nil || sc.Aside:
		return nil
	case sc.Failed() || math.IsNaN(sc.Value) || math.IsInf(sc.Value, 0):
		s.failed++
		return nil
	case c.total >= MaxRecords:
		return quality.Errorf(quality.KindTooLarge, "more than %d scores: study a shorter period or fewer features", MaxRecords)
	}
	c.total++
	at := sc.Time.UnixNano()
	s.versions[sc.Version] = max(s.versions[sc.Version], at)
	s.byPos = append(s.byPos, sc.Version)
	s.records = append(s.records, record{at: at, value: sc.Value, weight: max(sc.Weight, 1), of: c.provenance(sc)})
	return nil
}

// provenance returns what a score belongs to, the same pointer for the same attributes. Attributes that no
// monitor looks at are left out: each of them would only make sets distinct.
func (c *Collector) provenance(sc *quality.Score) *provenance {
	p := provenance{source: sc.Source}
	for _, name := range c.needed[sc.Feature] {
		switch name {
		case "customer":
			p.customer = sc.Customer
		case "model":
			p.model = sc.Model
		case "prompt":
			p.prompt = sc.Prompt
		case "source":
		default:
			if v, ok := sc.Attributes[name]; ok {
				if p.attributes == nil {
					p.attributes = map[string]string{}
				}
				p.attributes[name] = v
			}
		}
	}
	parts := []string{p.source, p.customer, p.model, p.prompt}
	for _, k := range slices.Sorted(maps.Keys(p.attributes)) {
		parts = append(parts, k, p.attributes[k])
	}
	key := strings.Join(parts, "\x00")
	if known := c.known[key]; known != nil {
		return known
	}
	c.known[key] = &p
	return &p
}

// Series returns the scores of every monitor in the order of their times. Where a metric was scored by
// several versions of its scorer only the latest counts: versions are never mixed.
func (c *Collector) Series() []*Series {
	var out []*Series
	for _, s := range c.series {
		s.settle()
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b *Series) int {
		return strings.Compare(a.Feature+"\x00"+a.Metric, b.Feature+"\x00"+b.Metric)
	})
	return out
}

func (s *Series) settle() {
	latest := ""
	for _, v := range slices.Sorted(maps.Keys(s.versions)) {
		if latest == "" || s.versions[v] > s.versions[latest] {
			latest = v
		}
	}
	if len(s.versions) > 1 {
		kept := s.records[:0]
		for i, r := range s.records {
			if i < len(s.byPos) && s.byPos[i] != latest {
				s.skipped++
				continue
			}
			kept = append(kept, r)
		}
		s.records = kept
	}
	s.byPos, s.versions = nil, map[string]int64{latest: math.MinInt64}
	slices.SortStableFunc(s.records, func(a, b record) int {
		switch {
		case a.at < b.at:
			return -1
		case a.at > b.at:
			return 1
		default:
			return 0
		}
	})
}

// Scores gives the scores as the engine reads them.
func (s *Series) Scores() []quality.Score {
	out := make([]quality.Score, len(s.records))
	for i := range s.records {
		out[i] = s.score(s.records[i])
	}
	return out
}

func (s *Series) score(r record) quality.Score {
	p := r.of
	return quality.Score{Feature: s.Feature, Metric: s.Metric, Time: time.Unix(0, r.at).UTC(), Value: r.value, Weight: r.weight,
		Customer: p.customer, Model: p.model, Prompt: p.prompt, Source: p.source, Attributes: p.attributes}
}

// Span is a period; To is not part of it.
type Span struct{ From, To time.Time }

// without returns the records outside of some periods.
func without(records []record, spans []Span) []record {
	return slices.DeleteFunc(slices.Clone(records), func(r record) bool {
		return slices.ContainsFunc(spans, func(s Span) bool { return r.at >= s.From.UnixNano() && r.at < s.To.UnixNano() })
	})
}

package evaluator

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// monitor watches one metric of one feature in all its streams.
type monitor struct {
	config  *monitorConfig
	ref     *reference
	fleet   *fleet
	slices  []string // sliced attributes, by name: the order of the configuration decides nothing
	whole   *stream
	streams []*stream // the whole feature first
	byKey   map[sliceKey]*stream
	rosters map[string]*roster // by attribute
	strata  map[string]string  // the known ones, to themselves: one copy of each
	health  health
	lineage lineage
	sight   sight
	open    *regression
	past    []quality.Regression // recovered ones, oldest first
	keep    int                  // how many past ones are kept; 0 means all
	anew    bool                 // it was there before, and started anew with this process
	changed bool                 // since it was last saved, its streams aside
	chunks  []savedChunk
}

func newMonitor(c *monitorConfig, ref *reference, f *fleet) *monitor {
	m := &monitor{config: c, ref: ref, fleet: f, slices: slices.Sorted(slices.Values(c.spec.Slices)),
		rosters: make(map[string]*roster), changed: true}
	for _, a := range m.slices {
		m.rosters[a] = newRoster(c.maxSlices)
	}
	m.lineage.begin(c.version, ref)
	m.begin()
	return m
}

// begin makes the streams anew. The places of slices stay: they follow the traffic.
func (m *monitor) begin() {
	for _, s := range m.streams {
		m.fleet.leave(m, s)
	}
	m.streams, m.chunks = nil, nil
	m.byKey, m.strata = make(map[sliceKey]*stream), make(map[string]string)
	m.whole = m.stream(sliceKey{})
}

// observe takes a score and returns the streams whose detectors took it.
func (m *monitor) observe(sc *quality.Score, pos uint64) (touched []*stream) {
	m.changed = true
	if err := m.judge(sc); err != nil {
		m.health.fail(err.Error(), sc.Late)
		return nil
	}
	m.health.score(sc.Time, sc.Value, sc.Late)
	m.lineage.took(sc)
	m.ref.open(sc.Time)
	attribute := func(name string) string { return scoreAttribute(sc, name) }
	in := arrival{pos: pos, at: sc.Time, observation: observation{
		Value: sc.Value, Weight: kept(sc.Weight), Stratum: m.stratum(attribute, sc)}}
	for _, st := range m.route(attribute) {
		st.count(in.at)
		late := st.Late
		if m.ref.take(m.config, st, in) {
			touched = append(touched, st)
		}
		if st == m.whole {
			m.health.late(st.Late > late)
		}
		m.fleet.weigh(m, st)
	}
	return touched
}

// kept is the weight of a score, 1 where none was given.
func kept(weight float64) float64 {
	if !(weight > 0) || weight > maxValue {
		return 1
	}
	return weight
}

// judge returns why a score cannot enter a detector, or nil.
func (m *monitor) judge(sc *quality.Score) error {
	if sc.Failed() {
		return quality.Errorf(quality.KindInvalid, "%s", sc.Error)
	}
	return m.config.scale.check(sc.Value)
}

// route returns the streams a score belongs to. Canaries have a stream of their own: they are a fixed mix
// that nobody's customers sent.
func (m *monitor) route(attribute func(string) string) []*stream {
	if attribute("source") == quality.SourceCanary {
		return []*stream{m.stream(sliceKey{"source", quality.SourceCanary})}
	}
	streams := make([]*stream, 1, 1+len(m.slices))
	streams[0] = m.whole
	for _, a := range m.slices {
		v := attribute(a)
		if v == "" {
			continue
		}
		own, evicted := m.rosters[a].place(v, func(v string) bool { st := m.byKey[sliceKey{a, v}]; return st != nil && st.Open })
		if evicted != "" {
			m.drop(sliceKey{a, evicted})
		}
		streams = append(streams, m.stream(sliceKey{a, own}))
	}
	return streams
}

// stream returns the stream of a slice, made when it is new.
func (m *monitor) stream(k sliceKey) *stream {
	if s, ok := m.byKey[k]; ok {
		return s
	}
	k.Value = strings.Clone(k.Value) // it must not hold on to a whole message
	s := newStream(k)
	m.put(s)
	m.fill(s)
	m.fleet.weigh(m, s)
	return s
}

func (m *monitor) put(s *stream) {
	s.place = len(m.streams)
	m.byKey[s.sliceKey] = s
	m.streams = append(m.streams, s)
}

// fill gives a new stream its part of a stored baseline.
func (m *monitor) fill(s *stream) {
	var first, last int64
	for i := range m.ref.stored {
		sc := &m.ref.stored[i]
		attribute := func(name string) string { return scoreAttribute(sc, name) }
		if sc.Failed() || m.config.scale.check(sc.Value) != nil || !m.belongs(s, attribute) || s.Pending.len() == maxBaseline {
			continue
		}
		s.Pending.add(observation{Value: sc.Value, Weight: kept(sc.Weight), Stratum: m.stratum(attribute, sc)})
		last = max(last, sc.Time.UnixNano())
		if s.Stored++; s.Stored == 1 {
			first = sc.Time.UnixNano()
		}
		first = min(first, sc.Time.UnixNano())
	}
	if s.Span = last - first; s.Pending.len() >= MinBaseline {
		s.close(m.config, time.Unix(0, last).UTC())
	}
}

func (m *monitor) belongs(s *stream, attribute func(string) string) bool {
	v := attribute(s.Attribute)
	if canary := attribute("source") == quality.SourceCanary; canary || s.Attribute == "source" && s.Value == quality.SourceCanary {
		return canary && s.Attribute == "source"
	}
	if s.Attribute == "" {
		return true
	}
	if s.Value != OtherSlice {
		return v == s.Value
	}
	_, own := m.rosters[s.Attribute].Own[v]
	return v != "" && !own
}

func scoreAttribute(sc *quality.Score, name string) string {
	s := quality.Sample{Customer: sc.Customer, Model: sc.Model, Prompt: sc.Prompt, Source: sc.Source, Attributes: sc.Attributes}
	return s.Attribute(name)
}

// drop takes a stream out; the last one takes its place, so that no other moves.
func (m *monitor) drop(k sliceKey) {
	s := m.byKey[k]
	if s == nil {
		return
	}
	delete(m.byKey, k)
	m.fleet.leave(m, s)
	last := m.streams[len(m.streams)-1]
	m.streams[s.place], last.place = last, s.place
	m.streams = m.streams[:len(m.streams)-1]
}

// stratum names the stratum of a score. Beyond the cap all new ones share a single stratum.
func (m *monitor) stratum(attribute func(string) string, sc *quality.Score) string {
	if !m.config.strata() {
		return ""
	}
	var b strings.Builder
	for _, a := range m.config.spec.Adjust {
		b.WriteString(strconv.Quote(attribute(a)))
	}
	if m.config.spec.Season == "hour" {
		b.WriteString(strconv.Itoa(sc.Time.In(m.config.location).Hour()))
	}
	key := b.String()
	if known, ok := m.strata[key]; ok {
		return known
	}
	if len(m.strata) >= maxStrata {
		return OtherSlice
	}
	m.strata[key] = key
	return key
}

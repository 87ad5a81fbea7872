package evaluator

import (
	"strconv"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// monitor watches one metric of one feature in all its streams.
type monitor struct {
	config  *monitorConfig
	ref     *reference
	whole   *stream
	streams []*stream // in order of their making; the whole feature first
	byKey   map[string]*stream
	rosters map[string]*roster // by attribute
	strata  map[string]struct{}
	health  health
	open    *regression
	past    []quality.Regression // recovered ones, oldest first
	keep    int                  // how many past ones are kept; 0 means all
	anew    bool                 // it was there before, and started anew with this process
	chunks  []savedChunk         // of the last snapshot
}

func newMonitor(c *monitorConfig, ref *reference) *monitor {
	m := &monitor{config: c, ref: ref, byKey: make(map[string]*stream),
		rosters: make(map[string]*roster), strata: make(map[string]struct{})}
	m.whole = m.stream("", "")
	for _, a := range c.spec.Slices {
		m.rosters[a] = newRoster(c.maxSlices)
	}
	return m
}

// observe takes a score and returns the streams whose detectors took it.
func (m *monitor) observe(sc *quality.Score, pos uint64) (touched []*stream) {
	if err := m.judge(sc); err != nil {
		m.health.fail(sc.Time, err.Error())
		return nil
	}
	m.health.score(sc.Time)
	m.ref.open(sc.Time)
	attribute := func(name string) string { return scoreAttribute(sc, name) }
	in := reading{pos: pos, at: sc.Time, observation: observation{
		Value: sc.Value, Weight: sc.Weight, Stratum: m.stratum(attribute, sc)}}
	for _, st := range m.route(attribute) {
		st.count(in.at)
		if m.ref.take(m.config, st, in) {
			touched = append(touched, st)
		}
	}
	return touched
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
		return []*stream{m.stream("source", quality.SourceCanary)}
	}
	streams := make([]*stream, 1, 1+len(m.config.spec.Slices))
	streams[0] = m.whole
	for _, a := range m.config.spec.Slices {
		v := attribute(a)
		if v == "" {
			continue
		}
		key, evicted := m.rosters[a].place(v, func(v string) bool { st := m.byKey[streamKey(a, v)]; return st != nil && st.Open })
		if evicted != "" {
			m.drop(streamKey(a, evicted))
		}
		streams = append(streams, m.stream(a, key))
	}
	return streams
}

func (m *monitor) stream(attribute, value string) *stream {
	key := streamKey(attribute, value)
	if s, ok := m.byKey[key]; ok {
		return s
	}
	s := newStream(attribute, value)
	m.byKey[key] = s
	m.streams = append(m.streams, s)
	m.fill(s)
	return s
}

// fill gives a new stream its part of a stored baseline.
func (m *monitor) fill(s *stream) {
	var first, last int64
	for i := range m.ref.stored {
		sc := &m.ref.stored[i]
		attribute := func(name string) string { return scoreAttribute(sc, name) }
		if sc.Failed() || m.config.scale.check(sc.Value) != nil || !m.belongs(s, attribute) || len(s.Pending) == maxBaseline {
			continue
		}
		s.Pending = append(s.Pending, observation{Value: sc.Value, Weight: max(sc.Weight, 1), Stratum: m.stratum(attribute, sc)})
		last = max(last, sc.Time.UnixNano())
		if s.Stored++; s.Stored == 1 {
			first = sc.Time.UnixNano()
		}
		first = min(first, sc.Time.UnixNano())
	}
	if s.Span = last - first; len(s.Pending) >= MinBaseline {
		s.close(m.config, time.Unix(0, last).UTC())
	}
}

func (m *monitor) belongs(s *stream, attribute func(string) string) bool {
	v := attribute(s.attribute)
	if canary := attribute("source") == quality.SourceCanary; canary || s.attribute == "source" && s.value == quality.SourceCanary {
		return canary && s.attribute == "source"
	}
	if s.attribute == "" {
		return true
	}
	if s.value != OtherSlice {
		return v == s.value
	}
	_, own := m.rosters[s.attribute].Own[v]
	return v != "" && !own
}

func scoreAttribute(sc *quality.Score, name string) string {
	s := quality.Sample{Customer: sc.Customer, Model: sc.Model, Prompt: sc.Prompt, Source: sc.Source, Attributes: sc.Attributes}
	return s.Attribute(name)
}

func (m *monitor) drop(key string) {
	s := m.byKey[key]
	if s == nil {
		return
	}
	delete(m.byKey, key)
	for i := range m.streams {
		if m.streams[i] == s {
			m.streams = append(m.streams[:i:i], m.streams[i+1:]...)
			return
		}
	}
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
	if _, ok := m.strata[key]; ok {
		return key
	}
	if len(m.strata) >= maxStrata {
		return OtherSlice
	}
	m.strata[key] = struct{}{}
	return key
}

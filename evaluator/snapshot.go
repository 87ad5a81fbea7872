package evaluator

import (
	"bytes"
	"crypto/sha256"
	"encoding"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/asgood-dev/asgood/evaluator/detect"
	"github.com/asgood-dev/asgood/evaluator/score"
	"github.com/asgood-dev/asgood/internal/quality"
)

// streamsPerChunk is how many streams are saved together: so many that the list of chunks stays short, and
// so few that one busy stream does not have the whole fleet written with it.
const streamsPerChunk = 64

// stateVersion changes when saved states can no longer be read; they are then started anew.
const stateVersion = 2

// makeFingerprint sums up what gives a monitor's state its meaning. A monitor whose fingerprint changed
// starts anew. Budgets, material, tile and the order of slices only steer decisions and are left out.
func (c *monitorConfig) makeFingerprint(f quality.Feature) string {
	var versions []string
	for _, s := range f.Scorers {
		if makes(s, c.spec.Metric) {
			versions = append(versions, score.Version(s))
		}
	}
	season := ""
	if c.spec.Season != "" {
		season = c.spec.Season + "@" + c.location.String()
	}
	data, err := json.Marshal([]any{stateVersion, versions, c.scale.lo, c.scale.hi, c.scale.mirrored, c.scale.unbounded,
		slices.Sorted(slices.Values(c.spec.Slices)), c.maxSlices, c.spec.Adjust, season, c.baseline})
	if err != nil { // plain data always marshals, but a range of infinite bounds is refused before
		return c.spec.Metric
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}

// chunk is a part of an engine's state.
type chunk struct {
	name    string
	changed bool // since written was called last
	encode  func(buf []byte) ([]byte, error)
	written func()
}

// chunks lists the parts of the state. Nothing may be observed while it is gone through.
func (e *Engine) chunks() iter.Seq[chunk] {
	return func(yield func(chunk) bool) {
		for _, f := range e.features {
			for _, list := range []iter.Seq[chunk]{f.memory.chunks(f.name, "ids"), f.later.chunks(f.name, "later")} {
				for c := range list {
					if !yield(c) {
						return
					}
				}
			}
			for _, m := range f.monitors {
				for c := range m.parts() {
					if !yield(c) {
						return
					}
				}
			}
		}
	}
}

// Snapshot returns the engine's whole state in chunks by name.
func (e *Engine) Snapshot() (map[string][]byte, error) {
	out := make(map[string][]byte)
	var buf []byte
	for c := range e.chunks() {
		var err error
		if buf, err = c.encode(buf); err != nil {
			return nil, fmt.Errorf("saving %q: %w", c.name, err)
		}
		out[c.name] = bytes.Clone(buf)
	}
	return out, nil
}

// chunkName joins parts so that no name can be mistaken for another.
func chunkName(parts ...string) string {
	for i, p := range parts {
		parts[i] = strings.NewReplacer("%", "%25", "/", "%2F").Replace(p)
	}
	return strings.Join(parts, "/")
}

// chunks are the blocks of ids. A full block never changes.
func (m *memory) chunks(feature, kind string) iter.Seq[chunk] {
	return func(yield func(chunk) bool) {
		for i, b := range m.blocks {
			n := m.first + uint64(i)
			c := chunk{name: chunkName(feature, kind, strconv.FormatUint(n, 10)), changed: n >= m.unsaved,
				encode:  func(buf []byte) ([]byte, error) { return packIDs(buf[:0], b), nil },
				written: func() { m.unsaved = max(m.unsaved, n+uint64(len(b)/memoryBlock)) }}
			if !yield(c) {
				return
			}
		}
	}
}

// parts are the monitor without its streams, and its streams in groups.
func (m *monitor) parts() iter.Seq[chunk] {
	return func(yield func(chunk) bool) {
		own := chunk{name: chunkName(m.config.feature, "monitor", m.config.spec.Metric), changed: m.changed,
			encode: m.encode, written: func() { m.changed = false }}
		if !yield(own) {
			return
		}
		for i := 0; i*streamsPerChunk < len(m.streams); i++ {
			if !yield(m.group(i)) {
				return
			}
		}
	}
}

// savedChunk is what a group of streams was when it was written last.
type savedChunk struct {
	name    string
	streams []*stream
}

// group is the chunk of some streams.
func (m *monitor) group(i int) chunk {
	streams := m.streams[i*streamsPerChunk : min(len(m.streams), (i+1)*streamsPerChunk)]
	if len(m.chunks) <= i {
		m.chunks = append(m.chunks, savedChunk{name: chunkName(m.config.feature, "streams", m.config.spec.Metric, strconv.Itoa(i))})
	}
	saved := &m.chunks[i]
	return chunk{
		name:    saved.name,
		changed: !slices.Equal(saved.streams, streams) || slices.ContainsFunc(streams, func(s *stream) bool { return s.changed }),
		encode:  func(buf []byte) ([]byte, error) { return encodeStreams(buf, streams, m.config.scale) },
		written: func() {
			saved.streams = append(saved.streams[:0], streams...)
			for _, s := range streams {
				s.changed = false
			}
		},
	}
}

func encodeStreams(buf []byte, streams []*stream, sc scale) ([]byte, error) {
	c := writing(buf)
	list(c, &streams)
	for _, s := range streams {
		s.fields(c, sc)
	}
	return c.buf, c.end()
}

// encode saves the monitor without its streams.
func (m *monitor) encode(buf []byte) ([]byte, error) {
	st := monitorState{Fingerprint: m.config.fingerprint, Window: m.ref.window, Health: m.health, Lineage: m.lineage, Sight: m.sight,
		Streams: uint64(len(m.streams)), Strata: slices.Sorted(maps.Keys(m.strata))}
	for _, a := range m.slices {
		st.Rosters = append(st.Rosters, m.rosters[a].state(a))
	}
	var err error
	if m.open != nil {
		if st.Open, err = json.Marshal(m.open); err != nil {
			return nil, err
		}
	}
	if st.Past, err = json.Marshal(m.past); err != nil {
		return nil, err
	}
	c := writing(buf)
	form := uint64(stateVersion)
	c.uint(&form)
	st.fields(c)
	return c.buf, c.end()
}

// monitorState is a monitor without its streams.
type monitorState struct {
	Fingerprint string
	Window      *period
	Rosters     []rosterState
	Strata      []string
	Health      health
	Lineage     lineage
	Sight       sight
	Open        []byte // JSON
	Past        []byte
	Streams     uint64
}

func (st *monitorState) fields(c *codec) {
	c.text(&st.Fingerprint)
	if present(c, &st.Window) {
		st.Window.fields(c)
	}
	list(c, &st.Rosters)
	for i := range st.Rosters {
		st.Rosters[i].fields(c)
	}
	list(c, &st.Strata)
	for i := range st.Strata {
		c.name(&st.Strata[i])
	}
	st.Health.fields(c)
	st.Lineage.fields(c)
	st.Sight.fields(c)
	c.bytes(&st.Open)
	c.bytes(&st.Past)
	c.uint(&st.Streams)
}

type rosterState struct {
	Attribute string
	Own       []counted
	Waiting   []counted
}

type counted struct {
	Value        string
	Count, Error uint64
}

func (r *roster) state(attribute string) rosterState {
	st := rosterState{Attribute: attribute}
	for _, v := range slices.Sorted(maps.Keys(r.Own)) {
		st.Own = append(st.Own, counted{Value: v, Count: r.Own[v]})
	}
	for _, v := range slices.Sorted(maps.Keys(r.Waiting)) {
		st.Waiting = append(st.Waiting, counted{Value: v, Count: r.Waiting[v].Count, Error: r.Waiting[v].Error})
	}
	return st
}

func (st *rosterState) fields(c *codec) {
	c.text(&st.Attribute)
	for _, l := range []*[]counted{&st.Own, &st.Waiting} {
		list(c, l)
		for i := range *l {
			x := &(*l)[i]
			c.text(&x.Value)
			c.uint(&x.Count)
			c.uint(&x.Error)
		}
	}
}

// fields writes or reads a stream with its detectors.
func (s *stream) fields(c *codec, sc scale) {
	c.name(&s.Attribute)
	c.text(&s.Value)
	for _, n := range []*uint64{&s.Scores, &s.Late, &s.Stored, &s.Skipped} {
		c.uint(n)
	}
	for _, n := range []*int64{&s.FirstAt, &s.LastAt, &s.Span, &s.ReadyAt} {
		c.int(n)
	}
	s.Pending.fields(c)
	s.Base.fields(c)
	c.float(&s.E)
	c.float(&s.Better)
	c.bool(&s.Open)
	c.bool(&s.Own)
	c.bool(&s.Improved)
	c.text(&s.Problem)
	s.track.fields(c)
	if present(c, &s.watch) {
		s.watch.fields(c, sc)
	}
	if present(c, &s.improve) {
		s.improve.fields(c, sc.opposite())
	}
}

func (w *watcher) fields(c *codec, sc scale) {
	w.scale = sc
	list(c, &w.ranks)
	for i := range w.ranks {
		c.float(&w.ranks[i])
	}
	c.float(&w.tailAt)
	c.float(&w.heavy)
	c.bool(&w.useTail)
	detector(c, &w.main)
	if present(c, &w.tail) {
		detector(c, &w.tail)
	}
	if c.err == nil && sc.unbounded != (w.tail != nil) {
		c.err = errState
	}
}

// detector writes or reads a detector in its own form.
func detector(c *codec, d **detect.Detector) {
	if !c.reading {
		c.scratch, c.err = marshal(c.scratch[:0], *d)
		c.bytes(&c.scratch)
		return
	}
	var n uint64
	c.uint(&n)
	data := c.take(n)
	if *d == nil {
		*d = new(detect.Detector)
	}
	if c.err == nil {
		c.err = (*d).UnmarshalBinary(data)
	}
}

// marshal appends to a buffer where the detector can, which spares one for each of many.
func marshal(buf []byte, d encoding.BinaryMarshaler) ([]byte, error) {
	if a, ok := d.(encoding.BinaryAppender); ok {
		return a.AppendBinary(buf)
	}
	return d.MarshalBinary()
}

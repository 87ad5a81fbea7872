package evaluator

import (
	"bytes"
	"crypto/sha256"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/asgood-dev/asgood/evaluator/detect"
	"github.com/asgood-dev/asgood/evaluator/score"
	"github.com/asgood-dev/asgood/internal/quality"
)

// streamsPerChunk is how many streams are saved in one document.
const streamsPerChunk = 32

// stateVersion changes when saved states can no longer be read; they are then started anew.
const stateVersion = 1

// makeFingerprint sums up what gives a monitor's state its meaning. A monitor whose fingerprint changed
// starts anew. Budgets, material and tile only steer decisions and are left out.
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
		c.spec.Slices, c.maxSlices, c.spec.Adjust, season, c.baseline})
	if err != nil { // plain data always marshals, but a range of infinite bounds is refused before
		return c.spec.Metric
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}

// monitorState is a monitor without its streams.
type monitorState struct {
	Fingerprint string
	Window      *period
	Rosters     []rosterState
	Strata      []string
	Health      health
	Open        []byte // JSON, since gob drops pointers to zero
	Past        []byte
	Streams     int
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

// streamState is a stream with its detectors.
type streamState struct {
	Attribute, Value string
	Stream           stream // its exported fields
	Track            track
	Watch, Improve   *watcherState
}

type watcherState struct {
	Ranks      []float64
	TailAt     float64
	Heavy      float64
	Main, Tail []byte
	UseTail    bool
}

// Snapshot returns the engine's whole state in chunks by name. Chunks of what did not change since
// the last snapshot have the same bytes.
func (e *Engine) Snapshot() (map[string][]byte, error) {
	out := make(map[string][]byte)
	for _, f := range e.features {
		for i, b := range f.memory.blocks {
			out[chunkName(f.name, "ids", fmt.Sprint(f.memory.first+uint64(i)))] = packIDs(b)
		}
		for _, m := range f.monitors {
			if err := m.snapshot(out); err != nil {
				return nil, fmt.Errorf("saving the monitor of metric %q of feature %q: %w", m.config.spec.Metric, f.name, err)
			}
		}
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

func (m *monitor) snapshot(out map[string][]byte) error {
	st := monitorState{Fingerprint: m.config.fingerprint, Window: m.ref.window, Health: m.health, Streams: len(m.streams),
		Strata: slices.Sorted(maps.Keys(m.strata))}
	for _, a := range m.config.spec.Slices {
		st.Rosters = append(st.Rosters, m.rosters[a].state(a))
	}
	var err error
	if m.open != nil {
		if st.Open, err = json.Marshal(m.open); err != nil {
			return err
		}
	}
	if st.Past, err = json.Marshal(m.past); err != nil {
		return err
	}
	if out[chunkName(m.config.feature, "monitor", m.config.spec.Metric)], err = encode(st); err != nil {
		return err
	}
	for i := 0; i*streamsPerChunk < len(m.streams); i++ {
		name := chunkName(m.config.feature, "streams", m.config.spec.Metric, fmt.Sprint(i))
		if out[name], err = m.chunk(i); err != nil {
			return err
		}
	}
	return nil
}

// chunk encodes some streams, or returns the bytes of the last time when none of them changed.
func (m *monitor) chunk(i int) ([]byte, error) {
	group := m.streams[i*streamsPerChunk : min(len(m.streams), (i+1)*streamsPerChunk)]
	for len(m.chunks) <= i {
		m.chunks = append(m.chunks, savedChunk{})
	}
	saved := &m.chunks[i]
	if saved.data != nil && slices.Equal(saved.streams, group) && !slices.ContainsFunc(group, func(s *stream) bool { return s.changed }) {
		return saved.data, nil
	}
	states := make([]streamState, len(group))
	for j, s := range group {
		var err error
		if states[j], err = s.state(); err != nil {
			return nil, fmt.Errorf("stream %q: %w", s.key(), err)
		}
		s.changed = false
	}
	data, err := encode(states)
	if err != nil {
		return nil, err
	}
	*saved = savedChunk{data: data, streams: slices.Clone(group)}
	return data, nil
}

// savedChunk is a chunk as it was encoded last.
type savedChunk struct {
	data    []byte
	streams []*stream
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

func (s *stream) state() (streamState, error) {
	st := streamState{Attribute: s.attribute, Value: s.value, Stream: *s, Track: s.track}
	var err error
	if st.Watch, err = s.watch.state(); err != nil {
		return st, err
	}
	st.Improve, err = s.improve.state()
	return st, err
}

func (w *watcher) state() (*watcherState, error) {
	if w == nil {
		return nil, nil
	}
	st := &watcherState{Ranks: w.ranks, TailAt: w.tailAt, Heavy: w.heavy, UseTail: w.useTail}
	var err error
	if st.Main, err = w.main.MarshalBinary(); err != nil || w.tail == nil {
		return st, err
	}
	st.Tail, err = w.tail.MarshalBinary()
	return st, err
}

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(v); err != nil {
		return nil, fmt.Errorf("encoding %T: %w", v, err)
	}
	return b.Bytes(), nil
}

func decode(data []byte, v any) error {
	if err := gob.NewDecoder(bytes.NewReader(data)).Decode(v); err != nil {
		return fmt.Errorf("decoding %T: %w", v, err)
	}
	return nil
}

func loadWatcher(st *watcherState, sc scale) (*watcher, error) {
	if st == nil {
		return nil, nil
	}
	w := &watcher{scale: sc, ranks: st.Ranks, tailAt: st.TailAt, heavy: st.Heavy, useTail: st.UseTail, main: new(detect.Detector)}
	if err := w.main.UnmarshalBinary(st.Main); err != nil {
		return nil, fmt.Errorf("reading a detector: %w", err)
	}
	if st.Tail != nil {
		w.tail = new(detect.Detector)
		if err := w.tail.UnmarshalBinary(st.Tail); err != nil {
			return nil, fmt.Errorf("reading a detector of the tail: %w", err)
		}
	}
	return w, nil
}

package evaluator

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Restore puts a snapshot's state in the place of the engine's own. A monitor whose configuration
// changed since, or that is new, starts anew; the others go on where they were. On an error the
// engine must not be used any more.
func (e *Engine) Restore(chunks map[string][]byte) error {
	for _, f := range e.features {
		if err := f.memory.restore(f.name, chunks); err != nil {
			return err
		}
		for _, m := range f.monitors {
			kept, err := m.restore(chunks)
			if err != nil {
				return fmt.Errorf("restoring the monitor of metric %q of feature %q: %w", m.config.spec.Metric, f.name, err)
			}
			if m.anew = !kept; m.anew {
				e.log.Info("monitor starts anew", "feature", f.name, "metric", m.config.spec.Metric)
			}
		}
	}
	return nil
}

// forgot reports whether what was known of a monitor before the restart is gone: it is not configured any
// more, or otherwise. What a crash took away is not: that is read again.
func (e *Engine) forgot(feature, metric string) bool {
	f := e.byName[feature]
	if f == nil || f.byMetric[metric] == nil {
		return true
	}
	return f.byMetric[metric].anew
}

func packIDs(ids []uint64) []byte {
	out := make([]byte, 0, 8*len(ids))
	for _, id := range ids {
		out = binary.LittleEndian.AppendUint64(out, id)
	}
	return out
}

func (m *memory) restore(feature string, chunks map[string][]byte) error {
	prefix := chunkName(feature, "ids", "")
	byNumber := make(map[uint64][]byte)
	for name, data := range chunks {
		var n uint64
		if len(name) <= len(prefix) || name[:len(prefix)] != prefix {
			continue
		}
		if _, err := fmt.Sscan(name[len(prefix):], &n); err != nil || len(data)%8 != 0 {
			return quality.Errorf(quality.KindInvalid, "restoring chunk %q: not a block of ids", name)
		}
		byNumber[n] = data
	}
	numbers := slices.Sorted(maps.Keys(byNumber))
	if len(numbers) == 0 {
		return nil
	}
	*m = memory{limit: m.limit, seen: make(map[uint64]struct{}), first: numbers[0]}
	for _, n := range numbers {
		for data := byNumber[n]; len(data) > 0; data = data[8:] {
			m.put(binary.LittleEndian.Uint64(data))
		}
	}
	return nil
}

// restore reports whether the monitor goes on from the saved state.
func (m *monitor) restore(chunks map[string][]byte) (bool, error) {
	data, ok := chunks[chunkName(m.config.feature, "monitor", m.config.spec.Metric)]
	if !ok {
		return false, nil
	}
	var st monitorState
	if err := decode(data, &st); err != nil {
		return false, err
	}
	if st.Fingerprint != m.config.fingerprint {
		return false, nil
	}
	if err := m.load(st); err != nil {
		return false, err
	}
	m.streams, m.byKey, m.chunks = nil, make(map[string]*stream), nil
	for i := 0; len(m.streams) < st.Streams; i++ {
		name := chunkName(m.config.feature, "streams", m.config.spec.Metric, fmt.Sprint(i))
		if err := m.loadStreams(chunks[name]); err != nil {
			return false, fmt.Errorf("chunk %q: %w", name, err)
		}
	}
	if m.whole = m.byKey[""]; m.whole == nil {
		return false, quality.Errorf(quality.KindInvalid, "the stream of the whole feature is missing")
	}
	return true, nil
}

func (m *monitor) load(st monitorState) error {
	m.health = st.Health
	if st.Window != nil && m.ref.window != nil {
		*m.ref.window = *st.Window
	}
	for _, s := range st.Strata {
		m.strata[s] = struct{}{}
	}
	for _, r := range st.Rosters {
		m.rosters[r.Attribute] = r.load(m.config.maxSlices)
	}
	if st.Open != nil {
		if err := json.Unmarshal(st.Open, &m.open); err != nil {
			return fmt.Errorf("decoding the open regression: %w", err)
		}
	}
	if err := json.Unmarshal(st.Past, &m.past); err != nil {
		return fmt.Errorf("decoding the past regressions: %w", err)
	}
	return nil
}

func (st rosterState) load(limit int) *roster {
	r := newRoster(limit)
	for _, c := range st.Own {
		r.Own[c.Value] = c.Count
	}
	for _, c := range st.Waiting {
		r.Waiting[c.Value] = waiting{Count: c.Count, Error: c.Error}
	}
	return r
}

func (m *monitor) loadStreams(data []byte) error {
	var states []streamState
	if err := decode(data, &states); err != nil {
		return err
	}
	for i := range states {
		s, err := states[i].load(m.config.scale)
		if err != nil {
			return fmt.Errorf("stream %q: %w", streamKey(states[i].Attribute, states[i].Value), err)
		}
		m.streams = append(m.streams, s)
		m.byKey[s.key()] = s
	}
	return nil
}

func (st *streamState) load(sc scale) (*stream, error) {
	s := st.Stream
	s.attribute, s.value, s.track, s.changed = st.Attribute, st.Value, st.Track, true
	var err error
	if s.watch, err = loadWatcher(st.Watch, sc); err != nil {
		return nil, err
	}
	s.improve, err = loadWatcher(st.Improve, sc.opposite())
	return &s, err
}

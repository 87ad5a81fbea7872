package evaluator

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// saved is a saved state: the names of its chunks, and how to read one.
type saved struct {
	names map[string]bool
	read  func(name string) ([]byte, error)
}

// Restore puts a snapshot's state in the place of the engine's own. A monitor whose configuration
// changed since, or that is new, starts anew; the others go on where they were. On an error the
// engine must not be used any more.
func (e *Engine) Restore(chunks map[string][]byte) error {
	names := make(map[string]bool, len(chunks))
	for name := range chunks {
		names[name] = true
	}
	return e.restore(saved{names, func(name string) ([]byte, error) { return chunks[name], nil }})
}

// restore reads chunk by chunk, so that the saved state and its meaning are not both in memory.
func (e *Engine) restore(st saved) error {
	for _, f := range e.features {
		if err := f.memory.restore(chunkName(f.name, "ids", ""), st); err != nil {
			return err
		}
		if err := f.later.restore(chunkName(f.name, "later", ""), st); err != nil {
			return err
		}
		for _, m := range f.monitors {
			kept, err := e.restoreMonitor(m, st)
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

func packIDs(buf []byte, ids []uint64) []byte {
	for _, id := range ids {
		buf = binary.LittleEndian.AppendUint64(buf, id)
	}
	return buf
}

func (m *memory) restore(prefix string, st saved) error {
	byNumber := make(map[uint64]string)
	for name := range st.names {
		number, ok := strings.CutPrefix(name, prefix)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(number, 10, 64)
		if err != nil {
			return quality.Errorf(quality.KindInvalid, "restoring chunk %q: not a block of ids", name)
		}
		byNumber[n] = name
	}
	numbers := slices.Sorted(maps.Keys(byNumber))
	if len(numbers) == 0 {
		return nil
	}
	*m = memory{limit: m.limit, seen: make(map[uint64]struct{}), first: numbers[0], unsaved: numbers[0]}
	for _, n := range numbers {
		data, err := st.read(byNumber[n])
		if err != nil {
			return err
		}
		if len(data)%8 != 0 {
			return quality.Errorf(quality.KindInvalid, "restoring chunk %q: not a block of ids", byNumber[n])
		}
		for ; len(data) > 0; data = data[8:] {
			m.put(binary.LittleEndian.Uint64(data))
		}
	}
	return nil
}

// restoreMonitor reports whether the monitor goes on from the saved state.
func (e *Engine) restoreMonitor(m *monitor, from saved) (bool, error) {
	name := chunkName(m.config.feature, "monitor", m.config.spec.Metric)
	if !from.names[name] {
		return false, nil
	}
	data, err := from.read(name)
	if err != nil {
		return false, err
	}
	st, ok, err := decodeMonitor(data)
	if err != nil || !ok {
		return false, err
	}
	if st.Fingerprint != m.config.fingerprint {
		m.sight = st.Sight // so that a blindness that was told is also told to be over
		m.lineage.Step = e.step(m.config, st.Lineage.Version, m.lineage.Version)
		return false, nil
	}
	if err := m.load(st); err != nil {
		return false, err
	}
	return true, m.loadStreams(st.Streams, from)
}

// decodeMonitor reads the state of a monitor, and false when it was saved in another form.
func decodeMonitor(data []byte) (st monitorState, ok bool, err error) {
	c := reading(data)
	var form uint64
	if c.uint(&form); c.err == nil && form != stateVersion {
		return st, false, nil
	}
	st.fields(c)
	return st, true, c.end()
}

func (m *monitor) load(st monitorState) error {
	m.health, m.lineage, m.sight = st.Health, st.Lineage, st.Sight
	if m.lineage.Moved {
		m.ref = m.ref.anew()
	}
	if st.Window != nil && m.ref.window != nil {
		*m.ref.window = *st.Window
	}
	for _, r := range st.Rosters {
		m.rosters[r.Attribute] = r.load(m.config.maxSlices)
	}
	if len(st.Open) > 0 {
		if err := json.Unmarshal(st.Open, &m.open); err != nil {
			return fmt.Errorf("decoding the open regression: %w", err)
		}
		if m.open == nil || len(m.open.Parts) == 0 || slices.Contains(m.open.Parts, nil) {
			return fmt.Errorf("decoding the open regression: %w", errState)
		}
	}
	if err := json.Unmarshal(st.Past, &m.past); err != nil {
		return fmt.Errorf("decoding the past regressions: %w", err)
	}
	m.strata = make(map[string]string, len(st.Strata))
	for _, s := range st.Strata {
		m.strata[s] = s
	}
	return nil
}

func (st rosterState) load(limit int) *roster {
	r := newRoster(limit)
	for _, c := range st.Own {
		r.Own[c.Value] = c.Count
	}
	for _, c := range st.Waiting {
		r.wait(&waiting{Value: c.Value, Count: c.Count, Error: c.Error})
	}
	return r
}

// loadStreams puts the saved streams in the place of those that the monitor was made with.
func (m *monitor) loadStreams(n uint64, from saved) error {
	m.fleet.leave(m, m.whole)
	m.streams, m.chunks, m.byKey = nil, nil, make(map[sliceKey]*stream)
	for i := 0; uint64(len(m.streams)) < n; i++ {
		name := chunkName(m.config.feature, "streams", m.config.spec.Metric, strconv.Itoa(i))
		data, err := from.read(name)
		if err == nil {
			err = m.loadGroup(data)
		}
		if err != nil {
			return fmt.Errorf("chunk %q: %w", name, err)
		}
	}
	if m.whole = m.byKey[sliceKey{}]; m.whole == nil || uint64(len(m.streams)) != n || len(m.byKey) != len(m.streams) {
		return quality.Errorf(quality.KindInvalid, "the streams are not those that were saved")
	}
	return nil
}

func (m *monitor) loadGroup(data []byte) error {
	c := reading(data)
	for s := range m.strata {
		c.names[s] = s
	}
	var streams []*stream
	if list(c, &streams); len(streams) == 0 {
		return errState
	}
	for range streams {
		s := &stream{changed: true}
		s.fields(c, m.config.scale)
		if c.err != nil {
			return fmt.Errorf("stream %q: %w", s.slice().Key(), c.err)
		}
		s.track.grain = s.grain()
		m.put(s)
		m.fleet.weigh(m, s)
	}
	return c.end()
}

func (p *period) fields(c *codec) {
	for _, t := range []*time.Time{&p.From, &p.To} {
		// A window that is not open yet has no times, which nanoseconds could not hold.
		set := !t.IsZero()
		c.bool(&set)
		if !set {
			continue
		}
		n := t.UnixNano()
		c.int(&n)
		*t = time.Unix(0, n).UTC()
	}
}

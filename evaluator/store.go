package evaluator

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/asgood-dev/asgood/internal/quality"
)

// MaxDocument is the largest document a State must take.
const MaxDocument = 512 << 10

const manifestKey = "manifest"

// store keeps an engine's state in documents that are named by their content, and a manifest, written
// last, that names the documents of one moment together with the place in the stream. So a save writes
// only what changed, and a crash at any point leaves the manifest of before with all its documents.
type store struct {
	state   State
	written map[string]bool     // documents known to be stored
	chunks  map[string][]string // documents of each chunk, as it was written last
	buf     []byte              // of the chunk at work
}

// manifest lists the documents of each chunk, in order.
type manifest struct {
	Place     progress            `json:"place"`
	Chunks    map[string][]string `json:"chunks,omitempty"`
	Documents []string            `json:"documents,omitempty"` // where Chunks is, when it is too large to stand here
}

func documentKey(data []byte) string {
	sum := sha256.Sum256(data)
	return "c-" + hex.EncodeToString(sum[:16])
}

// open reads the manifest and returns the saved state, which is then read chunk by chunk. No names mean
// that nothing was saved.
func (s *store) open(ctx context.Context) (saved, progress, error) {
	s.written, s.chunks = make(map[string]bool), make(map[string][]string)
	data, err := s.state.Get(ctx, manifestKey)
	if quality.KindOf(err) == quality.KindNotFound && err != nil {
		return saved{}, progress{}, nil
	}
	if err != nil {
		return saved{}, progress{}, fmt.Errorf("reading the manifest: %w", err)
	}
	var m manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return saved{}, progress{}, permanent{fmt.Errorf("decoding the manifest of the saved state: %w", err)}
	}
	if len(m.Documents) > 0 {
		list, err := s.join(ctx, m.Documents)
		if err != nil {
			return saved{}, progress{}, err
		}
		if err := json.Unmarshal(list, &m.Chunks); err != nil {
			return saved{}, progress{}, permanent{fmt.Errorf("decoding the list of chunks: %w", err)}
		}
	}
	st := saved{names: make(map[string]bool, len(m.Chunks))}
	for name, keys := range m.Chunks {
		st.names[name] = true
		for _, key := range keys {
			s.written[key] = true
		}
	}
	st.read = func(name string) ([]byte, error) {
		out, err := s.join(ctx, m.Chunks[name])
		if err != nil {
			return nil, fmt.Errorf("reading chunk %q: %w", name, err)
		}
		return out, nil
	}
	return st, m.Place, nil
}

// join reads documents and checks that they are what their names say.
func (s *store) join(ctx context.Context, keys []string) ([]byte, error) {
	var out []byte
	for _, key := range keys {
		data, err := s.state.Get(ctx, key)
		if err != nil {
			if quality.KindOf(err) == quality.KindNotFound {
				return nil, permanent{fmt.Errorf("document %q of the saved state is missing: %w", key, err)}
			}
			return nil, fmt.Errorf("reading document %q: %w", key, err)
		}
		if documentKey(data) != key {
			return nil, permanent{quality.Errorf(quality.KindInternal, "document %q of the saved state is damaged", key)}
		}
		s.written[key] = true
		if len(keys) == 1 {
			return data, nil
		}
		out = append(out, data...)
	}
	return out, nil
}

// put stores a chunk.
func (s *store) put(ctx context.Context, name string, data []byte) error {
	if s.written == nil {
		s.written, s.chunks = make(map[string]bool), make(map[string][]string)
	}
	keys, err := s.split(ctx, data)
	if err != nil {
		return fmt.Errorf("storing chunk %q: %w", name, err)
	}
	s.chunks[name] = keys
	return nil
}

// finish stores, last, the manifest of the named chunks; then it clears away what only the manifest before
// named. What a crash left over is cleared by the next save that would have cleared it, or stays: it is
// named by its content and harms nothing.
func (s *store) finish(ctx context.Context, names map[string]bool, place progress) error {
	maps.DeleteFunc(s.chunks, func(name string, _ []string) bool { return !names[name] })
	m := manifest{Place: place, Chunks: s.chunks}
	used := make(map[string]bool)
	for _, keys := range s.chunks {
		for _, key := range keys {
			used[key] = true
		}
	}
	if err := s.putManifest(ctx, m, used); err != nil {
		return err
	}
	return s.sweep(ctx, used)
}

// split stores data as documents of at most MaxDocument bytes, unless they are stored.
func (s *store) split(ctx context.Context, data []byte) (keys []string, err error) {
	for part := range slices.Chunk(data, MaxDocument) {
		key := documentKey(part)
		keys = append(keys, key)
		if s.written[key] {
			continue
		}
		if err := s.state.Put(ctx, key, part); err != nil {
			return nil, fmt.Errorf("writing document %q: %w", key, err)
		}
		s.written[key] = true
	}
	return keys, nil
}

func (s *store) putManifest(ctx context.Context, m manifest, used map[string]bool) error {
	data, err := json.Marshal(m)
	if err != nil {
		return permanent{fmt.Errorf("encoding the manifest: %w", err)}
	}
	if len(data) > MaxDocument {
		list, err := json.Marshal(m.Chunks)
		if err != nil {
			return permanent{fmt.Errorf("encoding the list of chunks: %w", err)}
		}
		if m.Documents, err = s.split(ctx, list); err != nil {
			return fmt.Errorf("storing the list of chunks: %w", err)
		}
		for _, key := range m.Documents {
			used[key] = true
		}
		m.Chunks = nil
		if data, err = json.Marshal(m); err != nil {
			return permanent{fmt.Errorf("encoding the manifest: %w", err)}
		}
	}
	if err := s.state.Put(ctx, manifestKey, data); err != nil {
		return fmt.Errorf("writing the manifest: %w", err)
	}
	return nil
}

func (s *store) sweep(ctx context.Context, used map[string]bool) error {
	for _, key := range slices.Sorted(maps.Keys(s.written)) {
		if used[key] {
			continue
		}
		// Forgotten first: a document must never be thought stored when it may be gone.
		delete(s.written, key)
		if err := s.state.Delete(ctx, key); err != nil {
			return fmt.Errorf("deleting document %q: %w", key, err)
		}
	}
	return nil
}

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
	written map[string]bool // documents known to be stored
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

// load returns the saved chunks, nil when nothing was saved.
func (s *store) load(ctx context.Context) (map[string][]byte, progress, error) {
	s.written = make(map[string]bool)
	data, err := s.state.Get(ctx, manifestKey)
	if quality.KindOf(err) == quality.KindNotFound && err != nil {
		return nil, progress{}, nil
	}
	if err != nil {
		return nil, progress{}, fmt.Errorf("reading the manifest: %w", err)
	}
	var m manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, progress{}, permanent{fmt.Errorf("decoding the manifest of the saved state: %w", err)}
	}
	if len(m.Documents) > 0 {
		list, err := s.join(ctx, m.Documents)
		if err != nil {
			return nil, progress{}, err
		}
		if err := json.Unmarshal(list, &m.Chunks); err != nil {
			return nil, progress{}, permanent{fmt.Errorf("decoding the list of chunks: %w", err)}
		}
	}
	chunks := make(map[string][]byte, len(m.Chunks))
	for name, keys := range m.Chunks {
		if chunks[name], err = s.join(ctx, keys); err != nil {
			return nil, progress{}, fmt.Errorf("reading chunk %q: %w", name, err)
		}
	}
	return chunks, m.Place, nil
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
		out = append(out, data...)
	}
	return out, nil
}

// save stores the chunks and, last, the manifest; then it clears away what only the manifest before
// named. What a crash left over is cleared by the next save that would have cleared it, or stays: it is
// named by its content and harms nothing.
func (s *store) save(ctx context.Context, chunks map[string][]byte, place progress) error {
	if s.written == nil {
		s.written = make(map[string]bool)
	}
	m := manifest{Place: place, Chunks: make(map[string][]string, len(chunks))}
	used := make(map[string]bool)
	var err error
	for _, name := range slices.Sorted(maps.Keys(chunks)) {
		if m.Chunks[name], err = s.split(ctx, chunks[name], used); err != nil {
			return fmt.Errorf("storing chunk %q: %w", name, err)
		}
	}
	if err := s.putManifest(ctx, m, used); err != nil {
		return err
	}
	return s.sweep(ctx, used)
}

// split stores data as documents of at most MaxDocument bytes, unless they are stored.
func (s *store) split(ctx context.Context, data []byte, used map[string]bool) (keys []string, err error) {
	for part := range slices.Chunk(data, MaxDocument) {
		key := documentKey(part)
		keys, used[key] = append(keys, key), true
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
		if m.Documents, err = s.split(ctx, list, used); err != nil {
			return fmt.Errorf("storing the list of chunks: %w", err)
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

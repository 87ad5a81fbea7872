package statuspage

import (
	"crypto/sha256"
	"encoding/hex"
	"sync"
)

// shelf keeps documents that are made when they are first asked for. Its names come from a bounded set: those
// of features and formats, never what a caller wrote.
type shelf struct {
	mu   sync.Mutex
	docs map[string]func() (document, error)
}

func (s *shelf) get(name string, create func() (document, error)) (document, error) {
	s.mu.Lock()
	once, ok := s.docs[name]
	if !ok {
		if s.docs == nil {
			s.docs = map[string]func() (document, error){}
		}
		once = sync.OnceValues(create)
		s.docs[name] = once
	}
	s.mu.Unlock()
	return once()
}

// has returns a document that was asked for before. It costs less than get, whose create is made for each call.
func (s *shelf) has(name string) (document, bool, error) {
	s.mu.Lock()
	once, ok := s.docs[name]
	s.mu.Unlock()
	if !ok {
		return document{}, false, nil
	}
	d, err := once()
	return d, true, err
}

// unpacked is a document that is too small or too short-lived to be compressed.
func unpacked(kind string, body []byte) document {
	sum := sha256.Sum256(body)
	d := document{kind: kind, etag: `"` + hex.EncodeToString(sum[:8]) + `"`, body: body}
	d.seal()
	return d
}

package files

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"

	"github.com/asgood-dev/asgood/internal/quality"
)

// idMaker makes ids of rows that bring none: 128 bits of the SHA-256 of the hash of the file's first 64 KiB
// (without compression), the row's number, and what its mapped columns hold. The same file with the same
// mapping gives the same ids, from disk or as a stream, so importing it again stores nothing twice. What a
// row holds is in it because files with the same beginning may differ later: no row is taken for another.
type idMaker struct {
	head [32]byte
	hash hash.Hash
	buf  []byte
}

func (m *idMaker) make(row int64, cells []cell) string {
	if m.hash == nil {
		m.hash = sha256.New()
	}
	m.hash.Reset()
	m.buf = binary.BigEndian.AppendUint64(append(m.buf[:0], m.head[:]...), uint64(row))
	for i := range cells {
		c := &cells[i]
		m.buf = append(m.buf, byte(c.Kind))
		m.buf = binary.BigEndian.AppendUint64(m.buf, uint64(len(c.Text)))
		m.buf = append(m.buf, c.Text...)
	}
	m.hash.Write(m.buf)
	m.buf = m.hash.Sum(m.buf[:0])
	return hex.EncodeToString(m.buf[:16])
}

// nativeReader reads native samples.
type nativeReader struct {
	opts *Options
	ids  idMaker
}

func (n *nativeReader) sample(cells []cell, at Place) (quality.Sample, error) {
	s, err := n.opts.Decode([]byte(cells[0].Text))
	if err != nil {
		return s, err
	}
	if s.Feature == "" {
		s.Feature = n.opts.Feature
	}
	if s.Customer == "" {
		s.Customer = n.opts.Customer
	}
	if s.ID == "" {
		s.ID = n.ids.make(at.Row, cells)
	}
	return s, n.opts.Check(&s)
}

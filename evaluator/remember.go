package evaluator

import (
	"crypto/sha256"
	"encoding/binary"
)

// memoryBlock is how many ids are forgotten, and saved, together.
const memoryBlock = 4096

// memory remembers the sample ids of a feature by a 64-bit hash, the latest of them when it is
// bounded: two ids of a million collide with a chance of one in forty million. A bounded memory
// forgets its oldest block when it is full.
type memory struct {
	limit   int // 0 means no limit
	seen    map[uint64]struct{}
	blocks  [][]uint64 // in order of arrival; all but the last are full
	first   uint64     // number of the first block since the beginning
	unsaved uint64     // number of the first block that is not saved in full
}

func newMemory(limit int) *memory {
	return &memory{limit: max(limit, 0), seen: make(map[uint64]struct{})}
}

// add remembers an id and reports whether it is new. The empty id is always new.
func (m *memory) add(id string) bool {
	if id == "" {
		return true
	}
	sum := sha256.Sum256([]byte(id))
	h := binary.LittleEndian.Uint64(sum[:])
	if _, ok := m.seen[h]; ok {
		return false
	}
	m.put(h)
	return true
}

func (m *memory) put(h uint64) {
	m.seen[h] = struct{}{}
	if n := len(m.blocks); n == 0 || len(m.blocks[n-1]) == memoryBlock {
		m.blocks = append(m.blocks, make([]uint64, 0, memoryBlock))
	}
	last := len(m.blocks) - 1
	m.blocks[last] = append(m.blocks[last], h)
	if m.limit > 0 && len(m.blocks) > 1 && len(m.seen) > m.limit {
		for _, old := range m.blocks[0] {
			delete(m.seen, old)
		}
		m.blocks = m.blocks[1:]
		m.first++
	}
}

package collector

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/asgood-dev/asgood/internal/quality"
)

// appliedKey holds the sequence up to which the hand-off's messages are in the index. No id has this
// key, because an id's key begins with the name of a feature, which is never empty.
var appliedKey = []byte("\x00applied")

// dayBytes hold the day of writing, in front of every value but that of appliedKey.
const dayBytes = 4

// ids is the index of the samples that were taken in, with what later scores need to know of them: a
// view of the hand-off's messages, written after them. The entries and the sequence they came with are
// one write, so a crash leaves the index at some earlier sequence, from which it is brought up to date
// by replay.
type ids struct {
	db       *pebble.DB
	lock     *pebble.Lock
	keepDays uint32
	durable  atomic.Uint64 // sequence that survives a crash

	life   sync.RWMutex // held for reading by lookups, which may come when the index is closing
	closed bool

	mu      sync.Mutex // held by writers, so that the sweep deletes no id that was renewed
	applied uint64
}

func openIDs(dir string, retention time.Duration) (*ids, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("making the directory of ids %q: %w", dir, err)
	}
	lock, err := pebble.LockDirectory(dir, vfs.Default)
	if err != nil {
		return nil, quality.Errorf(quality.KindConflict, "directory of ids %q is in use by another process, or cannot be locked: %w", dir, err)
	}
	db, err := pebble.Open(dir, idsOptions(lock))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the index of ids in %q: %w", dir, err), lock.Close())
	}
	x := &ids{db: db, lock: lock, keepDays: uint32((retention + 24*time.Hour - 1) / (24 * time.Hour))}
	value, closer, err := db.Get(appliedKey)
	if err == nil {
		x.applied = binary.BigEndian.Uint64(value)
		err = closer.Close()
	}
	if err != nil && !errors.Is(err, pebble.ErrNotFound) {
		return nil, errors.Join(fmt.Errorf("reading the index of ids in %q: %w", dir, err), db.Close(), lock.Close())
	}
	x.durable.Store(x.applied)
	return x, nil
}

// idsOptions keep the index small in memory: it is asked mostly for ids that it does not have, which
// the Bloom filters answer. The cache must hold them and the tables' indexes, or each lookup reads and unpacks
// blocks of the file; compactions pass through it too.
func idsOptions(lock *pebble.Lock) *pebble.Options {
	o := &pebble.Options{
		Lock: lock, MemTableSize: 8 << 20, CacheSize: 32 << 20, MaxOpenFiles: 256,
		FormatMajorVersion: pebble.FormatNewest, Logger: quietLogger{},
	}
	for i := range o.Levels {
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	return o
}

// quietLogger drops Pebble's remarks on its own house-keeping; failures reach us as errors.
type quietLogger struct{}

func (quietLogger) Infof(string, ...any)  {}
func (quietLogger) Errorf(string, ...any) {}

// Fatalf is called when Pebble cannot go on, for example when its log cannot be written. It must not
// return; stopping here is what makes the loss nothing: the index is rebuilt from the hand-off.
func (quietLogger) Fatalf(format string, args ...any) {
	panic("index of ids: " + fmt.Sprintf(format, args...))
}

func unixDay(t time.Time) uint32 { return uint32(max(t.Unix(), 0) / 86400) }

// known reports whether the index holds an id that is not past the retention.
func (x *ids) known(key string, now time.Time) (bool, error) {
	_, found, err := x.get(key, now)
	return found, err
}

// get returns what is kept under a key, and false when there is nothing or it is past the retention.
func (x *ids) get(key string, now time.Time) (value []byte, found bool, err error) {
	x.life.RLock()
	defer x.life.RUnlock()
	if x.closed {
		return nil, false, errStopping
	}
	raw, closer, err := x.db.Get([]byte(key))
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("looking up %.80q: %w", key, err)
	}
	if !x.expired(raw, unixDay(now)) {
		value, found = bytes.Clone(raw[min(dayBytes, len(raw)):]), true
	}
	return value, found, closer.Close()
}

func (x *ids) expired(value []byte, today uint32) bool {
	return len(value) >= dayBytes && binary.BigEndian.Uint32(value)+x.keepDays < today
}

// apply adds what the message with a sequence holds. Only the sequence that follows the last one moves
// the cursor; gap is true when messages between are missing, and the caller must replay them.
func (x *ids) apply(seq uint64, entries []entry, now time.Time) (gap bool, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	gap = seq > x.applied+1
	if gap {
		return true, x.write(entries, x.applied, now)
	}
	// A lower sequence than the cursor's is a stream that began anew.
	return false, x.write(entries, seq, now)
}

// replay adds messages after the cursor, in the order of their sequences, which may have holes.
func (x *ids) replay(ctx context.Context, h Handoff, now func() time.Time) error {
	return h.Replay(ctx, x.cursor(), func(seq uint64, data []byte) error {
		entries, err := entriesOf(data)
		if err != nil {
			// A message that nobody can read holds no id that could come again as a duplicate.
			entries = nil
		}
		x.mu.Lock()
		defer x.mu.Unlock()
		return x.write(entries, seq, now())
	})
}

func (x *ids) cursor() uint64 {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.applied
}

// write needs the lock. It does not wait for the disk: what a crash takes away, the replay brings back.
func (x *ids) write(entries []entry, seq uint64, now time.Time) error {
	b := x.db.NewBatch()
	defer b.Close()
	value := binary.BigEndian.AppendUint32(nil, unixDay(now))
	for _, e := range entries {
		if err := b.Set([]byte(e.key), append(value[:dayBytes], e.value...), nil); err != nil {
			return fmt.Errorf("adding %.80q: %w", e.key, err)
		}
	}
	if err := b.Set(appliedKey, binary.BigEndian.AppendUint64(nil, seq), nil); err != nil {
		return fmt.Errorf("adding sequence %d: %w", seq, err)
	}
	if err := b.Commit(pebble.NoSync); err != nil {
		return fmt.Errorf("writing the index of ids: %w", err)
	}
	x.applied = seq
	return nil
}

// sync makes the index durable each second, so that the hand-off can let its messages go.
func (x *ids) sync(ctx context.Context, log *slog.Logger) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		err := x.flush()
		if err != nil && !failing {
			log.Error("index of ids cannot be made durable", "err", err)
		}
		failing = err != nil
	}
}

func (x *ids) flush() error {
	seq := x.cursor()
	if seq == x.durable.Load() {
		return nil
	}
	if err := x.db.LogData(nil, pebble.Sync); err != nil {
		return fmt.Errorf("syncing the index of ids: %w", err)
	}
	x.durable.Store(seq)
	return nil
}

func (x *ids) close() error {
	x.life.Lock()
	defer x.life.Unlock()
	x.closed = true
	err := x.flush()
	return errors.Join(err, x.db.Close(), x.lock.Close())
}

package collector

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/asgood-dev/asgood/internal/quality"
)

// maxOrphans bounds the feedback that waits for samples; what comes beyond is dropped and counted.
const maxOrphans = 200_000

// orphan is feedback whose sample has not come, with the key that the sample will have.
type orphan struct {
	target   string
	feedback quality.Feedback
}

// orphans are kept in the index of ids, under their targets, and are on disk before the feedback is
// committed. It is safe for concurrent use.
type orphans struct {
	ids     *ids
	arrived chan struct{} // something was called

	mu      sync.Mutex
	waiting map[string]int // orphans by target
	total   int
	here    map[string]bool // targets that have come
}

func openOrphans(x *ids) (*orphans, error) {
	o := &orphans{ids: x, arrived: make(chan struct{}, 1), waiting: map[string]int{}, here: map[string]bool{}}
	err := o.each(orphanPrefix, func(key, _ []byte) error {
		o.waiting[targetIn(key)]++
		o.total++
		return nil
	})
	return o, err
}

// orphanKey sorts by target. Metric and giver tell the feedback of one target apart.
func orphanKey(target string, f *quality.Feedback) string {
	return orphanPrefix + target + "\x00\x00" + f.Metric + "\x00" + f.By
}

// targetIn cuts a key where no part of a target can be: names hold no two zero bytes in a row.
func targetIn(key []byte) string {
	rest := key[len(orphanPrefix):]
	at := bytes.Index(rest[1:], []byte("\x00\x00"))
	return string(rest[:at+1])
}

func (o *orphans) each(prefix string, fn func(key, value []byte) error) (err error) {
	upper := append([]byte(prefix[:len(prefix)-1]), prefix[len(prefix)-1]+1)
	it, err := o.ids.db.NewIter(&pebble.IterOptions{LowerBound: []byte(prefix), UpperBound: upper})
	if err != nil {
		return fmt.Errorf("reading scores that wait: %w", err)
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	for ok := it.First(); ok; ok = it.Next() {
		if err := fn(it.Key(), it.Value()); err != nil {
			return err
		}
	}
	return it.Error()
}

// keep stores orphans durably and returns how many there was room for.
func (o *orphans) keep(list []orphan, now time.Time) (kept int, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	b := o.ids.db.NewBatch()
	defer b.Close()
	day := binary.BigEndian.AppendUint32(nil, unixDay(now))
	for i := range list {
		if o.total >= maxOrphans {
			break
		}
		data, err := json.Marshal(list[i].feedback)
		if err != nil {
			return 0, fmt.Errorf("encoding a score that waits: %w", err)
		}
		key := orphanKey(list[i].target, &list[i].feedback)
		if err := b.Set([]byte(key), append(day[:dayBytes], data...), nil); err != nil {
			return 0, fmt.Errorf("keeping a score that waits: %w", err)
		}
		o.waiting[list[i].target]++
		o.total++
		kept++
	}
	if err := b.Commit(pebble.Sync); err != nil {
		return 0, fmt.Errorf("keeping scores that wait: %w", err)
	}
	return kept, nil
}

// of returns the feedback that waits for a target.
func (o *orphans) of(target string) (list []quality.Feedback, err error) {
	err = o.each(orphanPrefix+target+"\x00\x00", func(_, value []byte) error {
		var f quality.Feedback
		if err := json.Unmarshal(value[dayBytes:], &f); err != nil {
			return fmt.Errorf("reading a score that waits: %w", err)
		}
		list = append(list, f)
		return nil
	})
	return list, err
}

// expire forgets what has waited longer than orphanTime, to the day, and returns how much it was.
func (o *orphans) expire(now time.Time) (int, error) {
	oldest := unixDay(now.Add(-orphanTime))
	var old []string
	n := 0
	err := o.each(orphanPrefix, func(key, value []byte) error {
		if binary.BigEndian.Uint32(value) < oldest {
			n++
			if target := targetIn(key); len(old) == 0 || old[len(old)-1] != target {
				old = append(old, target)
			}
		}
		return nil
	})
	for _, target := range old {
		err = errors.Join(err, o.forget(target))
	}
	return n, err
}

// waitsFor reports whether feedback waits for a target.
func (o *orphans) waitsFor(target string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.waiting[target] > 0
}

// targets lists the targets that are waited for.
func (o *orphans) targets() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Collect(maps.Keys(o.waiting))
}

// forget removes what waited for a target.
func (o *orphans) forget(target string) error {
	var keys [][]byte
	if err := o.each(orphanPrefix+target+"\x00\x00", func(key, _ []byte) error {
		keys = append(keys, bytes.Clone(key))
		return nil
	}); err != nil {
		return err
	}
	for _, key := range keys {
		if err := o.ids.db.Delete(key, pebble.NoSync); err != nil {
			return fmt.Errorf("forgetting a score that waited: %w", err)
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.total -= o.waiting[target]
	delete(o.waiting, target)
	delete(o.here, target)
	return nil
}

// came tells of entries that are in the index now.
func (o *orphans) came(entries []entry) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.total == 0 {
		return
	}
	for i := range entries {
		if o.waiting[entries[i].key] > 0 {
			o.callLocked(entries[i].key)
		}
	}
}

// call asks for the adoption of what waits for a target.
func (o *orphans) call(target string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.callLocked(target)
}

func (o *orphans) callLocked(target string) {
	o.here[target] = true
	select {
	case o.arrived <- struct{}{}:
	default: // already said
	}
}

func (o *orphans) called() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Collect(maps.Keys(o.here))
}

package quality

import (
	"hash/fnv"
	"time"
)

// A slot is a period of the schedule, named by its begin: a whole multiple of the interval since 1970 in
// UTC. Its run comes a fixed jitter later.

// maxJitter keeps runs near the clock where the interval is long.
const maxJitter = 10 * time.Minute

// JitterOf is the same for a work of a name at every start, so that many works do not begin at the same moment
// and each begins at the same minute of its interval. It is less than half the interval, in whole seconds.
func JitterOf(feature, name string, every time.Duration) time.Duration {
	h := fnv.New64a()
	_, _ = h.Write([]byte(feature + "\x00" + name)) // never fails
	span := min(every/2, maxJitter)
	return time.Duration(h.Sum64() % uint64(span)).Truncate(time.Second)
}

// SlotAt returns the slot whose run is due at now or was due last.
func SlotAt(now time.Time, every, jitter time.Duration) time.Time {
	since := now.Add(-jitter).UnixNano()
	n := since / int64(every)
	if since < 0 && since%int64(every) != 0 {
		n--
	}
	return time.Unix(0, n*int64(every)).UTC()
}

// DueSlot says what is to be done at now, when last is the latest slot that was run or passed over (zero: none
// was). ok is whether slot is to be run. missed counts slots before it that passed while nobody watched and
// that are not made up for. next is when the slot after it is due.
func DueSlot(now, last time.Time, every, jitter time.Duration) (slot time.Time, ok bool, missed int, next time.Time) {
	slot = SlotAt(now, every, jitter)
	next = slot.Add(every + jitter)
	switch {
	case last.IsZero(), last.After(slot.Add(every)): // never run, or the clock went back by more than a slot
		return slot, true, 0, next
	case !slot.After(last):
		return slot, false, 0, next
	default:
		return slot, true, int((slot.Sub(last) - 1) / every), next
	}
}

package probe

import (
	"sync"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// maxWindow bounds the memory of one feature's counts.
const maxWindow = 24 * time.Hour

// Counts holds the traffic of the last minutes of each feature with a probe of traffic, in memory: a restart
// begins with nothing, which is unknown and not up. It is safe for concurrent use.
type Counts struct {
	now   func() time.Time
	rings map[string]*ring // by feature; not changed after New
}

// NewCounts returns empty counts. A nil now is time.Now.
func NewCounts(features []quality.Feature, now func() time.Time) *Counts {
	if now == nil {
		now = time.Now
	}
	c := &Counts{now: now, rings: map[string]*ring{}}
	for _, f := range features {
		var longest time.Duration
		for _, p := range f.Probes {
			if p = p.WithDefaults(); p.Kind() == quality.ProbeTraffic {
				longest = max(longest, p.Traffic.Window)
			}
		}
		if longest > 0 {
			// One for the minute that has begun, one for a clock that is ahead of ours.
			c.rings[f.Name] = &ring{slots: make([]slot, minutes(longest)+2)}
		}
	}
	return c
}

func minutes(d time.Duration) int64 { return int64(min(d, maxWindow) / time.Minute) }

// ring holds one slot for each of the last minutes.
type ring struct {
	mu    sync.Mutex
	slots []slot
}

type slot struct {
	minute        int64 // Unix minutes
	total, failed uint64
}

// Add counts outputs of a minute. Minutes that no window reaches, and those in the future, are left out, as are
// features without a probe of traffic. Nil counts leave all out.
func (c *Counts) Add(feature string, minute time.Time, total, failed uint64) {
	if c == nil {
		return
	}
	r := c.rings[feature]
	if r == nil {
		return
	}
	m, now := unixMinute(minute), unixMinute(c.now())
	if n := int64(len(r.slots)); m < 0 || m > now+1 || m <= now+1-n {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s := &r.slots[m%int64(len(r.slots))]
	if s.minute != m {
		*s = slot{minute: m}
	}
	s.total, s.failed = s.total+total, s.failed+failed
}

// Recent returns the outputs of the minute that has begun and of the window before it.
func (c *Counts) Recent(feature string, window time.Duration) (total, failed uint64) {
	r := c.rings[feature]
	if r == nil {
		return 0, 0
	}
	now := unixMinute(c.now())
	from := now - minutes(window)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.slots {
		if s.minute >= from && s.minute <= now+1 {
			total, failed = total+s.total, failed+s.failed
		}
	}
	return total, failed
}

// unixMinute counts minutes, rounding down.
func unixMinute(t time.Time) int64 {
	s := t.Unix()
	if s < 0 {
		return -1
	}
	return s / 60
}

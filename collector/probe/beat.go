package probe

import (
	"context"
	"sync"
	"time"
)

// heartbeatLook is the longest time between two looks at a heartbeat.
const heartbeatLook = 30 * time.Second

// Beat is the last sign of life of a heartbeat, as it is stored.
type Beat struct {
	Name    string    `json:"name"`
	At      time.Time `json:"at"`                // of the beat, or when it was first waited for
	Seen    bool      `json:"seen"`              // whether there was a beat at all
	Failed  bool      `json:"failed,omitempty"`  // the beat said that something is wrong
	Message string    `json:"message,omitempty"` // what it said; never shown to customers
	Excused time.Time `json:"excused,omitzero"`  // begin of a watch before which a beat may have been missed
}

// resume returns the beat for a watch that begins at now, after one that ended at watched (zero when there
// was none). While nobody watched, a beat that was on its way may have found nobody: where it was not
// late by then, the next is waited for from now on. What was late already stays late, so restarts do not put
// an alarm off for more than one period.
func (b Beat) resume(watched, now time.Time, period time.Duration) Beat {
	if b.At.IsZero() || b.At.After(now) { // never waited for, or the clock was set back
		b.At = now
	}
	if watched.Before(b.At.Add(period)) {
		b.Excused = now
	}
	return b
}

// due is when the next beat is late. The period is the time between beats and the grace.
func (b Beat) due(period time.Duration) time.Time {
	if b.Excused.After(b.At) {
		return b.Excused.Add(period)
	}
	return b.At.Add(period)
}

// judge says what the beat means at now: nil is up, an error down or unknown.
func (b Beat) judge(now time.Time, every, grace time.Duration) error {
	period := every + grace
	switch {
	case b.Failed && b.Message != "":
		return said("the last beat says: %s", b.Message)
	case b.Failed:
		return said("the last beat says that it failed")
	case !now.Before(b.due(period)) && b.Seen:
		return said("no beat since %s, expected every %s with a grace of %s", b.At.UTC().Format(time.RFC3339), every, grace)
	case !now.Before(b.due(period)):
		return said("no beat yet, waited for since %s", b.At.UTC().Format(time.RFC3339))
	case !b.Seen:
		return unknown("no beat yet")
	case !now.Before(b.At.Add(period)):
		return unknown("a beat may have been missed while nobody watched")
	default:
		return nil
	}
}

// heart is one heartbeat that is watched.
type heart struct {
	feature      string
	every, grace time.Duration
	now          func() time.Time
	wake         chan struct{} // a beat changed what the watch last saw
	saving       chan struct{} // held by whom stores a beat

	mu    sync.Mutex
	beat  Beat
	saved Beat // as last stored
}

func newHeart(b Beat, every, grace time.Duration, now func() time.Time) *heart {
	return &heart{every: every, grace: grace, now: now, beat: b, saved: b, wake: make(chan struct{}, 1), saving: make(chan struct{}, 1)}
}

func (h *heart) period() time.Duration { return h.every + h.grace }

func (h *heart) due() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.beat.due(h.period())
}

func (h *heart) check(context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.beat.judge(h.now(), h.every, h.grace)
}

// take notes a beat and wakes the watch when it changes what is to be seen.
func (h *heart) take(failed bool, message string) {
	h.mu.Lock()
	before, now := h.beat, h.now()
	h.beat = Beat{Name: before.Name, At: now, Seen: true, Failed: failed, Message: message}
	h.mu.Unlock()
	if failed == before.Failed && before.Seen && now.Before(before.At.Add(h.period())) {
		return
	}
	select {
	case h.wake <- struct{}{}:
	default: // it was told already
	}
}

// saveSpacing bounds how often beats are stored; a crash forgets no more than this.
const saveSpacing = time.Second

// save stores the beat as it is, unless what is stored says nearly the same.
func (h *heart) save(ctx context.Context, to Beats) error {
	select {
	case h.saving <- struct{}{}:
		defer func() { <-h.saving }()
	case <-ctx.Done():
		return ctx.Err()
	}
	h.mu.Lock()
	b, old := h.beat, h.saved
	h.mu.Unlock()
	moved := b.At.Sub(old.At)
	if old.At = b.At; b == old && moved >= 0 && moved < saveSpacing {
		return nil
	}
	if err := to.SaveBeat(ctx, b); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.saved = b
	return nil
}

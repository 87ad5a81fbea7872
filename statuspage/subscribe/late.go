package subscribe

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/retry"
)

const latePrefix = "late/"

// Bounds of what waits for one subscriber, how long it is tried, and how often a question is asked that nobody
// answers.
const (
	maxItems     = 100
	giveUpAfter  = 3 * 24 * time.Hour
	confirmTries = 6
)

// told says what a subscriber is told.
type told string

const (
	tellNotice  told = "notice"
	tellConfirm told = "confirm" // whether it wants to be subscribed; a webhook is asked for the answer to a challenge
	tellManage  told = "manage"  // somebody asked for an address that is subscribed: its owner gets the link
)

// item is one thing that a subscriber is to be told.
type item struct {
	ID       string          `json:"id"` // of the notice or the request
	What     told            `json:"what"`
	Notice   *quality.Notice `json:"notice,omitempty"`
	At       time.Time       `json:"at"`
	Attempts int             `json:"attempts,omitempty"`
	NextAt   time.Time       `json:"next_at,omitzero"`
}

// backlog is what one subscriber has not got yet, in its order: nobody hears that it is over before it hears what.
type backlog struct {
	Items []item `json:"items"`

	busy bool // being tried
}

func (l *lane) keepLate(id string, b *backlog) {
	l.lateMu.Lock()
	defer l.lateMu.Unlock()
	l.late[id] = b
	l.countLocked()
}

func (l *lane) countLocked() {
	l.s.metrics.behind.WithLabelValues(string(l.kind)).Set(float64(len(l.late)))
}

// behind reports whether a subscriber waits for something already.
func (l *lane) behind(id string) bool {
	l.lateMu.Lock()
	defer l.lateMu.Unlock()
	return l.late[id] != nil
}

// later puts an item behind what waits for a subscriber. The same item twice is there once; when there are too
// many the oldest is given up.
func (l *lane) later(ctx context.Context, id string, it item) error {
	l.lateMu.Lock()
	defer l.lateMu.Unlock()
	b := l.late[id]
	if b == nil {
		b = &backlog{}
	}
	if slices.ContainsFunc(b.Items, func(x item) bool { return x.ID == it.ID }) {
		return nil
	}
	items := append(slices.Clone(b.Items), it)
	if len(items) > maxItems {
		items = items[1:]
		l.s.metrics.lost(l.kind, lostFull)
	}
	if err := l.putLateLocked(ctx, id, items); err != nil {
		return err
	}
	b.Items = items
	l.late[id] = b
	l.countLocked()
	// Looking through the list costs the more the longer it is: not for every one that comes to it.
	if at := items[0].NextAt; at.Before(l.next) {
		l.next = at
		l.rouse(l.wakeLate)
	}
	return nil
}

func (l *lane) putLateLocked(ctx context.Context, id string, items []item) error {
	data, err := json.Marshal(backlog{Items: items})
	if err != nil {
		return fmt.Errorf("encoding what waits for a subscriber: %w", err)
	}
	if _, err := l.s.o.Outbox.Put(ctx, latePrefix+id, data); err != nil {
		return fmt.Errorf("storing what waits for a subscriber: %w", err)
	}
	return nil
}

// tryAgain sends what is due until ctx ends.
func (l *lane) tryAgain(ctx context.Context) {
	for ctx.Err() == nil {
		due, wait := l.due()
		if len(due) > 0 {
			_ = l.each(ctx, due, func(ctx context.Context, id string) error { l.again(ctx, id); return nil })
			continue
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-l.wakeLate:
		}
		timer.Stop()
	}
	if l.kind == KindEmail && l.s.o.Mailer != nil {
		l.s.o.Mailer.Flush()
	}
}

// due returns the subscribers whose first item is to be tried now, and otherwise how long there is nothing to do.
// A round takes some of them, so that what comes meanwhile does not wait for all.
func (l *lane) due() (ids []string, wait time.Duration) {
	l.lateMu.Lock()
	defer l.lateMu.Unlock()
	now := l.s.o.Now()
	wait = time.Hour
	for id, b := range l.late {
		if left := b.Items[0].NextAt.Sub(now); left > 0 {
			wait = min(wait, left)
			continue
		}
		if ids = append(ids, id); len(ids) >= 4*workers(l.kind) {
			break
		}
	}
	wait = max(wait, 10*time.Millisecond)
	l.next = now.Add(wait)
	return ids, wait
}

// again tries the first item of a subscriber and stores what became of it.
func (l *lane) again(ctx context.Context, id string) {
	l.lateMu.Lock()
	b := l.late[id]
	if b == nil || b.busy {
		l.lateMu.Unlock()
		return
	}
	b.busy = true
	it := b.Items[0]
	l.lateMu.Unlock()
	out := l.attempt(ctx, id, it, false)
	l.lateMu.Lock()
	defer l.lateMu.Unlock()
	b.busy = false
	if ctx.Err() != nil && out.verdict != verdictDone {
		return // we are stopping; the next start tries again
	}
	items := l.settle(b.Items, it, out)
	b.Items = items
	if len(items) == 0 {
		delete(l.late, id)
		l.countLocked()
		if err := l.s.o.Outbox.Delete(context.WithoutCancel(ctx), latePrefix+id); err != nil {
			l.s.o.Logger.Warn("what became of a message is not stored; it may go out twice after a restart", "subscriber", id, "err", err)
		}
		return
	}
	if err := l.putLateLocked(context.WithoutCancel(ctx), id, items); err != nil {
		l.s.o.Logger.Warn("what became of a message is not stored; it may go out twice after a restart", "subscriber", id, "err", err)
	}
}

// settle returns what still waits after an attempt at it, which was the first item when the attempt began.
func (l *lane) settle(items []item, it item, out outcome) []item {
	if out.verdict == verdictGone {
		return nil
	}
	i := slices.IndexFunc(items, func(x item) bool { return x.ID == it.ID })
	if i < 0 {
		return items // it was given up meanwhile, to make room
	}
	items = slices.Clone(items)
	if out.verdict == verdictDone {
		return slices.Delete(items, i, i+1)
	}
	now := l.s.o.Now()
	items[i].Attempts = out.attempts(it.Attempts)
	if now.Sub(it.At) >= giveUpAfter || it.What != tellNotice && items[i].Attempts >= confirmTries && out.verdict != verdictRelay {
		l.s.metrics.lost(l.kind, lostLate)
		return slices.Delete(items, i, i+1)
	}
	items[i].NextAt = now.Add(out.wait(items[i].Attempts))
	return items
}

// verdict says what is to be done after an attempt.
type verdict int

const (
	verdictDone  verdict = iota // delivered, or nothing to deliver
	verdictAgain                // to be tried again
	verdictRelay                // the relay does not work, whoever the recipient is
	verdictGone                 // the subscriber gets nothing any more
)

// outcome is what became of an attempt.
type outcome struct {
	verdict verdict
	after   time.Duration // what the receiver asked for
	crowded bool          // nothing was sent: others come first
}

// attempts counts one more unless nothing was sent.
func (o outcome) attempts(before int) int {
	if o.crowded {
		return before
	}
	return before + 1
}

// wait is the time to the next attempt.
func (o outcome) wait(attempts int) time.Duration {
	if o.crowded {
		return time.Second
	}
	return max(retry.Backoff(max(1, attempts), rand.Float64()), min(o.after, time.Hour))
}

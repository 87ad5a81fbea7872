package alerts

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/webhook"
)

// How long a message is tried, and how long it is remembered after that, so that an event that comes
// again does not send it again.
const (
	giveUpAfter = 3 * 24 * time.Hour
	keepDone    = 24 * time.Hour
)

type entryState string

const (
	statePending   entryState = "pending"
	stateDelivered entryState = "delivered"
	stateFailed    entryState = "failed"
)

// entry is one message for one receiver. Its id is the same for the same event.
type entry struct {
	ID        string          `json:"id"`
	Incident  string          `json:"incident"` // id of the incident, key of the change or id of the blindness that it is about
	Update    int             `json:"update"`   // which of the incident's updates it tells
	Receiver  string          `json:"receiver"`
	Payload   json.RawMessage `json:"payload"`
	State     entryState      `json:"state"`
	Attempts  int             `json:"attempts"`
	CreatedAt time.Time       `json:"created_at"`
	NextAt    time.Time       `json:"next_at"`
	DoneAt    time.Time       `json:"done_at,omitzero"`
	Error     string          `json:"error,omitempty"`
}

// outbox delivers entries. Each receiver has a goroutine of its own, so that one that hangs holds up no
// other; messages of one incident go out in their order.
type outbox struct {
	kv      KV
	send    func(ctx context.Context, to quality.WebhookReceiver, id string, payload []byte) error
	to      map[string]quality.WebhookReceiver
	names   []string
	pageURL string
	why     Explained
	clock   func() time.Time
	log     *slog.Logger
	metrics *metrics

	mu      sync.Mutex
	entries map[string]*entry
	pending int                      // entries that wait
	gone    map[string]bool          // receivers that answered that they are no more
	wake    map[string]chan struct{} // by receiver
}

func newOutbox(o Options, m *metrics) *outbox {
	sender := webhook.New(o.Transport, o.Clock)
	b := &outbox{
		kv: o.Outbox, to: map[string]quality.WebhookReceiver{}, pageURL: o.PageURL, why: o.Explained, clock: o.Clock, log: o.Logger, metrics: m,
		entries: map[string]*entry{}, gone: map[string]bool{}, wake: map[string]chan struct{}{},
		send: func(ctx context.Context, to quality.WebhookReceiver, id string, payload []byte) error {
			return sender.Send(ctx, to.URL, to.Secret, id, payload)
		},
	}
	for _, r := range o.Receivers {
		b.to[r.Name] = *r.Webhook
		b.names = append(b.names, r.Name)
		b.wake[r.Name] = make(chan struct{}, 1)
		m.known(r.Name)
	}
	return b
}

// load reads the entries of before a restart.
func (b *outbox) load(ctx context.Context) error {
	keys, err := b.kv.Keys(ctx)
	if err != nil {
		return fmt.Errorf("listing the outbox: %w", err)
	}
	for _, key := range keys {
		data, _, err := b.kv.Get(ctx, key)
		if err != nil && quality.KindOf(err) == quality.KindNotFound {
			continue
		}
		if err != nil {
			return fmt.Errorf("reading message %q: %w", key, err)
		}
		e := &entry{}
		if err := json.Unmarshal(data, e); err != nil {
			b.log.Error("message of the outbox is not readable", "id", key, "err", err)
			continue
		}
		b.keep(e)
	}
	return nil
}

func (b *outbox) keep(e *entry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.entries[e.ID] == nil {
		b.setLocked(e)
	}
}

// setLocked puts an entry in the place of the one before.
func (b *outbox) setLocked(e *entry) {
	b.dropLocked(e.ID)
	b.entries[e.ID] = e
	if e.State == statePending {
		b.pending++
	}
	b.metrics.pending.Set(float64(b.pending))
}

func (b *outbox) dropLocked(id string) {
	if e := b.entries[id]; e != nil && e.State == statePending {
		b.pending--
	}
	delete(b.entries, id)
	b.metrics.pending.Set(float64(b.pending))
}

// add stores a message about an incident for every receiver.
func (b *outbox) add(ctx context.Context, rec record, what notice) error {
	m := messageOf(rec, what, b.pageURL, b.clock())
	if rec.Regression != nil {
		m.Data.Regression.Explanation = b.why(ctx, rec.Regression.ID)
	}
	payload, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encoding a message about %q: %w", rec.ID, err)
	}
	// By the updates of rules: those of people must not make another message of the same event.
	return b.enqueue(ctx, fmt.Sprintf("%s/%s/%d", rec.ID, what, rec.MadeByRules()), rec.ID, len(rec.Updates), payload)
}

// addOverdue stores a message about a promised update that did not come, one of a promise.
func (b *outbox) addOverdue(ctx context.Context, rec record) error {
	payload, err := json.Marshal(overdueMessageOf(rec, b.pageURL, b.clock()))
	if err != nil {
		return fmt.Errorf("encoding a message about %q: %w", rec.ID, err)
	}
	return b.enqueue(ctx, fmt.Sprintf("%s/%s/%d", rec.ID, noticeOverdue, rec.NextUpdate.Unix()), rec.ID, len(rec.Updates), payload)
}

// addChange stores a message about a change for every receiver, one of a type.
func (b *outbox) addChange(ctx context.Context, id string, m changeMessage) error {
	payload, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encoding a message about change %q: %w", id, err)
	}
	return b.enqueue(ctx, changeKey(id)+"/"+string(m.Type), changeKey(id), 0, payload)
}

// addMonitor stores a message about a monitor for every receiver.
func (b *outbox) addMonitor(ctx context.Context, ev quality.MonitorEvent, m monitorMessage) error {
	payload, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encoding a message about monitor event %q: %w", ev.ID, err)
	}
	return b.enqueue(ctx, ev.ID, ev.Blindness, 0, payload)
}

// enqueue stores a message for every receiver. One that is there already stays as it is. Messages about one
// subject go out in their order.
func (b *outbox) enqueue(ctx context.Context, id, subject string, update int, payload []byte) error {
	now := b.clock()
	for _, name := range b.names {
		e := &entry{
			ID: messageID(id, name), Incident: subject, Update: update, Receiver: name,
			Payload: payload, State: statePending, CreatedAt: now, NextAt: now,
		}
		data, err := json.Marshal(e)
		if err != nil {
			return fmt.Errorf("encoding message %q: %w", e.ID, err)
		}
		if _, err := b.kv.Create(ctx, e.ID, data); err != nil && quality.KindOf(err) != quality.KindConflict {
			return fmt.Errorf("storing message %q: %w", e.ID, err)
		}
		b.keep(e)
		b.makeRoom(ctx)
		b.rouse(name)
	}
	return nil
}

// messageID follows from what is told to whom. It holds no dot, which parts id, time and body in what is
// signed, and no name that a user chose.
func messageID(what, receiver string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q", what, receiver))
	return "msg_" + hex.EncodeToString(sum[:16])
}

func (b *outbox) rouse(receiver string) {
	select {
	case b.wake[receiver] <- struct{}{}:
	default: // it is awake
	}
}

func (b *outbox) run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, name := range b.names {
		g.Go(func() error { b.deliver(ctx, name); return nil })
	}
	g.Go(func() error { b.sweep(ctx); return nil })
	return g.Wait()
}

// deliver sends what is due for one receiver until ctx ends.
func (b *outbox) deliver(ctx context.Context, receiver string) {
	for {
		for due := b.due(receiver); len(due) > 0 && ctx.Err() == nil; due = b.due(receiver) {
			for _, e := range due {
				b.attempt(ctx, e)
			}
		}
		if !b.rest(ctx, receiver) {
			return
		}
	}
}

// rest waits until the next attempt or a call, and returns false when ctx ends. No timer is made that is due at once:
// waiting for one crashes the runtime under the race detector within a synctest bubble (seen with Go 1.26.8).
func (b *outbox) rest(ctx context.Context, receiver string) bool {
	timer := time.NewTimer(b.untilNext(receiver))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
	case <-b.wake[receiver]:
	}
	return true
}

// heads returns the oldest pending entry of every incident for a receiver, the oldest first.
func (b *outbox) heads(receiver string) []*entry {
	first := map[string]*entry{}
	for _, e := range b.entries {
		if e.Receiver != receiver || e.State != statePending {
			continue
		}
		if f := first[e.Incident]; f == nil || order(e, f) < 0 {
			first[e.Incident] = e
		}
	}
	return slices.SortedFunc(maps.Values(first), order)
}

func order(a, b *entry) int {
	if a.Incident == b.Incident {
		return cmp.Or(cmp.Compare(a.Update, b.Update), a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	}
	return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
}

// due returns what is to be sent to a receiver now, one message of each incident, the oldest first.
func (b *outbox) due(receiver string) (due []entry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.clock()
	for _, e := range b.heads(receiver) {
		if !e.NextAt.After(now) {
			due = append(due, *e)
		}
	}
	return due
}

// untilNext is the time to the next attempt, an hour when there is none to come.
func (b *outbox) untilNext(receiver string) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	wait := time.Hour
	for _, e := range b.heads(receiver) {
		wait = min(wait, e.NextAt.Sub(b.clock()))
	}
	return max(wait, 10*time.Millisecond)
}

// attempt sends one entry and stores what became of it. When that cannot be stored it is sent again under
// the same id, by which receivers know it.
func (b *outbox) attempt(ctx context.Context, e entry) {
	if ctx.Err() != nil {
		return
	}
	err := error(errGone)
	if !b.isGone(e.Receiver) {
		err = b.send(ctx, b.to[e.Receiver], e.ID, e.Payload)
	}
	if ctx.Err() != nil && err != nil {
		return // we are stopping; the next start tries again
	}
	if reasonOf(err) == webhook.ReasonGone {
		b.setGone(e.Receiver)
	}
	e = settle(e, err, b.clock(), rand.Float64())
	switch e.State {
	case stateDelivered:
		b.metrics.delivered.WithLabelValues(e.Receiver).Inc()
	case stateFailed:
		b.metrics.failed.WithLabelValues(e.Receiver, reasonOf(err)).Inc()
		b.log.Error("message given up", "receiver", e.Receiver, "id", e.ID, "incident", e.Incident, "attempts", e.Attempts, "err", err)
	default:
		b.metrics.retries.WithLabelValues(e.Receiver).Inc()
		b.log.Warn("message not delivered, will be tried again", "receiver", e.Receiver, "id", e.ID, "incident", e.Incident, "at", e.NextAt, "err", err)
	}
	b.replace(ctx, e)
}

// errGone ends the messages to a receiver that has said it is no more.
var errGone = &webhook.Error{Reason: webhook.ReasonGone, Err: errors.New("the receiver has answered 410 Gone")}

func (b *outbox) isGone(receiver string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.gone[receiver]
}

// setGone ends the deliveries to a receiver. The configuration names it, so the next start asks it again.
func (b *outbox) setGone(receiver string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.gone[receiver] {
		b.log.Error("receiver answered 410 Gone: it gets no more messages until the next start", "receiver", receiver)
	}
	b.gone[receiver] = true
}

// replace stores an entry and keeps it in memory also where storing fails. One that was given up
// meanwhile, to make room, stays away.
func (b *outbox) replace(ctx context.Context, e entry) {
	b.mu.Lock()
	known := b.entries[e.ID] != nil
	if known {
		b.setLocked(&e)
	}
	b.mu.Unlock()
	if !known {
		return
	}
	data, err := json.Marshal(e)
	if err == nil {
		_, err = b.kv.Put(context.WithoutCancel(ctx), e.ID, data)
	}
	if err != nil {
		b.log.Warn("outcome of a message not stored; it may go out twice after a restart", "id", e.ID, "err", err)
	}
}

// sweep gives up what has no receiver any more and forgets what is long done.
func (b *outbox) sweep(ctx context.Context) {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		for _, e := range b.finished() {
			if err := b.kv.Delete(ctx, e.ID); err != nil {
				break // the next turn tries again
			}
			b.mu.Lock()
			b.dropLocked(e.ID)
			b.mu.Unlock()
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (b *outbox) finished() []*entry {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.clock()
	var out []*entry
	for _, e := range b.entries {
		if _, known := b.to[e.Receiver]; !known && e.State == statePending {
			e.State, e.DoneAt = stateFailed, now
			b.pending--
			b.metrics.failed.WithLabelValues(e.Receiver, reasonRemoved).Inc()
			b.log.Warn("message given up: its receiver is no longer configured", "receiver", e.Receiver, "id", e.ID)
		}
		if e.State != statePending && now.Sub(e.DoneAt) >= keepDone {
			out = append(out, e)
		}
	}
	b.metrics.pending.Set(float64(b.pending))
	return out
}

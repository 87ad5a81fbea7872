package collector

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/asgood-dev/asgood/internal/quality"
)

const (
	minWeight      = 16 << 10         // what a job weighs at least, so that the queue's length is bounded too
	readyTime      = 5 * time.Second  // how long a request waits for the index of ids to be up to date
	roomTime       = 10 * time.Second // how long a request that has begun waits for room
	publishTime    = 10 * time.Second // of one attempt
	publishRetries = 2
)

// errFull is what senders get while the hand-off cannot keep up.
var errFull = quality.Errorf(quality.KindUnavailable, "the queue of samples is full; try again shortly")

// errStopping is what senders get from a collector that is going away.
var errStopping = quality.Errorf(quality.KindUnavailable, "the collector is stopping; try again shortly")

// job is a chunk of samples of one request.
type job struct {
	items  []item
	size   int
	weight int64
	held   []portion // of the queue, until it lands
	flight *flight
}

// door lets new samples through to the hand-off: one goroutine publishes, and what arrives while it
// does so shares the next message.
type door struct {
	handoff Handoff
	ids     *ids
	orphans *orphans
	air     airspace
	metrics *metrics
	counts  Counts // may be nil
	log     *slog.Logger
	now     func() time.Time

	ready   chan struct{} // closed when the index of ids is up to date
	gate    sync.RWMutex  // held for reading while a job enters the queue
	stopped chan struct{} // closed, under the gate, when nothing is let in any more
	room    *semaphore.Weighted
	share   *share
	queue   *lanes

	// Used by run alone.
	unsure  bool // a message may or may not be in the stream
	failing bool
}

func newDoor(o Options, index *ids, waiting *orphans, m *metrics) *door {
	o.QueueBytes = max(o.QueueBytes, 2*maxEncoded)
	return &door{
		handoff: o.Handoff, ids: index, orphans: waiting, air: airspace{flights: map[string]*flight{}}, metrics: m, counts: o.Counts,
		log: o.Logger, now: o.Now,
		ready: make(chan struct{}), stopped: make(chan struct{}),
		room: semaphore.NewWeighted(o.QueueBytes), share: newShare(o.QueueBytes, o.PerCustomer), queue: newLanes(),
	}
}

// admission says what became of a chunk at the door.
type admission struct {
	job        *job // nil when nothing in the chunk was new
	fresh      int  // samples that were not queued because of the error
	duplicates map[string]int
	others     []other
}

// admit sorts out the samples whose ids are known or on their way and queues the others. Where fair is set, the
// samples of customers that take more than their share are refused; the others are queued all the same.
func (d *door) admit(ctx context.Context, chunk []item, now time.Time, wait, fair bool) (admission, error) {
	adm := admission{duplicates: map[string]int{}}
	if err := d.awaitReady(ctx); err != nil {
		adm.fresh = len(chunk)
		return adm, err
	}
	// Before ids are noted as on their way: what is refused is not.
	chunk, held, refused, excess := d.share.enter(chunk, fair, d.now())
	adm.fresh = refused
	j := &job{flight: newFlight(), items: make([]item, 0, len(chunk)), held: held}
	var fault error
	for i := range chunk {
		if err := d.sort(&chunk[i], j, &adm, now); err != nil {
			fault = err
			adm.fresh++
		}
	}
	if fault == nil && len(j.items) > 0 {
		fault = d.enqueue(ctx, j, wait)
	}
	if fault != nil {
		adm.fresh += len(j.items)
		d.land(j, fault)
		return adm, fault
	}
	if len(j.items) == 0 {
		d.land(j, nil)
		return adm, excess
	}
	adm.job = j
	return adm, excess
}

// sort puts one sample into the job unless its id is known or on its way. The id enters the airspace
// before it is looked up: an id leaves the airspace only when the index has it, so none slips between.
func (d *door) sort(it *item, j *job, adm *admission, now time.Time) error {
	if it.key != "" {
		if have := d.air.enter(it.key, j.flight); have != nil {
			adm.others = append(adm.others, other{feature: it.id.Feature, flight: have})
			return nil
		}
		known, err := d.ids.known(it.key, now)
		if known || err != nil {
			d.air.leave([]item{*it})
		}
		if err != nil {
			return err
		}
		if known {
			adm.duplicates[it.id.Feature]++
			return nil
		}
	}
	j.items = append(j.items, *it)
	j.size += it.size
	return nil
}

func (d *door) awaitReady(ctx context.Context) error {
	select {
	case <-d.ready:
		return nil
	default:
	}
	timer := time.NewTimer(readyTime)
	defer timer.Stop()
	select {
	case <-d.ready:
		return nil
	case <-d.stopped:
		return errStopping
	case <-ctx.Done():
		return quality.Errorf(quality.KindUnavailable, "gave up waiting for the collector to start: %w", ctx.Err())
	case <-timer.C:
		return quality.Errorf(quality.KindUnavailable, "the collector is still starting; try again shortly")
	}
}

// enqueue waits for room only when asked to: a request that has begun should be finished, a new one
// should hear at once that it must come later.
func (d *door) enqueue(ctx context.Context, j *job, wait bool) error {
	j.weight = max(int64(j.size), minWeight)
	if !d.room.TryAcquire(j.weight) {
		if !wait {
			return errFull
		}
		ctx, cancel := context.WithTimeout(ctx, roomTime)
		defer cancel()
		if d.room.Acquire(ctx, j.weight) != nil {
			return errFull
		}
	}
	d.gate.RLock()
	defer d.gate.RUnlock()
	select {
	case <-d.stopped:
		d.room.Release(j.weight)
		return errStopping
	default:
	}
	d.metrics.queued.Add(float64(j.weight))
	d.queue.push(j)
	return nil
}

// land tells everybody who waits for a job what became of it.
func (d *door) land(j *job, err error) {
	d.air.leave(j.items)
	d.share.leave(j.held)
	j.flight.land(err)
}

// run brings the index up to date, then publishes until ctx ends and what waits is handed off.
func (d *door) run(ctx context.Context) error {
	defer d.shut()
	if err := d.ids.replay(ctx, d.handoff, d.now); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("bringing the index of ids up to date: %w", err)
	}
	close(d.ready)
	for ctx.Err() == nil {
		select {
		case <-d.queue.filled:
			if batch := d.queue.message(); len(batch) > 0 {
				d.handOff(context.WithoutCancel(ctx), batch)
			}
		case <-ctx.Done():
		}
	}
	return nil
}

// shut lets nothing more in and hands off what is queued, as far as the time goes.
func (d *door) shut() {
	d.gate.Lock()
	close(d.stopped)
	d.gate.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	for {
		batch := d.queue.message()
		if len(batch) == 0 {
			return
		}
		d.handOff(ctx, batch)
	}
}

// handOff publishes a message of the jobs and tells those who wait.
func (d *door) handOff(ctx context.Context, batch []*job) {
	err := d.catchUp(ctx, batch)
	if err == nil {
		err = d.publish(ctx, batch)
	}
	if failing := err != nil; failing != d.failing {
		d.failing = failing
		if failing {
			d.log.Error("samples cannot be handed off; senders are told to try again", "err", err)
		} else {
			d.log.Info("samples are handed off again")
		}
	}
	if err != nil {
		d.metrics.publishFailed.Inc()
		if quality.KindOf(err) == quality.KindInternal {
			d.settle(batch, quality.Errorf(quality.KindUnavailable, "the hand-off did not take the samples: %w", err))
			return
		}
	}
	d.settle(batch, err)
}

func (d *door) settle(batch []*job, err error) {
	for _, j := range batch {
		if err == nil {
			d.countAccepted(j.items)
		}
		d.room.Release(j.weight)
		d.metrics.queued.Sub(float64(j.weight))
		d.land(j, err)
	}
}

func (d *door) countAccepted(items []item) {
	for i := range items {
		it := &items[i]
		if it.duplicate || it.score != nil {
			continue
		}
		d.metrics.accepted.WithLabelValues(it.id.Feature).Inc()
		if d.counts != nil && it.counted {
			failed := uint64(0)
			if it.failed {
				failed = 1
			}
			d.counts.Add(it.id.Feature, time.Unix(it.slice.minute*60, 0), 1, failed)
		}
	}
}

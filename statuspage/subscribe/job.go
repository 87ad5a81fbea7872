package subscribe

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

const jobPrefix = "job/"

// keepJobs is how long a notice is remembered after it went to everybody: those who were not reached are tried for
// less, and one that comes again within it is known.
const keepJobs = 7 * 24 * time.Hour

// job is the way of one notice to the subscribers of one kind. It goes through them in the order of their ids, so
// that how far it has come is one id and the few beyond it that are done already.
type job struct {
	Notice quality.Notice `json:"notice"`
	At     time.Time      `json:"at"`
	After  string         `json:"after,omitempty"` // up to this id all are done
	Ahead  []string       `json:"ahead,omitempty"` // done beyond it; at most as many as work at a time
	Done   *time.Time     `json:"done,omitempty"`
}

func jobKey(k Kind, notice string) string { return jobPrefix + string(k) + "/" + notice }

// progress keeps a job up to date while several work on it.
type progress struct {
	mu    sync.Mutex
	job   job
	order []string        // ids in work or waiting, sorted
	done  map[string]bool // of order
	dirty bool
}

// newProgress returns the ids that are still to be done.
func newProgress(j job, ids []string) (*progress, []string) {
	p := &progress{job: j, done: map[string]bool{}}
	i, found := slices.BinarySearch(ids, j.After)
	if found {
		i++
	}
	p.order = ids[i:]
	var todo []string
	for _, id := range p.order {
		if slices.Contains(j.Ahead, id) {
			p.done[id] = true
			continue
		}
		todo = append(todo, id)
	}
	return p, todo
}

// finish notes that an id is done.
func (p *progress) finish(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done[id], p.dirty = true, true
	for len(p.order) > 0 && p.done[p.order[0]] {
		p.job.After = p.order[0]
		delete(p.done, p.order[0])
		p.order = p.order[1:]
	}
}

// changed returns the job as it stands when it differs from the last one returned.
func (p *progress) changed() (job, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.dirty {
		return job{}, false
	}
	p.dirty = false
	j := p.job
	j.Ahead = make([]string, 0, len(p.done))
	for id := range p.done {
		j.Ahead = append(j.Ahead, id)
	}
	slices.Sort(j.Ahead)
	return j, true
}

// add stores a job for a notice where there is none.
func (l *lane) add(ctx context.Context, n quality.Notice) error {
	j := job{Notice: n, At: l.s.o.Now()}
	data, err := json.Marshal(j)
	if err != nil {
		return fmt.Errorf("encoding a notice: %w", err)
	}
	if _, err := l.s.o.Outbox.Create(ctx, jobKey(l.kind, n.ID), data); err != nil {
		if quality.KindOf(err) == quality.KindConflict {
			return nil // it was taken before
		}
		return err
	}
	l.keepJob(j)
	return nil
}

// keepJob puts a job in its place in the queue: the oldest first. One that came while the stored ones were read is
// there once.
func (l *lane) keepJob(j job) {
	l.mu.Lock()
	if !slices.ContainsFunc(l.jobs, func(x job) bool { return x.Notice.ID == j.Notice.ID }) {
		l.jobs = append(l.jobs, j)
	}
	slices.SortStableFunc(l.jobs, func(a, b job) int { return cmp.Or(a.At.Compare(b.At), a.Notice.At.Compare(b.Notice.At)) })
	l.s.metrics.jobs.WithLabelValues(string(l.kind)).Set(float64(len(l.jobs)))
	l.mu.Unlock()
	l.rouse(l.wakeJobs)
}

func (l *lane) nextJob() (job, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.jobs) == 0 {
		return job{}, false
	}
	return l.jobs[0], true
}

func (l *lane) dropJob() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.jobs = l.jobs[1:]
	l.s.metrics.jobs.WithLabelValues(string(l.kind)).Set(float64(len(l.jobs)))
}

// spread goes through one job after the other until ctx ends.
func (l *lane) spread(ctx context.Context) {
	for ctx.Err() == nil {
		for j, ok := l.nextJob(); ok; j, ok = l.nextJob() {
			if l.s.persist(ctx, "spreading a notice", func(ctx context.Context) error { return l.through(ctx, &j) }) != nil {
				return
			}
			l.dropJob()
		}
		select {
		case <-ctx.Done():
		case <-l.wakeJobs:
		}
	}
}

// through hands a notice to every subscriber of the kind and stores how far it has come. When it fails in between
// j holds that.
func (l *lane) through(ctx context.Context, j *job) error {
	ids, err := l.s.store.ids(ctx, l.kind)
	if err != nil {
		return err
	}
	p, todo := newProgress(*j, ids)
	saved := make(chan struct{})
	working, stop := context.WithCancel(context.WithoutCancel(ctx)) // what is under way when ctx ends is stored too
	go func() { defer close(saved); l.save(working, p) }()
	err = l.each(ctx, todo, func(ctx context.Context, id string) error {
		err := l.hand(ctx, j.Notice, id)
		if err == nil {
			p.finish(id)
		}
		return err
	})
	stop()
	<-saved
	if last, ok := p.changed(); ok {
		*j = last
		if perr := l.putJob(context.WithoutCancel(ctx), last); perr != nil && err == nil {
			err = perr
		}
	}
	if err != nil {
		return err
	}
	now := l.s.o.Now()
	done := *j
	done.Done, done.Ahead = &now, nil
	return l.putJob(context.WithoutCancel(ctx), done)
}

// save stores the progress as often as the store takes it, and a last time when the work has stopped.
func (l *lane) save(ctx context.Context, p *progress) {
	tick := time.NewTicker(saveEvery)
	defer tick.Stop()
	for {
		if j, ok := p.changed(); ok {
			if err := l.putJob(context.WithoutCancel(ctx), j); err != nil {
				l.s.o.Logger.Warn("progress of a notice not stored; after a crash some may get it twice", "notice", j.Notice.ID, "err", err)
				p.mark()
			}
		}
		if ctx.Err() != nil {
			return
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

// mark makes the next call of changed return the job.
func (p *progress) mark() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dirty = true
}

func (l *lane) putJob(ctx context.Context, j job) error {
	data, err := json.Marshal(j)
	if err != nil {
		return fmt.Errorf("encoding a notice: %w", err)
	}
	_, err = l.s.o.Outbox.Put(ctx, jobKey(l.kind, j.Notice.ID), data)
	return err
}

package canary

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/asgood-dev/asgood/internal/quality"
)

// plan says what run is to be made.
type plan struct {
	id       string
	slot     time.Time // zero: one that was asked for
	spread   time.Duration
	progress func(Progress) // nil: nobody looks
}

// Progress is how far a run has come.
type Progress struct {
	Done   int `json:"done"`
	Total  int `json:"total"`
	Failed int `json:"failed"`
}

// Report is what a run found.
type Report struct {
	Run     quality.CanaryRun     `json:"run"`
	All     quality.BehaviourRate `json:"all"`     // all prompts together
	Prompts []PromptReport        `json:"prompts"` // in the order of the configuration
}

// PromptReport is what a run found of one prompt.
type PromptReport struct {
	quality.BehaviourRate
	Problem string `json:"problem,omitempty"` // the first failure of a call
}

// run is one run under way. Everything below mu is guarded by it.
type run struct {
	k    *Keeper
	c    *canary
	plan plan

	mu      sync.Mutex
	tallies []*tally // by prompt
	done    int
	failed  int
	lost    int
}

// RunNow runs a canary at once, outside of its schedule, and returns what it found. An unknown name is an
// error of kind not found, one that is running a conflict, and a spent budget unavailable. progress may be nil;
// it is called by one goroutine at a time.
func (k *Keeper) RunNow(ctx context.Context, name string, progress func(Progress)) (Report, error) {
	ctx, cancel := k.untilHalt(ctx)
	defer cancel()
	c := k.find(name)
	if c == nil {
		return Report{}, quality.Errorf(quality.KindNotFound, "no canary %.80q is configured", name)
	}
	select {
	case c.busy <- struct{}{}:
		defer func() { <-c.busy }()
	default:
		return Report{}, quality.Errorf(quality.KindConflict, "canary %q is running", name)
	}
	return k.perform(ctx, c, plan{id: k.opts.Now().UTC().Format(idTimeExact), progress: progress})
}

// untilHalt returns a context that also ends with Halt. The second result frees what it holds.
func (k *Keeper) untilHalt(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		select {
		case <-k.halted:
			cancel()
		case <-ctx.Done():
		}
	})
	return ctx, func() { cancel(); wg.Wait() }
}

// perform makes one run. The caller holds c.busy. A run that ctx cuts short leaves nothing but the samples
// that were taken; one that takes too long ends with what it has.
func (k *Keeper) perform(ctx context.Context, c *canary, p plan) (Report, error) {
	r := &run{k: k, c: c, plan: p}
	for _, e := range c.expects {
		r.tallies = append(r.tallies, newTally(e))
	}
	if err := k.begin(ctx, c, p); err != nil {
		return Report{}, err
	}
	r.askAll(ctx)
	c.asker.rest()
	if ctx.Err() != nil {
		k.metrics.run(c, runStopped)
		return Report{}, quality.Errorf(quality.KindUnavailable, "the run was cut short: %w", ctx.Err())
	}
	return r.end(ctx), nil
}

// begin notes the run before its first call, so that a crash costs the budget what it spent.
func (k *Keeper) begin(ctx context.Context, c *canary, p plan) error {
	now := k.opts.Now().UTC()
	c.mu.Lock()
	err := c.reserve(now)
	if err == nil {
		c.run.ID, c.run.StartedAt, c.run.FinishedAt = p.id, now, time.Time{}
		c.run.Calls, c.run.Failed, c.run.Unasked, c.run.Lost = 0, 0, 0, 0
	}
	noted := c.run
	c.mu.Unlock()
	if err == nil {
		k.saveRun(ctx, noted)
	}
	return err
}

// askAll asks every prompt once, then every prompt again, so that a run that has to end early has asked
// all about equally often.
func (r *run) askAll(ctx context.Context) {
	limited, cancel := context.WithTimeout(ctx, limitOf(r.c.spec.Every))
	defer cancel()
	var g errgroup.Group
	g.SetLimit(r.c.spec.Concurrency)
	last := time.Time{}
	for rep := 1; rep <= r.c.spec.Repeat; rep++ {
		for i := range r.c.spec.Prompts {
			if !pause(limited, r.plan.spread-time.Since(last)) {
				_ = g.Wait() // its functions return nil
				return
			}
			last = time.Now()
			g.Go(func() error { r.askOne(ctx, limited, question{i, rep}); return nil })
		}
	}
	_ = g.Wait() // its functions return nil
}

// askOne makes a call and hands its sample on. A call that waited for its turn until the time was over is
// not made; one that a stop cut short says nothing.
func (r *run) askOne(ctx, limited context.Context, q question) {
	if limited.Err() != nil {
		return
	}
	s := r.k.ask(limited, r.c, r.plan.id, q)
	if ctx.Err() != nil {
		return
	}
	r.k.metrics.call(r.c, s.Error != "")
	err := r.k.take(ctx, s)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.note(&s, q, err)
}

// note needs the lock.
func (r *run) note(s *quality.Sample, q question, err error) {
	r.tallies[q.prompt].add(s)
	r.done++
	if s.Error != "" {
		r.failed++
	}
	if err != nil {
		r.k.metrics.lost.Inc()
		if r.lost++; r.lost == 1 {
			r.k.opts.Logger.Warn("samples of a canary are lost", "feature", r.c.feature, "canary", r.c.spec.Name, "err", err)
		}
	}
	if r.plan.progress != nil {
		r.plan.progress(Progress{Done: r.done, Total: r.c.spec.Calls(), Failed: r.failed})
	}
}

// end notes what the run found.
func (r *run) end(ctx context.Context) Report {
	c := r.c
	c.mu.Lock()
	c.run.FinishedAt = r.k.opts.Now().UTC()
	c.run.Calls, c.run.Failed, c.run.Lost, c.run.Unasked = r.done, r.failed, r.lost, c.spec.Calls()-r.done
	if !r.plan.slot.IsZero() {
		c.run.Slot = r.plan.slot
	}
	noted := c.run
	c.mu.Unlock()
	report := Report{Run: noted}
	for i, t := range r.tallies {
		rate := r.keep(ctx, c.stamp(t.rate(), c.spec.Prompts[i].ID, noted.StartedAt))
		report.Prompts = append(report.Prompts, PromptReport{rate, t.problem})
	}
	report.All = r.keep(ctx, c.stamp(together(r.tallies), "", noted.StartedAt))
	r.k.saveRun(ctx, noted) // last: a crash before it repeats the run
	r.k.metrics.finished(c, &noted)
	r.tell(&noted)
	return report
}

// tell says what is out of the ordinary.
func (r *run) tell(done *quality.CanaryRun) {
	log := r.k.opts.Logger.With("feature", done.Feature, "canary", done.Canary, "run", done.ID)
	if done.Failed > 0 || done.Unasked > 0 {
		log.Warn("not every call of a canary has an answer", "calls", done.Calls, "failed", done.Failed, "unasked", done.Unasked, "first", r.firstProblem())
	}
}

func (r *run) firstProblem() string {
	for _, t := range r.tallies {
		if t.problem != "" {
			return t.problem
		}
	}
	return ""
}

// keep stores a rate, and says when it is not what it was.
func (r *run) keep(ctx context.Context, rate quality.BehaviourRate) quality.BehaviourRate {
	c := r.c
	c.mu.Lock()
	before := c.rates[rate.PromptID]
	after := before.Add(rate)
	c.rates[rate.PromptID] = after
	c.mu.Unlock()
	r.k.metrics.rate(&rate)
	if rate.Left(&before.Latest) {
		r.k.opts.Logger.Warn("behaviour rate has left its interval", "feature", rate.Feature, "canary", rate.Canary, "prompt", rate.PromptID,
			"kind", rate.Kind, "rate", *rate.Rate, "n", rate.N, "before", *before.Latest.Rate, "before_lo", before.Latest.Lo, "before_hi", before.Latest.Hi)
	}
	if err := r.k.opts.Store.SaveRates(ctx, after); err != nil {
		r.k.metrics.unsaved.Inc()
		r.k.opts.Logger.Warn("behaviour rate is not stored", "feature", rate.Feature, "canary", rate.Canary, "prompt", rate.PromptID, "err", err)
	}
	return rate
}

// saveRun goes on without a store: the run is worth more than its record.
func (k *Keeper) saveRun(ctx context.Context, r quality.CanaryRun) {
	if err := k.opts.Store.SaveRun(ctx, r); err != nil {
		k.metrics.unsaved.Inc()
		k.opts.Logger.Warn("run of a canary is not stored", "feature", r.Feature, "canary", r.Canary, "err", err)
	}
}

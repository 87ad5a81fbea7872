package collector

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/asgood-dev/asgood/collector/spans"
	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/wire"
)

// joining takes staged records of spans up, joins them to samples and lets those through the door. A batch
// is committed when nothing in it is pending any more; after a crash the others come again, and samples
// that went through before are known by their ids.
type joining struct {
	c      *Collector
	source Source
	joiner *spans.Joiner
	log    *slog.Logger

	batches []numbered // taken up and not committed, in order
	taken   uint64
	counted spans.Stats
}

// numbered is a batch with its number since the start, by which the joiner tells what it still needs.
type numbered struct {
	batch  Batch
	number uint64
}

// joinIdle is how long joining sleeps when nothing is pending.
const joinIdle = time.Minute

func (j *joining) run(ctx context.Context) error {
	batches := make(chan Batch)
	go func() {
		defer close(batches)
		feed(ctx, j.log, "reading spans", j.source, batches)
	}()
	if persist(ctx, j.log, "waiting for the index of ids", maxPause, nil, j.c.door.awaitReady) != nil {
		return nil
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case b, ok := <-batches:
			if !ok {
				return nil
			}
			if persist(ctx, j.log, "joining spans", maxPause, nil, func(context.Context) error { return j.add(b) }) != nil {
				return nil
			}
		case <-timer.C:
		case <-ctx.Done():
			return nil
		}
		if j.settle(ctx) != nil {
			return nil
		}
		timer.Reset(j.pause())
	}
}

// feed hands over batches until ctx ends.
func feed(ctx context.Context, log *slog.Logger, what string, from Source, to chan<- Batch) {
	for {
		var b Batch
		err := persist(ctx, log, what, maxPause, nil, func(ctx context.Context) (err error) {
			b, err = from.Next(ctx)
			return err
		})
		if err != nil {
			return
		}
		select {
		case to <- b:
		case <-ctx.Done():
			return
		}
	}
}

func (j *joining) pause() time.Duration {
	at, any := j.joiner.Next()
	if !any {
		return joinIdle
	}
	return min(max(time.Until(at), time.Millisecond), joinIdle)
}

// add gives the records of a batch to the joiner. Of those that are part of a sample that went through
// before, as they come again after a crash, only the feedback is left: alone they would make another one.
func (j *joining) add(b Batch) error {
	var fresh []spans.Record
	for _, m := range b.Messages {
		var records []spans.Record
		if err := wire.Unmarshal(m, &records); err != nil {
			j.c.metrics.spans.WithLabelValues(spanUnreadable).Inc()
			j.log.Error("message of spans is kept out: it cannot be read", "batch", b.Token, "err", err)
			continue
		}
		for i := range records {
			known, err := j.known(&records[i])
			if err != nil {
				return err
			}
			if known && len(records[i].Feedback) == 0 {
				continue
			}
			if known {
				records[i] = spans.Record{Trace: records[i].Trace, Span: records[i].Span, Role: spans.RoleEvaluation, Feedback: records[i].Feedback}
			}
			fresh = append(fresh, records[i])
		}
	}
	j.taken++
	j.batches = append(j.batches, numbered{b, j.taken})
	now := time.Now()
	for _, r := range fresh {
		j.joiner.Add(now, j.taken, r)
	}
	return nil
}

func (j *joining) known(r *spans.Record) (bool, error) {
	if r.Trace == "" || r.Span == "" {
		return false, nil
	}
	return j.c.ids.known(aliasKey(spans.SampleID(r.Trace, r.Span)), j.c.opts.Now())
}

// settle lets through what is due and commits what is done with.
func (j *joining) settle(ctx context.Context) error {
	due := j.joiner.Due(time.Now())
	j.count()
	if len(due.Samples) > 0 || len(due.Feedback) > 0 {
		err := persist(ctx, j.log, "handing samples on", maxPause, nil, func(ctx context.Context) error { return j.handOn(ctx, due) })
		if err != nil {
			return err
		}
	}
	oldest := j.joiner.Oldest()
	for len(j.batches) > 0 && (oldest == 0 || j.batches[0].number < oldest) {
		err := persist(ctx, j.log, "committing spans", maxPause, nil, func(ctx context.Context) error {
			return j.source.Commit(ctx, j.batches[0].batch)
		})
		if err != nil {
			return err
		}
		j.batches = j.batches[1:]
	}
	return nil
}

// handOn may be repeated: samples are known by their ids, feedback by what it says.
func (j *joining) handOn(ctx context.Context, due spans.Batch) error {
	in := j.c.newIntake(ctx)
	in.redacted = true
	for i := range due.Samples {
		x := &due.Samples[i]
		s := x.Sample
		if err := in.put(&s, origin{aliases: append([]string{s.ID}, x.Aliases...), state: x.State, said: x.Feedback}); err != nil {
			in.reject(atIndex(i), err)
		}
	}
	if err := in.finish(); err != nil {
		return err
	}
	return j.c.stageFeedback(ctx, due.Feedback)
}

// stageFeedback makes feedback that was found among spans durable; what names no sample is counted and dropped.
func (c *Collector) stageFeedback(ctx context.Context, list []quality.Feedback) error {
	var good []quality.Feedback
	for i := range list {
		if err := list[i].Validate(); err != nil {
			c.metrics.feedback.WithLabelValues(feedbackNoTarget).Inc()
			continue
		}
		good = append(good, list[i])
	}
	if c.feedback == nil || len(good) == 0 {
		return nil
	}
	if err := c.takeFeedback(ctx, good); err != nil {
		return fmt.Errorf("staging feedback: %w", err)
	}
	return nil
}

// count adds what the joiner counted since the last time to the metrics.
func (j *joining) count() {
	now, was := j.joiner.Stats(), j.counted
	j.counted = now
	for outcome, n := range map[string]uint64{
		joinedSample: now.Samples - was.Samples, joinedLate: now.Late - was.Late, joinedNoOutput: now.NoOutput - was.NoOutput,
		joinedNoContent: now.NoContent - was.NoContent, joinedEarly: now.Early - was.Early, joinedTrimmed: now.Trimmed - was.Trimmed,
		joinedFailed: now.FailedEvaluations - was.FailedEvaluations,
	} {
		if n > 0 {
			j.c.metrics.joined.WithLabelValues(outcome).Add(float64(n))
		}
	}
	traces, bytes := j.joiner.Pending()
	j.c.metrics.pendingTraces.Set(float64(traces))
	j.c.metrics.pendingBytes.Set(float64(bytes))
}

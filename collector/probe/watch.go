package probe

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// wakeSpacing keeps beats that change their mind from causing checks without end.
const wakeSpacing = time.Second

// watch checks one probe until ctx ends. Its first check comes at a random moment of the first second, and
// each pause varies by a twentieth, so that many probes do not beat in time.
func (p *Prober) watch(ctx context.Context, w *watched) {
	if w.heart != nil {
		p.resume(ctx, w)
	}
	losing := false
	var last time.Time
	wait := time.Duration(rand.Float64() * float64(min(w.cadence(), time.Second)))
	for w.rest(ctx, wait, last) {
		last = time.Now()
		result := p.check(ctx, w)
		if ctx.Err() != nil {
			return // a check that was cut short says nothing
		}
		losing = p.keep(ctx, w, result, losing)
		wait = w.next(jitter(w.cadence(), rand.Float64())-time.Since(last), p.opts.Now())
	}
}

// cadence is the time between two checks. A heartbeat is looked at more often than it beats.
func (w *watched) cadence() time.Duration {
	if w.heart != nil {
		return min(w.spec.Every, heartbeatLook)
	}
	return w.spec.Every
}

// next is how long to rest. A beat that will be late is found late at once.
func (w *watched) next(pause time.Duration, now time.Time) time.Duration {
	if w.heart != nil {
		if due := w.heart.due().Sub(now); due > 0 {
			pause = min(pause, due)
		}
	}
	return max(0, pause)
}

// rest waits until the next check and reports whether there is one. A beat that changes something ends it
// early, but not sooner than wakeSpacing after the last check.
func (w *watched) rest(ctx context.Context, d time.Duration, last time.Time) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	var wake chan struct{}
	if w.heart != nil {
		wake = w.heart.wake
	}
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return ctx.Err() == nil
	case <-wake:
	}
	return pause(ctx, wakeSpacing-time.Since(last))
}

func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return ctx.Err() == nil
	}
}

// jitter varies a pause by a twentieth up or down; chance is 0 to 1.
func jitter(d time.Duration, chance float64) time.Duration {
	return d + time.Duration((chance-0.5)/10*float64(d))
}

// keep confirms a result and stores it. It reports whether results are being lost, which is said once.
func (p *Prober) keep(ctx context.Context, w *watched, r Result, losing bool) bool {
	before := w.status.State
	w.status = Confirm(w.status, r, w.spec.Confirm, w.spec.Recover)
	log := p.opts.Logger.With("feature", w.feature, "probe", w.label)
	if w.status.State != before {
		log.Info("availability changed", "state", w.status.State, "err", r.Error)
	}
	p.metrics.state(w.feature, w.label, w.status.State)
	var err error
	if !r.Unknown {
		err = p.opts.Sink.Record(ctx, r.ProbeResult)
	}
	err = errors.Join(err, p.opts.Sink.Status(ctx, w.status))
	if err != nil {
		p.metrics.lost.Inc()
	}
	if err != nil && !losing {
		log.Warn("results of checks are lost", "err", err)
	}
	return err != nil
}

package probe

import (
	"context"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Once checks every probe once, without confirming or recording.
func Once(ctx context.Context, p *Prober) []Result {
	var out []Result
	for _, w := range p.watched {
		out = append(out, p.check(ctx, w))
	}
	return out
}

type checkFunc func(ctx context.Context) error

func (f checkFunc) check(ctx context.Context) error { return f(ctx) }

// Replace puts fn in the place of what the i-th probe does: bubbles of synctest have no sockets.
func Replace(p *Prober, i int, fn func(ctx context.Context) error) {
	p.watched[i].checker = checkFunc(fn)
}

// JudgeTraffic is the pure part of the traffic probe.
var JudgeTraffic = judgeTraffic

// IsUnknown reports whether an error means unknown.
func IsUnknown(err error) bool { return err != nil && !failed(err) }

// Resume is what happens to a beat when a watch begins.
func (b Beat) Resume(watched, now time.Time, period time.Duration) Beat {
	return b.resume(watched, now, period)
}

// Due is when the next beat is late.
func (b Beat) Due(period time.Duration) time.Time { return b.due(period) }

// Judge says what the beat means.
func (b Beat) Judge(now time.Time, every, grace time.Duration) error {
	return b.judge(now, every, grace)
}

// ParseBeat reads the body of a beat.
var ParseBeat = parseBeat

// Silent is a sink that keeps nothing.
type Silent struct{}

// Record keeps nothing.
func (Silent) Record(context.Context, quality.ProbeResult) error { return nil }

// Status keeps nothing.
func (Silent) Status(context.Context, quality.ProbeStatus) error { return nil }

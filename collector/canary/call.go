package canary

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

const (
	maxTries    = 3           // of one call
	maxWait     = time.Minute // an endpoint that asks for a longer one is not asked again
	firstWait   = time.Second // before the second try, where the endpoint says nothing; then twice as long
	takeTries   = 3
	takeTime    = 20 * time.Second // of one try
	takePause   = 2 * time.Second
	idTime      = "20060102T150405Z"
	idTimeExact = "run-20060102T150405.000Z" // of a run that was asked for
)

// question is one call of a run: a prompt and which repetition of it.
type question struct {
	prompt int // index
	rep    int // from 1
}

// sampleID is the same whenever the call of a run is repeated, so that a run that is made up for after a crash
// makes no sample twice. No part of it holds a slash.
func sampleID(canary, run, prompt string, rep int) string {
	return fmt.Sprintf("canary/%s/%s/%s/%d", canary, run, prompt, rep)
}

// ask makes one call with its tries and returns the sample of it.
func (k *Keeper) ask(ctx context.Context, c *canary, run string, q question) quality.Sample {
	p := &c.spec.Prompts[q.prompt]
	s := quality.Sample{
		ID: sampleID(c.spec.Name, run, p.ID, q.rep), Time: k.opts.Now().UTC(), Feature: c.feature, Source: quality.SourceCanary,
		Input: p.Input, Reference: p.Reference, Attributes: attributes(c.spec.Name, p),
	}
	if c.spec.Chat != nil {
		s.Model, s.Params = c.spec.Chat.Model, c.spec.Chat.Params
	}
	a, took, err := k.tries(ctx, c, p)
	s.LatencyMS = float64(took.Microseconds()) / 1000
	if err != nil {
		s.Error = err.Error()
		return s
	}
	c.secrets.strikeAnswer(&a)
	s.Output, s.Tools, s.Context, s.Usage = a.output, a.tools, a.context, a.usage
	if a.model != "" {
		s.Model = a.model
	}
	return s
}

func attributes(canary string, p *quality.CanaryPrompt) map[string]string {
	all := map[string]string{"canary": canary, "prompt_id": p.ID}
	for name, value := range p.Attributes {
		if _, ours := all[name]; !ours {
			all[name] = value
		}
	}
	return all
}

// tries asks until there is an answer or another try is of no use, and returns the time of the last try.
func (k *Keeper) tries(ctx context.Context, c *canary, p *quality.CanaryPrompt) (a answer, took time.Duration, err error) {
	for try := 1; ; try++ {
		began := time.Now()
		a, err = k.try(ctx, c, p)
		took = time.Since(began)
		var f *failure
		if !errors.As(err, &f) || !f.again || try == maxTries {
			return a, took, err
		}
		wait := waitAfter(f, try, rand.Float64())
		if wait > maxWait || !within(ctx, wait) || !c.spend(1) || !pause(ctx, wait) {
			return a, took, err
		}
		k.metrics.retries.WithLabelValues(c.feature, c.spec.Name).Inc()
	}
}

// waitAfter is what the endpoint asks for, and a little more so that not all come back at once; chance is 0 to 1.
func waitAfter(f *failure, try int, chance float64) time.Duration {
	if f.after > 0 {
		return f.after + time.Duration(chance*float64(firstWait))
	}
	return time.Duration((0.5 + chance) * float64(firstWait<<(try-1)))
}

// within reports whether there is time to wait and ask again.
func within(ctx context.Context, wait time.Duration) bool {
	end, ok := ctx.Deadline()
	return !ok || time.Until(end) > wait
}

// try asks once. Libraries read what strangers send: a panic in one is a failure of this call alone.
func (k *Keeper) try(ctx context.Context, c *canary, p *quality.CanaryPrompt) (a answer, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.spec.Timeout)
	defer cancel()
	defer func() {
		if v := recover(); v != nil {
			k.opts.Logger.Error("a call panicked", "feature", c.feature, "canary", c.spec.Name, "prompt", p.ID)
			err = failed("the answer could not be read")
		}
	}()
	if a, err = c.asker.ask(ctx, p); err != nil {
		return answer{}, failureOf(ctx, err, c.spec.Timeout)
	}
	return a, nil
}

// take hands a sample on. It outlives the run, whose time is that of the endpoint.
func (k *Keeper) take(ctx context.Context, s quality.Sample) (err error) {
	for try := range takeTries {
		if try > 0 && !pause(ctx, takePause) {
			return err
		}
		if err = k.takeOnce(ctx, s); err == nil || quality.KindOf(err) == quality.KindInvalid {
			return err
		}
	}
	return err
}

func (k *Keeper) takeOnce(ctx context.Context, s quality.Sample) error {
	ctx, cancel := context.WithTimeout(ctx, takeTime)
	defer cancel()
	return k.opts.Taker.Take(ctx, []quality.Sample{s})
}

package collector

import (
	"context"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Label takes the score that a person gave on this machine, as POST /v1/scores takes it. It is durable when it returns;
// what is wrong with it is an error of kind invalid.
func (c *Collector) Label(ctx context.Context, f quality.Feedback) error {
	if err := c.opts.Room(); err != nil {
		return err
	}
	if err := f.Validate(); err != nil {
		return err
	}
	if f.Feature != "" {
		if err := c.features.check(f.Feature); err != nil {
			return err
		}
	}
	return c.takeFeedback(ctx, []quality.Feedback{f})
}

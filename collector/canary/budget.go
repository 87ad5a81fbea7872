package canary

import (
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// reserve takes the calls of a run from the budget. A run that does not fit as a whole is not begun: a part
// of the prompts would be another mix. It needs the lock.
func (c *canary) reserve(now time.Time) error {
	b := c.spec.Budget
	if b.IsZero() {
		return nil
	}
	period := now.UTC().Truncate(b.Per)
	if !c.run.Period.Equal(period) {
		c.run.Period, c.run.Spent = period, 0
	}
	if left := b.N - c.run.Spent; c.spec.Calls() > left {
		return quality.Errorf(quality.KindUnavailable, "the budget of %s leaves %d calls until %s, and a run makes %d",
			b, max(left, 0), period.Add(b.Per).Format(time.RFC3339), c.spec.Calls())
	}
	c.run.Spent += c.spec.Calls()
	return nil
}

// spend takes further calls from the budget, and reports whether it had them.
func (c *canary) spend(n int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.spec.Budget.IsZero() && c.run.Spent+n > c.spec.Budget.N {
		return false
	}
	c.run.Spent += n
	return true
}

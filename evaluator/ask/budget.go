package ask

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// grantShare is the part of a budget that is taken out of it at once. What was taken and not used when the
// process is killed is lost to the period, so that no restart spends more than the budget.
const grantShare = 100

// purse keeps the account of a scorer while samples are asked about. It is safe for concurrent use.
type purse struct {
	store Store
	loc   *time.Location
	now   func() time.Time
	quota quality.Quota
	calls int // of one sample

	mu       sync.Mutex
	account  Account
	used     int // calls of the period
	reserved int // calls of samples under way
	told     time.Time
}

// load takes up the account of before.
func (p *purse) load(ctx context.Context, feature, scorer string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	a, err := p.store.Load(ctx, feature, scorer)
	if err != nil && quality.KindOf(err) != quality.KindNotFound {
		return err
	}
	a.Feature, a.Scorer = feature, scorer
	p.account, p.used = a, a.Granted
	return nil
}

// turnLocked begins a new period of the budget when the one before is over.
func (p *purse) turnLocked() (end time.Time) {
	from, to := period(p.quota, p.now(), p.loc)
	if !p.account.Period.Equal(from) {
		p.account.Period, p.account.Granted, p.used, p.told = from, 0, 0, time.Time{}
	}
	return to
}

func (p *purse) leftLocked() int { return max(0, p.quota.N-p.used-p.reserved) }

// plan returns the probability with which n samples of a batch are asked about. It is on disk before the first
// of them is, so that a batch that comes again after a crash is sampled alike; again says that this one may. The
// last of them arrived at a time of the stream's clock, which need not be that of the periods.
func (p *purse) plan(ctx context.Context, most float64, n int, at time.Time, again bool) (float64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	rate := most
	if !p.quota.IsZero() {
		before := p.account.Period
		end := p.turnLocked()
		if again && before.Equal(p.account.Period) && p.account.Rate > 0 {
			return min(most, p.account.Rate), nil
		}
		if p.leftLocked() < p.calls && p.account.Rate > 0 {
			return min(most, p.account.Rate), nil // what would have been chosen is passed over and said
		}
		expected := p.account.Arrivals.within(horizon(p.quota, p.calls, p.now(), end), at)
		rate = keepRate(p.account.Rate, planned(most, p.leftLocked(), p.calls, expected, n))
	}
	if rate == p.account.Rate {
		return rate, nil
	}
	p.account.Rate = rate
	return rate, p.saveLocked(ctx)
}

// reserve takes the calls of one sample out of the budget and reports whether they were there.
func (p *purse) reserve(ctx context.Context) (bool, error) {
	if p.quota.IsZero() {
		return true, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.turnLocked()
	if p.leftLocked() < p.calls {
		return false, nil
	}
	if need := p.used + p.reserved + p.calls; need > p.account.Granted {
		before := p.account.Granted
		p.account.Granted = min(p.quota.N, max(need, before+p.quota.N/grantShare))
		if err := p.saveLocked(ctx); err != nil {
			p.account.Granted = before
			return false, err
		}
	}
	p.reserved += p.calls
	return true, nil
}

// release gives back what was reserved; what was spent was told before.
func (p *purse) release() {
	if p.quota.IsZero() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reserved = max(0, p.reserved-p.calls)
}

// spent notes what a call took.
func (p *purse) spent(s quality.Spend) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.used += s.Calls
	p.account.today(p.now(), p.loc).Add(s)
}

// note changes the sums of today.
func (p *purse) note(change func(*Day)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(p.account.today(p.now(), p.loc))
}

// tellEvery is how often a used up budget is said by a failed score.
const tellEvery = time.Minute

// tell reports whether it is time to say that the budget is used up, and until when.
func (p *purse) tell() (until time.Time, now bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, until = period(p.quota, p.now(), p.loc)
	if at := p.now(); p.told.IsZero() || at.Sub(p.told) >= tellEvery {
		p.told, now = at, true
	}
	return until, now
}

// arrived notes the samples of a batch by the times they were stored.
func (p *purse) arrived(n int, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.account.Arrivals.add(n, at)
}

func (p *purse) save(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.saveLocked(ctx)
}

// rest stores what was truly used: no sample is under way any more.
func (p *purse) rest(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.account.Granted = p.used
	return p.saveLocked(ctx)
}

func (p *purse) saveLocked(ctx context.Context) error { return p.store.Save(ctx, p.account) }

// snapshot returns the account as it is, and what is left of the budget.
func (p *purse) snapshot() (a Account, used, left int, until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.quota.IsZero() {
		until = p.turnLocked()
		used, left = p.used, p.leftLocked()
	}
	a = p.account
	a.Days = slices.Clone(a.Days)
	for i := range a.Days {
		passed := make(map[string]int, len(a.Days[i].Passed))
		for reason, n := range a.Days[i].Passed {
			passed[reason] = n
		}
		a.Days[i].Passed = passed
	}
	return a, used, left, until
}

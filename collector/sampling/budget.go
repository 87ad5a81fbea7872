package sampling

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Of a budget, seven eighths are planned and the last is the reserve for luck.
const reserveShare = 8

// never is the step before the first, far from all others.
const never = -1 << 60

// budget keeps the samples of a period under a limit by two factors of at most 1:
//
// The plan divides what is left of the budget by the steps (minutes) that are left, and a step's part among
// the customers, each up to the same level, so that the heavy ones shrink first. It knows the demand of
// each from the steps before; what comes above that shrinks by the square of the surplus, so that no step
// is given more than what is left. The plan follows from the traffic alone, never from what was kept.
//
// The guard looks at what was really kept. It falls to the part of the plan that what is really left
// allows, and by half with each sample beyond the budget: with n outputs in a period, more than
// log2(n) + c samples too many have a probability of at most 2^-c. For one customer it falls by half with
// each lot kept far beyond what was planned, as happens to one who repeats a trace id that is lucky. It
// never rises again within a period.
//
// Why the weights stay exact, also for outputs that share a trace, is in the package comment.
type budget struct {
	limit  float64
	steps  int64 // of a period
	step   time.Duration
	max    int // customers planned apart
	shares map[string]*share
	other  share // of customers beyond max, together

	at    int64   // the present step since 1970
	span  span    // of the step
	spent float64 // planned in this period: the sum of the probabilities given
	kept  int     // in this period
	guard float64 // for all

	level float64 // what one customer may have in this step
	surge float64 // what all may have before the plan shrinks
	asked float64 // planned in this step, before that
}

// share is one customer's part.
type share struct {
	Forecast float64 `json:"forecast,omitempty"` // samples wanted in a step, smoothed
	Demand   float64 `json:"demand,omitempty"`   // samples wanted in this step
	Planned  float64 `json:"planned,omitempty"`  // in this period
	Kept     int     `json:"kept,omitempty"`     // in this period
	Halves   int     `json:"halves,omitempty"`   // of this customer's guard
}

func newBudget(q quality.Quota, customers int) *budget {
	if q.IsZero() {
		return nil
	}
	step := min(q.Per/60, time.Minute)
	return &budget{
		limit: float64(q.N), steps: int64(q.Per / step), step: step, max: customers,
		shares: map[string]*share{}, at: never, guard: 1,
	}
}

// shrink returns the two factors for an output that the rules would keep with probability want.
func (b *budget) shrink(now time.Time, customer string, want float64) (sh *share, plan, guard chance) {
	b.roll(now)
	sh = b.share(customer)
	plan = chanceOf(b.plan(sh, want))
	spend := want * plan.probability()
	b.spent += spend
	sh.Planned += spend
	return sh, plan, chanceOf(b.guard).halved(sh.Halves)
}

func (b *budget) share(customer string) *share {
	if sh, ok := b.shares[customer]; ok {
		return sh
	}
	if len(b.shares) >= b.max {
		return &b.other
	}
	sh := &share{}
	b.shares[strings.Clone(customer)] = sh // not to hold on to the text it was cut from
	return sh
}

// plan is the probability the plan gives. A customer's demand above the forecast, and more than chance
// makes of it, shrinks it, and so does the demand of all above the surge.
func (b *budget) plan(sh *share, want float64) float64 {
	sh.Demand += want
	p, usual := 1.0, b.level
	if sh.Forecast > b.level {
		p, usual = b.level/sh.Forecast, sh.Forecast
	}
	if sh.Demand > usual+4 {
		p *= square(min(1, (usual+4+4*math.Sqrt(usual))/sh.Demand))
	}
	b.asked += p * want
	if b.asked > b.surge {
		p *= square(b.surge / b.asked)
	}
	return p
}

func square(x float64) float64 { return x * x }

// took counts a kept sample, and lowers the guards where that is more than was planned.
func (b *budget) took(sh *share) {
	b.kept++
	sh.Kept++
	b.guard = min(b.guard, b.allowed())
	slack := max(8, b.limit/256)
	if over := float64(sh.Kept) - 1.25*sh.Planned - 4*slack; over > 0 {
		sh.Halves = max(sh.Halves, 1+int(over/slack))
	}
}

// allowed is the part of what is planned for the rest of the period that what is left allows. Beyond the
// budget it halves with each sample.
func (b *budget) allowed() float64 {
	left := b.limit - float64(b.kept)
	if left < 1 {
		return math.Ldexp(1, int(left)-1)
	}
	return left / max(b.remaining(), 1)
}

// remaining is what is planned for the rest of the period.
func (b *budget) remaining() float64 {
	return max(b.limit*(1-1.0/reserveShare)-b.spent, 1/float64(b.steps))
}

// roll begins a new step, and a new period with it when it is time. A clock that goes back by less than a
// period stays where it was.
func (b *budget) roll(now time.Time) {
	if b.span.holds(now) {
		return
	}
	at, span := periodOf(now, b.step)
	if at < b.at && b.at-at < b.steps {
		return
	}
	if b.span = span; at == b.at { // as after a restart
		return
	}
	passed := at - b.at
	if passed < 0 {
		passed = math.MaxInt32 // the clock was wrong, and so was all that was learnt by it
	}
	fresh := floorDiv(at, b.steps) != floorDiv(b.at, b.steps)
	b.at, b.asked = at, 0
	if fresh {
		b.spent, b.kept, b.guard = 0, 0, 1
	}
	b.other.roll(passed, fresh)
	for customer, sh := range b.shares {
		if sh.roll(passed, fresh); fresh && sh.idle() {
			delete(b.shares, customer)
		}
	}
	b.divide()
}

// smoothing is how much of the forecast the last step makes: enough to follow a flood within minutes, and
// little enough that a customer of a few outputs a minute is not shrunk for chance.
const smoothing = 0.25

func (sh *share) roll(passed int64, fresh bool) {
	sh.Forecast += smoothing * (sh.Demand - sh.Forecast)
	if passed > 1 {
		sh.Forecast *= math.Pow(1-smoothing, float64(min(passed-1, 1000)))
	}
	sh.Demand = 0
	if fresh {
		sh.Planned, sh.Kept, sh.Halves = 0, 0, 0
	}
}

// idle shares are forgotten when a period ends. Before, that would let the guard rise, or if it were spared
// for its guard, let the plan depend on what was kept.
func (sh *share) idle() bool { return sh.Forecast < 1e-3 }

// divide sets the level of the present step.
func (b *budget) divide() {
	left := b.steps - (b.at - floorDiv(b.at, b.steps)*b.steps)
	remaining := b.remaining()
	b.surge = remaining / 2
	forecasts := make([]float64, 0, len(b.shares)+1)
	for _, sh := range b.shares {
		forecasts = append(forecasts, sh.Forecast)
	}
	forecasts = append(forecasts, b.other.Forecast)
	slices.Sort(forecasts)
	level, scarce := waterLevel(forecasts, remaining/float64(left))
	if !scarce {
		level = max(level, remaining/4)
	}
	b.level = level
}

// waterLevel divides part among demands, smallest first, so that nobody gets more than the level and
// nothing is left over. When there is enough for all it returns the highest demand.
func waterLevel(demands []float64, part float64) (level float64, scarce bool) {
	for i, d := range demands {
		if n := float64(len(demands) - i); d*n > part {
			return part / n, true
		}
		part -= d
	}
	return demands[len(demands)-1], false
}

// Package sampling decides which outputs are kept as samples, and with which weight.
//
// A Sampler knows the rules of one feature: a uniform rate, a minimum for each value of an attribute and
// period, rules that always keep, and a budget that wins over all of them. Each kept sample carries 1 / the
// probability it was kept with, so that weighted sums are unbiased estimates of the sums over all traffic.
//
// Three numbers decide, and an output is kept when each is below its probability:
//
//   - The rules' probability (the rate, or 1) is compared with the randomness of the trace as OpenTelemetry
//     defines it: the same trace is kept everywhere by the same rate, and a lower rate keeps a subset. A
//     sampler before this one that used the same randomness has kept the trace with probability a, this
//     one would with b; both do with min(a, b), not a * b, since the smaller set lies in the larger.
//   - The budget's plan is compared with a number mixed from the trace and a key, so that whoever chooses
//     trace ids cannot choose to be kept; samplers with one key still decide alike.
//   - The budget's guard is compared with another such number.
//
// The weights are exact, because of what the probabilities depend on. Rules and plan follow from the
// traffic that came, never from what was kept. The guard does depend on what was kept, but it only falls
// within a period: an output of a trace passes it exactly when its number is below the guard as it stands
// in the world where all earlier outputs of this trace passed, and that is a fixed probability. So outputs
// of a customer that share a trace do no harm.
//
// The package does no input or output, and time is an argument. It leaves out holding undecided samples,
// counting traffic, and storing snapshots: the collector does that.
package sampling

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Options of a Sampler. Spec is required.
type Options struct {
	Spec quality.SamplingSpec
	// Key makes the budget's choice unforeseeable for those who choose trace ids. Samplers that are to
	// keep the same traces under pressure share it.
	Key       uint64
	MaxValues int // values counted apart by each minimum, and customers by the budget; the rest share one; default 10000
}

// Sampler decides for one feature. It is safe for concurrent use, and decides in the order in which it is asked.
type Sampler struct {
	spec      quality.SamplingSpec
	rate      chance
	planKey   uint64
	guardKey  uint64
	maxValues int

	// Rules that always keep.
	errors, slow, feedback bool

	nameless atomic.Uint64 // units without trace and id

	mu       sync.Mutex
	minimums []*minimum
	budget   *budget // nil: none
}

// New returns a sampler that has seen nothing.
func New(o Options) (*Sampler, error) {
	if o.Spec.Rate == 0 {
		o.Spec.Rate = 1
	}
	if o.MaxValues <= 0 {
		o.MaxValues = 10_000
	}
	if err := check(&o.Spec); err != nil {
		return nil, err
	}
	s := &Sampler{
		spec: o.Spec, rate: chanceOf(o.Spec.Rate), maxValues: o.MaxValues,
		planKey: o.Key ^ 0x9e3779b97f4a7c15, guardKey: o.Key ^ 0xd1b54a32d192ed03,
		errors: o.Spec.Keeps(quality.AlwaysError), feedback: o.Spec.Keeps(quality.AlwaysLowFeedback),
		slow: o.Spec.Keeps(quality.AlwaysSlow) && o.Spec.SlowerThan > 0,
	}
	s.reset()
	return s, nil
}

func check(spec *quality.SamplingSpec) error {
	if !(spec.Rate > 0 && spec.Rate <= 1) {
		return fmt.Errorf("sampling: rate %v: want more than 0 and at most 1", spec.Rate)
	}
	for name, q := range spec.Minimums() {
		if !valid(q) {
			return fmt.Errorf("sampling: minimum of %q: want one or more in a minute, an hour or a day, got %s", name, q)
		}
	}
	if !spec.Budget.IsZero() && !valid(spec.Budget) {
		return errors.New("sampling: budget: want one or more in a minute, an hour or a day")
	}
	return nil
}

func valid(q quality.Quota) bool {
	return q.N >= 1 && (q.Per == time.Minute || q.Per == time.Hour || q.Per == 24*time.Hour)
}

func (s *Sampler) reset() {
	s.minimums = newMinimums(s.spec.Minimums(), s.maxValues)
	s.budget = newBudget(s.spec.Budget, s.maxValues)
}

// Values tells the value of an attribute; *quality.Sample does.
type Values interface {
	Attribute(name string) string
}

// Unit is an output to decide on. The zero value of a field is what is not known.
type Unit struct {
	Trace      string // trace id; hex of 16 bytes is taken as random in its last 7, anything else is hashed
	TraceState string // W3C trace state: "ot=th:...;rv:..." says how a sampler before this one decided
	ID         string // stands in for a missing trace id; without both a unit is drawn by itself
	Customer   string // who shares the budget
	Values     Values // of the attributes that have a minimum; nil: all empty
	Error      bool
	Latency    time.Duration
	Reception  quality.Reception
	Weight     float64 // 1 / probability with which it was kept before, apart from TraceState; below 1 means 1
}

// UnitOf describes a sample. Turns of one conversation are kept together where nothing names their traces.
func (s *Sampler) UnitOf(q *quality.Sample, traceState string) Unit {
	u := Unit{
		Trace: q.Trace, TraceState: traceState, ID: q.Conversation, Customer: q.Customer, Values: q,
		Error: q.Error != "", Latency: time.Duration(q.LatencyMS * float64(time.Millisecond)), Weight: q.Weight,
	}
	if u.ID == "" {
		u.ID = q.ID
	}
	if s.feedback {
		u.Reception = s.spec.LowFeedback.Reception(q.Scores)
	}
	return u
}

// Reason says which rule had the last word on the probability.
type Reason string

// The reasons.
const (
	Uniform Reason = "uniform"
	Minimum Reason = "minimum"
	Always  Reason = "always"
	Budget  Reason = "budget" // the budget lowered what the rules gave
)

// Reasons returns all reasons, for labels that are to start at zero.
func Reasons() []Reason { return []Reason{Uniform, Minimum, Always, Budget} }

// Decision is what becomes of an output.
type Decision struct {
	Keep   bool
	Weight float64 // of a kept one: 1 / probability of all sampling up to here, below MaxWeight; else 0
	Reason Reason
	// Undecided: feedback may still change the probability. The output is to be held, for Hold, and Settle
	// decides. Even one that would be kept anyway has to wait, since its weight is open.
	Undecided bool
}

// MaxWeight bounds weights from above; a sample with this weight would not be valid. A product of
// weights that reaches it, which takes a sender's own weight far beyond any sampling, is cut there.
const MaxWeight = 1e12

// Hold returns how long an undecided output is held before it is settled without feedback.
func (s *Sampler) Hold() time.Duration {
	if s.spec.Hold > 0 {
		return s.spec.Hold
	}
	return quality.DefaultHold
}

// Decide counts an output and decides on it at the moment now. Each output is decided once, and with Settle
// again when it was undecided. It takes all outputs, not only those that stand a chance: the plan learns from them.
func (s *Sampler) Decide(now time.Time, u Unit) Decision {
	d := s.draw(&u)
	s.mu.Lock()
	defer s.mu.Unlock()
	p, reason := s.rule(now, &u)
	// Where the sender's probability was lower anyway, feedback changes nothing.
	if s.feedback && u.Reception == quality.ReceptionUnknown && d.want(p) != certain {
		return Decision{Undecided: true, Reason: reason}
	}
	return s.decide(now, &u, d, p, reason)
}

// Settle decides on an output that was undecided before: with the feedback that came, or without. It may be
// asked before the time when there is no room to hold more, and that does not harm the weights.
func (s *Sampler) Settle(now time.Time, u Unit) Decision {
	p, reason := s.rate, Uniform
	if s.feedback && u.Reception == quality.ReceptionLow {
		p, reason = certain, Always
	}
	d := s.draw(&u)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.decide(now, &u, d, p, reason)
}

// draw finds the random number of a unit; one that nothing names gets its own.
func (s *Sampler) draw(u *Unit) draw {
	if u.Trace == "" && u.ID == "" {
		up, _ := traceState(u.TraceState)
		return draw{number: mix(s.nameless.Add(1), ^s.guardKey), up: up}
	}
	return drawOf(u)
}

// rule is the probability of the rules, and counts the output for the minimums.
func (s *Sampler) rule(now time.Time, u *Unit) (chance, Reason) {
	among := false
	for _, m := range s.minimums {
		value := u.Customer
		if m.attribute != "customer" {
			value = ""
			if u.Values != nil {
				value = u.Values.Attribute(m.attribute)
			}
		}
		among = m.admit(now, value) || among
	}
	switch {
	case s.errors && u.Error, s.slow && u.Latency > s.spec.SlowerThan, s.feedback && u.Reception == quality.ReceptionLow:
		return certain, Always
	case among:
		return certain, Minimum
	default:
		return s.rate, Uniform
	}
}

// want is the probability of the rules, given that a sampler before has kept the output.
func (d draw) want(p chance) chance {
	switch {
	case !d.shared:
		return p
	case p >= d.up:
		return certain
	default:
		return chanceOf(float64(p) / float64(d.up))
	}
}

// joint is the weight of the rules and of a sampler before.
func (d draw) joint(p chance) float64 {
	if d.shared {
		return min(p, d.up).weight()
	}
	return p.weight() * d.up.weight()
}

func (s *Sampler) decide(now time.Time, u *Unit, d draw, p chance, reason Reason) Decision {
	keep, plan, guard := p.takes(d.number), certain, certain
	if b := s.budget; b != nil {
		var sh *share
		sh, plan, guard = b.shrink(now, u.Customer, d.want(p).probability())
		if plan != certain || guard != certain {
			keep = keep && plan.takes(mix(d.number, s.planKey)) && guard.takes(mix(d.number, s.guardKey))
			reason = Budget
		}
		if keep {
			b.took(sh)
		}
	}
	if !keep {
		return Decision{Reason: reason}
	}
	weight := d.joint(p) * plan.weight() * guard.weight()
	if u.Weight > 1 {
		weight *= u.Weight
	}
	return Decision{Keep: true, Weight: min(weight, belowMax), Reason: reason}
}

const belowMax = MaxWeight * (1 - 1e-9)

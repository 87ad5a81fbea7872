package sampling

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// The form of a snapshot. Other versions are refused.
const snapshotVersion = 1

type state struct {
	Version  int            `json:"version"`
	Minimums []minimumState `json:"minimums,omitempty"`
	Budget   *budgetState   `json:"budget,omitempty"`
}

type minimumState struct {
	Attribute string         `json:"attribute"`
	Per       time.Duration  `json:"per"`
	Period    int64          `json:"period"`
	Counts    map[string]int `json:"counts,omitempty"`
	Others    int            `json:"others,omitempty"`
}

type budgetState struct {
	Step   time.Duration    `json:"step"`
	Steps  int64            `json:"steps"`
	At     int64            `json:"at"`
	Spent  float64          `json:"spent"`
	Kept   int              `json:"kept"`
	Guard  float64          `json:"guard"`
	Level  float64          `json:"level"`
	Surge  float64          `json:"surge"`
	Asked  float64          `json:"asked"`
	Shares map[string]share `json:"shares,omitempty"`
	Other  share            `json:"other"`
}

// Snapshot returns the counters as JSON. A sampler that is restored from it decides as this one would. What
// comes between the last snapshot and a crash is missing from the counters: that much more may be kept, and
// the weights are exact all the same.
func (s *Sampler) Snapshot() ([]byte, error) {
	return json.Marshal(s.state())
}

func (s *Sampler) state() state {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := state{Version: snapshotVersion}
	for _, m := range s.minimums {
		st.Minimums = append(st.Minimums, m.snapshot())
	}
	if s.budget != nil {
		st.Budget = s.budget.snapshot()
	}
	return st
}

// Restore takes the counters of a snapshot over, before the first decision. Those that the present rules do
// not have are left out. An error means that the data is no snapshot, and that nothing was changed.
func (s *Sampler) Restore(data []byte) error {
	var st state
	if err := json.Unmarshal(data, &st); err != nil {
		return quality.Errorf(quality.KindInvalid, "reading a snapshot of sampling: %w", err)
	}
	if err := st.check(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reset()
	for _, m := range s.minimums {
		for _, have := range st.Minimums {
			if have.Attribute == m.attribute {
				m.restore(have)
			}
		}
	}
	if s.budget != nil && st.Budget != nil {
		s.budget.restore(st.Budget)
	}
	return nil
}

func (st *state) check() error {
	if st.Version != snapshotVersion {
		return quality.Errorf(quality.KindInvalid, "a snapshot of sampling of version %d, want %d", st.Version, snapshotVersion)
	}
	for i := range st.Minimums {
		m := &st.Minimums[i]
		ok := m.Others >= 0 && aboutNow(m.Period)
		for _, n := range m.Counts {
			ok = ok && n >= 0 && n <= math.MaxInt32
		}
		if !ok {
			return quality.Errorf(quality.KindInvalid, "a snapshot of sampling: the minimum of %.40q holds impossible counts", m.Attribute)
		}
	}
	if st.Budget != nil && !st.Budget.possible() {
		return quality.Errorf(quality.KindInvalid, "a snapshot of sampling: the budget holds impossible counts")
	}
	return nil
}

// aboutNow keeps differences of steps far from the ends of the number.
func aboutNow(step int64) bool { return step >= never && step <= -never }

func (b *budgetState) possible() bool {
	ok := aboutNow(b.At) && b.Kept >= 0 && b.Guard > 0 && b.Guard <= 1 && countable(b.Spent, b.Level, b.Surge, b.Asked) && b.Other.possible()
	for _, sh := range b.Shares {
		ok = ok && sh.possible()
	}
	return ok
}

func (sh share) possible() bool {
	return sh.Kept >= 0 && sh.Halves >= 0 && countable(sh.Forecast, sh.Demand, sh.Planned)
}

func countable(values ...float64) bool {
	for _, v := range values {
		if !(v >= 0 && v < 1e15) {
			return false
		}
	}
	return true
}

func (b *budget) snapshot() *budgetState {
	st := &budgetState{
		Step: b.step, Steps: b.steps, At: b.at, Spent: b.spent, Kept: b.kept, Guard: b.guard,
		Level: b.level, Surge: b.surge, Asked: b.asked, Shares: make(map[string]share, len(b.shares)), Other: b.other,
	}
	for customer, sh := range b.shares {
		st.Shares[customer] = *sh
	}
	return st
}

// restore takes over what was spent when the period is the same. The limit may have changed: the guard
// follows it with the next kept sample, and the plan with the next step.
func (b *budget) restore(st *budgetState) {
	if st.Step != b.step || st.Steps != b.steps {
		return
	}
	b.at, b.spent, b.kept, b.guard = st.At, st.Spent, st.Kept, st.Guard
	b.level, b.surge, b.asked, b.other = max(st.Level, 1e-9), st.Surge, st.Asked, st.Other
	for _, customer := range slices.Sorted(maps.Keys(st.Shares)) {
		if sh := st.Shares[customer]; len(b.shares) < b.max {
			b.shares[customer] = &sh
		}
	}
}

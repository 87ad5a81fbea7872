package sampling

import (
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/asgood-dev/asgood/internal/quality"
)

// question is one output that asks the budget.
type question struct {
	after       time.Duration // since the one before
	ours        bool          // of the trace that is looked at, or of any other
	want        float64
	customer    string
	plan, guard uint64 // draws of the others
}

type answer struct {
	plan, guard chance
	kept        bool
}

// questions come from a generator of their own: rapid prefers small numbers, which are lucky ones here.
func questions(r *rand.Rand, n int) []question {
	turn := r.Float64() * 0.5
	all := make([]question, n)
	for i := range all {
		q := question{ours: r.IntN(3) > 0, want: 1 - r.Float64(), customer: "ours"}
		if r.Float64() < turn { // a minute has 60 steps
			q.after = time.Duration(r.IntN(12)) * time.Second
		}
		if !q.ours {
			q.customer = []string{"ours", "ours", "b", "c", "d"}[r.IntN(5)]
			q.plan, q.guard = r.Uint64N(uint64(certain)), r.Uint64N(uint64(certain))
		}
		all[i] = q
	}
	return all
}

// ask plays the questions; the trace that is looked at has the given draws.
func ask(limit int, all []question, plan, guard uint64) []answer {
	b := newBudget(quality.Quota{N: limit, Per: time.Minute}, 3)
	now := time.Unix(1_000_000, 0)
	out := make([]answer, len(all))
	for i, q := range all {
		if q.ours {
			q.plan, q.guard = plan, guard
		}
		now = now.Add(q.after)
		var a answer
		var sh *share
		sh, a.plan, a.guard = b.shrink(now, q.customer, q.want)
		if a.kept = a.plan.takes(q.plan) && a.guard.takes(q.guard); a.kept {
			b.took(sh)
		}
		out[i] = a
	}
	return out
}

// TestGuardIsExact is the proof that outputs which share a trace keep exact weights. In the world where
// the trace passes every guard (its draw is 0) each of its outputs meets some guard. With any other draw it is
// kept exactly when the draw is below that guard, and then it has met that same guard: so the probability
// in its weight is the one it was kept with. And the plan never looks at what was kept.
func TestGuardIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 300).Draw(t, "limit")
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		all := questions(r, 400)
		plan := r.Uint64N(uint64(certain)) >> r.IntN(8)
		passed := ask(limit, all, plan, 0)
		for range 20 {
			draw := r.Uint64N(uint64(certain)) >> r.IntN(12)
			for i, a := range ask(limit, all, plan, draw) {
				if a.plan != passed[i].plan {
					t.Fatalf("output %d: the plan is %v, and %v when others were kept", i, a.plan, passed[i].plan)
				}
				if !all[i].ours || !a.plan.takes(plan) {
					continue
				}
				if want := passed[i].guard.takes(draw); a.kept != want || a.kept && a.guard != passed[i].guard {
					t.Fatalf("output %d of the trace: kept %v by guard %v, want %v by %v", i, a.kept, a.guard, want, passed[i].guard)
				}
			}
		}
	})
}

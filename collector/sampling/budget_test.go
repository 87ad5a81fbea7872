package sampling_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/collector/sampling"
	"github.com/asgood-dev/asgood/internal/quality"
)

// attacks are floods of n outputs in an hour, with ids that the sender chooses.
var attacks = []struct {
	name string
	id   func(r *rand.Rand, i int) string
}{
	{"random ids", func(r *rand.Rand, _ int) string { return traceID(r) }},
	{"ids that any rate keeps", func(_ *rand.Rand, i int) string { return fmt.Sprintf("%018dfffff%09d", i, i) }},
	{"one id", func(*rand.Rand, int) string { return "0000000000000000ffffffffffffffff" }},
	{"few ids", func(_ *rand.Rand, i int) string { return fmt.Sprintf("0000000000000000ffffffffffff%04d", i%50) }},
}

// TestBudgetBound: beyond the budget each kept sample halves the probability, so with n outputs more than log2(n) + c
// samples too many have a probability of at most 2^-c.
func TestBudgetBound(t *testing.T) {
	const n, c = 60_000, 12
	for _, tt := range attacks {
		for _, limit := range []int{1, 30, 1000} {
			for _, burst := range []time.Duration{time.Hour, time.Second} {
				t.Run(fmt.Sprintf("%s, %d, in %s", tt.name, limit, burst), func(t *testing.T) {
					t.Parallel()
					s := newSampler(t, quality.SamplingSpec{Rate: 0.5, Budget: perHour(limit)}, uint64(limit))
					r := rand.New(rand.NewPCG(11, 11))
					kept := 0
					for i := range n {
						now := hour0.Add(time.Duration(i) * burst / n)
						d := s.Decide(now, sampling.Unit{Trace: tt.id(r, i), Customer: "acme", Error: i%2 == 0})
						if d.Keep {
							kept++
						}
					}
					if most := limit + int(math.Log2(n)) + c; kept > most {
						t.Errorf("kept %d, want at most %d", kept, most)
					}
					t.Logf("kept %d", kept)
				})
			}
		}
	}
}

// TestBudgetIsUsed: in a steady flood the plan uses most of the budget, at every time of the hour alike.
func TestBudgetIsUsed(t *testing.T) {
	for _, q := range []quality.Quota{{N: 6000, Per: time.Hour}, {N: 6000, Per: time.Minute}, {N: 6000, Per: 24 * time.Hour}} {
		t.Run(q.String(), func(t *testing.T) {
			s := newSampler(t, quality.SamplingSpec{Budget: q}, 3)
			r := rand.New(rand.NewPCG(2, 2))
			const n = 60_000
			var kept, w, w2 float64
			for i := range 2 * n {
				d := s.Decide(hour0.Truncate(q.Per).Add(time.Duration(i)*q.Per/n), sampling.Unit{Trace: traceID(r), Customer: "acme"})
				if d.Keep && i >= n { // the second period: the first begins with nothing known
					kept, w, w2 = kept+1, w+d.Weight, w2+d.Weight*d.Weight
				}
			}
			// 1 when all weights are the same; the part of the samples that uneven weights leave.
			even := w * w / w2 / kept
			t.Logf("kept %.0f of %d, evenness %.2f, estimate of the count %.3f of the truth", kept, q.N, even, w/n)
			if kept < 0.8*float64(q.N) || kept > float64(q.N) || even < 0.8 {
				t.Errorf("kept %.0f of a budget of %d with evenness %.2f, want most of it and 0.8", kept, q.N, even)
			}
		})
	}
}

// TestFairness: one customer sends a hundred times as much as all others, and the others hardly notice.
func TestFairness(t *testing.T) {
	for _, begin := range []int{0, 30} {
		t.Run(fmt.Sprintf("flood from minute %d", begin), func(t *testing.T) {
			s := newSampler(t, quality.SamplingSpec{Budget: perHour(6000)}, 4)
			r := rand.New(rand.NewPCG(4, 4))
			came, kept := map[string]int{}, map[string]int{}
			send := func(now time.Time, customer string) {
				came[customer]++
				if s.Decide(now, sampling.Unit{Trace: traceID(r), Customer: customer}).Keep {
					kept[customer]++
				}
			}
			for second := range 3600 {
				now := hour0.Add(time.Duration(second) * time.Second)
				if r.Float64() < 0.6 { // 20 customers, 36 a minute together, of 100 that the budget allows
					send(now, fmt.Sprintf("small %d", r.IntN(20)))
				}
				for range 60 {
					if second >= begin*60 {
						send(now, "flood")
					}
				}
			}
			small, all := 0, 0
			for customer := range came {
				if customer != "flood" {
					small, all = small+kept[customer], all+came[customer]
				}
			}
			t.Logf("kept %d of %d of the small, %d of %d of the flood", small, all, kept["flood"], came["flood"])
			if float64(small) < 0.9*float64(all) {
				t.Errorf("kept %d of %d of the small customers, want nine in ten", small, all)
			}
			if kept["flood"] < 1500 {
				t.Errorf("kept %d of the flood, want its share too", kept["flood"])
			}
		})
	}
}

// TestLuckyTraceStarvesNobody: a customer who repeats a trace id that passes is held to a part of the budget.
func TestLuckyTraceStarvesNobody(t *testing.T) {
	for seed := range 12 {
		s := newSampler(t, quality.SamplingSpec{Budget: perHour(6000)}, uint64(seed))
		r := rand.New(rand.NewPCG(uint64(seed), 4))
		came, kept := 0, 0
		for second := range 3600 {
			now := hour0.Add(time.Duration(second) * time.Second)
			for range 30 {
				s.Decide(now, sampling.Unit{Trace: "00000000000000ffffffffffffffffff", Customer: "flood"})
			}
			if second%2 == 0 {
				came++
				if s.Decide(now, sampling.Unit{Trace: traceID(r), Customer: "small"}).Keep {
					kept++
				}
			}
		}
		if kept < came*3/4 {
			t.Errorf("seed %d: kept %d of %d of the small customer", seed, kept, came)
		}
	}
}

// TestManyNewCustomers: all of them at once may use up what the plan has for the hour, but not run into the
// guard, which would leave all that follows to a few samples.
func TestManyNewCustomers(t *testing.T) {
	s := newSampler(t, quality.SamplingSpec{Budget: perHour(1000)}, 6)
	r := rand.New(rand.NewPCG(6, 6))
	kept := 0
	for i := range 10_000 {
		if s.Decide(hour0, sampling.Unit{Trace: traceID(r), Customer: fmt.Sprint(i % 500)}).Keep {
			kept++
		}
	}
	if kept > 940 { // seven eighths and what chance allows
		t.Errorf("kept %d of a budget of 1000 in the first second", kept)
	}
}

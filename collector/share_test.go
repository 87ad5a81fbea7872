package collector

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/asgood-dev/asgood/internal/quality"
)

var shareNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func chunkOf(customer string, n, size int) []item {
	out := make([]item, n)
	for i := range out {
		out[i] = item{size: size, slice: trafficKey{feature: "chat", customer: customer}}
	}
	return out
}

func enter(t *testing.T, s *share, customer string, size int) ([]portion, error) {
	t.Helper()
	in, held, refused, err := s.enter(chunkOf(customer, 1, size), true, shareNow)
	if (err != nil) != (refused == 1) || len(in)+refused != 1 {
		t.Fatalf("got %d in, %d refused, %v", len(in), refused, err)
	}
	return held, err
}

func TestShare(t *testing.T) {
	const mib = 1 << 20
	s := newShare(64*mib, 0)
	var flood [][]portion
	for {
		held, err := enter(t, s, "flood", mib)
		if err != nil {
			if quality.KindOf(err) != quality.KindTooMany || quality.RetryOf(err) != shareWait {
				t.Fatalf("got %v", err)
			}
			break
		}
		flood = append(flood, held)
	}
	if len(flood) != 32 {
		t.Errorf("one that floods got %d MiB of 64, want half", len(flood))
	}
	for i := range 9 {
		if _, err := enter(t, s, fmt.Sprint("other", i), mib); err != nil {
			t.Errorf("customer %d: %v", i, err)
		}
	}
	// What landed is free again, though there are others now.
	for _, held := range flood[:20] {
		s.leave(held)
	}
	if _, err := enter(t, s, "flood", mib); err != nil {
		t.Errorf("got %v with half of the queue free", err)
	}
}

// In a chunk of many customers only those who take too much are refused.
func TestShareOfAMixedChunk(t *testing.T) {
	s := newShare(1<<20, 0)
	if _, err := enter(t, s, "flood", 1<<19); err != nil {
		t.Fatal(err)
	}
	chunk := append(chunkOf("flood", 3, 40_000), chunkOf("acme", 2, 100)...)
	in, held, refused, err := s.enter(chunk, true, shareNow)
	if len(in) != 2 || refused != 3 || err == nil || len(held) != 1 || held[0].who.customer != "acme" {
		t.Errorf("got %d in, %d refused, held %v, %v", len(in), refused, held, err)
	}
	if in, _, refused, err = s.enter(chunk, false, shareNow); len(in) != 5 || refused != 0 || err != nil {
		t.Errorf("what was taken in before: got %d in, %d refused, %v", len(in), refused, err)
	}
}

func TestSharePerSecond(t *testing.T) {
	s := newShare(1<<30, 10)
	send := func(customer string, n int, after time.Duration) error {
		_, held, _, err := s.enter(chunkOf(customer, n, 10), true, shareNow.Add(after))
		s.leave(held)
		return err
	}
	if err := send("a", 150, 0); err != nil { // a burst of 100, and a debt of 50
		t.Fatal(err)
	}
	err := send("a", 1, 0)
	if quality.KindOf(err) != quality.KindTooMany || quality.RetryOf(err) != 5100*time.Millisecond {
		t.Errorf("got %v, to wait %s", err, quality.RetryOf(err))
	}
	if err := send("b", 1, 0); err != nil {
		t.Errorf("another customer: %v", err)
	}
	if err := send("a", 1, 5100*time.Millisecond); err != nil {
		t.Errorf("after the time that was told: %v", err)
	}
	// Customers without end share what is left, and the memory stays bounded.
	for i := range 2 * maxHolders {
		_ = send(fmt.Sprint(i), 1, 6*time.Second) // only the map is of interest
	}
	if len(s.rates) != maxHolders || len(s.held) != 0 || s.used != 0 {
		t.Errorf("got %d rates, %d held, %d used", len(s.rates), len(s.held), s.used)
	}
	if err := send("last", 1, time.Hour); err != nil || len(s.rates) != 1 {
		t.Errorf("got %v, %d rates, want the others forgotten", err, len(s.rates))
	}
}

// Whatever comes and goes: what is held adds up, nobody is refused who holds nothing or while half is free, and
// who is refused would hold more than is free.
func TestShareHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const size = 1 << 20
		s := newShare(size, 0)
		var jobs [][]portion
		sum := func() (n int64) {
			for _, held := range jobs {
				for _, h := range held {
					n += h.bytes
				}
			}
			return n
		}
		t.Repeat(map[string]func(*rapid.T){
			"enter": func(t *rapid.T) {
				var chunk []item
				for range rapid.IntRange(1, 4).Draw(t, "customers") {
					chunk = append(chunk, chunkOf(rapid.StringMatching(`[a-e]`).Draw(t, "customer"), rapid.IntRange(1, 3).Draw(t, "n"), rapid.IntRange(1, 50_000).Draw(t, "size"))...)
				}
				before := map[holder]int64{}
				for who, n := range s.held {
					before[who] = n
				}
				in, held, refused, err := s.enter(chunk, true, shareNow)
				jobs = append(jobs, held)
				if len(in)+refused != len(chunk) || (err != nil) != (refused > 0) {
					t.Fatalf("%d of %d in, %d refused, %v", len(in), len(chunk), refused, err)
				}
				passed := map[holder]bool{}
				for i := range in {
					passed[holderOf(&in[i])] = true
				}
				for who, p := range partsOf(chunk) {
					if !passed[who] && (before[who] == 0 || s.used+p.bytes <= size/2) {
						t.Fatalf("%v holds %d of %d and was refused", who, before[who], s.used)
					}
				}
			},
			"leave": func(t *rapid.T) {
				if len(jobs) > 0 {
					s.leave(jobs[0])
					jobs = jobs[1:]
				}
			},
			"": func(t *rapid.T) {
				total := int64(0)
				for _, n := range s.held {
					total += n
				}
				if total != s.used || total != sum() {
					t.Fatalf("held %d, used %d, jobs %d", total, s.used, sum())
				}
			},
		})
	})
}

func jobOf(customer string, size int) *job {
	return &job{size: size, held: []portion{{who: holder{"chat", customer}, bytes: int64(size)}}}
}

// A flood that stands in the queue is passed by who comes after it.
func TestLanesTakeTurns(t *testing.T) {
	l := newLanes()
	for range 100 {
		l.push(jobOf("flood", chunkBytes-1000))
	}
	l.push(jobOf("large", chunkBytes))
	for i := range 9 {
		l.push(jobOf(fmt.Sprint("other", i), 100))
	}
	first, second := l.message(), l.message()
	if len(first) != 10 || len(second) != 1 || second[0].most().customer != "large" {
		t.Errorf("got %d jobs and then %d, want the first of the flood with the nine, and then the large one", len(first), len(second))
	}
}

// Every job comes out once, in the order of its customer; a message is too large only when it is of one job; and no
// customer with jobs is passed over more often than there are others.
func TestLanesLoseNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := newLanes()
		waiting := map[string][]*job{}
		passed := map[string]int{}
		n := 0
		t.Repeat(map[string]func(*rapid.T){
			"push": func(t *rapid.T) {
				who := rapid.StringMatching(`[a-f]`).Draw(t, "customer")
				j := jobOf(who, rapid.SampledFrom([]int{1, 1000, chunkBytes / 2, chunkBytes, 2 * chunkBytes}).Draw(t, "size"))
				l.push(j)
				waiting[who] = append(waiting[who], j)
				n++
			},
			"message": func(t *rapid.T) {
				batch := l.message()
				if len(batch) == 0 && n > 0 {
					t.Fatalf("nothing came and %d wait", n)
				}
				total, seen := 0, map[string]bool{}
				for _, j := range batch {
					who := j.most().customer
					if waiting[who][0] != j {
						t.Fatalf("a job of %s came before its turn", who)
					}
					waiting[who] = waiting[who][1:]
					seen[who], total, n = true, total+j.size, n-1
				}
				if total > chunkBytes && len(batch) > 1 {
					t.Fatalf("a message of %d bytes and %d jobs", total, len(batch))
				}
				for who, jobs := range waiting {
					if passed[who]++; len(jobs) == 0 || seen[who] {
						passed[who] = 0
					}
					if passed[who] > 6 {
						t.Fatalf("%s waits since %d messages", who, passed[who])
					}
				}
			},
			"": func(t *rapid.T) {
				if l.len() != n || n > 0 && len(l.filled) == 0 {
					t.Fatalf("got %d jobs and %d tokens, want %d", l.len(), len(l.filled), n)
				}
			},
		})
	})
}

func BenchmarkShare(b *testing.B) {
	s := newShare(64<<20, 0)
	chunk := chunkOf("acme", 1000, 1000)
	b.ReportAllocs()
	for b.Loop() {
		_, held, _, _ := s.enter(chunk, true, shareNow)
		s.leave(held)
	}
}

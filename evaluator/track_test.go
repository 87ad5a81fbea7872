package evaluator

import (
	"fmt"
	"math"
	"testing"
	"time"
)

func TestTrackFindsSamplesBack(t *testing.T) {
	tr := track{grain: fineGrain}
	const n = 100_000
	for i := range n {
		tr.add(uint64(2*i+1), time.Unix(int64(i), 0), 1, 1, 0)
		if i == 40_007 {
			tr.mark(40_000)
		}
	}
	if p, ok := tr.at(40_000); !ok || p.Index != 40_000 || p.Pos != 80_001 || p.time().Unix() != 40_000 {
		t.Errorf("marked: got %+v, want sample 40000", p)
	}
	if points := len(tr.Segments); points > 400 {
		t.Errorf("got %d points for %d samples, want memory that grows with the logarithm", points, n)
	}
	for _, age := range []uint64{1, 30, 64, 100, 1000, 12_345, 60_000, 99_999} {
		want := uint64(n) - age
		p, ok := tr.at(want)
		if !ok || p.Index < want || float64(p.Index-want) > math.Ceil(float64(age)/float64(fineGrain.Level)) || p.Pos != 2*p.Index+1 {
			t.Errorf("age %d: got %+v, want sample %d or one soon after", age, p, want)
		}
		if age <= uint64(fineGrain.Recent) && p.Index != want {
			t.Errorf("age %d: got sample %d, want exactly %d", age, p.Index, want)
		}
		if m := tr.between(p, tr.Total); m.N != n-p.Index || m.mean() != 1 {
			t.Errorf("age %d: got sums %+v up to the end", age, m)
		}
	}
	if _, ok := tr.at(n); ok {
		t.Error("a sample that did not come yet was found")
	}
}

func TestTrackKeepsItsMarksBounded(t *testing.T) {
	tr := track{grain: fineGrain}
	for i := range 1000 {
		tr.add(uint64(i), time.Unix(int64(i), 0), 1, 1, 0)
		tr.mark(uint64(i))
	}
	if len(tr.Marks) != fineGrain.Marks || tr.Marks[fineGrain.Marks-1] != 999 {
		t.Errorf("got %d marks, the last of sample %d, want the latest %d", len(tr.Marks), tr.Marks[len(tr.Marks)-1], fineGrain.Marks)
	}
}

func TestRosterGivesPlacesToTheLargest(t *testing.T) {
	r := newRoster(2)
	free := func(string) bool { return false }
	for _, v := range []string{"a", "b"} {
		if key, _ := r.place(v, free); key != v {
			t.Errorf("%s: got place %q, want its own", v, key)
		}
	}
	for i := range 1000 { // one-off values take no place
		if key, out := r.place(fmt.Sprintf("once%d", i), free); key != OtherSlice || out != "" {
			t.Fatalf("one-off value %d: got place %q, evicting %q", i, key, out)
		}
		r.place("a", free)
	}
	if len(r.Waiting) > 8 {
		t.Errorf("got %d waiting values, want at most 8", len(r.Waiting))
	}
	evicted := ""
	for range 5 {
		if _, out := r.place("big", free); out != "" {
			evicted = out
		}
	}
	if evicted != "b" {
		t.Errorf("got %q evicted by a larger value, want b", evicted)
	}
	if key, _ := r.place(OtherSlice, free); key != OtherSlice {
		t.Errorf("a value called other: got place %q", key)
	}
}

func TestRosterKeepsWhatIsHeld(t *testing.T) {
	r := newRoster(1)
	r.place("bad", func(string) bool { return true })
	for range 50 {
		if key, out := r.place("big", func(v string) bool { return v == "bad" }); key != OtherSlice || out != "" {
			t.Fatalf("got place %q, evicting %q, while a regression is open", key, out)
		}
	}
}

func TestRosterFix(t *testing.T) {
	r := newRoster(2)
	r.fix(map[string]uint64{"a": 5, "b": 9, "c": 5})
	for v, want := range map[string]string{"a": "a", "b": "b", "c": OtherSlice} {
		if key, _ := r.place(v, nil); key != want {
			t.Errorf("%s: got place %q, want %q", v, key, want)
		}
	}
}

func TestMemory(t *testing.T) {
	m := newMemory(memoryBlock)
	if !m.add("x") || m.add("x") || !m.add("") || !m.add("") {
		t.Error("want x once and the empty id always")
	}
	for i := range 3 * memoryBlock {
		m.add(string(rune(i+1)) + "#")
	}
	if len(m.seen) > 2*memoryBlock || !m.add("x") {
		t.Errorf("got %d ids remembered, want the oldest forgotten", len(m.seen))
	}
}

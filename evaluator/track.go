package evaluator

import (
	"math"
	"slices"
	"sort"
	"time"
)

// Sizes of a track. Level 0 keeps every sample of the recent past, level l every 2^l-th.
const (
	trackRecent = 64
	trackLevel  = 32
	trackMarks  = 16
)

// point is what is remembered of one live sample: its number, its place in the input, its time, and
// the sums of all live samples before it. Two points give the mean of what lies between them.
type point struct {
	Index uint64 // live samples before it
	Pos   uint64 // place in the input
	Time  int64  // unix nanoseconds of the sample
	W     float64
	WV    float64
	WVV   float64
	WW    float64
	WE    float64 // of weight * (value - the value expected of its stratum)
}

func (p point) time() time.Time { return time.Unix(0, p.Time).UTC() }

// track finds back the sample behind a detector's live sample number, in memory that grows with the
// logarithm of the stream: the last trackRecent samples are kept exactly, older ones ever thinner, so
// that a start is off by at most 2/trackLevel of its age. Starts that a detector named while they were
// recent are kept exactly as marks.
type track struct {
	Total  point     // sums up to now; Index is the number of live samples
	Levels [][]point // Levels[0] is exact; each is in order, oldest first
	Marks  []point   // in order of their Index
}

// add appends a live sample.
func (t *track) add(pos uint64, at time.Time, v, w, expected float64) {
	p := t.Total
	p.Pos, p.Time = pos, at.UnixNano()
	if len(t.Levels) == 0 {
		t.Levels = make([][]point, 1)
	}
	for l := range t.Levels {
		if p.Index%(1<<l) != 0 {
			break
		}
		t.Levels[l] = push(t.Levels[l], p, size(l))
	}
	t.grow()
	t.Total.Index++
	t.Total.W += w
	t.Total.WV += w * v
	t.Total.WVV += w * v * v
	t.Total.WW += w * w
	t.Total.WE += w * (v - expected)
	t.Total.Pos, t.Total.Time = pos, p.Time
}

// grow opens the next level before the last one has to forget its oldest samples.
func (t *track) grow() {
	for l := len(t.Levels) - 1; len(t.Levels[l]) >= 2*size(l); l++ {
		var next []point
		for _, p := range t.Levels[l] {
			if p.Index%(1<<(l+1)) == 0 {
				next = append(next, p)
			}
		}
		t.Levels = append(t.Levels, next)
	}
}

func size(level int) int {
	if level == 0 {
		return trackRecent
	}
	return trackLevel
}

// push appends and lets the oldest half go when twice the size is reached, so that a push is cheap.
func push(s []point, p point, size int) []point {
	if len(s) >= 2*size {
		s = s[:copy(s, s[size:])]
	}
	return append(s, p)
}

// mark keeps a live sample exactly while it is still known exactly.
func (t *track) mark(index uint64) {
	i := sort.Search(len(t.Marks), func(i int) bool { return t.Marks[i].Index >= index })
	if i < len(t.Marks) && t.Marks[i].Index == index {
		return
	}
	p, ok := find(t.Levels[:min(1, len(t.Levels))], index)
	if !ok || p.Index != index {
		return
	}
	if len(t.Marks) == trackMarks {
		if i > 0 {
			i--
		}
		t.Marks = t.Marks[:copy(t.Marks, t.Marks[1:])]
	}
	t.Marks = append(t.Marks, point{})
	copy(t.Marks[i+1:], t.Marks[i:])
	t.Marks[i] = p
}

// at returns the live sample of a number, or the next later one that is still known.
func (t *track) at(index uint64) (point, bool) {
	best, ok := find(t.Levels, index)
	i := sort.Search(len(t.Marks), func(i int) bool { return t.Marks[i].Index >= index })
	if i < len(t.Marks) && (!ok || t.Marks[i].Index < best.Index) {
		return t.Marks[i], true
	}
	return best, ok
}

// atPos returns the first known live sample at or after a place in the input, or the end.
func (t *track) atPos(pos uint64) point {
	best := t.Total
	for _, l := range slices.Concat(t.Levels, [][]point{t.Marks}) {
		i := sort.Search(len(l), func(i int) bool { return l[i].Pos >= pos })
		if i < len(l) && l[i].Index < best.Index {
			best = l[i]
		}
	}
	return best
}

// last is the latest live sample.
func (t *track) last() point {
	if len(t.Levels) == 0 || len(t.Levels[0]) == 0 {
		return t.Total
	}
	return t.Levels[0][len(t.Levels[0])-1]
}

// find returns the earliest known sample at or after a number.
func find(levels [][]point, index uint64) (best point, ok bool) {
	for _, l := range levels {
		i := sort.Search(len(l), func(i int) bool { return l[i].Index >= index })
		if i < len(l) && (!ok || l[i].Index < best.Index) {
			best, ok = l[i], true
		}
	}
	return best, ok
}

// between sums what lies from one point up to, and without, another.
func between(from, to point) moments {
	return moments{N: to.Index - from.Index, W: to.W - from.W, WV: to.WV - from.WV, WVV: to.WVV - from.WVV, WW: to.WW - from.WW,
		WE: to.WE - from.WE}
}

// moments are the weighted sums of some values.
type moments struct {
	N          uint64
	W, WV, WVV float64
	WW, WE     float64
}

func (m *moments) add(v, w float64) {
	m.N++
	m.WW += w * w
	m.W += w
	m.WV += w * v
	m.WVV += w * v * v
}

func (m moments) mean() float64 { return m.WV / m.W }

// variance is the weighted variance around the mean, never negative.
func (m moments) variance() float64 {
	if m.N < 2 {
		return 0
	}
	mean := m.mean()
	return max(0, m.WVV/m.W-mean*mean) * float64(m.N) / float64(m.N-1)
}

// effective is how many equally weighted values would tell as much.
func (m moments) effective() float64 {
	if m.WW <= 0 {
		return math.Max(1, float64(m.N))
	}
	return m.W * m.W / m.WW
}

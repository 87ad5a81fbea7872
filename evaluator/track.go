package evaluator

import (
	"math"
	"slices"
	"time"
)

// grain is how finely a track remembers: its latest Recent samples exactly, and the place of an older
// one to within its age divided by Level. Starts that a detector named while they were recent are kept
// exactly, Marks of them.
type grain struct{ Recent, Level, Marks int }

// The whole feature is remembered finely. Slices are many, so they are remembered in a sixth of the room.
var (
	fineGrain   = grain{Recent: 64, Level: 16, Marks: 16}
	coarseGrain = grain{Recent: 16, Level: 6, Marks: 6}
)

// slack is how many samples are added before old ones are drawn together again.
func (g grain) slack() int { return g.Recent / 2 }

// point is a place between two live samples: the number of live samples before it, the place in the input
// and the time of the next, and the sums of all live samples before it, around the track's centre. Two
// points give the mean of what lies between them.
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

// before returns the point in front of a segment that ends here.
func (p point) before(s *segment) point {
	return point{Index: p.Index - uint64(s.N), Pos: s.Pos, Time: s.Time, W: p.W - float64(s.W), WV: p.WV - float64(s.WV),
		WVV: p.WVV - float64(s.WVV), WW: p.WW - float64(s.WW), WE: p.WE - float64(s.WE)}
}

// segment is some live samples that follow each other: place and time of the first, and their sums around
// the track's centre. Single precision is enough for sums of few values near their centre.
type segment struct {
	Pos                uint64
	Time               int64
	N                  uint32
	W, WV, WVV, WW, WE float32
}

// join puts the samples of a later segment behind its own.
func (s *segment) join(later *segment) {
	s.N += later.N
	s.W, s.WV, s.WVV = single(float64(s.W)+float64(later.W)), single(float64(s.WV)+float64(later.WV)), single(float64(s.WVV)+float64(later.WVV))
	s.WW, s.WE = single(float64(s.WW)+float64(later.WW)), single(float64(s.WE)+float64(later.WE))
}

func single(v float64) float32 { return float32(min(max(v, -math.MaxFloat32), math.MaxFloat32)) }

// track finds back the sample behind a detector's live sample number, in memory that grows with the
// logarithm of the stream: the older samples are, the more of them share a segment.
type track struct {
	Centre   float64 // what sums are taken around: the mean of the baseline
	Total    point   // sums up to now; Index is the number of live samples
	Segments []segment
	Marks    []uint64 // numbers of samples at which a segment begins and stays so, in order
	Limit    int      // segments at which old ones are drawn together
	grain    grain
}

// add appends a live sample.
func (t *track) add(pos uint64, at time.Time, v, w, expected float64) {
	if t.Limit = max(t.Limit, t.grain.Recent+t.grain.slack()); len(t.Segments) >= t.Limit {
		t.compact()
	}
	d := v - t.Centre
	if len(t.Segments) == cap(t.Segments) { // append would double it, for every one of many streams
		t.Segments = append(make([]segment, 0, min(t.Limit, 2*len(t.Segments)+4)), t.Segments...)
	}
	t.Segments = append(t.Segments, segment{Pos: pos, Time: at.UnixNano(), N: 1,
		W: single(w), WV: single(w * d), WVV: single(w * d * d), WW: single(w * w), WE: single(w * (v - expected))})
	t.Total.Index++
	t.Total.W += w
	t.Total.WV += w * d
	t.Total.WVV += w * d * d
	t.Total.WW += w * w
	t.Total.WE += w * (v - expected)
	t.Total.Pos, t.Total.Time = pos, at.UnixNano()
}

// since returns the first place behind which all samples are of a time or later, as finely as is remembered.
func (t *track) since(at time.Time) point {
	p := t.Total
	for i := len(t.Segments) - 1; i >= 0 && t.Segments[i].Time >= at.UnixNano(); i-- {
		p = p.before(&t.Segments[i])
	}
	return p
}

// compact draws segments together, from the newest to the oldest, as far as the grain allows.
func (t *track) compact() {
	after, to := uint64(0), len(t.Segments)
	cur := t.Segments[to-1]
	for i := len(t.Segments) - 2; i >= 0; i-- {
		older := t.Segments[i]
		if t.joins(&older, &cur, after) {
			older.join(&cur)
			cur = older
			continue
		}
		to--
		t.Segments[to] = cur
		after += uint64(cur.N)
		cur = older
	}
	to--
	t.Segments[to] = cur
	t.Segments = t.Segments[:copy(t.Segments, t.Segments[to:])]
	t.Limit = max(t.Limit, len(t.Segments)+t.grain.slack())
}

// joins reports whether two segments, with so many samples after them, may become one.
func (t *track) joins(older, cur *segment, after uint64) bool {
	if after < uint64(t.grain.Recent) || uint64(older.N)+uint64(cur.N) > max(1, after/uint64(t.grain.Level)) {
		return false
	}
	_, marked := slices.BinarySearch(t.Marks, t.Total.Index-after-uint64(cur.N))
	return !marked
}

// mark keeps the place of a live sample exactly, while it is still known exactly.
func (t *track) mark(index uint64) {
	i, ok := slices.BinarySearch(t.Marks, index)
	if ok {
		return
	}
	if p, ok := t.at(index); !ok || p.Index != index {
		return
	}
	if len(t.Marks) == t.grain.Marks {
		if i > 0 {
			i--
		}
		t.Marks = t.Marks[:copy(t.Marks, t.Marks[1:])]
	}
	t.Marks = slices.Insert(t.Marks, i, index)
}

// at returns the live sample of a number, or the next later one that is still known.
func (t *track) at(index uint64) (point, bool) {
	return t.back(func(p point) bool { return p.Index >= index })
}

// before returns the live sample of a number, or the latest one before it that is still known.
func (t *track) before(index uint64) point {
	p := t.Total
	for i := len(t.Segments) - 1; i >= 0; i-- {
		if p = p.before(&t.Segments[i]); p.Index <= index {
			break
		}
	}
	return p
}

// atPos returns the first known live sample at or after a place in the input, or the end.
func (t *track) atPos(pos uint64) point {
	p, ok := t.back(func(p point) bool { return p.Pos >= pos })
	if !ok {
		return t.Total
	}
	return p
}

// last is the latest live sample.
func (t *track) last() point {
	if n := len(t.Segments); n > 0 {
		return t.Total.before(&t.Segments[n-1])
	}
	return t.Total
}

// back walks from the latest sample back while the condition holds, and returns the earliest where it did.
func (t *track) back(holds func(point) bool) (best point, ok bool) {
	p := t.Total
	for i := len(t.Segments) - 1; i >= 0; i-- {
		if p = p.before(&t.Segments[i]); !holds(p) {
			break
		}
		best, ok = p, true
	}
	return best, ok
}

// between sums what lies from one point up to, and without, another.
func (t *track) between(from, to point) moments {
	return moments{C: t.Centre, N: to.Index - from.Index, W: to.W - from.W, WV: to.WV - from.WV, WVV: to.WVV - from.WVV,
		WW: to.WW - from.WW, WE: to.WE - from.WE}
}

func (t *track) fields(c *codec) {
	c.float(&t.Centre)
	t.Total.fields(c)
	limit := uint64(t.Limit)
	c.uint(&limit)
	t.Limit = int(min(limit, math.MaxInt32))
	list(c, &t.Marks)
	for i := range t.Marks {
		c.uint(&t.Marks[i])
	}
	list(c, &t.Segments)
	var before segment
	for i := range t.Segments {
		t.Segments[i].fields(c, &before)
		before = t.Segments[i]
	}
}

func (p *point) fields(c *codec) {
	c.uint(&p.Index)
	c.uint(&p.Pos)
	c.int(&p.Time)
	for _, f := range []*float64{&p.W, &p.WV, &p.WVV, &p.WW, &p.WE} {
		c.float(f)
	}
}

// fields writes place and time as the distance from the segment before.
func (s *segment) fields(c *codec, before *segment) {
	n, pos, at := uint64(s.N), s.Pos-before.Pos, s.Time-before.Time
	c.uint(&n)
	c.uint(&pos)
	c.int(&at)
	s.N, s.Pos, s.Time = uint32(n), before.Pos+pos, before.Time+at
	for _, f := range []*float32{&s.W, &s.WV, &s.WVV, &s.WW, &s.WE} {
		c.float32(f)
	}
}

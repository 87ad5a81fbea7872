package detect

import "math"

// sums are the weighted sums of some y.
type sums struct {
	W, Y, YY, WW float64 // of w, wy, wyy, ww
}

func (s *sums) add(y, w float64) {
	s.W += w
	s.Y += w * y
	s.YY += w * y * y
	s.WW += w * w
}

func (s *sums) join(o sums) {
	s.W, s.Y, s.YY, s.WW = s.W+o.W, s.Y+o.Y, s.YY+o.YY, s.WW+o.WW
}

func (s sums) minus(o sums) sums {
	return sums{s.W - o.W, s.Y - o.Y, s.YY - o.YY, s.WW - o.WW}
}

func (s sums) mean() float64 { return s.Y / s.W }

// error is the squared standard error of the mean. Where all y are alike their spread is unseen: it is
// taken as if one more had been half way off.
func (s sums) error() float64 {
	n := s.W * s.W / s.WW
	m := s.mean()
	v := max(s.YY/s.W-m*m, 0.25/(n+1))
	return v / n
}

// mark is a state of sums at the start of an excursion.
type mark struct {
	start uint64
	sums  sums
}

const noMark = math.MaxUint64

// stratum is what is known of one part of the traffic.
type stratum struct {
	key   string
	ref   sums // the reference
	cur   sums // since the estimated start; only while raised
	marks [betCount]mark
}

func newStratum(key string) *stratum {
	g := &stratum{key: key}
	g.forget()
	return g
}

// ready reports whether the reference is long enough to bet against.
func (g *stratum) ready() bool { return g.ref.W*g.ref.W >= MinBaseline*g.ref.WW && g.ref.WW > 0 }

func (g *stratum) forget() {
	for k := range g.marks {
		g.marks[k] = mark{start: noMark}
	}
}

// mark notes the sums before a sample where an excursion began since the stratum's last one.
func (g *stratum) mark(starts *[betCount]uint64, before sums) {
	for k := range g.marks {
		if g.marks[k].start != starts[k] {
			g.marks[k] = mark{start: starts[k], sums: before}
		}
	}
}

// cut takes what came since the start of excursion k out of the reference.
func (g *stratum) cut(k int, start uint64) {
	g.cur = sums{}
	if m := g.marks[k]; m.start == start {
		g.cur = g.ref.minus(m.sums)
		g.ref = m.sums
	}
	g.forget()
}

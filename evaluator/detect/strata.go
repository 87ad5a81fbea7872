package detect

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
	return sums{s.W - o.W, s.Y - o.Y, s.YY - o.YY, s.WW - o.WW}.tidy()
}

// tidy takes back what rounding did: y and weights lie in [0, 1], so no sum is above the one before it. Sums that
// were only added up are so by themselves. What is too little to be a sample's is nothing.
func (s sums) tidy() sums {
	if s.W < leastWeight || s.WW < leastWeight*leastWeight {
		return sums{}
	}
	s.Y, s.WW = min(max(s.Y, 0), s.W), min(max(s.WW, 0), s.W)
	s.YY = min(max(s.YY, 0), s.Y)
	return s
}

func (s sums) mean() float64 { return s.Y / s.W }

// effective is how many samples of one weight would tell as much.
func (s sums) effective() float64 { return s.W * s.W / s.WW }

// variance is that of one y. Where all are alike their spread is unseen: it is taken as if one more had
// been half way off.
func (s sums) variance() float64 {
	m := s.mean()
	return max(s.YY/s.W-m*m, 0.25/(s.effective()+1))
}

// leastWeight is less than any sample's weight.
const leastWeight = 1e-12

// stratum is what is known of one part of the traffic.
type stratum struct {
	key   string
	ref   sums           // the reference
	cur   sums           // since the estimated start; only while raised
	seen  uint64         // live samples up to and with the latest of this stratum that was bet on
	marks [betCount]sums // before its first sample of each excursion; void where seen is not past the start
	next  *stratum       // the one that was made before
}

// ready reports whether the reference is long enough to bet against.
func (g *stratum) ready() bool { return g.ref.W*g.ref.W >= MinBaseline*g.ref.WW && g.ref.WW > 0 }

// mark notes the sums before live sample n where an excursion began since the stratum's last one.
func (g *stratum) mark(starts *[betCount]uint64, n uint64, before *sums) {
	for k := range starts {
		if g.seen <= starts[k] {
			g.marks[k] = *before
		}
	}
	g.seen = n + 1
}

// before returns the mark of excursion k, and false where no sample came since its start.
func (g *stratum) before(k int, start uint64) (sums, bool) {
	return g.marks[k], g.seen > start
}

// cut takes what came since the start of excursion k out of the reference.
func (g *stratum) cut(k int, start uint64) {
	g.cur = sums{}
	if m, ok := g.before(k, start); ok {
		g.cur, g.ref = g.ref.minus(m), m
	}
}

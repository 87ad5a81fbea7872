package detect

import "math"

// Drop estimates how far the mean of y lies below the reference since the estimated start, up to the end
// if there is one, with a 95 % interval. Strata are compared with themselves, in the mix of what came
// since the start. Without any sample to tell from, the drop is 0 and the interval -1 to 1.
func (d *Detector) Drop() (drop, lo, hi float64) {
	k := d.excess.leader()
	start := d.excess.start[k]
	switch {
	case !d.raised && d.excess.value[k] <= 1:
		return 0, -1, 1
	case !d.raised:
		return d.dropOf(func(g *stratum) sums {
			if g.marks[k].start != start {
				return sums{}
			}
			return g.ref.minus(g.marks[k].sums)
		})
	case d.ended:
		return d.dropOf(func(g *stratum) sums {
			if g.marks[k].start != start {
				return g.cur
			}
			return g.marks[k].sums
		})
	default:
		return d.dropOf(func(g *stratum) sums { return g.cur })
	}
}

// dropOf compares what current returns for every stratum with its reference. While not raised the
// reference still holds the current samples, which are taken out.
func (d *Detector) dropOf(current func(*stratum) sums) (drop, lo, hi float64) {
	total, variance := 0.0, 0.0
	for _, g := range d.strata {
		total += current(g).W
	}
	if total <= 0 {
		return 0, -1, 1
	}
	for _, g := range d.strata {
		cur, ref := current(g), g.ref
		if cur.W <= 0 {
			continue
		}
		if !d.raised && g.cur == (sums{}) {
			ref = ref.minus(cur)
		}
		if ref.W <= 0 {
			continue
		}
		share := cur.W / total
		drop += share * (ref.mean() - cur.mean())
		variance += share * share * (ref.error() + cur.error())
	}
	half := 1.96 * math.Sqrt(d.vif.value*variance)
	return drop, drop - half, drop + half
}

// Detectable returns the smallest drop that is found for sure, and the smallest that may be found, with
// the reference as it stands: where n times the divergence of the dropped mean reaches twice, and once,
// the logarithm of the threshold. A drop that cannot be found at all is infinite.
func (d *Detector) Detectable() (sure, possible float64) {
	var ref sums
	for _, g := range d.strata {
		if g.ready() {
			ref.join(g.ref)
		}
	}
	if ref.WW <= 0 {
		return math.Inf(1), math.Inf(1)
	}
	n := ref.W * ref.W / ref.WW / d.vif.value
	m := min(max(ref.mean(), 1e-6), 1-1e-6)
	// Scores that spread less than pass and fail tell more, in the proportion of the variances.
	tell := n * m * (1 - m) / (d.s0 * d.s0)
	c := math.Log(d.opts.Threshold)
	return smallestFound(m, tell, 2*c), smallestFound(m, tell, c)
}

// smallestFound solves n KL(m-D || m) = need for D.
func smallestFound(m, n, need float64) float64 {
	if n*divergence(0, m) < need {
		return math.Inf(1)
	}
	lo, hi := 0.0, m
	for range 50 {
		if mid := (lo + hi) / 2; n*divergence(m-mid, m) < need {
			lo = mid
		} else {
			hi = mid
		}
	}
	return hi
}

// divergence is the Kullback-Leibler divergence of pass rates p and q.
func divergence(p, q float64) float64 {
	kl := 0.0
	if p > 0 {
		kl += p * math.Log(p/q)
	}
	if p < 1 {
		kl += (1 - p) * math.Log((1-p)/(1-q))
	}
	return kl
}

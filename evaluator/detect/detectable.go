package detect

import "math"

// Detectable returns the smallest drop that is found for sure, and the smallest that may be found, with
// the reference as it stands: where n times the divergence of the dropped mean reaches twice, and once,
// the logarithm of the threshold. A drop that cannot be found at all is infinite.
func (d *Detector) Detectable() (sure, possible float64) {
	m, n, tell := d.known()
	c := math.Log(d.threshold)
	return smallestFound(m, n*tell, 2*c), smallestFound(m, n*tell, c)
}

// known returns the mean of the reference, how many independent samples it is worth, and how much one
// sample tells against one of pass and fail: those that spread less tell more, as their variances are.
func (d *Detector) known() (m, n, tell float64) {
	var ref sums
	for g := d.latest; g != nil; g = g.next {
		if g.ready() {
			ref.join(g.ref)
		}
	}
	if ref.WW <= 0 {
		return 0.5, 0, 1
	}
	m = min(max(ref.mean(), 1e-6), 1-1e-6)
	return m, ref.effective() / d.vif.value, m * (1 - m) / (d.s0 * d.s0)
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

// Constants of Noticeable, fitted to simulations of pass rates from 0.5 to 0.98 with references of 300 to
// 30,000.
const (
	noticePace  = 0.92 // median over (ln(1+cK))/K, for a reference that is known
	noticeDoubt = 0.8  // how much of the needed evidence a reference of finite size takes away
)

// Noticeable returns the smallest drop that would be noticed, in the median, within a number of samples
// of weight 1 at a threshold, given the reference as it stands; 0 for a threshold means the detector's own.
// A stream that shares a budget with others needs more than its own. The figure is right within about a
// fifth; a drop that cannot be noticed in that time is infinite.
func (d *Detector) Noticeable(samples, threshold float64) float64 {
	if threshold <= 0 {
		threshold = d.threshold
	}
	m, n, tell := d.known()
	if !(samples > 0) || d.delay(m, m, n, tell, threshold) > samples {
		return math.Inf(1)
	}
	lo, hi := 0.0, m
	for range 50 {
		if mid := (lo + hi) / 2; d.delay(mid, m, n, tell, threshold) > samples {
			lo = mid
		} else {
			hi = mid
		}
	}
	return hi
}

// delay is the median number of samples until a drop is noticed: ln(1+cK)/K, where K is what one sample
// tells, stretched by what the reference itself leaves in doubt.
func (d *Detector) delay(drop, m, n, tell, threshold float64) float64 {
	kl := divergence(m-drop, m) * tell
	need := math.Log1p(threshold * kl / d.vif.value)
	left := 1 - noticeDoubt*need/(n*kl)
	if !(left > 0) {
		return math.Inf(1)
	}
	return noticePace * need / kl * d.vif.value / left
}

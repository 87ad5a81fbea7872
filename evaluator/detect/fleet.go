package detect

import (
	"cmp"
	"slices"
)

// Fleet is many streams that share a budget of false alarms by the rule e-d-BH: the k streams with the most
// evidence alarm together when each has at least c S / k among S streams, for the largest such k. Every stream
// brings its own budget c and must reach it at least, so that one that is alone needs no other. Only those
// that could alarm are kept: asking which do costs nothing for all the others. K names a stream. A Fleet is
// not safe for concurrent use.
// Source: Dandapanthula, Ramdas (arXiv 2501.04130).
type Fleet[K comparable] struct {
	size    int
	ready   map[K]float64 // evidence in units of the stream's own budget, 1 or more
	compare func(a, b K) int
}

// NewFleet makes a fleet without streams. The comparison decides between streams of equal evidence.
func NewFleet[K comparable](compare func(a, b K) int) *Fleet[K] {
	return &Fleet[K]{ready: make(map[K]float64), compare: compare}
}

// Resize sets how many streams there are, with those that have little evidence.
func (f *Fleet[K]) Resize(streams int) { f.size = streams }

// Size returns how many streams there are.
func (f *Fleet[K]) Size() int { return f.size }

// Set tells the evidence of a stream in units of its own budget. Below 1 it is no candidate.
func (f *Fleet[K]) Set(stream K, e float64) {
	if !(e >= 1) {
		delete(f.ready, stream)
		return
	}
	f.ready[stream] = e
}

// Candidates returns how many streams have reached their own budget.
func (f *Fleet[K]) Candidates() int { return len(f.ready) }

// Alarms returns the streams that alarm together, the strongest first. Those of which counts says no are
// among the S and not among the k; nil means that all count.
func (f *Fleet[K]) Alarms(counts func(K) bool) []K {
	over := make([]K, 0, len(f.ready))
	for k := range f.ready {
		if counts == nil || counts(k) {
			over = append(over, k)
		}
	}
	slices.SortFunc(over, func(a, b K) int {
		return cmp.Or(cmp.Compare(f.ready[b], f.ready[a]), f.compare(a, b))
	})
	for k := len(over); k > 0; k-- {
		if f.ready[over[k-1]] >= float64(f.size)/float64(k) {
			return over[:k]
		}
	}
	return nil
}

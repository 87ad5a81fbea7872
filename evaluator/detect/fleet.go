package detect

import (
	"cmp"
	"slices"
)

// FleetAlarms returns the indices of the streams that alarm together, the strongest first, by the rule
// e-d-BH: the k largest with evidence of at least c S / k among S streams, for the largest such k. Every
// stream brings its own budget c; evidence is counted in units of it. Stream i must reach its own c[i]
// at least, so that one stream alone costs a sort of nothing else.
// Source: Dandapanthula, Ramdas (arXiv 2501.04130).
func FleetAlarms(e, c []float64) []int {
	var f Fleet[int]
	f.Resize(len(e))
	for i := range e {
		f.Set(i, e[i]/c[i])
	}
	return f.Alarms()
}

// Fleet keeps the streams of a fleet that could alarm, so that asking which do costs nothing for all the
// others. K names a stream. The zero Fleet is empty. It is not safe for concurrent use.
type Fleet[K cmp.Ordered] struct {
	size  int
	ready map[K]float64 // evidence in units of the stream's own budget, 1 or more
}

// Resize sets how many streams there are, with those that have little evidence.
func (f *Fleet[K]) Resize(streams int) { f.size = streams }

// Set tells the evidence of a stream in units of its own budget. Below 1 it is no candidate.
func (f *Fleet[K]) Set(stream K, e float64) {
	if !(e >= 1) {
		delete(f.ready, stream)
		return
	}
	if f.ready == nil {
		f.ready = make(map[K]float64)
	}
	f.ready[stream] = e
}

// Candidates returns how many streams have reached their own budget.
func (f *Fleet[K]) Candidates() int { return len(f.ready) }

// Alarms returns the streams that alarm together by the rule of FleetAlarms, the strongest first and in
// the order of K where they are equal.
func (f *Fleet[K]) Alarms() []K {
	over := make([]K, 0, len(f.ready))
	for k := range f.ready {
		over = append(over, k)
	}
	slices.SortFunc(over, func(a, b K) int {
		return cmp.Or(cmp.Compare(f.ready[b], f.ready[a]), cmp.Compare(a, b))
	})
	for k := len(over); k > 0; k-- {
		if f.ready[over[k-1]] >= float64(f.size)/float64(k) {
			return over[:k]
		}
	}
	return nil
}

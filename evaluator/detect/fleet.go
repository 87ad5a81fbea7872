package detect

import "slices"

// FleetAlarms returns the indices of the streams that alarm together, the strongest first, by the rule
// e-d-BH: the k largest with evidence of at least c S / k among S streams, for the largest such k. Every
// stream brings its own budget c; evidence is counted in units of it. Stream i must reach its own c[i]
// at least, so that one stream alone costs a sort of nothing else.
// Source: Dandapanthula, Ramdas (arXiv 2501.04130).
func FleetAlarms(e, c []float64) []int {
	var over []int
	for i := range e {
		if e[i] >= c[i] {
			over = append(over, i)
		}
	}
	slices.SortStableFunc(over, func(a, b int) int {
		switch ra, rb := e[a]/c[a], e[b]/c[b]; {
		case ra > rb:
			return -1
		case ra < rb:
			return 1
		default:
			return 0
		}
	})
	for k := len(over); k > 0; k-- {
		if i := over[k-1]; e[i]/c[i] >= float64(len(e))/float64(k) {
			return over[:k]
		}
	}
	return nil
}

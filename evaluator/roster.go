package evaluator

import (
	"maps"
	"slices"
)

// roster decides which values of an attribute have a stream of their own: the first ones, until the
// cap is reached; then a value that has twice the traffic of the smallest takes its place, so that the
// largest are watched without a flood of one-off values driving them out. Values without a place are
// counted by the space-saving algorithm in bounded memory.
type roster struct {
	Max     int
	Fixed   bool // places were given out beforehand
	Own     map[string]uint64
	Waiting map[string]*waiting
	queue   queue  // of Waiting
	floor   uint64 // no value with a place was seen less often: counts only grow, and who comes has more than who goes
}

func newRoster(limit int) *roster {
	return &roster{Max: limit, Own: make(map[string]uint64), Waiting: make(map[string]*waiting)}
}

// place returns the stream of a value, and the value that lost its place to it, if any. held says
// which values must keep their place.
func (r *roster) place(value string, held func(string) bool) (key, evicted string) {
	if value == OtherSlice {
		return OtherSlice, ""
	}
	if _, ok := r.Own[value]; ok {
		r.Own[value]++
		return value, ""
	}
	if r.Fixed {
		return OtherSlice, ""
	}
	if len(r.Own) < r.Max {
		r.Own[value] = 1
		return value, ""
	}
	return r.challenge(value, r.count(value), held)
}

func (r *roster) challenge(value string, sure uint64, held func(string) bool) (key, evicted string) {
	if sure <= 2*r.floor {
		return OtherSlice, ""
	}
	smallest, few := least(r.Own, held)
	if _, r.floor = least(r.Own, func(string) bool { return false }); smallest == "" || sure <= 2*few {
		return OtherSlice, ""
	}
	delete(r.Own, smallest)
	r.leave(value)
	r.Own[value] = sure
	return value, smallest
}

// least returns the value with the smallest count that is not held; the first by name among equals.
func least(own map[string]uint64, held func(string) bool) (value string, count uint64) {
	for v, c := range own {
		if held(v) {
			continue
		}
		if value == "" || c < count || c == count && v < value {
			value, count = v, c
		}
	}
	return value, count
}

// fix gives the places to the largest of counted values, by name among equals.
func (r *roster) fix(counts map[string]uint64) {
	values := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		if counts[a] != counts[b] {
			if counts[a] > counts[b] {
				return -1
			}
			return 1
		}
		if a < b {
			return -1
		}
		return 1
	})
	r.Fixed = true
	for _, v := range values[:min(r.Max, len(values))] {
		r.Own[v] = 0
	}
}

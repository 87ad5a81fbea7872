package sampling

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// minimum counts the outputs of each value of an attribute in the present period: the first ones are kept.
// It counts what comes, not what is kept, so its answer follows from the traffic alone.
type minimum struct {
	attribute string
	first     int
	per       time.Duration
	max       int // values counted apart

	period int64 // since 1970
	span   span  // of the period
	counts map[string]int
	others int // outputs of values beyond max, together
}

func newMinimums(quotas map[string]quality.Quota, values int) []*minimum {
	var all []*minimum
	for name, q := range quotas {
		all = append(all, &minimum{attribute: name, first: q.N, per: q.Per, max: values, counts: map[string]int{}})
	}
	slices.SortFunc(all, func(a, b *minimum) int { return cmp.Compare(a.attribute, b.attribute) })
	return all
}

// admit counts one output and reports whether it is among the first.
func (m *minimum) admit(now time.Time, value string) bool {
	m.roll(now)
	n, ok := m.counts[value]
	switch {
	case n >= m.first:
		return false
	case ok:
		m.counts[value] = n + 1
	case len(m.counts) < m.max:
		m.counts[strings.Clone(value)] = 1 // not to hold on to the text it was cut from
	case m.others >= m.first:
		return false
	default:
		m.others++
	}
	return true
}

// roll begins a new period. A clock that goes back a little does not open the period before again.
func (m *minimum) roll(now time.Time) {
	if m.span.holds(now) {
		return
	}
	period, span := periodOf(now, m.per)
	if m.period-period == 1 {
		return
	}
	if m.span = span; m.period == period { // as after a restart
		return
	}
	m.period, m.others = period, 0
	if len(m.counts) > 64 {
		m.counts = map[string]int{} // clearing would keep the room of a flood for ever
	} else {
		clear(m.counts)
	}
}

func (m *minimum) snapshot() minimumState {
	return minimumState{Attribute: m.attribute, Per: m.per, Period: m.period, Counts: maps.Clone(m.counts), Others: m.others}
}

// restore takes counts over when they are of the same kind of period.
func (m *minimum) restore(st minimumState) {
	if st.Per != m.per {
		return
	}
	m.period, m.others, m.counts = st.Period, st.Others, map[string]int{}
	for _, value := range slices.Sorted(maps.Keys(st.Counts)) {
		if len(m.counts) >= m.max {
			m.others += st.Counts[value]
			continue
		}
		m.counts[value] = st.Counts[value]
	}
}

package backtest

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// The ways to shuffle scores so that nothing changes over time and all else stays.
const (
	// ShuffleRecords gives the times to the scores anew: what belongs to a score goes with it.
	ShuffleRecords = "scores"
	// ShuffleStrata exchanges values within the strata that a monitor adjusts for, so that the mix of
	// traffic changes as it did.
	ShuffleStrata = "values within strata"
	// ShuffleDays exchanges whole days, so that the hours of a day, and what follows on each other within
	// it, stay.
	ShuffleDays = "days"
)

// minDays is how many days there must be to be shuffled. Fewer have too few orders: then values are
// exchanged within the hours of the day.
const minDays = 7

// shuffleOf chooses the way for a monitor.
func shuffleOf(m *quality.MonitorSpec, loc *time.Location, records []record) string {
	switch {
	case m.Season != "" && len(byDay(records, loc)) >= minDays:
		return ShuffleDays
	case m.Season != "" || len(m.Adjust) > 0:
		return ShuffleStrata
	default:
		return ShuffleRecords
	}
}

// shuffle returns the records in another order, with the times in order.
func shuffle(how string, m *quality.MonitorSpec, loc *time.Location, records []record, rng *rand.Rand) []record {
	switch how {
	case ShuffleDays:
		return shuffleDays(records, loc, rng)
	case ShuffleStrata:
		return shuffleStrata(records, m, loc, rng)
	}
	out := make([]record, len(records))
	for i, j := range rng.Perm(len(records)) {
		out[i] = records[j]
		out[i].at = records[i].at
	}
	return out
}

func shuffleStrata(records []record, m *quality.MonitorSpec, loc *time.Location, rng *rand.Rand) []record {
	out := append([]record(nil), records...)
	strata, order := map[string][]int{}, []string{}
	for i, r := range records {
		key := stratumOf(r, m, loc)
		if strata[key] == nil {
			order = append(order, key)
		}
		strata[key] = append(strata[key], i)
	}
	for _, key := range order { // not the map's order: that is another one each time
		places := strata[key]
		for a, b := range rng.Perm(len(places)) {
			out[places[a]].value = records[places[b]].value
			out[places[a]].weight = records[places[b]].weight
		}
	}
	return out
}

func stratumOf(r record, m *quality.MonitorSpec, loc *time.Location) string {
	s := quality.Sample{Customer: r.of.customer, Model: r.of.model, Prompt: r.of.prompt, Source: r.of.source, Attributes: r.of.attributes}
	parts := []string{r.of.source}
	for _, a := range m.Adjust {
		parts = append(parts, s.Attribute(a))
	}
	if m.Season != "" {
		parts = append(parts, strconv.Itoa(time.Unix(0, r.at).In(loc).Hour()))
	}
	return strings.Join(parts, "\x00")
}

// day is one day of the reporting time zone.
type day struct {
	start   int64
	records []record
}

func byDay(records []record, loc *time.Location) (days []day) {
	end := int64(0)
	for i, r := range records {
		if i == 0 || r.at >= end {
			y, m, d := time.Unix(0, r.at).In(loc).Date()
			end = quality.StartOfDay(y, m, d+1, loc).UnixNano()
			days = append(days, day{start: quality.StartOfDay(y, m, d, loc).UnixNano()})
		}
		last := &days[len(days)-1]
		last.records = append(last.records, r)
	}
	return days
}

// shuffleDays keeps the time since midnight of every score. A day may be an hour shorter or longer than the
// one whose place it takes; what would reach into the next day ends with its own.
func shuffleDays(records []record, loc *time.Location, rng *rand.Rand) []record {
	days := byDay(records, loc)
	out := make([]record, 0, len(records))
	for i, j := range rng.Perm(len(days)) {
		end := days[i].start + int64(24*time.Hour) - 1
		if i+1 < len(days) {
			end = min(end, days[i+1].start-1)
		}
		for _, r := range days[j].records {
			r.at = min(r.at-days[j].start+days[i].start, end)
			out = append(out, r)
		}
	}
	return out
}

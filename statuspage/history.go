package statuspage

import (
	"slices"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/statuspage/speech"
)

// monthLayout names a month in addresses.
const monthLayout = "2006-01"

// historyView is the page of a month.
type historyView struct {
	frame
	Month        string
	Older, Newer monthView // empty where there is none
	Days         []historyDay
	Maintenances []maintenanceView
	Months       []monthView // all, the newest first
	First        string      // the day since which there are incidents
}

// monthView is a link to a month.
type monthView struct {
	Key, Name string
	Count     uint64
	Here      bool
}

// months are the first moments of the months from that of the first incident or maintenance to this one, newest first.
func (v *view) months() []time.Time {
	loc := v.in.options.Location
	first := v.in.now
	for i := range v.public {
		first = sooner(first, v.public[i].CreatedAt)
	}
	for _, m := range v.in.state.data.maintenances {
		first = sooner(first, began(m))
	}
	y, m, _ := v.in.now.In(loc).Date()
	last := first.In(loc).Format(monthLayout)
	var out []time.Time
	for range maxMonths {
		month := quality.StartOfDay(y, m, 1, loc)
		out = append(out, month)
		if month.Format(monthLayout) <= last {
			break
		}
		y, m, _ = month.AddDate(0, -1, 0).Date()
	}
	return out
}

// maxMonths bounds the history, so that an incident dated wrongly does not make pages without end.
const maxMonths = 12 * 20

func sooner(a, b time.Time) time.Time {
	if !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// month returns the page of a month, or false when it is not one of the history.
func (v *view) month(d *drawer, path, key string) (historyView, bool) {
	t := v.in.told(d.language)
	months := v.months()
	here := slices.IndexFunc(months, func(m time.Time) bool { return key == "" || m.Format(monthLayout) == key })
	if here < 0 {
		return historyView{}, false
	}
	h := historyView{frame: v.frame(d, path), Month: t.day(speech.Month, months[here])}
	h.Summary = t.Say("history.title", "Month", h.Month)
	counts := v.countByMonth()
	for n, m := range months {
		x := monthView{Key: m.Format(monthLayout), Name: t.day(speech.Month, m), Count: counts[m.Format(monthLayout)], Here: n == here}
		h.Months = append(h.Months, x)
	}
	if here+1 < len(months) {
		h.Older = h.Months[here+1]
	}
	if here > 0 {
		h.Newer = h.Months[here-1]
	}
	h.Days = v.daysOf(t, h.Months[here].Key)
	h.Maintenances = v.worksOf(t, h.Months[here].Key)
	return h, true
}

func (v *view) countByMonth() map[string]uint64 {
	out := map[string]uint64{}
	for i := range v.public {
		out[v.public[i].CreatedAt.In(v.in.options.Location).Format(monthLayout)]++
	}
	return out
}

// daysOf lists the days of a month with incidents, newest first.
func (v *view) daysOf(t told, month string) (out []historyDay) {
	for _, i := range v.public {
		at := i.CreatedAt.In(t.loc)
		if at.Format(monthLayout) != month {
			continue
		}
		day := t.day(speech.LongDay, at)
		if len(out) == 0 || out[len(out)-1].Day != day {
			out = append(out, historyDay{Day: day})
		}
		last := &out[len(out)-1]
		earlier := max(0, len(i.Updates)-1)
		i.Updates = i.Updates[earlier:] // how it ended; the rest is on its page, and costs nothing here
		x := v.incident(t, i)
		x.Earlier = earlier
		last.Incidents = append(last.Incidents, x)
	}
	return out
}

func (v *view) worksOf(t told, month string) (out []maintenanceView) {
	list := slices.Clone(v.in.state.data.maintenances)
	slices.SortStableFunc(list, func(a, b quality.Maintenance) int { return began(b).Compare(began(a)) })
	for _, m := range list {
		if began(m).In(t.loc).Format(monthLayout) == month {
			x := v.maintenance(t, m)
			x.Updates = nil
			out = append(out, x)
		}
	}
	return out
}

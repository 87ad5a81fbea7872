package statuspage

import (
	"math"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

type apiComponent struct {
	ID                 string      `json:"id"`
	Name               string      `json:"name"`
	Status             string      `json:"status"`
	CreatedAt          string      `json:"created_at"` // first day with data; nothing older is known
	UpdatedAt          string      `json:"updated_at"` // when it last changed
	Position           int         `json:"position"`   // from 1, in its group or among what is in none
	Description        *string     `json:"description"`
	Showcase           bool        `json:"showcase"`
	StartDate          *string     `json:"start_date"` // first day with data
	GroupID            *string     `json:"group_id"`
	PageID             string      `json:"page_id"`
	Group              bool        `json:"group"`
	OnlyShowIfDegraded bool        `json:"only_show_if_degraded"`
	Components         []string    `json:"components,omitempty"` // of a group
	Quality            *apiQuality `json:"quality,omitempty"`    // of a feature
	Uptime             *apiUptime  `json:"uptime,omitempty"`     // of a feature

	created, updated time.Time
	standing         standing
	path             string // name with that of its group
}

type apiQuality struct {
	Word     string          `json:"word"`
	Status   string          `json:"status"` // the word as a name
	Metric   string          `json:"metric"`
	Percent  *float64        `json:"percent"`  // of baseline
	Interval *[2]float64     `json:"interval"` // 95 %
	Since    *string         `json:"since"`
	Scope    string          `json:"scope"`
	Note     string          `json:"note"`
	Days     []apiQualityDay `json:"days,omitempty"` // in components.json only
}

type apiQualityDay struct {
	Date     string      `json:"date"`
	Status   string      `json:"status"`
	Percent  *float64    `json:"percent"`
	Interval *[2]float64 `json:"interval"`
	Answers  uint64      `json:"answers"`
}

type apiUptime struct {
	Word    string         `json:"word"`
	Status  string         `json:"status"`  // the word as a name
	Percent *string        `json:"percent"` // of checks that were answered, floored, as text to keep both places
	Since   *string        `json:"since"`
	Days    []apiUptimeDay `json:"days,omitempty"` // in components.json only
}

type apiUptimeDay struct {
	Date   string `json:"date"`
	Status string `json:"status"`
	Checks uint64 `json:"checks"`
	Up     uint64 `json:"up"`
}

// addComponents lists the features without a group first, and each group before its features.
func (b *apiBuilder) addComponents() {
	b.components = []apiComponent{}
	descriptions := map[string]string{}
	for _, f := range b.v.in.options.Features {
		descriptions[f.Name] = f.Description
	}
	for i := range b.v.page.Features {
		b.days[b.v.page.Features[i].Name] = &b.v.page.Features[i]
	}
	top := 0
	for _, s := range sectionsOf(b.v.in.options.Groups, b.v.in.options.Features) {
		at, members := len(b.components), 0
		if s.group != nil {
			top++
			b.components = append(b.components, apiComponent{})
		}
		for _, name := range s.features {
			c := b.component(b.days[name], descriptions[name])
			if members++; s.group != nil {
				c.GroupID, c.Position, c.path = &s.group.Name, members, s.group.Title+" - "+c.Name
			} else {
				top++
				c.Position = top
			}
			b.components = append(b.components, c)
		}
		if s.group != nil {
			b.components[at] = b.group(s.group, top, b.components[at+1:])
		}
	}
}

func (b *apiBuilder) component(f *featureView, description string) apiComponent {
	c := apiComponent{
		ID: f.Name, Name: f.Title, path: f.Title, standing: b.standingOf(f), Description: text(description), Showcase: true,
		PageID: pageID, Quality: b.quality(f), Uptime: b.uptime(f), created: b.v.in.now,
	}
	c.Status = string(c.standing.status)
	if first, known := firstDay(f); known {
		date := first.Format(time.DateOnly)
		c.created, c.StartDate = first, &date
	}
	c.updated = b.changedAt(f, c.created)
	c.CreatedAt, c.UpdatedAt = b.time(c.created), b.time(c.updated)
	return c
}

// text is nil for none.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// group stands as the worst of its members does.
func (b *apiBuilder) group(g *quality.FeatureGroup, position int, members []apiComponent) apiComponent {
	c := apiComponent{ID: g.Name, Name: g.Title, path: g.Title, Position: position, Description: text(g.Description), Showcase: true,
		PageID: pageID, Group: true, standing: standing{status: quality.Operational}}
	for i, m := range members {
		c.Components = append(c.Components, m.ID)
		if statusRank(m.standing.status) > statusRank(c.standing.status) {
			c.standing.status = m.standing.status
		}
		if i == 0 || m.created.Before(c.created) {
			c.created, c.StartDate = m.created, m.StartDate
		}
		if m.updated.After(c.updated) {
			c.updated = m.updated
		}
	}
	c.Status = string(c.standing.status)
	c.CreatedAt, c.UpdatedAt = b.time(c.created), b.time(c.updated)
	return c
}

// withDays are the components with what was, by day.
func (b *apiBuilder) withDays() []apiComponent {
	out := make([]apiComponent, len(b.components))
	for i, c := range b.components {
		if f := b.days[c.ID]; f != nil && !c.Group {
			c.Quality, c.Uptime = addQualityDays(*c.Quality, f), addUptimeDays(*c.Uptime, f)
		}
		out[i] = c
	}
	return out
}

func addQualityDays(q apiQuality, f *featureView) *apiQuality {
	for _, d := range f.days {
		q.Days = append(q.Days, apiQualityDay{Date: d.Day.Format(time.DateOnly), Status: string(d.State),
			Percent: hundredth(d.Percent), Interval: hundredths(d.Interval), Answers: d.N})
	}
	return &q
}

func addUptimeDays(u apiUptime, f *featureView) *apiUptime {
	for _, d := range f.ups {
		u.Days = append(u.Days, apiUptimeDay{Date: d.Day.Format(time.DateOnly), Status: string(d.State), Checks: d.Checks, Up: d.Up})
	}
	return &u
}

// changedAt is the latest of the changes of a component that are known.
func (b *apiBuilder) changedAt(f *featureView, created time.Time) time.Time {
	at := created
	for _, t := range []*time.Time{f.tile.Since, f.uptime.Since} {
		if t != nil && t.After(at) {
			at = *t
		}
	}
	for _, i := range b.published {
		for _, name := range i.Features {
			if name == f.Name && i.UpdatedAt.After(at) {
				at = i.UpdatedAt
			}
		}
	}
	return at
}

// firstDay is the first of the shown days that has data of either kind.
func firstDay(f *featureView) (time.Time, bool) {
	for i := range f.days {
		if f.days[i].State != DayNone || f.ups[i].Checks > 0 {
			return f.days[i].Day, true
		}
	}
	return time.Time{}, false
}

func (b *apiBuilder) quality(f *featureView) *apiQuality {
	t := f.tile
	return &apiQuality{Word: string(t.Word), Status: t.Word.Slug(), Metric: t.Metric, Percent: hundredth(t.Percent),
		Interval: hundredths(t.Interval), Since: b.optional(t.Since), Scope: t.Scope, Note: t.Note}
}

func (b *apiBuilder) uptime(f *featureView) *apiUptime {
	return &apiUptime{Word: string(f.uptime.Word), Status: f.uptime.Word.Slug(), Since: b.optional(f.uptime.Since), Percent: text(f.uptime.Share)}
}

// mostFigure is the largest figure that is told: beyond it a percentage of a baseline means nothing.
const mostFigure = 1e9

// hundredth keeps two places, and never rounds what is below 100 up to it.
func hundredth(p *float64) *float64 {
	if p == nil || math.IsNaN(*p) {
		return nil
	}
	v := math.Round(max(-mostFigure, min(*p, mostFigure))*100) / 100
	if v >= 100 && *p < 100 {
		v = 99.99
	}
	return &v
}

func hundredths(i *[2]float64) *[2]float64 {
	if i == nil {
		return nil
	}
	a, b := hundredth(&i[0]), hundredth(&i[1])
	if a == nil || b == nil {
		return nil
	}
	return &[2]float64{*a, *b}
}

package feed

import (
	"fmt"

	ics "github.com/arran4/golang-ical"
)

// ICS writes the calendar as RFC 5545 has it.
func (c *Calendar) ICS() []byte {
	cal := ics.NewCalendarFor(c.Software)
	cal.SetMethod(ics.MethodPublish)
	cal.SetName(line(c.Name))
	cal.SetXWRCalName(line(c.Name))
	cal.SetXWRTimezone(line(c.Zone))
	cal.SetUrl(c.Home)
	cal.SetRefreshInterval(fmt.Sprintf("PT%dM", max(1, int(c.Refresh.Minutes()))))
	cal.SetXPublishedTTL(fmt.Sprintf("PT%dM", max(1, int(c.Refresh.Minutes()))))
	for _, e := range c.Events {
		c.add(cal, e)
	}
	return []byte(cal.Serialize(ics.WithNewLineWindows))
}

func (c *Calendar) add(cal *ics.Calendar, e Event) {
	x := cal.AddEvent(e.ID)
	x.SetDtStampTime(e.Updated) // of when it is as it is, so that the same event is written the same
	x.SetCreatedTime(e.Created)
	x.SetModifiedAt(e.Updated)
	x.SetStartAt(e.From)
	x.SetEndAt(e.To)
	x.SetSequence(e.Revision)
	x.SetSummary(line(e.Title))
	x.SetDescription(plain(e.Text))
	x.SetURL(e.Link)
	x.SetStatus(ics.ObjectStatusConfirmed)
	for _, category := range e.Categories {
		x.AddCategory(line(category))
	}
}

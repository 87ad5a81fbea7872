package statuspage

import (
	"html/template"

	"github.com/asgood-dev/asgood/internal/quality"
)

// tileView is a tile with its strip.
type tileView struct {
	Word, Slug string
	Figure     string // such as "97 % of baseline"
	Interval   string // goes on from Figure, such as ", 95 % interval 95 to 99"
	Since      moment
	Note       string
	Scope      string
	Strip      strip
	Spark      template.HTML `json:"-"`
}

// notes names the sentences of a tile of which nothing can be said.
var notes = map[string]string{
	noteUnmeasured: "note.unmeasured", noteUnscored: "note.unscored", noteFew: "note.few", noteLearning: "note.learning", noteUnread: "note.unread",
}

func (t told) note(text string) string {
	if id, ok := notes[text]; ok {
		return t.Say(id)
	}
	return text
}

func qualityTileView(t told, x QualityTile, days []QualityDay) tileView {
	v := tileView{Word: t.Say("word." + x.Word.Slug()), Slug: x.Word.Slug(), Note: t.note(x.Note), Strip: qualityStrip(t, days), Spark: spark(days)}
	if part := scopeIn(t, x.slice); part != "" {
		v.Scope = t.Say("tile.only", "Part", part)
	}
	if x.Percent != nil {
		v.Figure = t.Say("tile.percent", "P", t.percent(*x.Percent))
	}
	if x.Interval != nil {
		v.Interval = t.Say("tile.interval", "Interval", t.interval(*x.Interval))
	}
	// Since when nothing is wrong is no news.
	if x.Since != nil && (x.Word.Worse() || x.Word == WordBetter || x.Word == WordCannotTell) {
		v.Since = t.moment(*x.Since)
	}
	return v
}

func uptimeTileView(t told, x UptimeTile, days []AvailabilityDay, probed bool, by quality.UptimeSpec) tileView {
	v := tileView{Word: t.Say("uptime." + x.Word.Slug()), Slug: x.Word.Slug(), Strip: uptimeStrip(t, days)}
	switch {
	case x.Share == "":
	case by.By == quality.UptimeByIncidents:
		v.Figure = t.Say("percent", "P", t.Decimal(x.Share))
		v.Interval = t.Count("tile.time", uint64(x.Days))
	case x.Days == 1:
		v.Figure, v.Interval = t.Say("percent", "P", t.Decimal(x.Share)), t.Say("tile.checks.today")
	default:
		v.Figure, v.Interval = t.Say("percent", "P", t.Decimal(x.Share)), t.Count("tile.checks", uint64(x.Days))
	}
	if !probed && x.Share == "" {
		v.Note = t.Say("note.unchecked")
	}
	if x.Since != nil {
		v.Since = t.moment(*x.Since)
	}
	return v
}

package statuspage

import (
	"strings"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/statuspage/badge"
)

// The badges of a feature, by the end of their paths.
const (
	badgeQuality = "quality.svg"
	badgeUptime  = "uptime.svg"
)

// badgeQuery is what a caller asks of a badge.
type badgeQuery struct {
	style badge.Style
	label *string // nil: the badge's own
	text  string  // word or percent; empty: what suits the badge
}

// What a badge says.
const (
	badgeWord    = "word"
	badgePercent = "percent"
)

// newBadgeQuery reads the parameters of a request.
func newBadgeQuery(get func(name string) (string, bool)) (q badgeQuery, err error) {
	style, _ := get("style")
	if q.style, err = badge.ParseStyle(style); err != nil {
		return q, err
	}
	if label, ok := get("label"); ok {
		if err := badge.CheckLabel(label); err != nil {
			return q, err
		}
		q.label = &label
	}
	q.text, _ = get("text")
	if q.text != "" && q.text != badgeWord && q.text != badgePercent {
		return q, quality.Errorf(quality.KindInvalid, "text: want word or percent")
	}
	return q, nil
}

func (q badgeQuery) draw(label, message, state string) (badge.Badge, bool) {
	b := badge.Badge{Label: label, Message: strings.ToLower(message), State: state, Style: q.style}
	if b.Style == "" {
		b.Style = badge.Flat
	}
	if q.label != nil {
		b.Label = *q.label
	}
	return b, q.label != nil
}

// statusBadge says what Statuspage would say of the page.
func (p *Page) statusBadge(programs *programs, q badgeQuery) (document, error) {
	s := programs.builder().status()
	state := s.Indicator
	if s.Description == allOperational {
		state = "up"
	}
	if s.Description == statusUnknown {
		state = "unknown"
	}
	x, labelled := q.draw("status", s.Description, state)
	return programs.badge("status", x, labelled)
}

// featureBadge says how good a feature is, or how well it answers.
func (p *Page) featureBadge(programs *programs, feature, what string, q badgeQuery) (document, error) {
	f := programs.builder().days[feature]
	if f == nil {
		return document{}, quality.Errorf(quality.KindNotFound, "no feature %q", clipped(feature))
	}
	message, state, label := qualityMessage(f, q.text), f.tile.Word.Slug(), "quality"
	if what == badgeUptime {
		message, state, label = uptimeMessage(f, q.text), f.uptime.Word.Slug(), "uptime"
	}
	x, labelled := q.draw(label, message, state)
	return programs.badge(feature+"/"+what+"/"+q.text, x, labelled)
}

// qualityMessage is the word, or the percentage where there is one.
func qualityMessage(f *featureView, text string) string {
	if text == badgePercent && f.tile.Percent != nil {
		return strings.ReplaceAll(percentInEnglish(*f.tile.Percent), "\u00a0", " ") + " of baseline"
	}
	return string(f.tile.Word)
}

// uptimeMessage is the percentage where there is one, or the word.
func uptimeMessage(f *featureView, text string) string {
	if text != badgeWord && f.uptime.Share != "" {
		return f.uptime.Share + " %"
	}
	return string(f.uptime.Word)
}

// lostBadge is what stands where a badge was asked for that is not there.
func lostBadge(q badgeQuery) document {
	x, _ := q.draw("status", "unknown", "unknown")
	return unpacked(badge.Type, x.Draw())
}

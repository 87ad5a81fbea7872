package config

import (
	"fmt"
	"unicode"
	"unicode/utf8"
)

// maxTitle is how many characters a name has at most that people read.
const maxTitle = 200

// checkTitles checks the names that people read: on pages, in mails, feeds and calendars each is one line that says what it
// seems to say.
func (d *decoder) checkTitles(c *Config) {
	d.checkTitle(c.Name, "name")
	if c.StatusPage.Title != c.Name+" status" { // which was told above
		d.checkTitle(c.StatusPage.Title, "statuspage.title")
	}
	for i := range c.Features {
		d.checkTitle(c.Features[i].Title, fmt.Sprintf("features[%d].title", i))
	}
	for i := range c.StatusPage.Groups {
		d.checkTitle(c.StatusPage.Groups[i].Title, fmt.Sprintf("statuspage.groups[%d].title", i))
	}
	for i := range c.Customers {
		d.checkTitle(c.Customers[i].Title, fmt.Sprintf("customers[%d].title", i))
	}
}

func (d *decoder) checkTitle(text, path string) {
	if d.failed(path) {
		return
	}
	if n := utf8.RuneCountInString(text); n > maxTitle {
		d.bad(path, "%d characters, at most %d", n, maxTitle)
		return
	}
	for _, r := range text {
		if misleading(r) {
			d.bad(path, "want one line of text without the character %U", r)
			return
		}
	}
}

// misleading reports what breaks a line, or turns around how it is read. The marks of direction that texts of some
// languages need do neither.
func misleading(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}

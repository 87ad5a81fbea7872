package feed

import (
	"encoding/xml"
	"fmt"
	"time"
)

// The elements are written here rather than by a library of feeds: none of those that are kept has a link of a
// feed to itself beside that to its page, which readers need when an entry is passed on.

type atomFeed struct {
	XMLName   xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
	ID        string      `xml:"id"`
	Title     string      `xml:"title"`
	Subtitle  string      `xml:"subtitle,omitempty"`
	Updated   string      `xml:"updated"`
	Links     []atomLink  `xml:"link"`
	Author    atomAuthor  `xml:"author"`
	Generator string      `xml:"generator"`
	Entries   []atomEntry `xml:"entry"`
}

type atomLink struct {
	Rel  string `xml:"rel,attr"`
	Type string `xml:"type,attr,omitempty"`
	Href string `xml:"href,attr"`
}

type atomAuthor struct {
	Name string `xml:"name"`
}

type atomEntry struct {
	ID         string         `xml:"id"`
	Title      string         `xml:"title"`
	Published  string         `xml:"published"`
	Updated    string         `xml:"updated"`
	Links      []atomLink     `xml:"link"`
	Categories []atomCategory `xml:"category"`
	Summary    string         `xml:"summary,omitempty"`
	Content    atomContent    `xml:"content"`
}

type atomCategory struct {
	Term string `xml:"term,attr"`
}

type atomContent struct {
	Type string `xml:"type,attr"`
	HTML string `xml:",chardata"`
}

const generator = "Asgood"

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// Atom writes the feed as RFC 4287 has it.
func (f *Feed) Atom() ([]byte, error) {
	out := atomFeed{
		ID: f.ID, Title: line(f.Title), Subtitle: line(f.Subtitle), Updated: stamp(f.Updated), Author: atomAuthor{line(f.Title)}, Generator: generator,
		Links: []atomLink{{Rel: "alternate", Type: "text/html", Href: f.Home}, {Rel: "self", Type: "application/atom+xml", Href: f.Self}},
	}
	for _, e := range f.Entries {
		x := atomEntry{ID: e.ID, Title: line(e.Title), Published: stamp(e.Published), Updated: stamp(e.Updated), Summary: line(e.Summary),
			Links: []atomLink{{Rel: "alternate", Type: "text/html", Href: e.Link}}, Content: atomContent{Type: "html", HTML: plain(e.HTML)}}
		for _, c := range e.Categories {
			x.Categories = append(x.Categories, atomCategory{line(c)})
		}
		out.Entries = append(out.Entries, x)
	}
	return encode(out)
}

func encode(v any) ([]byte, error) {
	data, err := xml.MarshalIndent(v, "", " ")
	if err != nil {
		return nil, fmt.Errorf("writing a feed: %w", err)
	}
	return append([]byte(xml.Header), append(data, '\n')...), nil
}

package feed

import (
	"encoding/xml"
	"time"
)

type rssRoot struct {
	XMLName xml.Name   `xml:"rss"`
	Version string     `xml:"version,attr"`
	Atom    string     `xml:"xmlns:atom,attr"`
	Channel rssChannel `xml:"channel"`
}

type rssChannel struct {
	Title       string    `xml:"title"`
	Link        string    `xml:"link"`
	Description string    `xml:"description"`
	Built       string    `xml:"lastBuildDate"`
	Generator   string    `xml:"generator"`
	Self        rssSelf   `xml:"atom:link"`
	Items       []rssItem `xml:"item"`
}

type rssSelf struct {
	Rel  string `xml:"rel,attr"`
	Type string `xml:"type,attr"`
	Href string `xml:"href,attr"`
}

type rssItem struct {
	Title       string   `xml:"title"`
	Link        string   `xml:"link"`
	GUID        rssGUID  `xml:"guid"`
	Published   string   `xml:"pubDate"`
	Categories  []string `xml:"category"`
	Description string   `xml:"description"`
}

type rssGUID struct {
	Permanent bool   `xml:"isPermaLink,attr"`
	ID        string `xml:",chardata"`
}

// RSS writes the feed as RSS 2.0, which has one time for an entry: that of its last update, so that readers
// which sort by it show what is new.
func (f *Feed) RSS() ([]byte, error) {
	out := rssRoot{Version: "2.0", Atom: "http://www.w3.org/2005/Atom", Channel: rssChannel{
		Title: line(f.Title), Link: f.Home, Description: line(f.Subtitle), Built: f.Updated.UTC().Format(time.RFC1123Z), Generator: generator,
		Self: rssSelf{Rel: "self", Type: "application/rss+xml", Href: f.Self},
	}}
	for _, e := range f.Entries {
		item := rssItem{Title: line(e.Title), Link: e.Link, GUID: rssGUID{ID: e.ID}, Published: e.Updated.UTC().Format(time.RFC1123Z), Description: plain(e.HTML)}
		for _, c := range e.Categories {
			item.Categories = append(item.Categories, line(c))
		}
		out.Channel.Items = append(out.Channel.Items, item)
	}
	return encode(out)
}

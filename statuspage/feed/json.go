package feed

import (
	"encoding/json"
	"fmt"
)

type jsonFeed struct {
	Version     string     `json:"version"`
	Title       string     `json:"title"`
	HomePage    string     `json:"home_page_url"`
	Feed        string     `json:"feed_url"`
	Description string     `json:"description,omitempty"`
	Items       []jsonItem `json:"items"`
}

type jsonItem struct {
	ID        string   `json:"id"`
	URL       string   `json:"url"`
	Title     string   `json:"title"`
	HTML      string   `json:"content_html"`
	Summary   string   `json:"summary,omitempty"`
	Published string   `json:"date_published"`
	Modified  string   `json:"date_modified"`
	Tags      []string `json:"tags,omitempty"`
}

// JSON writes the feed as JSON Feed 1.1.
func (f *Feed) JSON() ([]byte, error) {
	out := jsonFeed{Version: "https://jsonfeed.org/version/1.1", Title: line(f.Title), HomePage: f.Home, Feed: f.Self,
		Description: line(f.Subtitle), Items: []jsonItem{}}
	for _, e := range f.Entries {
		item := jsonItem{ID: e.ID, URL: e.Link, Title: line(e.Title), HTML: plain(e.HTML), Summary: line(e.Summary),
			Published: stamp(e.Published), Modified: stamp(e.Updated)}
		for _, c := range e.Categories {
			item.Tags = append(item.Tags, line(c))
		}
		out.Items = append(out.Items, item)
	}
	data, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("writing a feed: %w", err)
	}
	return data, nil
}

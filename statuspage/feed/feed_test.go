package feed_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	ics "github.com/arran4/golang-ical"
	"github.com/mmcdole/gofeed"

	"github.com/asgood-dev/asgood/statuspage/feed"
)

var at = time.Date(2026, 3, 31, 12, 5, 0, 0, time.UTC)

// attack is text that wants to be more.
const attack = "]]></title><script>x</script>&amp;\x00\x1b\ufffe\xff \"'\r\nEND:VEVENT"

func example(text string) *feed.Feed {
	return &feed.Feed{ID: "tag:status.example,2026:history", Title: "Status" + text, Subtitle: "Incidents" + text, Home: "https://status.example/", Self: "https://status.example/history.atom?a=1&b=2",
		Updated: at, Entries: []feed.Entry{
			{ID: "tag:status.example,2026:incident%2F2", Title: "Second" + text, Link: "https://status.example/incidents/2", Published: at.Add(-time.Hour), Updated: at, HTML: "<p>Worse &amp; <b>worse</b></p>", Summary: "Worse" + text, Categories: []string{"quality", "major" + text}},
			{ID: "tag:status.example,2026:incident%2F1", Title: "First" + text, Link: "https://status.example/incidents/1", Published: at.Add(-2 * time.Hour), Updated: at.Add(-time.Hour), HTML: "<p>x</p>"},
		}}
}

// Every format says the same to a reader of feeds.
func TestFormats(t *testing.T) {
	for _, text := range []string{"", attack} {
		f := example(text)
		for name, write := range map[string]func() ([]byte, error){"atom": f.Atom, "rss": f.RSS, "json": f.JSON} {
			data, err := write()
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			got, err := gofeed.NewParser().Parse(bytes.NewReader(data))
			if err != nil {
				t.Fatalf("%s: %v\n%s", name, err, data)
			}
			if got.FeedType != name || len(got.Items) != 2 || !strings.HasPrefix(got.Title, "Status") || got.Link != f.Home || got.FeedLink != f.Self {
				t.Errorf("%s: got %s", name, got)
			}
			i := got.Items[0]
			if i.GUID != f.Entries[0].ID || i.Link != f.Entries[0].Link || !strings.HasPrefix(i.Title, "Second") || i.PublishedParsed == nil {
				t.Errorf("%s: got %+v", name, i)
			}
			if html := i.Content + i.Description; !strings.Contains(html, f.Entries[0].HTML) {
				t.Errorf("%s: content %q", name, html)
			}
			if len(i.Categories) != 2 || i.Categories[0] != "quality" {
				t.Errorf("%s: categories %q", name, i.Categories)
			}
			if again, _ := write(); !bytes.Equal(data, again) {
				t.Errorf("%s: the same feed is written differently", name)
			}
		}
	}
}

func TestJSONFeed(t *testing.T) {
	data, err := example("").JSON()
	var got struct {
		Version string
		FeedURL string `json:"feed_url"`
		Items   []struct {
			Published time.Time `json:"date_published"`
			Modified  time.Time `json:"date_modified"`
		}
	}
	if err != nil || json.Unmarshal(data, &got) != nil {
		t.Fatalf("%v: %s", err, data)
	}
	if got.Version != "https://jsonfeed.org/version/1.1" || got.FeedURL == "" || !got.Items[0].Modified.Equal(at) || !got.Items[0].Published.Equal(at.Add(-time.Hour)) {
		t.Errorf("got %+v", got)
	}
}

func TestCalendar(t *testing.T) {
	for _, text := range []string{"", attack, strings.Repeat("Wartung der Übersetzung ", 40)} {
		c := feed.Calendar{Name: "Status" + text, Zone: "Europe/Berlin", Home: "https://status.example/", Refresh: time.Hour, Software: "Asgood", Events: []feed.Event{{
			ID: "tag:status.example,2026:maintenance%2Fm1", Title: "New index; all, of it" + text, Text: "We build it anew.\nIt may be slow, a bit; sorry" + text,
			Link: "https://status.example/maintenances/m1", From: at, To: at.Add(2 * time.Hour), Created: at.Add(-day), Updated: at.Add(-time.Hour), Revision: 3, Categories: []string{"Search"}}}}
		data := c.ICS()
		got, err := ics.ParseCalendar(bytes.NewReader(data))
		if err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
		if len(got.Events()) != 1 {
			t.Fatalf("got %d events\n%s", len(got.Events()), data)
		}
		e := got.Events()[0]
		from, err1 := e.GetStartAt()
		to, err2 := e.GetEndAt()
		if e.Id() != c.Events[0].ID || err1 != nil || err2 != nil || !from.Equal(at) || !to.Equal(at.Add(2*time.Hour)) {
			t.Errorf("got %v, %v %v, %v %v", e.Id(), from, err1, to, err2)
		}
		if p := e.GetProperty(ics.ComponentPropertySummary); p == nil || !strings.HasPrefix(p.Value, "New index; all, of it") {
			t.Errorf("summary: got %v", p)
		}
		for _, line := range strings.Split(strings.TrimSuffix(string(data), "\r\n"), "\r\n") {
			if len(line) > 75 || strings.ContainsAny(line, "\r\n\x00\x1b") {
				t.Errorf("line of %d bytes: %q", len(line), line)
			}
		}
		if !bytes.Equal(data, c.ICS()) {
			t.Error("the same calendar is written differently")
		}
	}
}

const day = 24 * time.Hour

// FuzzFormats: whatever is told, readers can read it.
func FuzzFormats(f *testing.F) {
	f.Add("Down", "since 13:40")
	f.Add(attack, attack)
	f.Fuzz(func(t *testing.T, title, text string) {
		x := example("")
		x.Entries[0].Title, x.Entries[0].Summary, x.Entries[0].HTML, x.Entries[0].Categories = title, text, text, []string{title}
		for _, write := range []func() ([]byte, error){x.Atom, x.RSS, x.JSON} {
			data, err := write()
			if err != nil {
				t.Fatal(err)
			}
			got, err := gofeed.NewParser().Parse(bytes.NewReader(data))
			if err != nil || len(got.Items) != 2 {
				t.Fatalf("%v: %s", err, data)
			}
		}
		c := feed.Calendar{Name: title, Software: "Asgood", Events: []feed.Event{{ID: "a", Title: title, Text: text, From: at, To: at.Add(day)}}}
		got, err := ics.ParseCalendar(bytes.NewReader(c.ICS()))
		if err != nil || len(got.Events()) != 1 {
			t.Fatalf("%v: %s", err, c.ICS())
		}
	})
}

func BenchmarkAtom(b *testing.B) {
	f := example("")
	for i := range 48 {
		e := f.Entries[0]
		e.ID = fmt.Sprint(i)
		f.Entries = append(f.Entries, e)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.Atom(); err != nil {
			b.Fatal(err)
		}
	}
}

package ledger

import (
	"encoding/json"
	"testing"

	"github.com/asgood-dev/asgood/internal/quality"
)

// TestLateNews checks that what a watcher tells late does not bring back what was removed or changed.
func TestLateNews(t *testing.T) {
	b := newBook(nil)
	text := func(title string) []byte {
		data, err := json.Marshal(quality.Change{ID: "a", Title: title})
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	title := func() string { c, _ := b.get("a"); return c.Title }
	bad := func(string, error) { t.Error("not readable") }
	b.take("a", text("new"), 5, bad)
	b.take("a", text("old"), 4, bad)
	if title() != "new" {
		t.Errorf("got %q", title())
	}
	b.drop("a", 4)
	if b.size() != 1 {
		t.Error("an old removal removed a new entry")
	}
	b.drop("a", 5)
	b.take("a", text("new"), 5, bad)
	if b.size() != 0 {
		t.Error("late news brought back what was removed")
	}
	b.take("a", text("again"), 7, bad)
	if title() != "again" {
		t.Errorf("got %q", title())
	}
}

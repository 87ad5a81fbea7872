package ledger

import (
	"encoding/base64"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Bounds of a list.
const (
	defaultLimit = 100
	maxLimit     = 1000
)

// Query says which changes are wanted. The zero value wants the newest of all.
type Query struct {
	Feature    string        // changes that may have changed it
	Layer      quality.Layer // changes of it, or that carry it
	From, To   time.Time     // when they took effect: from, and before to
	Undeclared *bool         // only those that were seen and that nothing explains, or only the others
	Limit      int           // 1 to 1000; 0 means 100
	Cursor     string        // of the page before
}

// Page is a part of a list, the newest first.
type Page struct {
	Changes []quality.Change `json:"changes"`
	Next    string           `json:"next,omitempty"` // cursor of the next page; empty on the last
}

// Values returns the query as parameters of a URL.
func (q Query) Values() url.Values {
	v := url.Values{}
	set := func(name, value string) {
		if value != "" {
			v.Set(name, value)
		}
	}
	set("feature", q.Feature)
	set("layer", string(q.Layer))
	if !q.From.IsZero() {
		set("from", q.From.Format(time.RFC3339Nano))
	}
	if !q.To.IsZero() {
		set("to", q.To.Format(time.RFC3339Nano))
	}
	if q.Undeclared != nil {
		set("undeclared", strconv.FormatBool(*q.Undeclared))
	}
	if q.Limit != 0 {
		set("limit", strconv.Itoa(q.Limit))
	}
	set("cursor", q.Cursor)
	return v
}

var parameters = [...]string{"cursor", "feature", "from", "layer", "limit", "to", "undeclared"}

// ParseQuery reads the parameters of a URL. One that is not known is refused by its name.
func ParseQuery(v url.Values) (q Query, err error) {
	for _, name := range slices.Sorted(maps.Keys(v)) {
		if !slices.Contains(parameters[:], name) {
			return q, quality.Errorf(quality.KindInvalid, "parameter %.40q is not known (known: %s)", name, strings.Join(parameters[:], ", "))
		}
	}
	q = Query{Feature: v.Get("feature"), Layer: quality.Layer(v.Get("layer")), Cursor: v.Get("cursor")}
	if q.Layer != "" && !slices.Contains(quality.Layers(), q.Layer) {
		return q, quality.Errorf(quality.KindInvalid, "parameter %q: no layer %.40q", "layer", string(q.Layer))
	}
	if q.From, err = timeParam(v, "from"); err != nil {
		return q, err
	}
	if q.To, err = timeParam(v, "to"); err != nil {
		return q, err
	}
	if s := v.Get("undeclared"); s != "" {
		b, err := strconv.ParseBool(s)
		if err != nil {
			return q, quality.Errorf(quality.KindInvalid, "parameter %q: want true or false, got %.40q", "undeclared", s)
		}
		q.Undeclared = &b
	}
	if s := v.Get("limit"); s != "" {
		if q.Limit, err = strconv.Atoi(s); err != nil || q.Limit < 1 || q.Limit > maxLimit {
			return q, quality.Errorf(quality.KindInvalid, "parameter %q: want 1 to %d, got %.40q", "limit", maxLimit, s)
		}
	}
	if _, _, err := readCursor(q.Cursor); err != nil {
		return q, err
	}
	return q, nil
}

func timeParam(v url.Values, name string) (time.Time, error) {
	s := v.Get(name)
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, quality.Errorf(quality.KindInvalid, "parameter %q: want a time such as 2026-03-01T12:00:00Z or a date, got %.40q", name, s)
}

func (q Query) wants(c *quality.Change) bool {
	return (q.Feature == "" || c.Touches(q.Feature)) &&
		(q.Layer == "" || c.Covers(q.Layer)) &&
		(q.From.IsZero() || !c.At.Before(q.From)) &&
		(q.To.IsZero() || c.At.Before(q.To)) &&
		(q.Undeclared == nil || *q.Undeclared == c.Unexplained())
}

// List returns the changes that are wanted. A cursor that is not one of ours begins at the newest.
func (l *Ledger) List(q Query) Page {
	limit := q.Limit
	if limit <= 0 || limit > maxLimit {
		limit = defaultLimit
	}
	after, started, err := readCursor(q.Cursor)
	if err != nil {
		started = false
	}
	page := Page{Changes: []quality.Change{}}
	for _, c := range l.book.newest() {
		if started && newerFirst(c, &after) <= 0 || !q.wants(c) {
			continue
		}
		if len(page.Changes) == limit {
			page.Next = cursorOf(&page.Changes[limit-1])
			break
		}
		page.Changes = append(page.Changes, *c)
	}
	return page
}

// cursorOf names an entry by its place, so that a page follows also when the entry is gone.
func cursorOf(c *quality.Change) string {
	return base64.RawURLEncoding.EncodeToString([]byte(c.At.UTC().Format(time.RFC3339Nano) + " " + c.ID))
}

func readCursor(s string) (at quality.Change, ok bool, err error) {
	if s == "" {
		return at, false, nil
	}
	data, err := base64.RawURLEncoding.DecodeString(s)
	text, id, found := strings.Cut(string(data), " ")
	if err == nil && found {
		at.ID = id
		if at.At, err = time.Parse(time.RFC3339Nano, text); err == nil {
			return at, true, nil
		}
	}
	return at, false, quality.Errorf(quality.KindInvalid, "parameter %q: not one that was given here", "cursor")
}

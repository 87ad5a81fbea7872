package past_test

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/asgood-dev/asgood/alerts/past"
	"github.com/asgood-dev/asgood/internal/quality"
)

var now = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func readFile(t *testing.T, source, name string) past.Result {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	r, err := past.Read(source, name, data, now)
	if err != nil {
		t.Fatal(err)
	}
	again, err := past.Read(source, name, data, now)
	if err != nil || !reflect.DeepEqual(r, again) {
		t.Errorf("%s is not read the same twice: %v", name, err)
	}
	return r
}

// lines tell of an incident shortly.
func lines(i past.Incident) []string {
	out := []string{fmt.Sprintf("%s|%s|%s|%s|%s..%s", i.Name, i.Severity, i.Status, strings.Join(i.Components, ","),
		i.StartedAt.UTC().Format(time.RFC3339), i.ResolvedAt.UTC().Format(time.RFC3339))}
	for _, u := range i.Updates {
		out = append(out, fmt.Sprintf("%s|%s|%s", u.Status, u.At.UTC().Format("02 15:04"), u.Body))
	}
	return out
}

func TestStatuspage(t *testing.T) {
	r := readFile(t, past.Statuspage, "statuspage.json")
	if len(r.Incidents) != 3 {
		t.Fatalf("got %d incidents: %v", len(r.Incidents), r.Problems)
	}
	for n, want := range [][]string{
		{"Slow answers|minor|postmortem|API,Website|2026-02-11T09:02:00Z..2026-02-11T11:40:00Z", "investigating|11 09:05|We are <b>looking</b> into it.",
			"resolved|11 11:40|This incident has been resolved.", "postmortem|13 10:00|What went wrong, and what we do."},
		{"An older export|critical|resolved||2024-04-30T22:00:00Z..2024-05-01T00:00:00Z", "resolved|01 00:00|Fixed."},
		{"Strange impact|minor|resolved||2026-02-12T09:14:00Z..2026-02-12T10:14:00Z"},
	} {
		if got := lines(r.Incidents[n]); !slices.Equal(got, want) {
			t.Errorf("%d: got %q, want %q", n, got, want)
		}
	}
	hasProblems(t, r,
		`statuspage.json: incidents[1].incident_updates[1].status: "closed" is none: the update is left out`,
		"statuspage.json: incidents[2]: is not over: it is left out",
		"statuspage.json: incidents[3]: is a maintenance: it is left out",
		"statuspage.json: incidents[4]: stands twice",
		"statuspage.json: incidents[5]: ends before it begins",
		"statuspage.json: incidents[6]: ends in the time to come",
		`statuspage.json: incidents[7].impact: "huge" is none: taken as minor`,
		"statuspage.json: incidents[8]: has no name",
		"statuspage.json: incidents[9]: json:",
		"statuspage.json: incidents[10].id: required",
		"statuspage.json: incidents[11].created_at: required")
}

// hasProblems wants exactly these, by how they begin, in any order.
func hasProblems(t *testing.T, r past.Result, want ...string) {
	t.Helper()
	for _, w := range want {
		if !slices.ContainsFunc(r.Problems, func(p past.Problem) bool { return strings.HasPrefix(p.String(), w) }) {
			t.Errorf("nothing is told of %q", w)
		}
	}
	if len(r.Problems) != len(want) {
		t.Errorf("got %d problems, want %d: %v", len(r.Problems), len(want), r.Problems)
	}
}

func TestCState(t *testing.T) {
	r := readFile(t, past.CState, "cstate.md")
	if len(r.Incidents) != 1 || len(r.Problems) != 0 {
		t.Fatalf("got %+v", r)
	}
	want := []string{"Answers are slow|major|resolved|API,Website|2026-01-12T14:30:00Z..2026-01-12T16:58:00Z",
		"investigating|12 14:45|Something is slow.\nIt may be the index.", "monitoring|12 15:40|The fix is out.\n\nIt looks good.",
		"resolved|12 16:58|We have rolled back."}
	if got := lines(r.Incidents[0]); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCStateByHand(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string // of the only incident; nil: there is none
		problems   []string
	}{
		{"one text, lines of Windows", "---\r\ntitle: A\r\ndate: 2026-01-01\r\nresolved: true\r\nresolvedWhen: 2026-01-02T10:00:00Z\r\nseverity: Down\r\n---\r\nIt was down.\r\n\r\nSorry.\r\n",
			[]string{"A|critical|resolved||2026-01-01T00:00:00Z..2026-01-02T10:00:00Z", "investigating|01 00:00|It was down.\n\nSorry.", "resolved|02 10:00|Resolved."}, nil},
		{"informational", "---\ntitle: A\ndate: 2026-01-01 10:00\nresolved: true\nresolvedWhen: 2026-01-01 11:00\ninformational: true\n---\n",
			[]string{"A|none|resolved||2026-01-01T10:00:00Z..2026-01-01T11:00:00Z", "resolved|01 11:00|Resolved."}, nil},
		{"no end", "---\ntitle: A\ndate: 2026-01-01 10:00\nresolved: true\nseverity: loud\n---\nx",
			[]string{"A|minor|resolved||2026-01-01T10:00:00Z..2026-01-01T10:00:00Z", "investigating|01 10:00|x", "resolved|01 10:00|Resolved."},
			[]string{`f.md: severity: "loud" is none`, `f.md: resolvedWhen: "" is no time`}},
		{"open", "---\ntitle: A\ndate: 2026-01-01\n---\n", nil, []string{"f.md: is not over"}},
		{"TOML", "+++\ntitle = \"A\"\n+++\n", nil, []string{"f.md: has no front matter"}},
		{"no date", "---\ntitle: A\n---\n", nil, []string{`f.md: date: "" is no time`}},
		{"bad YAML", "---\ntitle: [A\n---\n", nil, []string{"f.md: front matter: "}},
		{"a long front", "---\ntitle: " + strings.Repeat("x", 20<<10) + "\n---\n", nil, []string{"f.md: has no front matter"}},
		{"empty", "", nil, []string{"f.md: has no front matter"}},
	} {
		r, err := past.Read(past.CState, "f.md", []byte(c.text), now)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		if len(r.Incidents) > 0 {
			got = lines(r.Incidents[0])
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
		t.Run(c.name, func(t *testing.T) { hasProblems(t, r, c.problems...) })
	}
}

func TestGatus(t *testing.T) {
	r := readFile(t, past.Gatus, "gatus.json")
	if len(r.Incidents) != 2 {
		t.Fatalf("got %+v", r)
	}
	want := []string{"api was down|major|resolved|api|2026-02-03T10:00:00Z..2026-02-03T10:30:00Z", "investigating|03 10:00|api did not pass its checks.",
		"resolved|03 10:30|api passes its checks again."}
	if got := lines(r.Incidents[0]); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	hasProblems(t, r, "gatus.json: [0]: api is unhealthy to the end", "gatus.json: [1].events: there are none: ask Gatus for /api/v1/endpoints/_web/statuses",
		"gatus.json: [2].name: required", "gatus.json: [3]: json:")
}

func TestWhatIsNoFile(t *testing.T) {
	for source, text := range map[string]string{past.Statuspage: "<html>", past.Gatus: "<html>"} {
		r, err := past.Read(source, "x", []byte(text), now)
		if err != nil || len(r.Problems) != 1 || len(r.Incidents) != 0 {
			t.Errorf("%s: got %+v, %v", source, r, err)
		}
	}
	if _, err := past.Read("pagerduty", "x", nil, now); quality.KindOf(err) != quality.KindInvalid {
		t.Errorf("got %v", err)
	}
	if _, err := past.Read(past.Gatus, "x", make([]byte, past.MaxFile+1), now); quality.KindOf(err) != quality.KindTooLarge {
		t.Errorf("got %v", err)
	}
}

// Problems beyond a hundred are counted, and so are incidents beyond the bound.
func TestBounds(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"incidents":[`)
	for range 250 {
		b.WriteString(`{"name":"x"},`)
	}
	b.WriteString(`{"id":"a","name":"` + strings.Repeat("ä", 300) + `","impact":"minor","created_at":"2026-01-01T00:00:00Z","resolved_at":"2026-01-01T01:00:00Z","incident_updates":[`)
	for n := range 300 {
		if n > 0 {
			b.WriteString(",")
		}
		b.WriteString(`{"status":"identified","body":"x"}`)
	}
	b.WriteString(`]}]}`)
	r, err := past.Read(past.Statuspage, "x", []byte(b.String()), now)
	if err != nil || len(r.Problems) != 100 || r.Untold != 151 || len(r.Incidents) != 1 {
		t.Fatalf("got %d problems and %d untold, %d incidents, %v", len(r.Problems), r.Untold, len(r.Incidents), err)
	}
	if i := r.Incidents[0]; len(i.Updates) != 200 || utf8.RuneCountInString(i.Name) != 255 {
		t.Errorf("got %d updates, a name of %d", len(i.Updates), utf8.RuneCountInString(i.Name))
	}
}

// FuzzRead gives every source any file: what comes out can be stored and shown.
func FuzzRead(f *testing.F) {
	for n, name := range []string{"statuspage.json", "cstate.md", "gatus.json"} {
		data, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(n, data)
	}
	f.Fuzz(func(t *testing.T, n int, data []byte) {
		source := past.Sources()[max(n, 0)%3]
		r, err := past.Read(source, "f", data, now)
		if err != nil {
			return
		}
		if len(r.Problems) > 100 {
			t.Errorf("%d problems", len(r.Problems))
		}
		seen := map[string]bool{}
		for _, i := range r.Incidents {
			if seen[i.ID] || i.Open() || i.ResolvedAt.After(now) || i.ResolvedAt.Before(i.StartedAt) || i.Name == "" || !utf8.ValidString(i.Name) || !i.Backfilled {
				t.Errorf("%s: %+v", source, i.Incident)
			}
			seen[i.ID] = true
			for k, u := range i.Updates {
				if !utf8.ValidString(u.Body) || u.Status == "" || k > 0 && u.At.Before(i.Updates[k-1].At) {
					t.Errorf("%s: update %d of %+v", source, k, i.Incident)
				}
			}
		}
	})
}

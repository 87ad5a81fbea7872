package past

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/asgood-dev/asgood/internal/quality"
)

// maxFront bounds the front matter of a file of cState, in bytes.
const maxFront = 16 << 10

// front is the front matter of an issue of cState.
type front struct {
	Title         string   `yaml:"title"`
	Date          string   `yaml:"date"`
	Resolved      bool     `yaml:"resolved"`
	ResolvedWhen  string   `yaml:"resolvedWhen"`
	Severity      string   `yaml:"severity"`
	Affected      []string `yaml:"affected"`
	Section       string   `yaml:"section"`
	Informational bool     `yaml:"informational"`
}

// The severities of cState.
var stateSeverities = map[string]quality.Severity{
	"down": quality.SeverityCritical, "disrupted": quality.SeverityMajor, "notice": quality.SeverityMinor, "": quality.SeverityMinor,
}

// cstate reads one Markdown file.
func (r *Result) cstate(name string, data []byte) {
	head, body, ok := frontMatter(string(data))
	if !ok {
		r.bad(name, "has no front matter between two lines --- of at most %d bytes (TOML between +++ is not read)", maxFront)
		return
	}
	var f front
	if err := yaml.Unmarshal([]byte(head), &f); err != nil {
		r.bad(name+": front matter", "%s", cut(err.Error(), 500))
		return
	}
	started, err := stateTime(f.Date)
	if err != nil {
		r.bad(name+": date", "%v", err)
		return
	}
	severity, known := stateSeverities[strings.ToLower(f.Severity)]
	if !known {
		r.bad(name+": severity", "%.40q is none: taken as minor", f.Severity)
		severity = quality.SeverityMinor
	}
	if f.Informational {
		severity = quality.SeverityNone
	}
	i := Incident{Components: f.Affected, Incident: quality.Incident{Kind: quality.IncidentAvailability, Name: f.Title, Severity: severity,
		StartedAt: started, CreatedAt: started}}
	i.Updates = stateUpdates(body, started)
	if f.Resolved {
		ended, err := stateTime(f.ResolvedWhen)
		if err != nil {
			r.bad(name+": resolvedWhen", "%v: taken as resolved when it began", err)
			ended = started
		}
		i.ResolvedAt = &ended
		if n := len(i.Updates); n == 0 || i.Updates[n-1].Status != quality.IncidentResolved {
			i.Updates = append(i.Updates, quality.IncidentUpdate{Status: quality.IncidentResolved, Body: "Resolved.", At: ended})
		}
	}
	r.add(CState, name, name, i)
}

// frontMatter parts the file at the lines ---.
func frontMatter(text string) (head, body string, ok bool) {
	text = strings.ReplaceAll(strings.TrimPrefix(text, "\uFEFF"), "\r\n", "\n")
	rest, ok := strings.CutPrefix(text, "---\n")
	if !ok {
		return "", "", false
	}
	head, body, ok = strings.Cut("\n"+rest, "\n---")
	return head, body, ok && len(head) <= maxFront
}

var stateLayouts = []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly}

// stateTime reads a time of cState, which means UTC where it names no zone.
func stateTime(s string) (time.Time, error) {
	for _, layout := range stateLayouts {
		if t, err := time.Parse(layout, strings.TrimSpace(s)); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, quality.Errorf(quality.KindInvalid, "%.40q is no time (want one such as 2026-03-01 12:00:00)", s)
}

var (
	track = regexp.MustCompile(`\{\{[<%]\s*track\s+"([^"]{1,40})"\s*[>%]\}\}`)
	codes = regexp.MustCompile(`\{\{[<%][^}]*[>%]\}\}`)
	word  = regexp.MustCompile(`^\*{1,2}([A-Za-z]+)\*{1,2}\s*[-–—:]*\s*`)
)

// stateUpdates reads paragraphs that begin with a status and end with a time, newest first, as cState's manual
// writes them; any other body is one update. A paragraph without a status goes on with the one before, up to its time.
func stateUpdates(body string, started time.Time) (out []quality.IncidentUpdate) {
	open := false // the last update has no time yet
	for paragraph := range strings.SplitSeq(body, "\n\n") {
		u := quality.IncidentUpdate{Status: quality.IncidentInvestigating, At: started}
		timed := false
		if m := track.FindStringSubmatch(paragraph); m != nil {
			if t, err := stateTime(m[1]); err == nil {
				u.At, timed = t, true
			}
		}
		text := strings.TrimSpace(codes.ReplaceAllString(paragraph, ""))
		m := word.FindStringSubmatch(text)
		switch stated := m != nil && pageStatuses[strings.ToLower(m[1])] != ""; {
		case stated:
			u.Status, text = pageStatuses[strings.ToLower(m[1])], text[len(m[0]):]
		case len(out) > 0 && (open || !timed):
			goOn(&out[len(out)-1], text)
			if timed {
				out[len(out)-1].At = u.At
			}
			open = open && !timed
			continue
		}
		if u.Body = text; text != "" {
			out, open = append(out, u), !timed
		}
	}
	slices.SortStableFunc(out, func(a, b quality.IncidentUpdate) int { return a.At.Compare(b.At) })
	return out
}

func goOn(u *quality.IncidentUpdate, text string) {
	if text != "" {
		u.Body += "\n\n" + text
	}
}

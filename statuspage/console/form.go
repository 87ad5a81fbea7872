package console

import (
	"errors"
	"net/http"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
)

// maxForm bounds what a form sends, in bytes.
const maxForm = 256 << 10

// doneTexts say what a form did. They are chosen by a code, so that no link can put words into a page.
var doneTexts = map[string]string{
	"recorded": "The change is in the ledger.", "owned": "The change has an owner.", "published": "The incident is public.",
	"vetoed": "No rule will publish the incident.", "posted": "The update is posted.", "corrected": "The update is corrected; what it said before stays visible.",
	"taken": "The incident has an owner.", "postmortem": "The postmortem is saved.", "scheduled": "The maintenance is scheduled.",
	"reported": "The incident is made. It is internal until it is published.", "entered": "The incident is in the history. Nobody was notified.",
	"replanned": "The plan is changed.",
	"advanced":  "The maintenance is updated.", "promoted": "The new version is in force; the monitor starts anew from it.",
	"pinned": "The version is in force; the monitor starts anew from it.", "labelled": "The label is stored. It counts once its sample is found, in some seconds.",
	"skipped": "Skipped.", "unlinked": "The link is revoked: it shows nothing any more.", "revoked": "The key is revoked.",
}

// fieldErrors say what is wrong with a form, by field; under "" is what belongs to none.
type fieldErrors map[string]string

// fieldForm is how an error names a field: as `field "x": ...` or as `x: ...`.
var fieldForm = regexp.MustCompile(`^(?:(?:field|parameter) )?"?([a-z_]+)(?:\[\d+\])?"?: ?`)

// errorsOf reads which field an error is about. It reports false for errors that are not the form's fault.
func errorsOf(err error, fields ...string) (fieldErrors, bool) {
	switch quality.KindOf(err) {
	case quality.KindInvalid, quality.KindConflict, quality.KindNotFound, quality.KindForbidden, quality.KindTooLarge, quality.KindUnavailable:
	default:
		return nil, false
	}
	text := err.Error()
	if m := fieldForm.FindStringSubmatch(text); m != nil {
		for _, f := range fields {
			if f == m[1] {
				return fieldErrors{f: sentence(text[len(m[0]):])}, true
			}
		}
	}
	return fieldErrors{"": sentence(text)}, true
}

// sentence begins with a capital letter.
func sentence(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[size:]
}

// refused shows a page again with what is wrong with its form, or passes on an error that is not the form's.
func refused(v view, shown error, err error, fields ...string) (view, error) {
	if shown != nil {
		return v, errors.Join(err, shown)
	}
	es, ok := errorsOf(err, fields...)
	if !ok {
		return v, err
	}
	v.Errors = es
	v.status, _ = web.ProblemOf(err)
	return v, nil
}

// field reads one line of a form.
func field(g *gin.Context, name string) string { return strings.TrimSpace(g.PostForm(name)) }

// text reads a text of several lines. Browsers send CRLF.
func text(g *gin.Context, name string) string {
	return strings.TrimSpace(strings.ReplaceAll(g.PostForm(name), "\r\n", "\n"))
}

// parseForm reads the form, so that one that is too large is refused as such.
func parseForm(g *gin.Context) error {
	err := g.Request.ParseForm()
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return err
	}
	if err != nil {
		return quality.Errorf(quality.KindInvalid, "reading the form: %w", err)
	}
	return nil
}

// timeLayouts are how times come: from a field of type datetime-local, as a date, or in full.
var timeLayouts = [...]string{"2006-01-02T15:04", "2006-01-02T15:04:05", time.DateOnly, "2006-01-02 15:04"}

// when reads a time of the reporting time zone; empty is the zero time.
func (c *Console) when(name, s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	for _, layout := range timeLayouts {
		if t, err := time.ParseInLocation(layout, s, c.o.Location); err == nil {
			return t, nil
		}
	}
	return time.Time{}, quality.Errorf(quality.KindInvalid, `field %q: want a time such as 2026-03-01T12:00, got %.40q`, name, s)
}

// formField is a field as a template draws it.
type formField struct {
	ID, Name, Label, Value, Error, Hint, Kind string
	Required                                  bool
	Options                                   []string
}

// newFormField makes a field: its kind is the type of an input, "area" or "choice". A name such as post.body is
// that of the field body in the form post. An asterisk at the end of the label says that it is required.
func newFormField(es fieldErrors, kind, name, label, value, hint string, options ...[]string) formField {
	l, required := strings.CutSuffix(label, "*")
	f := formField{ID: name, Name: name, Label: l, Value: value, Error: es[name], Hint: hint, Kind: kind, Required: required}
	if _, bare, ok := strings.Cut(name, "."); ok {
		f.Name = bare
	}
	for _, o := range options {
		f.Options = append(f.Options, o...)
	}
	return f
}

package console

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"path"

	"github.com/asgood-dev/asgood/internal/quality"
)

//go:embed templates/*.html assets/*
var files embed.FS

// asset is a file of the console, with its hash in its path.
type asset struct {
	path, kind string
	body       []byte
}

// renderer holds the parsed templates and the assets.
type renderer struct {
	templates     *template.Template
	style, script asset
}

func newRenderer(f formatter) (r *renderer, err error) {
	r = &renderer{}
	if r.templates, err = template.New("").Funcs(f.funcs()).ParseFS(files, "templates/*.html"); err != nil {
		return nil, fmt.Errorf("parsing templates: %w", err)
	}
	if r.style, err = readAsset("console.css", "text/css; charset=utf-8"); err != nil {
		return nil, err
	}
	r.script, err = readAsset("console.js", "text/javascript; charset=utf-8")
	return r, err
}

func readAsset(name, kind string) (asset, error) {
	body, err := files.ReadFile("assets/" + name)
	if err != nil {
		return asset{}, fmt.Errorf("reading asset %q: %w", name, err)
	}
	sum := sha256.Sum256(body)
	return asset{path: root + "/assets/" + hex.EncodeToString(sum[:8]) + path.Ext(name), kind: kind, body: body}, nil
}

func (r *renderer) draw(name string, data any) ([]byte, error) {
	var b bytes.Buffer
	if err := r.templates.ExecuteTemplate(&b, name+".html", data); err != nil {
		return nil, fmt.Errorf("drawing %q: %w", name, err)
	}
	return b.Bytes(), nil
}

// crumb is one step of the way to a page.
type crumb struct{ Title, URL string }

// view is one page: which template draws it, and with what.
type view struct {
	name   string // of the template
	status int    // 0 means 200

	Title   string
	Section string // of the menu
	Crumbs  []crumb
	Notices []string // what could not be read
	Errors  fieldErrors
	Page    any
}

// frame is a view with what is on every page.
type frame struct {
	view
	Site      string // title of the status page
	PageURL   string
	Style     string
	Script    string
	Menu      []menuItem
	Done      string // what a form did
	Query     string // in the field of the search
	CSRF      string
	Who       string
	Zone      string
	Simulated bool
	may       func(quality.Role) bool
}

// May reports whether the reader has a role.
func (f *frame) May(role string) bool {
	r, ok := quality.ParseRole(role)
	return ok && f.may(r)
}

// menuItem is one entry of the menu.
type menuItem struct {
	Title, URL string
	Here       bool
}

var menu = [...]struct{ title, section, path string }{
	{"Overview", "overview", ""}, {"Monitors", "monitors", "/monitors"}, {"Regressions", "regressions", "/regressions"}, {"Samples", "samples", "/samples"},
	{"Changes", "changes", "/changes"}, {"Incidents", "incidents", "/incidents"}, {"Baselines", "baselines", "/baselines"}, {"Judges", "judges", "/judges"},
	{"Switches", "switches", "/switches"}, {"Customers", "customers", "/customers"}, {"Subscribers", "subscribers", "/subscribers"}, {"Keys", "keys", "/keys"},
	{"Audit log", "audit", "/audit"}, {"Settings", "settings", "/settings"},
}

func menuOf(section string) []menuItem {
	out := make([]menuItem, 0, len(menu))
	for _, m := range menu {
		out = append(out, menuItem{Title: m.title, URL: root + m.path, Here: m.section == section})
	}
	return out
}

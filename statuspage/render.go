package statuspage

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"path"
	"strings"
	"sync"
)

//go:embed templates/*.html assets/*
var files embed.FS

// document is something served as it is, drawn and compressed once.
type document struct {
	path string // of assets, with their hash in it
	kind string // content type
	etag string
	body []byte
	gzip []byte
}

// packers are writers to be used again: each holds most of a megabyte, and a view is packed every few seconds.
var packers = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

func newDocument(kind string, body []byte) (document, error) {
	sum := sha256.Sum256(body)
	d := document{kind: kind, etag: `"` + hex.EncodeToString(sum[:8]) + `"`, body: body}
	var b bytes.Buffer
	w := packers.Get().(*gzip.Writer)
	defer packers.Put(w)
	w.Reset(&b)
	if _, err := w.Write(body); err != nil {
		return d, fmt.Errorf("compressing: %w", err)
	}
	if err := w.Close(); err != nil {
		return d, fmt.Errorf("compressing: %w", err)
	}
	if b.Len() < len(body) {
		d.gzip = b.Bytes()
	}
	return d, nil
}

// namedTile is a tile or its strip with its heading.
type namedTile struct {
	Heading, Kind string
	Tile          tileView
}

const htmlKind = "text/html; charset=utf-8"

// renderer holds the parsed templates and the assets.
type renderer struct {
	templates     *template.Template
	style, script document
	lost          document // the page of what is not there
}

func newRenderer() (r *renderer, err error) {
	r = &renderer{}
	funcs := template.FuncMap{"tile": func(heading, kind string, t tileView) namedTile { return namedTile{heading, kind, t} }}
	if r.templates, err = template.New("").Funcs(funcs).ParseFS(files, "templates/*.html"); err != nil {
		return nil, fmt.Errorf("parsing templates: %w", err)
	}
	for name, to := range map[string]*document{"page.css": &r.style, "live.js": &r.script} {
		if *to, err = asset(name); err != nil {
			return nil, err
		}
	}
	r.lost, err = r.draw("lost.html", pageView{Title: "Not found", Style: r.style.path})
	return r, err
}

func asset(name string) (document, error) {
	body, err := files.ReadFile("assets/" + name)
	if err != nil {
		return document{}, fmt.Errorf("reading asset %q: %w", name, err)
	}
	kinds := map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
	d, err := newDocument(kinds[path.Ext(name)], body)
	d.path = "/assets/" + strings.Trim(d.etag, `"`) + path.Ext(name)
	return d, err
}

func (r *renderer) draw(name string, data any) (document, error) {
	var b bytes.Buffer
	if err := r.templates.ExecuteTemplate(&b, name, data); err != nil {
		return document{}, fmt.Errorf("drawing %q: %w", name, err)
	}
	return newDocument(htmlKind, b.Bytes())
}

func (r *renderer) page(p pageView) (document, error) { return r.draw("page.html", p) }

// detailView is the page of one incident.
type detailView struct {
	pageView
	Incident incidentView
}

// details are drawn when first asked for: there may be many, and few are read.
func (r *renderer) details(p pageView, in input) map[string]func() (document, error) {
	out := map[string]func() (document, error){}
	for _, i := range in.state.data.published() {
		out[i.ID] = sync.OnceValues(func() (document, error) {
			return r.draw("incident.html", detailView{pageView: p, Incident: incidentOf(i, in)})
		})
	}
	return out
}

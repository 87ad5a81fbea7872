package statuspage

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"net/url"
	"path"
	"strconv"
	"strings"
	"sync"

	"github.com/asgood-dev/asgood/statuspage/speech"
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

	plain, packed *answer // as they are sent; packed is nil where gzip is
}

// answer is a body with its headers, made once for all who are sent it.
type answer struct {
	body              []byte
	etag              string
	kind, tag, length []string
}

// seal makes the answers of a document whose body, kind and etag are set.
func (d *document) seal() {
	d.plain = newAnswer(d.kind, d.etag, d.body)
	if d.gzip != nil {
		d.packed = newAnswer(d.kind, strings.TrimSuffix(d.etag, `"`)+`-gzip"`, d.gzip)
	}
}

func newAnswer(kind, etag string, body []byte) *answer {
	return &answer{body: body, etag: etag, kind: []string{kind}, tag: []string{etag}, length: []string{strconv.Itoa(len(body))}}
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
	d.seal()
	return d, nil
}

// namedTile is a tile or its strip with its heading.
type namedTile struct {
	Kind, Feature string
	Tile          tileView
}

const htmlKind = "text/html; charset=utf-8"

// renderer holds the parsed templates, in each language, and the assets.
type renderer struct {
	languages     *speech.Set
	drawers       map[string]*drawer // by language
	style, script document
	extra         []document // assets of the configuration: colours, style, logo
	logo          string     // path of the logo; empty when there is none
	custom        []string   // paths of the style sheets of the configuration
	still         bool       // for files and not for a server
}

// drawer draws in one language.
type drawer struct {
	*renderer
	language  *speech.Language
	templates *template.Template
}

func newRenderer(languages *speech.Set, b branding) (r *renderer, err error) {
	r = &renderer{languages: languages}
	if r.style, err = asset("page.css", b.colours()); err != nil { // colours cost no request of their own
		return nil, err
	}
	if r.script, err = asset("live.js", nil); err != nil {
		return nil, err
	}
	if r.extra, r.logo, r.custom, err = b.documents(); err != nil {
		return nil, err
	}
	return r, r.parse()
}

// parse reads the templates once for each language, whose words they say themselves.
func (r *renderer) parse() error {
	r.drawers = map[string]*drawer{}
	for _, l := range append(r.languages.All(), r.languages.English()) {
		if r.drawers[l.Tag] != nil {
			continue
		}
		d := &drawer{renderer: r, language: l}
		var err error
		if d.templates, err = template.New("").Funcs(d.functions()).ParseFS(files, "templates/*.html"); err != nil {
			return fmt.Errorf("parsing templates: %w", err)
		}
		r.drawers[l.Tag] = d
	}
	return nil
}

// forFiles returns a renderer of the same pages whose links lead to files.
func (r *renderer) forFiles() (*renderer, error) {
	out := *r
	out.still = true
	return &out, out.parse()
}

func (r *renderer) english() *drawer { return r.drawers[speech.English] }

func (r *renderer) in(l *speech.Language) *drawer { return r.drawers[l.Tag] }

// assets are all files that pages load.
func (r *renderer) assets() []document { return append([]document{r.style, r.script}, r.extra...) }

func asset(name string, more []byte) (document, error) {
	body, err := files.ReadFile("assets/" + name)
	if err != nil {
		return document{}, fmt.Errorf("reading asset %q: %w", name, err)
	}
	return newAsset(path.Ext(name), append(body, more...))
}

// kinds are the content types of assets.
var kinds = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml", ".png": "image/png",
}

// newAsset names a file by its content, so that it can be kept for ever.
func newAsset(ext string, body []byte) (document, error) {
	d, err := newDocument(kinds[ext], body)
	d.path = "/assets/" + strings.Trim(d.etag, `"`) + ext
	return d, err
}

func (d *drawer) functions() template.FuncMap {
	return template.FuncMap{
		"t":    d.language.Say,
		"n":    func(id string, n any, pairs ...any) (string, error) { return d.count(id, n, pairs) },
		"href": func(parts ...string) template.URL { return template.URL(d.href(joined(parts))) },
		"part": func(kind string, f customerFeature) namedTile { return namedTile{kind, f.Name, f.part(kind)} },
		"row":  func(kind string, f featureView) namedTile { return namedTile{kind, f.Name, tileOfKind(kind, f)} },
	}
}

func tileOfKind(kind string, f featureView) tileView {
	if kind == "uptime" {
		return f.Uptime
	}
	return f.Quality
}

func (d *drawer) count(id string, n any, pairs []any) (string, error) {
	switch n := n.(type) {
	case int:
		return d.language.Count(id, uint64(max(n, 0)), pairs...), nil
	case uint64:
		return d.language.Count(id, n, pairs...), nil
	default:
		return "", fmt.Errorf("counting %T", n)
	}
}

// joined makes a path of its parts, the first of which is ours.
func joined(parts []string) string {
	var b strings.Builder
	for i, p := range parts {
		if i > 0 && !strings.HasPrefix(p, "#") {
			b.WriteByte('/')
			p = url.PathEscape(p)
		}
		b.WriteString(p)
	}
	return b.String()
}

// href is the address of a page in this language. A page says its language in its links wherever there are several,
// since a visitor may have chosen another than the browser's.
func (d *drawer) href(to string) string {
	to, fragment, found := strings.Cut(to, "#")
	if found {
		fragment = "#" + fragment
	}
	if d.still {
		return d.file(to) + fragment
	}
	if len(d.languages.All()) > 1 {
		to += "?lang=" + d.language.Tag
	}
	return to + fragment
}

// file is the address of a page that is a file: its folder, with a slash.
func (d *drawer) file(to string) string {
	if d.language != d.languages.Default() {
		to = "/" + d.language.Tag + to
	}
	return strings.TrimSuffix(to, "/") + "/"
}

// frame is what the renderer knows of what is around a page.
func (d *drawer) frame(path string) frame {
	f := frame{
		Style: d.style.path, Script: d.script.path, Custom: d.custom, Logo: d.logo, Icon: icon,
		Lang: d.language.Tag, Dir: d.language.Dir, Path: path, Still: d.still,
	}
	if all := d.languages.All(); len(all) > 1 {
		for _, l := range all {
			f.Languages = append(f.Languages, languageView{Tag: l.Tag, Name: l.Name(), Href: d.in(l).href(path), Here: l == d.language})
		}
	}
	return f
}

const icon template.URL = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath fill='%234a55b8' d='M1 2h3v12H1zM6.5 2h3v12h-3z'/%3E%3Cpath fill='%23cf5200' d='M12 8h3v6h-3z'/%3E%3C/svg%3E"

func (d *drawer) draw(name string, data any) (document, error) {
	var b bytes.Buffer
	if err := d.templates.ExecuteTemplate(&b, name, data); err != nil {
		return document{}, fmt.Errorf("drawing %q: %w", name, err)
	}
	return newDocument(htmlKind, b.Bytes())
}

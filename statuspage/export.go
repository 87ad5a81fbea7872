package statuspage

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/asgood-dev/asgood/internal/web"
	"github.com/asgood-dev/asgood/statuspage/still"
)

// exportPause gathers the changes of a moment into one export.
const exportPause = 5 * time.Second

// Files gives everything that is public as files: the pages in every language with links to files, what they load, and what
// programs read.
func (p *Page) Files(put still.Put) error {
	r, err := p.render.forFiles()
	if err != nil {
		return fmt.Errorf("status page: %w", err)
	}
	v, err := newView(p.view.Load().in, r)
	if err != nil {
		return err
	}
	for _, d := range r.assets() {
		if err := put(strings.TrimPrefix(d.path, "/"), d.body); err != nil {
			return err
		}
	}
	if err := v.putPages(put); err != nil {
		return err
	}
	return p.putPrograms(put)
}

// putPages gives the pages as index.html of their folders, those of the default language at the root.
func (v *view) putPages(put still.Put) error {
	for _, l := range v.render.languages.All() {
		for _, path := range v.paths() {
			// Not kept: all pages together may be much, and each is needed once.
			d, err := v.drawing(v.render.in(l), path)()
			if err != nil {
				return err
			}
			if err := put(strings.TrimPrefix(v.render.in(l).file(path), "/")+"index.html", d.body); err != nil {
				return err
			}
		}
	}
	lost, err := v.drawing(v.render.in(v.render.languages.Default()), lostPath)()
	if err != nil {
		return err
	}
	return put("404.html", lost.body)
}

// putPrograms gives what the other routes of the page answer, so that no interface is forgotten. Routes with a parameter are
// asked with the name of every feature and group.
func (p *Page) putPrograms(put still.Put) error {
	e := web.New(web.Options{Listener: "export", Registerer: prometheus.NewRegistry()})
	p.Register(e)
	for _, r := range e.Routes() {
		if r.Method != http.MethodGet || !strings.Contains(lastPart(r.Path), ".") || strings.HasPrefix(r.Path, "/assets/") {
			continue
		}
		for _, path := range p.filled(r.Path) {
			if err := putAnswer(e, path, put); err != nil {
				return err
			}
		}
	}
	return nil
}

func lastPart(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// filled returns the paths of a route, with names in the place of its parameter.
func (p *Page) filled(route string) []string {
	before, rest, found := strings.Cut(route, ":")
	if !found {
		return []string{route}
	}
	_, after, more := strings.Cut(rest, "/")
	if strings.ContainsAny(after, ":*") || !more {
		return nil
	}
	var out []string
	for _, f := range p.opts.Features {
		out = append(out, before+f.Name+"/"+after)
	}
	for _, g := range p.opts.Groups {
		out = append(out, before+g.Name+"/"+after)
	}
	return out
}

func putAnswer(e *gin.Engine, path string, put still.Put) error {
	r, err := http.NewRequest(http.MethodGet, path, nil)
	if err != nil {
		return fmt.Errorf("asking for %q: %w", path, err)
	}
	w := &answer{header: http.Header{}, status: http.StatusOK}
	e.ServeHTTP(w, r)
	if w.status != http.StatusOK {
		return nil // not everything is there of every name
	}
	return put(strings.TrimPrefix(path, "/"), w.body.Bytes())
}

// answer keeps what a handler answers.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(b []byte) (int, error) { return a.body.Write(b) }

// Export writes the page into the folder dir, in the place of what was exported there before.
func (p *Page) Export(dir string) error { return still.Write(dir, p.Files) }

// exporting keeps the configured folder as the page is, until ctx ends. That it fails is told and counted, and the page is
// served all the same.
func (p *Page) exporting(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-p.changed:
		}
		pause := time.NewTimer(exportPause)
		select {
		case <-ctx.Done():
			pause.Stop()
			return nil
		case <-pause.C:
		}
		err := p.Export(p.opts.Export)
		p.metrics.exports.WithLabelValues(result(err)).Inc()
		if err != nil {
			p.log.Error("page not exported, the files are of before", "folder", p.opts.Export, "err", err)
		}
	}
}

// exportSoon hints that the files are not what the page is. It never blocks.
func (p *Page) exportSoon() {
	select {
	case p.changed <- struct{}{}:
	default: // an export is about to begin anyway
	}
}

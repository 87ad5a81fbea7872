package statuspage

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/statuspage/still"
)

// exportPause gathers the changes of a moment into one export.
const exportPause = 5 * time.Second

// Fill gives everything that is public as files: the pages in every language with links to files, what they load, and what
// programs read.
func (p *Page) Fill(put still.Put) error {
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
	return p.Files(func(path string, body []byte) error { return put(strings.TrimPrefix(path, "/"), body) })
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

// Read reads once what the page shows, for a page that does not run. It is an error of kind unavailable when that fails.
func (p *Page) Read(ctx context.Context) error {
	p.state.refresh(ctx, p.log)
	p.days.refresh(ctx, p.log)
	if p.state.get().failed || p.days.get().failed {
		return quality.Errorf(quality.KindUnavailable, "what the page shows cannot be read: the log says why")
	}
	return p.rebuild()
}

// Export writes the page into the folder dir, in the place of what was exported there before.
func (p *Page) Export(dir string) error { return still.Write(dir, p.Fill) }

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

package statuspage

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/statuspage/badge"
)

// programs are the documents of a view that are made for programs: the JSON interface, feeds, badges. Each is
// made when it is first asked for and kept as long as its view, so that a view costs no more than what is read
// of it.
type programs struct {
	builder func() *apiBuilder
	bodies  map[string]func(b *apiBuilder) body
	docs    shelf
}

func newPrograms(v *view) *programs {
	return &programs{builder: sync.OnceValue(func() *apiBuilder { return newAPIBuilder(v) }), bodies: apiBodies()}
}

// json is a document under /api/v2.
func (p *programs) json(path string) (document, error) {
	if d, ok, err := p.docs.has(path); ok {
		return d, err
	}
	return p.docs.get(path, func() (document, error) { return jsonDocument(path, p.bodies[path](p.builder())) })
}

// uptime is the report of the uptime of a feature.
func (p *programs) uptime(name string) (document, error) {
	b := p.builder()
	f := b.days[name]
	if f == nil {
		return document{}, quality.Errorf(quality.KindNotFound, "no component %q", clipped(name))
	}
	return p.docs.get("uptime/"+name, func() (document, error) { return jsonDocument("uptime", b.uptimeReport(f)) })
}

// history is a feed of everything, or of what concerns one feature.
func (p *programs) history(f format, feature string) (document, error) {
	b := p.builder()
	if feature != "" && b.days[feature] == nil {
		return document{}, quality.Errorf(quality.KindNotFound, "no feature %q", clipped(feature))
	}
	return p.docs.get(f.file+"/"+feature, func() (document, error) {
		data, err := f.write(b, feature)
		if err != nil {
			return document{}, err
		}
		return newDocument(f.kind, data)
	})
}

// badge draws one of the badges. Those with a label of the caller's are drawn each time, which takes a few
// microseconds.
func (p *programs) badge(name string, x badge.Badge, labelled bool) (document, error) {
	if labelled {
		return unpacked(badge.Type, x.Draw()), nil
	}
	return p.docs.get(fmt.Sprintf("badge/%s/%s/%s", name, x.Style, x.State), func() (document, error) { return newDocument(badge.Type, x.Draw()) })
}

// clipped is what a caller wrote, short enough to be told back.
func clipped(s string) string { return fmt.Sprintf("%.64s", s) }

// Files makes every document for programs that has a path of its own, for a static copy of the page: path and
// content. It stops at the first error.
func (p *Page) Files(yield func(path string, body []byte) error) error {
	programs := p.view.Load().api
	for _, path := range slices.Sorted(maps.Keys(programs.bodies)) {
		if err := give(yield, "/api/v2"+path, func() (document, error) { return programs.json(path) }); err != nil {
			return err
		}
	}
	for _, f := range formats() {
		if err := give(yield, "/"+f.file, func() (document, error) { return programs.history(f, "") }); err != nil {
			return err
		}
		for _, feature := range p.opts.Features {
			name := feature.Name
			if err := give(yield, "/features/"+name+"/"+f.file, func() (document, error) { return programs.history(f, name) }); err != nil {
				return err
			}
		}
	}
	return p.moreFiles(programs, yield)
}

func (p *Page) moreFiles(programs *programs, yield func(path string, body []byte) error) error {
	if err := give(yield, "/badges/status.svg", func() (document, error) { return p.statusBadge(programs, badgeQuery{}) }); err != nil {
		return err
	}
	for _, feature := range p.opts.Features {
		for _, what := range []string{badgeQuality, badgeUptime} {
			path := "/badges/" + feature.Name + "/" + what
			draw := func() (document, error) { return p.featureBadge(programs, feature.Name, what, badgeQuery{}) }
			if err := give(yield, path, draw); err != nil {
				return err
			}
		}
	}
	for path, d := range p.fixed {
		if err := yield(path, d.body); err != nil {
			return err
		}
	}
	return give(yield, "/og.png", p.card)
}

func give(yield func(path string, body []byte) error, path string, create func() (document, error)) error {
	d, err := create()
	if err != nil {
		return fmt.Errorf("making %q: %w", path, err)
	}
	return yield(path, d.body)
}

package statuspage

import (
	"strings"
	"sync"

	"github.com/asgood-dev/asgood/statuspage/speech"
)

// pageKey names a page of a view.
type pageKey struct{ lang, path string }

// lostPath is the path of the page of what is not there. No request has it.
const lostPath = "404"

// document returns the page of a path in a language, or false when there is none. It is drawn when it is first asked for:
// there may be many, and few are read.
func (v *view) document(l *speech.Language, path string) (document, bool, error) {
	key := pageKey{l.Tag, path}
	v.mu.RLock()
	once := v.drawn[key]
	v.mu.RUnlock()
	if once == nil {
		if once = v.keep(key, v.drawing(v.render.in(l), path)); once == nil {
			return document{}, false, nil
		}
	}
	d, err := once()
	return d, true, err
}

// keep makes a page be drawn once, and keeps what was drawn. A nil draw, of a page that is not, is not kept: callers may
// ask for any.
func (v *view) keep(key pageKey, draw func() (document, error)) func() (document, error) {
	if draw == nil {
		return nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if once := v.drawn[key]; once != nil {
		return once
	}
	key.path = strings.Clone(key.path) // not the whole request that it is a part of
	v.drawn[key] = sync.OnceValues(draw)
	return v.drawn[key]
}

// drawFirst draws the page that nearly everyone asks for, so that no visitor waits for it.
func (v *view) drawFirst(languages []*speech.Language) error {
	for _, l := range languages {
		if _, _, err := v.document(l, "/"); err != nil {
			return err
		}
	}
	return nil
}

// drawing returns how the page of a path is drawn, or nil when there is none.
func (v *view) drawing(d *drawer, path string) func() (document, error) {
	kind, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch kind {
	case "":
		return func() (document, error) { return d.draw("page.html", v.pageIn(d)) }
	case lostPath:
		return func() (document, error) { return d.draw("lost.html", v.frame(d, "/")) }
	case "about":
		return func() (document, error) { return d.draw("about.html", v.aboutPage(d, path)) }
	case "history":
		if h, ok := v.month(d, path, rest); ok {
			return func() (document, error) { return d.draw("history.html", h) }
		}
	case "features":
		if x, ok := v.factsNamed(rest); ok {
			return func() (document, error) { return d.draw("feature.html", v.featurePage(d, path, x)) }
		}
	case "incidents":
		return v.drawIncident(d, path, rest)
	case "maintenances":
		return v.drawMaintenance(d, path, rest)
	}
	return nil
}

// drawIncident draws an incident. Interfaces for machines name maintenances as incidents, so those are found here too.
func (v *view) drawIncident(d *drawer, path, id string) func() (document, error) {
	if n, ok := v.byID[id]; ok {
		return func() (document, error) { return d.draw("incident.html", v.incidentPage(d, path, v.public[n])) }
	}
	return v.drawMaintenance(d, path, id)
}

func (v *view) drawMaintenance(d *drawer, path, id string) func() (document, error) {
	for _, m := range v.in.state.data.maintenances {
		if m.ID == id {
			t := v.in.told(d.language)
			return func() (document, error) {
				p := maintenancePage{frame: v.frame(d, path), Maintenance: v.maintenance(t, m)}
				p.Summary = m.Name
				return d.draw("maintenance.html", p)
			}
		}
	}
	return nil
}

// paths are all pages of the view.
func (v *view) paths() []string {
	out := []string{"/", "/about", "/history"}
	for _, m := range v.months() {
		out = append(out, "/history/"+m.Format(monthLayout))
	}
	for _, x := range v.facts {
		out = append(out, "/features/"+x.spec.Name)
	}
	for i := range v.public {
		out = append(out, "/incidents/"+v.public[i].ID)
	}
	for _, m := range v.in.state.data.maintenances {
		out = append(out, "/maintenances/"+m.ID)
	}
	return out
}

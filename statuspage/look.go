package statuspage

// Look is how the page looks, for pages beside it.
type Look struct {
	Styles []string // paths of style sheets, in their order
	Logo   string   // path; empty when there is none
}

// Look returns the paths under which Register serves what the page looks like.
func (p *Page) Look() Look {
	return Look{Styles: append([]string{p.render.style.path}, p.render.custom...), Logo: p.render.logo}
}

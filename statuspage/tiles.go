package statuspage

// FeatureTiles are the tiles of a feature as customers see them.
type FeatureTiles struct {
	Name, Title string
	Quality     QualityTile
	Uptime      UptimeTile
}

// Tiles returns the tiles of every feature, as they were drawn last.
func (p *Page) Tiles() []FeatureTiles {
	list := p.view.Load().page.Features
	out := make([]FeatureTiles, len(list))
	for i, f := range list {
		out[i] = FeatureTiles{Name: f.Name, Title: f.Title, Quality: f.tile, Uptime: f.uptime}
	}
	return out
}

package statuspage

import (
	"encoding/json"
	"fmt"
	"html/template"
	"strings"
	"sync"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/statuspage/card"
)

// extras is what a page has beside its views, for programs and for other people's pages.
type extras struct {
	fixed   map[string]document // by path
	framing *template.Template  // of the page in other people's pages
	painter *card.Painter

	drawing sync.Mutex
	drawn   card.Card // what picture shows
	picture document
}

func newExtras(o *Options) (*extras, error) {
	x := &extras{}
	var err error
	if x.fixed, err = fixedDocuments(o); err != nil {
		return nil, err
	}
	if x.framing, err = template.ParseFS(files, "assets/embed.html"); err != nil {
		return nil, fmt.Errorf("parsing the embedded page: %w", err)
	}
	x.painter, err = card.New()
	return x, err
}

// schemaOf makes a JSON Schema of the schemas of an OpenAPI document.
func schemaOf(openapi []byte) ([]byte, error) {
	var doc struct {
		Info       struct{ Title string }
		Components struct{ Schemas json.RawMessage }
	}
	if err := json.Unmarshal(openapi, &doc); err != nil {
		return nil, fmt.Errorf("reading the OpenAPI document: %w", err)
	}
	out, err := json.Marshal(map[string]any{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "title": doc.Info.Title, "$defs": doc.Components.Schemas,
	})
	if err != nil {
		return nil, fmt.Errorf("writing the schema: %w", err)
	}
	return []byte(strings.ReplaceAll(string(out), "#/components/schemas/", "#/$defs/")), nil
}

// cardListed is how many features the picture names.
const cardListed = 4

// card is the picture of the page, for those who pass its address on. It is drawn anew when it would differ,
// and by the first who asks.
func (p *Page) card() (document, error) {
	c := p.view.Load().cardOf()
	p.drawing.Lock()
	defer p.drawing.Unlock()
	if p.picture.body != nil && c.Equal(p.drawn) {
		return p.picture, nil
	}
	data, err := p.painter.Draw(c)
	if err != nil {
		return document{}, err
	}
	p.drawn, p.picture = c, unpacked("image/png", data)
	return p.picture, nil
}

func (v *view) cardOf() card.Card {
	c := card.Card{Title: v.page.Title, Sentence: v.page.Overall.Text, State: v.page.Overall.Slug}
	for i := range v.page.Features {
		if i == cardListed {
			c.More = fmt.Sprintf("and %d more", len(v.page.Features)-cardListed)
			break
		}
		f := &v.page.Features[i]
		c.Lines = append(c.Lines, card.Line{Name: f.Title, Quality: string(f.tile.Word), QualityState: f.tile.Word.Slug(),
			Uptime: string(f.uptime.Word), UptimeState: f.uptime.Word.Slug()})
	}
	return c
}

// embedView is the page as it stands in other people's pages.
type embedView struct {
	Title, Home string
	Status      string // slug
	Text        string
	Notice      string
	Rows        []embedRow
	Open        []apiIncident
}

type embedRow struct {
	Name, Quality, QualityState, Figure, Uptime, UptimeState string
}

// framed is the page, or what it says of one feature, for a frame.
func (p *Page) framed(feature string) (document, error) {
	v := p.view.Load()
	b := v.api.builder()
	if feature != "" && b.days[feature] == nil {
		return document{}, quality.Errorf(quality.KindNotFound, "no feature %q", clipped(feature))
	}
	return v.api.docs.get("embed/"+feature, func() (document, error) {
		var out strings.Builder
		if err := p.framing.Execute(&out, v.embedView(b, feature)); err != nil {
			return document{}, fmt.Errorf("drawing the embedded page: %w", err)
		}
		return newDocument(htmlKind, []byte(out.String()))
	})
}

func (v *view) embedView(b *apiBuilder, feature string) embedView {
	e := embedView{Title: v.page.Title, Home: b.link("/"), Status: v.page.Overall.Slug, Text: v.page.Overall.Text, Notice: v.page.Notice}
	for i := range v.page.Features {
		f := &v.page.Features[i]
		if feature != "" && f.Name != feature {
			continue
		}
		e.Rows = append(e.Rows, embedRow{Name: f.Title, Quality: string(f.tile.Word), QualityState: f.tile.Word.Slug(), Figure: f.Quality.Figure,
			Uptime: string(f.uptime.Word), UptimeState: f.uptime.Word.Slug()})
	}
	if feature != "" {
		e.Text = ""
	}
	for _, i := range b.published {
		if i.Open() && concerns(feature, i.Features) && len(e.Open) < openListed {
			e.Open = append(e.Open, b.incident(i))
		}
	}
	for _, m := range b.maintenances {
		if active(m) && concerns(feature, m.Features) && len(e.Open) < openListed {
			e.Open = append(e.Open, b.maintenance(m))
		}
	}
	return e
}

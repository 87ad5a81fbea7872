package statuspage

import (
	"encoding/json"

	"github.com/gorilla/websocket"
)

// maxNews is how many features a live message tells of. Of more, clients read on the page that they fetch.
const maxNews = 50

// news is what live clients are told of a view, by language.
type news map[string]liveMessage

// liveMessage is what a client is sent: enough to be right at once. The rest is on the page, which it fetches.
type liveMessage struct {
	ETag     string        `json:"etag"`   // names the content; a client that shows another one fetches the page
	AsOf     string        `json:"as_of"`  // time of the figures
	Spread   int64         `json:"spread"` // milliseconds over which clients spread their fetches
	Overall  *liveWords    `json:"overall,omitempty"`
	Features []liveFeature `json:"features,omitempty"` // those that changed
}

// liveWords are a slug and the words for it.
type liveWords struct {
	Slug string `json:"slug"`
	Text string `json:"text"`
}

type liveFeature struct {
	Name    string   `json:"name"`
	Quality liveTile `json:"quality"`
	Uptime  liveTile `json:"uptime"`
}

// liveTile is what a tile says, without its row of days.
type liveTile struct {
	Slug     string `json:"slug"`
	Word     string `json:"word"`
	Figure   string `json:"figure,omitempty"`
	Interval string `json:"interval,omitempty"`
	Note     string `json:"note,omitempty"`
}

// newsSince tells how a view differs from the one before, which may be nil.
func (v *view) newsSince(old *view) news {
	out := news{}
	for _, l := range v.render.languages.All() {
		d := v.render.in(l)
		p := v.pageIn(d)
		m := liveMessage{ETag: v.content, AsOf: p.AsOfTime, Overall: &liveWords{p.Overall.Slug, p.Overall.Text}}
		if old != nil && old.content != v.content {
			m.Features = changedTiles(old.pageIn(d).Features, p.Features)
		}
		out[l.Tag] = m
	}
	return out
}

// changedTiles are the features whose tiles say something else than before.
func changedTiles(before, after []featureView) (out []liveFeature) {
	was := make(map[string]liveFeature, len(before))
	for i := range before {
		was[before[i].Name] = liveOf(&before[i])
	}
	for i := range after {
		if f := liveOf(&after[i]); f != was[f.Name] && len(out) < maxNews {
			out = append(out, f)
		}
	}
	return out
}

func liveOf(f *featureView) liveFeature {
	return liveFeature{Name: f.Name, Quality: liveTileOf(&f.Quality), Uptime: liveTileOf(&f.Uptime)}
}

func liveTileOf(t *tileView) liveTile {
	return liveTile{Slug: t.Slug, Word: t.Word, Figure: t.Figure, Interval: t.Interval, Note: t.Note}
}

// prepare encodes the news once for all clients of a language. What cannot be encoded is left out.
func (n news) prepare(spread int64) map[string]*websocket.PreparedMessage {
	out := make(map[string]*websocket.PreparedMessage, len(n))
	for lang, m := range n {
		m.Spread = spread
		body, err := json.Marshal(m)
		if err != nil {
			continue // strings and numbers marshal
		}
		if p, err := websocket.NewPreparedMessage(websocket.TextMessage, body); err == nil {
			out[lang] = p
		}
	}
	return out
}

// greeting is what a client is told that comes later: what holds, not what changed.
func (n news) greeting() map[string]*websocket.PreparedMessage {
	out := make(news, len(n))
	for lang, m := range n {
		m.Features = nil
		out[lang] = m
	}
	return out.prepare(0)
}

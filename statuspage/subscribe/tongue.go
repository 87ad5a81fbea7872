package subscribe

import (
	"fmt"
	htmltemplate "html/template"
	"text/template"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/statuspage/speech"
)

// tongue is a language with the templates that say its texts.
type tongue struct {
	*speech.Language
	page, html *htmltemplate.Template
	text       *template.Template
}

// tongues are the languages of pages and messages.
type tongues struct {
	set *speech.Set
	by  map[string]*tongue
}

func newTongues(tags []string) (*tongues, error) {
	set, err := speech.New(tags)
	if err != nil {
		return nil, fmt.Errorf("languages of subscriptions: %w", err)
	}
	t := &tongues{set: set, by: map[string]*tongue{}}
	for _, l := range set.All() {
		if t.by[l.Tag], err = newTongue(l, len(set.All()) > 1); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// newTongue parses the templates. Where there are several languages links say which: a visitor may have chosen
// another than the browser's.
func newTongue(l *speech.Language, several bool) (*tongue, error) {
	t := &tongue{Language: l}
	href := func(path string) string {
		if several {
			path += "?lang=" + l.Tag
		}
		return path
	}
	functions := map[string]any{"t": l.Say, "href": href}
	var err error
	if t.page, err = htmltemplate.New("").Funcs(functions).ParseFS(files, "templates/page.html"); err != nil {
		return nil, fmt.Errorf("parsing the pages of subscriptions: %w", err)
	}
	if t.html, err = htmltemplate.New("").Funcs(functions).ParseFS(files, "templates/mail.html"); err != nil {
		return nil, fmt.Errorf("parsing the HTML of mails: %w", err)
	}
	if t.text, err = template.New("").Funcs(functions).ParseFS(files, "templates/mail.txt"); err != nil {
		return nil, fmt.Errorf("parsing the text of mails: %w", err)
	}
	return t, nil
}

// of is the language that a visitor asks for, or the one that the browser prefers.
func (t *tongues) of(c *gin.Context) *tongue {
	if l, ok := t.set.Named(c.Query("lang")); ok {
		return t.by[l.Tag]
	}
	return t.by[t.set.Match(c.GetHeader("Accept-Language")).Tag]
}

// named is the language with a tag, or the first where there is none such any more.
func (t *tongues) named(tag string) *tongue {
	if l, ok := t.set.Named(tag); ok {
		return t.by[l.Tag]
	}
	return t.by[t.set.Default().Tag]
}

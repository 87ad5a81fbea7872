// Package speech owns the words of the status page: all its texts in every language it speaks, plural forms,
// numbers and dates, and the choice of a language for a visitor.
//
// The texts are in the folder texts, a file for each language. Package speech does not know what the texts are
// about and writes no HTML. What machines read stays English and is not made here.
package speech

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"

	"github.com/asgood-dev/asgood/internal/quality"
)

//go:embed texts/*.json
var texts embed.FS

// English is the language that is always complete: what machines read is made with it.
const English = "en"

// Set is the languages of a page, the default first.
type Set struct {
	list    []*Language
	english *Language
	matcher language.Matcher
}

// Tags are the languages there are texts of.
func Tags() []string {
	names, err := fs.Glob(texts, "texts/*.json")
	if err != nil {
		return nil // the pattern is a constant
	}
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = strings.TrimSuffix(path.Base(name), ".json")
	}
	return out
}

// File returns the texts of a language.
func File(tag string) ([]byte, error) { return texts.ReadFile("texts/" + tag + ".json") }

// New returns the languages of tags, the default first; none means English. It is an error of kind invalid when
// there are no texts of one.
func New(tags []string) (*Set, error) {
	if len(tags) == 0 {
		tags = []string{English}
	}
	files := map[string][]byte{}
	for _, tag := range append(slices.Clone(tags), English) {
		data, err := File(tag)
		if err != nil {
			return nil, quality.Errorf(quality.KindInvalid, "language %q: want some of %s", tag, strings.Join(Tags(), ", "))
		}
		files[tag] = data
	}
	return Of(tags, files)
}

// Of returns languages whose texts are given by tag; those of English must be among them.
func Of(tags []string, files map[string][]byte) (*Set, error) {
	bundle := i18n.NewBundle(language.English)
	for tag, data := range files {
		if _, err := bundle.ParseMessageFileBytes(data, tag+".json"); err != nil {
			return nil, fmt.Errorf("reading the texts of %q: %w", tag, err)
		}
	}
	s := &Set{english: newLanguage(bundle, English)}
	var known []language.Tag
	for _, tag := range tags {
		l := newLanguage(bundle, tag)
		s.list, known = append(s.list, l), append(known, l.tag)
	}
	s.matcher = language.NewMatcher(known)
	return s, nil
}

// All returns the languages, the default first.
func (s *Set) All() []*Language { return s.list }

// Default is the language of who asks for none of them.
func (s *Set) Default() *Language { return s.list[0] }

// English returns English, whether the page speaks it or not.
func (s *Set) English() *Language { return s.english }

// Named returns the language with a tag.
func (s *Set) Named(tag string) (*Language, bool) {
	for _, l := range s.list {
		if strings.EqualFold(l.Tag, tag) {
			return l, true
		}
	}
	return nil, false
}

// maxHeader is how much of an Accept-Language header is read.
const maxHeader = 256

// Match returns the language that fits an Accept-Language header best.
func (s *Set) Match(header string) *Language {
	if len(s.list) == 1 || header == "" {
		return s.Default()
	}
	wanted, _, err := language.ParseAcceptLanguage(header[:min(len(header), maxHeader)])
	if err != nil || len(wanted) == 0 {
		return s.Default()
	}
	_, i, confidence := s.matcher.Match(wanted...)
	if confidence == language.No {
		return s.Default()
	}
	return s.list[i]
}

// Language says the texts of one language. It is safe for concurrent use.
type Language struct {
	Tag string // such as de
	Dir string // ltr or rtl

	tag       language.Tag
	localizer *i18n.Localizer
	phrases   sync.Map // phraseKey to phrase
}

func newLanguage(bundle *i18n.Bundle, tag string) *Language {
	l := &Language{Tag: tag, Dir: "ltr", tag: language.Make(tag), localizer: i18n.NewLocalizer(bundle, tag)}
	if script, _ := l.tag.Script(); slices.Contains(rightToLeft, script.String()) {
		l.Dir = "rtl"
	}
	return l
}

// rightToLeft are the scripts that are written so.
var rightToLeft = []string{"Arab", "Hebr", "Syrc", "Thaa", "Nkoo", "Adlm"}

// Name is what the language calls itself.
func (l *Language) Name() string { return l.Say("language.name") }

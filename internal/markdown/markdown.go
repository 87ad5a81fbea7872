// Package markdown makes safe HTML and plain text of Markdown that people wrote for customers.
//
// It owns what is allowed: paragraphs, headings, lists, quotes, code, tables, emphasis and links, and nothing
// that runs, loads or styles. It does not know what the texts are about.
package markdown

import (
	"bytes"
	"html"
	"html/template"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
)

// MaxText is how many bytes of Markdown are read; what is beyond is left out.
const MaxText = 100_000

// maxDepth bounds how deep quotes and lists may nest: the time to read a line grows with it.
const maxDepth = 64

// MaxHTML is how many bytes of HTML are made at most; a text that makes more is shown as plain text.
const MaxHTML = 1 << 20

// converter and policy are read only once made, and safe for concurrent use.
var (
	converter = goldmark.New(goldmark.WithExtensions(extension.Table, extension.Strikethrough, extension.Linkify))
	policy    = newPolicy()
	nothing   = bluemonday.StrictPolicy()
)

func newPolicy() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "pre", "code",
		"em", "strong", "del", "table", "thead", "tbody", "tr", "th", "td")
	p.AllowAttrs("start").Matching(regexp.MustCompile(`^[0-9]{1,9}$`)).OnElements("ol")
	p.AllowAttrs("href").OnElements("a")
	p.AllowURLSchemes("http", "https", "mailto")
	p.AllowRelativeURLs(true)
	p.RequireParseableURLs(true)
	p.RequireNoFollowOnLinks(true)
	p.RequireNoReferrerOnLinks(true)
	return p
}

// HTML returns the text as HTML that holds no script, style, image, form or attribute but the address of links,
// which carry rel="nofollow noreferrer noopener". HTML in the text is left out.
func HTML(text string) template.HTML {
	text = bounded(text)
	var b bytes.Buffer
	if tooDeep(text) || converter.Convert([]byte(text), &b) != nil || b.Len() > MaxHTML {
		return template.HTML("<p>" + html.EscapeString(text) + "</p>")
	}
	out := policy.SanitizeBytes(b.Bytes())
	return template.HTML(relation(string(out)))
}

// relation adds noopener: the policy adds it only to links that it makes open in a new window.
func relation(s string) string {
	return strings.ReplaceAll(s, `rel="nofollow noreferrer"`, `rel="nofollow noreferrer noopener"`)
}

// blocks end a line of text.
var blocks = strings.NewReplacer("</p>", "\n\n", "</h1>", "\n\n", "</h2>", "\n\n", "</h3>", "\n\n", "</h4>", "\n\n", "</h5>", "\n\n", "</h6>", "\n\n",
	"<li>", "- ", "</li>", "\n", "</ul>", "\n", "</ol>", "\n", "<br>", "\n", "<br />", "\n", "</pre>", "\n\n", "</tr>", "\n", "</td>", " ", "</th>", " ")

var (
	link  = regexp.MustCompile(`<a href="([^"]*)"[^>]*>([^<]*)</a>`)
	lines = regexp.MustCompile(`\n{3,}`)
)

// Text returns the text without marks, for mails and feeds: blocks on lines of their own, links followed by
// their address.
func Text(text string) string {
	safe := link.ReplaceAllStringFunc(string(HTML(text)), func(s string) string {
		m := link.FindStringSubmatch(s)
		if m[1] == m[2] || strings.TrimPrefix(m[1], "mailto:") == m[2] {
			return m[2]
		}
		return m[2] + " (" + m[1] + ")"
	})
	plain := html.UnescapeString(nothing.Sanitize(blocks.Replace(safe)))
	return strings.TrimSpace(lines.ReplaceAllString(plain, "\n\n"))
}

// bounded cuts the text at a character and makes it valid UTF-8.
func bounded(text string) string {
	if len(text) > MaxText {
		cut := MaxText
		for cut > 0 && !utf8.RuneStart(text[cut]) {
			cut--
		}
		text = text[:cut]
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}

// tooDeep reports whether a line opens more quotes, lists or brackets than anybody writes.
func tooDeep(text string) bool {
	for line := range strings.Lines(text) {
		depth := 0
		for _, c := range line {
			if c == '>' || c == '[' || c == '*' || c == '_' || c == '-' || c == '+' {
				depth++
			} else if c != ' ' && c != '\t' {
				break
			}
		}
		if depth > maxDepth && strings.Trim(line, "-*_ \t\r\n") != "" {
			return true
		}
	}
	return false
}

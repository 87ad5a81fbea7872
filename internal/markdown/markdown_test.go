package markdown_test

import (
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/asgood-dev/asgood/internal/markdown"
)

func TestHTML(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"a paragraph", "It is *worse*.", "<p>It is <em>worse</em>.</p>"},
		{"a list", "- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"},
		{"a link", "[here](https://a.example/x)", `<p><a href="https://a.example/x" rel="nofollow noreferrer noopener">here</a></p>`},
		{"an address", "https://a.example", `<p><a href="https://a.example" rel="nofollow noreferrer noopener">https://a.example</a></p>`},
		{"a script", "a<script>alert(1)</script>b", "<p>aalert(1)b</p>"},
		{"a script as a link", "[x](javascript:alert(1))", "<p>x</p>"},
		{"data as a link", "[x](data:text/html,hello)", "<p>x</p>"},
		{"an image", "![x](https://evil.example/pixel.png)", "<p></p>"},
		{"HTML of a block", "<div onclick=\"x()\">hi</div>", ""},
		{"figures", "95 % < 97 % & more", "<p>95 % &lt; 97 % &amp; more</p>"},
	} {
		if got := strings.TrimSpace(string(markdown.HTML(c.text))); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestText(t *testing.T) {
	for text, want := range map[string]string{
		"It is *worse*.\n\n## Why\n\n- a\n- b": "It is worse.\n\nWhy\n\n- a\n- b",
		"[here](https://a.example/x?a=1&b=2)":  "here (https://a.example/x?a=1&b=2)",
		"https://a.example":                    "https://a.example",
		"95 % < 97 % & “more”":                 "95 % < 97 % & “more”",
		"`a < b`":                              "a < b",
	} {
		if got := markdown.Text(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestBounds(t *testing.T) {
	for name, text := range map[string]string{
		"long": strings.Repeat("ä", markdown.MaxText), "quotes": strings.Repeat(">", 50_000) + "x", "brackets": strings.Repeat("[", 50_000),
		"stars": strings.Repeat("*a ", 30_000), "lists": strings.Repeat("- ", 40_000) + "x", "not UTF-8": "\xff\xfe",
	} {
		if got := len(markdown.HTML(text)); got > 2*markdown.MaxHTML {
			t.Errorf("%s: got %d bytes", name, got)
		}
	}
}

var allowed = map[string]bool{"p": true, "br": true, "hr": true, "h1": true, "h2": true, "h3": true, "h4": true, "h5": true, "h6": true, "ul": true, "ol": true,
	"li": true, "blockquote": true, "pre": true, "code": true, "em": true, "strong": true, "del": true, "table": true, "thead": true, "tbody": true, "tr": true,
	"th": true, "td": true, "a": true}

// FuzzHTML reads what is made as a browser does: nothing is in it but what is allowed.
func FuzzHTML(f *testing.F) {
	for _, s := range []string{"a *b* [c](https://d.example)", "<script>x</script>", "<a href='javascript:x'>y</a>", "[x]: javascript:y\n[x]", "|a|b|\n|-|-|\n|c|d|", "> > - *"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		z := html.NewTokenizer(strings.NewReader(string(markdown.HTML(text))))
		for z.Next() != html.ErrorToken {
			tok := z.Token()
			if tok.Type != html.StartTagToken && tok.Type != html.SelfClosingTagToken {
				continue
			}
			if !allowed[tok.Data] {
				t.Fatalf("%q makes <%s>", text, tok.Data)
			}
			for _, a := range tok.Attr {
				scheme, _, has := strings.Cut(strings.ToLower(strings.TrimSpace(a.Val)), ":")
				if bad := a.Key == "href" && has && (scheme == "javascript" || scheme == "data" || scheme == "vbscript"); bad || a.Key != "href" && a.Key != "rel" && a.Key != "start" {
					t.Fatalf("%q makes %s=%q", text, a.Key, a.Val)
				}
			}
		}
		if strings.ContainsAny(markdown.Text(text), "\x00") && !strings.Contains(text, "\x00") {
			t.Fatalf("%q makes a NUL", text)
		}
	})
}

package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/asgood-dev/asgood/internal/config"
)

// page parses a configuration that has these lines under statuspage, with files beside it.
func page(t *testing.T, lines string, files map[string]string) (*config.Config, error) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return config.Parse(filepath.Join(dir, "f.yaml"), []byte("statuspage:\n"+lines), func(string) (string, bool) { return "", false })
}

func TestPageProblems(t *testing.T) {
	for _, tt := range []struct{ name, lines, want string }{
		{"language", "  languages: [en, fr]\n", `2:19: statuspage.languages[1] "fr": want one of en, de`},
		{"language twice", "  languages: [de, de]\n", `2:19: statuspage.languages[1] "de": named twice`},
		{"way to count", "  uptime: {by: mood}\n", `statuspage.uptime.by "mood": want checks or incidents`},
		{"weight", "  uptime: {by: incidents, partial: 1.3}\n", `statuspage.uptime.partial "1.3": want 0 to 1`},
		{"weight without effect", "  uptime: {partial: 0.3}\n", `statuspage.uptime.partial "0.3": has an effect only with by: incidents`},
		{"colour", "  brand: {colours: {accent: blue}}\n", `statuspage.brand.colours.accent "blue": want a colour such as "#0a4f7d"`},
		{"no colour", "  brand: {colours: {link: '#000'}}\n", `statuspage.brand.colours.link "#000": no colour has this name; they are accent, better, card`},
		{"contrast", "  brand: {colours: {accent: '#7799ff'}}\n", `accent #7799ff on ground #fff has a contrast of 2.70, want 7`},
		{"contrast of a ground", "  brand: {dark: {card: '#556677'}}\n", `statuspage.brand.dark.card "#556677": `},
		{"link", "  brand: {footer: [{title: x, url: 'javascript:1'}]}\n", `statuspage.brand.footer[0].url "javascript:1": want a URL`},
		{"no logo", "  brand: {logo: none.svg}\n", `statuspage.brand.logo "none.svg": reading the file beside the configuration: no such file`},
		{"bad logo", "  brand: {logo: text.svg}\n", `statuspage.brand.logo "text.svg": want an SVG or PNG file: `},
		{"bad picture", "  brand: {logo: bad.png}\n", `statuspage.brand.logo "bad.png": want a PNG picture of at most 4096 by 4096 pixels`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := page(t, tt.lines, map[string]string{"text.svg": "not a drawing", "bad.png": "\x89PNG\r\n\x1a\nxx"})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestDrawingsAreMadeSafe(t *testing.T) {
	drawing := `<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x "y">]><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" onload="alert(1)" style="color:red">
<script>alert(1)</script><style>@import "https://x"</style><foreignObject><p>x</p></foreignObject><image href="https://x/y.png"/>
<a href="javascript:alert(1)"><path d="M0 0"/></a><use href="https://x#y"/><use href="#a"/><g fill="url(https://x)"><path id="a" fill="url(#g)" d="M1 1&quot;" onclick="x"/></g><text>1 &lt; 2</text></svg>`
	c, err := page(t, "  brand: {logo: logo.svg}\n", map[string]string{"logo.svg": drawing})
	if err != nil {
		t.Fatal(err)
	}
	got := string(c.StatusPage.Brand.LogoData)
	for _, bad := range []string{"script", "alert", "style", "https://x", "foreign", "image", "onclick", "onload", "ENTITY", "<a"} {
		if strings.Contains(got, bad) {
			t.Errorf("the drawing keeps %q: %s", bad, got)
		}
	}
	for _, good := range []string{`viewBox="0 0 9 9"`, `<use href="#a">`, `fill="url(#g)"`, "1 &lt; 2", `xmlns="http://www.w3.org/2000/svg"`} {
		if !strings.Contains(got, good) {
			t.Errorf("the drawing lost %q: %s", good, got)
		}
	}
}

func FuzzSafeSVG(f *testing.F) {
	f.Add([]byte(`<svg xmlns="http://www.w3.org/2000/svg"><g><path d="M0 0"/></g></svg>`))
	f.Add([]byte(`<svg><a><path fill="url(x)url(#y)"/></a></svg>`))
	f.Fuzz(func(t *testing.T, data []byte) {
		once, err := config.SafeSVG(data)
		if err != nil {
			return
		}
		twice, err := config.SafeSVG(once)
		if err != nil || string(once) != string(twice) {
			t.Errorf("%q is made %q, and that %q, %v", data, once, twice, err)
		}
	})
}

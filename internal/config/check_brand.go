package config

import (
	"bytes"
	"errors"
	"fmt"
	"image/png"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Bounds of what the configuration adds to the status page.
const (
	maxLogo        = 256 << 10
	maxCSS         = 64 << 10
	maxLogoSide    = 4096 // pixels
	maxFooterLinks = 20
	maxLinkTitle   = 100 // bytes
)

// pageLanguages are those that the status page has all texts of.
var pageLanguages = []string{"en", "de"}

// checkPage checks how the status page looks, speaks and counts, and loads its files.
func (d *decoder) checkPage(p *StatusPage) {
	d.checkDescription(p.Description, "statuspage.description")
	d.checkLanguages(p.Languages)
	d.checkUptime(p.Uptime)
	b := &p.Brand
	d.checkColours(b.Colours, quality.Colours(), "statuspage.brand.colours")
	d.checkColours(b.Dark, quality.DarkColours(), "statuspage.brand.dark")
	if b.Logo != "" {
		b.LogoData = d.loadLogo(b.Logo)
	}
	if b.CSS != "" {
		b.CSSData = d.besideFile(b.CSS, "statuspage.brand.css", maxCSS)
	}
	d.checkFooter(b.Footer)
}

func (d *decoder) checkLanguages(tags []string) {
	for i, tag := range tags {
		path := fmt.Sprintf("statuspage.languages[%d]", i)
		switch {
		case d.failed(path):
		case !slices.Contains(pageLanguages, tag):
			d.bad(path, "want one of %s", strings.Join(pageLanguages, ", "))
		case slices.Contains(tags[:i], tag):
			d.bad(path, "named twice")
		}
	}
}

func (d *decoder) checkUptime(u quality.UptimeSpec) {
	const path = "statuspage.uptime"
	if u.By != "" && u.By != quality.UptimeByChecks && u.By != quality.UptimeByIncidents && !d.failed(path+".by") {
		d.bad(path+".by", "want %s or %s", quality.UptimeByChecks, quality.UptimeByIncidents)
	}
	for name, w := range map[string]*float64{"major": u.Major, "partial": u.Partial, "degraded": u.Degraded, "maintenance": u.Maintenance} {
		at := path + "." + name
		switch {
		case w == nil || d.failed(at):
		case !(*w >= 0 && *w <= 1):
			d.bad(at, "want 0 to 1: the part of the time in this state that counts as down")
		case u.By != quality.UptimeByIncidents:
			d.bad(at, "has an effect only with by: %s", quality.UptimeByIncidents)
		}
	}
}

// checkColours checks the form of the colours that a theme changes, and what can still be read with them.
func (d *decoder) checkColours(changed, theme map[string]string, path string) {
	good := maps.Clone(theme)
	for _, name := range slices.Sorted(maps.Keys(changed)) {
		at := join(path, name)
		switch {
		case d.failed(at):
		case theme[name] == "":
			d.bad(at, "no colour has this name; they are %s", strings.Join(slices.Sorted(maps.Keys(theme)), ", "))
		case !hexColour.MatchString(changed[name]):
			d.bad(at, `want a colour such as "#0a4f7d"`)
		default:
			good[name] = changed[name]
		}
	}
	for _, name := range slices.Sorted(maps.Keys(theme)) {
		for _, ground := range []string{"ground", "card"} {
			d.checkContrast(changed, good, name, ground, path)
		}
	}
}

// checkContrast blames the colour that was changed, which may be the ground.
func (d *decoder) checkContrast(changed, colours map[string]string, name, ground, path string) {
	least := quality.ColourContrast(name)
	blamed := name
	if changed[name] == "" {
		blamed = ground
	}
	at := join(path, blamed)
	if changed[blamed] == "" || d.failed(at) {
		return
	}
	if got := contrast(colours[name], colours[ground]); got < least {
		d.bad(at, "%s %s on %s %s has a contrast of %.2f, want %g", name, colours[name], ground, colours[ground], got, least)
	}
}

var pngHead = []byte("\x89PNG\r\n\x1a\n")

func (d *decoder) loadLogo(name string) []byte {
	const path = "statuspage.brand.logo"
	data := d.besideFile(name, path, maxLogo)
	if data == nil {
		return nil
	}
	if bytes.HasPrefix(data, pngHead) {
		c, err := png.DecodeConfig(bytes.NewReader(data))
		if err != nil || c.Width > maxLogoSide || c.Height > maxLogoSide {
			d.bad(path, "want a PNG picture of at most %d by %d pixels", maxLogoSide, maxLogoSide)
		}
		return data
	}
	safe, err := safeSVG(data)
	if err != nil {
		d.bad(path, "want an SVG or PNG file: %v", err)
	}
	return safe
}

// besideFile reads a file beside the configuration; nil when it was reported that it cannot be read.
func (d *decoder) besideFile(name, path string, most int) []byte {
	data, err := readSmall(beside(filepath.Dir(d.file), name))
	if pathErr := (*fs.PathError)(nil); errors.As(err, &pathErr) {
		err = pathErr.Err // the library's words repeat the path, and a variable may have given it
	}
	switch {
	case err != nil:
		d.bad(path, "reading the file beside the configuration: %v", err)
		return nil
	case len(data) > most:
		d.bad(path, "%d bytes, at most %d", len(data), most)
		return nil
	}
	return data
}

func (d *decoder) checkFooter(links []quality.PageLink) {
	const path = "statuspage.brand.footer"
	if len(links) > maxFooterLinks {
		d.bad(path, "%d links, at most %d", len(links), maxFooterLinks)
	}
	for i, l := range links {
		at := fmt.Sprintf("%s[%d]", path, i)
		if (l.Title == "" || len(l.Title) > maxLinkTitle) && !d.failed(at+".title") {
			d.bad(at+".title", "want 1 to %d bytes", maxLinkTitle)
		}
		if !isWebURL(l.URL) && !strings.HasPrefix(l.URL, "mailto:") && !d.failed(at+".url") {
			d.bad(at+".url", "want a URL such as https://acme.example/imprint, or mailto: and an address")
		}
	}
}

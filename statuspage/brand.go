package statuspage

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/asgood-dev/asgood/internal/quality"
)

// branding makes files of how the page is to look. What is in it was checked with the configuration.
type branding struct{ quality.Brand }

// documents are the assets of the configuration, with the paths of the logo and of its style sheets.
func (b branding) documents() (all []document, logo string, styles []string, err error) {
	add := func(ext string, body []byte) (string, error) {
		d, err := newAsset(ext, body)
		all = append(all, d)
		return d.path, err
	}
	if len(b.LogoData) > 0 {
		ext := ".svg"
		if bytes.HasPrefix(b.LogoData, []byte("\x89PNG")) {
			ext = ".png"
		}
		if logo, err = add(ext, b.LogoData); err != nil {
			return nil, "", nil, err
		}
	}
	if len(b.CSSData) > 0 {
		path, err := add(".css", b.CSSData)
		if err != nil {
			return nil, "", nil, err
		}
		styles = append(styles, path)
	}
	return all, logo, styles, nil
}

// colours is a style sheet of the configured colours; empty when there are none.
func (b branding) colours() []byte {
	var out bytes.Buffer
	if len(b.Colours) > 0 {
		fmt.Fprintf(&out, ":root {%s }\n", variables(b.Colours))
	}
	if len(b.Dark) > 0 {
		fmt.Fprintf(&out, "@media screen and (prefers-color-scheme: dark) { :root {%s } }\n", variables(b.Dark))
	}
	return out.Bytes()
}

func variables(colours map[string]string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(colours)) {
		fmt.Fprintf(&b, " --%s: %s;", name, colours[name])
	}
	return b.String()
}

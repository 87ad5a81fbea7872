package config

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxDrawing bounds how deep the elements of a drawing may nest.
const maxDrawing = 50

// drawn are the elements that a logo may have: none of them runs, loads or links.
var drawn = set("svg", "g", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "tspan", "defs", "symbol", "use",
	"linearGradient", "radialGradient", "stop", "clipPath", "mask", "title", "desc")

// drawing are the attributes that they may have. What is a reference must stay in the file.
var drawing = set("viewBox", "width", "height", "x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "rx", "ry", "d", "points", "dx", "dy", "id", "href",
	"transform", "fill", "fill-opacity", "fill-rule", "stroke", "stroke-width", "stroke-opacity", "stroke-linecap", "stroke-linejoin", "stroke-dasharray",
	"stroke-miterlimit", "opacity", "offset", "stop-color", "stop-opacity", "gradientUnits", "gradientTransform", "clip-path", "clip-rule", "mask",
	"font-family", "font-size", "font-weight", "text-anchor", "letter-spacing", "preserveAspectRatio")

func set(names ...string) map[string]bool {
	out := map[string]bool{}
	for _, n := range names {
		out[n] = true
	}
	return out
}

// safeSVG writes a drawing anew with what is allowed only: no scripts, styles, links, foreign content or references to
// other files.
func safeSVG(data []byte) ([]byte, error) {
	d := xml.NewDecoder(bytes.NewReader(data))
	d.Entity = map[string]string{}
	var out bytes.Buffer
	var open []string
	skip := 0 // depth within an element that is left out
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("not an SVG drawing: %w", err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			switch {
			case len(open)+skip >= maxDrawing:
				return nil, fmt.Errorf("elements are nested more than %d deep", maxDrawing)
			case len(open) == 0 && skip == 0 && (t.Name.Local != "svg" || out.Len() > 0):
				return nil, errors.New("want one svg element")
			case skip > 0 || !drawn[t.Name.Local]:
				skip++
			default:
				writeElement(&out, t, len(open) == 0)
				open = append(open, t.Name.Local)
			}
		case xml.EndElement:
			if skip > 0 {
				skip--
				continue
			}
			fmt.Fprintf(&out, "</%s>", open[len(open)-1])
			open = open[:len(open)-1]
		case xml.CharData:
			if skip == 0 && len(open) > 0 {
				escapeXML(&out, string(t))
			}
		}
	}
	if out.Len() == 0 {
		return nil, errors.New("want one svg element")
	}
	return out.Bytes(), nil
}

func writeElement(out *bytes.Buffer, t xml.StartElement, root bool) {
	out.WriteString("<" + t.Name.Local)
	if root {
		out.WriteString(` xmlns="http://www.w3.org/2000/svg"`)
	}
	for _, a := range t.Attr {
		value := strings.ToLower(a.Value)
		inside := strings.Count(value, "url") == strings.Count(value, "url(#")
		if !drawing[a.Name.Local] || !inside || a.Name.Local == "href" && !strings.HasPrefix(a.Value, "#") {
			continue
		}
		out.WriteString(" " + a.Name.Local + `="`)
		escapeXML(out, a.Value)
		out.WriteString(`"`)
	}
	out.WriteString(">")
}

func escapeXML(out *bytes.Buffer, text string) { _ = xml.EscapeText(out, []byte(text)) } // a buffer takes everything

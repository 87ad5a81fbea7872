package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/asgood-dev/asgood/internal/quality"
)

func (d *decoder) checkRedact(rules []quality.RedactRule, path string) {
	seen := map[quality.RedactRule]int{}
	var patterns, fields int
	for i, r := range rules {
		p := fmt.Sprintf("%s[%d]", path, i)
		if d.failed(p) {
			continue
		}
		r.Field = strings.ToLower(r.Field)
		if first, ok := seen[r]; ok {
			d.bad(p, "stands twice, first as entry %d", first+1)
			continue
		}
		seen[r] = i
		switch {
		case r.Pattern != "" || d.has(p+".pattern"):
			patterns++
		case r.Field != "":
			fields++
		}
		d.checkRedactRule(r, p)
	}
	if patterns > quality.MaxRedactPatterns {
		d.bad(path, "%d patterns, at most %d: each is a pass of its own over every text", patterns, quality.MaxRedactPatterns)
	}
	if fields > quality.MaxRedactFields {
		d.bad(path, "%d fields, at most %d", fields, quality.MaxRedactFields)
	}
}

func (d *decoder) checkRedactRule(r quality.RedactRule, path string) {
	hasPattern, hasField := d.has(path+".pattern"), d.has(path+".field")
	switch {
	case hasPattern && hasField:
		d.bad(path, "has pattern and field: want one of them (make two entries)")
	case hasPattern:
		d.checkRedactPattern(r, path)
	case d.has(path + ".name"):
		d.bad(path+".name", "has an effect only beside pattern")
	case hasField:
		d.checkRedactField(r.Field, path+".field")
	case r.Kind == "":
		d.bad(path, "want a kind such as email, {pattern: REGEX, name: NAME} or {field: NAME}")
	case !slices.Contains(quality.RedactKinds(), r.Kind):
		d.checkRedactKind(r.Kind, path)
	}
}

func (d *decoder) checkRedactKind(kind, path string) {
	hint := "known: " + strings.Join(quality.RedactKinds(), ", ")
	if s := nearest(kind, quality.RedactKinds()); s != "" {
		hint = fmt.Sprintf("did you mean %s?", s)
	}
	d.bad(path, "not a kind that is known (%s)", hint)
}

func (d *decoder) checkRedactPattern(r quality.RedactRule, path string) {
	d.checkPattern(path+".pattern", r.Pattern)
	if !d.failed(path + ".pattern") {
		if _, err := quality.CompileRedactPattern(r.Pattern); err != nil {
			d.bad(path+".pattern", "%v", err)
		}
	}
	if err := quality.CheckRedactName(r.Name); err != nil && !d.failed(path+".name") {
		d.bad(path+".name", "%v", err)
	}
}

func (d *decoder) checkRedactField(name, path string) {
	if name == "" || len(name) > quality.MaxNameLen || strings.TrimSpace(name) != name {
		d.bad(path, "want the name of a key, such as password, of at most %d bytes", quality.MaxNameLen)
	}
}

package config

import (
	_ "embed" // for the JSON Schema
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"time"
	_ "time/tzdata" // a container may have no time zones of its own

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

//go:embed schema.json
var schemaJSON string

// Schema returns the JSON Schema of the file, for editors.
func Schema() []byte { return []byte(schemaJSON) }

// maxFile is far above any real configuration and far below what makes the parser slow.
const maxFile = 1 << 20

// Load reads and checks the file at path, with the environment of the process.
func Load(path string) (*Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, quality.Errorf(quality.KindInvalid, "reading configuration: %w", err)
	}
	return Parse(path, data, os.LookupEnv)
}

// Parse reads and checks data. The file's name appears in errors, and paths in the data are relative
// to its folder. env looks a variable up for ${NAME}. An error wraps Problems, which holds all that is
// wrong where the syntax allows to go on.
func Parse(file string, data []byte, env func(string) (string, bool)) (*Config, error) {
	d := &decoder{
		file: file, env: env, location: time.UTC, budget: maxNodes,
		anchors: map[string]ast.Node{}, places: map[string]place{"": {line: 1, column: 1}},
	}
	c := Defaults()
	if root, ok := d.syntax(data); ok {
		d.timeZone(root)
		d.node(root, reflect.ValueOf(c).Elem(), "")
		d.check(c)
	}
	if len(d.problems) > 0 {
		d.problems.sort()
		return nil, quality.Errorf(quality.KindInvalid, "%w", d.problems)
	}
	c.complete(filepath.Dir(file), d.location)
	return c, nil
}

// syntax returns the one document of the file, nil when it is empty, and whether it can be read at all.
func (d *decoder) syntax(data []byte) (root ast.Node, ok bool) {
	if len(data) > maxFile {
		d.problem(place{}, "", "the file holds %d bytes, at most %d", len(data), maxFile)
		return nil, false
	}
	f, err := parse(data)
	if err != nil {
		d.syntaxProblem(err)
		return nil, false
	}
	for _, doc := range f.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.CommentType || doc.Body.Type() == ast.DirectiveType {
			continue
		}
		if root != nil {
			d.problem(placeOf(doc.Body), "", "the file holds a second document; one is read")
			return nil, false
		}
		root = doc.Body
	}
	return root, true
}

// parse keeps a panic of the parser, which has met fewer files than we might be given, from ending the process.
func parse(data []byte) (f *ast.File, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = errors.New("the parser gives up on this file")
		}
	}()
	return parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
}

// syntaxProblem leaves out the excerpt that the library would print: it could hold a secret.
func (d *decoder) syntaxProblem(err error) {
	var syntax *yaml.SyntaxError
	if errors.As(err, &syntax) {
		d.problem(placeOfToken(syntax.Token), "", "not YAML: %s", syntax.Message)
		return
	}
	d.problem(place{}, "", "not YAML: %v", err)
}

// timeZone is read ahead of all else, because dates anywhere in the file are days of it.
func (d *decoder) timeZone(root ast.Node) {
	m, ok := root.(ast.MapNode)
	if !ok {
		return
	}
	for it := m.MapRange(); it.Next(); {
		s, ok := it.Value().(*ast.StringNode)
		if !ok || it.Key().GetToken().Value != "time_zone" {
			continue
		}
		// A bad one is reported by the checks, with its place.
		if name, _, err := d.expand(s.Value); err == nil {
			if l, err := loadLocation(name); err == nil {
				d.location = l
			}
		}
	}
}

var errLocalZone = errors.New("the zone of the machine is not the same everywhere")

func loadLocation(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		return nil, errLocalZone
	}
	l, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("loading time zone %q: %w", name, err)
	}
	return l, nil
}

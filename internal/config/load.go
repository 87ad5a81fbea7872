package config

import (
	"bytes"
	_ "embed" // for the JSON Schema
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"time"
	_ "time/tzdata" // a container may have no time zones of its own
	"unicode/utf8"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

//go:embed schema.json
var schemaJSON string

// Schema returns the JSON Schema of the file, for editors.
func Schema() []byte { return []byte(schemaJSON) }

// maxFile is far above any real configuration and far below what makes the parser slow.
const maxFile = 1 << 20

// Load reads and checks the file at path, with the environment of the process.
func Load(path string) (*Config, error) {
	data, err := readStart(path)
	if err != nil {
		return nil, quality.Errorf(quality.KindInvalid, "reading configuration: %w", err)
	}
	return Parse(path, data, os.LookupEnv)
}

// readStart reads a little more than a configuration may hold, so that a device or a wrong file in its
// place does not fill the memory, and one that is too large is still seen to be.
func readStart(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxFile+1))
}

// Parse reads and checks data. The file's name appears in errors, and paths in the data are relative
// to its folder. env looks a variable up for ${NAME}. An error wraps Problems, which holds all that is
// wrong where the syntax allows to go on.
func Parse(file string, data []byte, env func(string) (string, bool)) (*Config, error) {
	d := &decoder{
		file: file, env: env, location: time.UTC, budget: maxNodes,
		anchors: map[string]ast.Node{}, places: map[string]place{"": {line: 1, column: 1}}, wrong: map[string]bool{},
	}
	c := Defaults()
	if root, ok := d.syntax(data); ok {
		d.timeZone(root)
		d.node(root, reflect.ValueOf(c).Elem(), "")
		d.check(c)
	}
	if len(d.problems) > 0 {
		d.problems.sort()
		if d.untold > 0 {
			d.problems = append(d.problems, Problem{File: file, Line: d.problems[len(d.problems)-1].Line, Column: 1,
				Message: fmt.Sprintf("%d more problems are not listed", d.untold)})
		}
		return nil, quality.Errorf(quality.KindInvalid, "%w", d.problems)
	}
	c.complete(filepath.Dir(file), d.location)
	return c, nil
}

// syntax returns the one document of the file, nil when it is empty, and whether it can be read at all.
func (d *decoder) syntax(data []byte) (root ast.Node, ok bool) {
	if len(data) > maxFile {
		d.problem(place{}, "", "the file is larger than %d bytes", maxFile)
		return nil, false
	}
	data = bytes.TrimPrefix(data, byteOrderMark)
	if at, what := unreadable(data); what != "" {
		d.problem(at, "", "%s", what)
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

// byteOrderMark is what some editors put in front of UTF-8.
var byteOrderMark = []byte("\xef\xbb\xbf")

// unreadable finds the first character that no configuration can hold.
func unreadable(data []byte) (at place, what string) {
	at = place{line: 1, column: 1}
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		switch {
		case r == utf8.RuneError && size == 1:
			return at, "the file is not UTF-8"
		case r < ' ' && r != '\t' && r != '\n' && r != '\r', r == 0x7f:
			return at, fmt.Sprintf("holds the control character %#02x", r)
		case r == '\n':
			at = place{line: at.line + 1}
		}
		at.column++
		data = data[size:]
	}
	return at, ""
}

// parse keeps a panic of the parser, which has met fewer files than we might be given, from ending the process.
func parse(data []byte) (f *ast.File, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = errors.New("the parser gives up on this file")
		}
	}()
	tokens := lexer.Tokenize(string(data))
	if t := tooDeep(tokens); t != nil {
		return nil, &yaml.SyntaxError{Message: fmt.Sprintf("lists and mappings are nested more than %d deep", maxDepth), Token: t}
	}
	return parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
}

// maxDepth is far above what any key needs. The parser's memory grows with the square of the depth.
const maxDepth = 64

// tooDeep returns the token at which brackets, or dashes on one line, are nested too deep. Nesting by
// indentation cannot go far: each level makes every later line longer.
func tooDeep(tokens token.Tokens) *token.Token {
	brackets, dashes, line := 0, 0, 0
	for _, t := range tokens {
		if t.Position.Line != line {
			dashes, line = 0, t.Position.Line
		}
		switch t.Type {
		case token.MappingStartType, token.SequenceStartType:
			brackets++
		case token.MappingEndType, token.SequenceEndType:
			brackets--
		case token.SequenceEntryType:
			dashes++
		}
		if brackets > maxDepth || dashes > maxDepth {
			return t
		}
	}
	return nil
}

// quoted is text of the file in the library's words.
var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"?`)

// syntaxProblem leaves out the text of the file that the library would show: it could hold a secret.
func (d *decoder) syntaxProblem(err error) {
	var syntax *yaml.SyntaxError
	if !errors.As(err, &syntax) {
		d.problem(place{}, "", "not YAML: %v", err)
		return
	}
	d.problem(placeOfToken(syntax.Token), "", "not YAML: %s", clip(quoted.ReplaceAllString(syntax.Message, "...")))
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

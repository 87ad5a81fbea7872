package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// scorerFields holds the types of scorers, and the fields each takes beside name and type.
var scorerFields = map[string][]string{
	"regex":       {"pattern", "ignore_case", "on"},
	"reference":   {"extract", "match", "ignore_case", "on"},
	"json_schema": {"schema", "on"},
	"contains":    {"any", "all", "ignore_case", "on"},
	"length":      {"on"},
	"external":    {"metrics", "human"},

	"tool_calls":      {"tools", "others", "order", "max_calls"},
	"refusal":         {"phrases", "languages", "on"},
	"language":        {"languages", "attribute", "on"},
	"rouge_l":         {"ignore_case", "on"},
	"edit_similarity": {"ignore_case", "on"},
	"grounded":        {"claims", "sources", "on"},
	"readability":     {"formula", "on"},
	"latency":         {},
	"cost":            {"prices"},
	"tokens":          {"count"},
	"expr":            {"expr", "on"},

	quality.ScorerJudge: append([]string{"model", "base_url", "api_key", "rubric", "scale", "mode", "votes", "vote", "temperature", "max_tokens",
		"human", "anchors", "on"}, askingFields...),
	quality.ScorerEmbedding: append([]string{"model", "base_url", "api_key", "on"}, askingFields...),
	quality.ScorerHTTP:      append([]string{"url", "headers"}, askingFields...),
	quality.ScorerCommand:   append([]string{"command", "env", "memory_mb", "persistent"}, askingFields...),
	quality.ScorerWasm:      append([]string{"module", "memory_mb"}, askingFields...),
}

func scorerTypes() []string {
	return append([]string{"regex", "reference", "json_schema", "contains", "length", "external",
		"tool_calls", "refusal", "language", "rouge_l", "edit_similarity", "grounded", "readability",
		"latency", "cost", "tokens", "expr"}, quality.AskingScorers()...)
}

func (d *decoder) checkScorers(ss []quality.ScorerSpec, path string) {
	names := map[string]int{}
	for i := range ss {
		d.name(path, i, ss[i].Name, identifier, names)
		d.checkScorer(&ss[i], fmt.Sprintf("%s[%d]", path, i))
	}
	d.checkMakers(ss, path)
}

// checkMakers reports a metric that two scorers make. Of two scorers of one name it was said before.
func (d *decoder) checkMakers(ss []quality.ScorerSpec, path string) {
	makers := map[string]int{} // scorer by metric
	made, _ := metrics(ss, path)
	for _, m := range made {
		if first, ok := makers[m.name]; !ok {
			makers[m.name] = m.scorer
		} else if ss[first].Name != ss[m.scorer].Name {
			d.bad(fmt.Sprintf("%s[%d]", path, m.scorer), "makes %q, and so does scorers[%d]", d.written(m.path, m.name), first)
		}
	}
	open := slices.IndexFunc(ss, takesAll)
	for i := range ss {
		if open >= 0 && i > open && takesAll(ss[i]) && ss[i].Name != ss[open].Name {
			d.bad(fmt.Sprintf("%s[%d]", path, i), "takes every metric that comes with the samples, and so does scorers[%d]", open)
		}
	}
}

func (d *decoder) checkScorer(s *quality.ScorerSpec, path string) {
	fields, ok := scorerFields[s.Type]
	if !ok {
		d.checkScorerType(s.Type, path+".type")
		return
	}
	for name := range fieldsOf(reflect.TypeFor[quality.ScorerSpec]()) {
		if d.has(path+"."+name) && name != "name" && name != "type" && !slices.Contains(fields, name) {
			d.bad(path+"."+name, "has no effect on a scorer of type %s (it takes %s)", s.Type, or(strings.Join(fields, ", "), "nothing more"))
		}
	}
	if s.On != "" && s.On != "last" && s.On != "all" && s.On != quality.OnConversation {
		d.bad(path+".on", "want last (the last assistant message), all (every message) or conversation (every turn of a conversation)")
	}
	d.checkCalibration(s, path)
	switch s.Type {
	case "regex":
		d.checkPattern(path+".pattern", s.Pattern)
	case "reference":
		if s.Extract != "" { // without it the whole texts are compared
			d.checkPattern(path+".extract", s.Extract)
		}
		if s.Match != "" && s.Match != "first" && s.Match != "last" {
			d.bad(path+".match", "want first or last")
		}
	case "json_schema":
		s.SchemaText = d.loadSchema(s.Schema, path+".schema")
	case "contains":
		d.checkContains(s, path)
	case "external":
		d.checkAttributes(s.Metrics, path+".metrics")
	default:
		d.checkRule(s, path)
	}
	d.checkAsking(s, path)
}

func (d *decoder) checkScorerType(got, path string) {
	if d.failed(path) {
		return
	}
	if got == "" {
		d.bad(path, "required (known: %s)", strings.Join(scorerTypes(), ", "))
		return
	}
	hint := "known: " + strings.Join(scorerTypes(), ", ")
	if s := nearest(got, scorerTypes()); s != "" && !d.places[path].fromEnv {
		hint = fmt.Sprintf("did you mean %s?", s)
	}
	d.bad(path, "not a type of scorer (%s)", hint)
}

// checkPattern says at which character a regular expression goes wrong. What a variable held is not shown.
func (d *decoder) checkPattern(path, pattern string) {
	if d.failed(path) {
		return
	}
	if pattern == "" {
		d.bad(path, "required")
		return
	}
	_, err := regexp.Compile(pattern)
	var bad *syntax.Error
	if !errors.As(err, &bad) {
		return
	}
	if d.places[path].fromEnv {
		d.bad(path, "not a regular expression: %s", bad.Code)
		return
	}
	at := 1
	if i := strings.Index(pattern, bad.Expr); i > 0 {
		at += utf8.RuneCountInString(pattern[:i])
	}
	d.bad(path, "not a regular expression: %s at character %d: %s", bad.Code, at, clip(bad.Expr))
}

func (d *decoder) checkContains(s *quality.ScorerSpec, path string) {
	if d.has(path+".any") == d.has(path+".all") {
		d.bad(path, "want exactly one of any and all")
		return
	}
	key, list := path+".any", s.Any
	if d.has(path + ".all") {
		key, list = path+".all", s.All
	}
	if len(list) == 0 && !d.failed(key) {
		d.bad(key, "must not be empty")
	}
	for i, text := range list {
		if p := fmt.Sprintf("%s[%d]", key, i); text == "" && !d.failed(p) {
			d.bad(p, "must not be empty: every text contains it")
		}
	}
}

const maxSchema = 1 << 20

// loadSchema reads a JSON Schema from beside the configuration, and checks that it is one; nil when it is not.
func (d *decoder) loadSchema(name, path string) []byte {
	if d.failed(path) {
		return nil
	}
	if name == "" {
		d.bad(path, "required: the file of a JSON Schema")
		return nil
	}
	text, err := readSmall(beside(filepath.Dir(d.file), name))
	if err != nil {
		// The library's words repeat the path, and a variable may have given it.
		if pathErr := (*fs.PathError)(nil); errors.As(err, &pathErr) {
			err = pathErr.Err
		}
		d.bad(path, "reading the schema beside the configuration: %v", err)
		return nil
	}
	if err := compileSchema(text); err != nil {
		d.bad(path, "not a JSON Schema: %s", clipTo(schemaText(err), 300))
		return nil
	}
	return text
}

// readSmall reads a regular file, so that a device or a pipe in its place cannot hold up the start.
func readSmall(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxSchema {
		return nil, fmt.Errorf("want a regular file of at most %d bytes", maxSchema)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // read only: nothing is lost
	text, err := io.ReadAll(io.LimitReader(f, maxSchema))
	if err != nil {
		return nil, err
	}
	return text, nil
}

// noLoader keeps a schema from reaching for other files or the network.
type noLoader struct{}

func (noLoader) Load(url string) (any, error) {
	return nil, fmt.Errorf("refers to %s, and only references within the file are followed", strings.TrimPrefix(url, schemaBase))
}

// schemaBase keeps the library from naming the schema, and what it refers to, by the folder we run in.
const schemaBase = "asgood://configuration/"

// schemaText says in one line what is wrong with a schema: the first of the innermost causes.
func schemaText(err error) string {
	var load *jsonschema.LoadURLError
	if errors.As(err, &load) {
		err = load.Err
	}
	var bad *jsonschema.SchemaValidationError
	var cause *jsonschema.ValidationError
	if !errors.As(err, &bad) || !errors.As(bad.Err, &cause) {
		return strings.Join(strings.Fields(strings.ReplaceAll(err.Error(), schemaBase, "")), " ")
	}
	for len(cause.Causes) > 0 {
		cause = cause.Causes[0]
	}
	// The text of the outermost has a headline with our own URL.
	text := cause.Error()
	return text[strings.LastIndex(text, "\n")+1:]
}

func compileSchema(text []byte) error {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return err
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(noLoader{})
	if err := c.AddResource(schemaBase+"schema.json", doc); err != nil {
		return err
	}
	_, err = c.Compile(schemaBase + "schema.json")
	return err
}

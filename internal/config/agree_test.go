package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/asgood-dev/asgood/internal/config"
)

func compiled(t testing.TB) *jsonschema.Schema {
	t.Helper()
	data, err := os.ReadFile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// fullDocument is testdata/full.yaml as plain values.
func fullDocument(t testing.TB) any {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "full.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var doc any
	if err := yaml.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	return plain(t, doc)
}

// plain makes the values those of a JSON document.
func plain(t testing.TB, v any) any {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	out, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// missing asks edit to leave a value out.
type missing struct{}

// places calls fn for the path of every value of a document.
func places(v any, path []any, fn func(path []any)) {
	fn(path)
	switch v := v.(type) {
	case object:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			places(v[k], append(slices.Clone(path), k), fn)
		}
	case []any:
		for i := range v {
			places(v[i], append(slices.Clone(path), i), fn)
		}
	}
}

// edit returns the document with the value at path replaced.
func edit(v any, path []any, value any) any {
	if len(path) == 0 {
		return value
	}
	if list, ok := v.([]any); ok {
		list = slices.Clone(list)
		i := path[0].(int)
		if _, ok := value.(missing); ok && len(path) == 1 {
			return slices.Delete(list, i, i+1)
		}
		list[i] = edit(list[i], path[1:], value)
		return list
	}
	m := maps.Clone(v.(object))
	k := path[0].(string)
	if _, ok := value.(missing); ok && len(path) == 1 {
		delete(m, k)
		return m
	}
	m[k] = edit(m[k], path[1:], value)
	return m
}

// aboutForm are the problems that a schema can see. What a variable holds, and that an empty value is as
// none, it cannot.
var aboutForm = regexp.MustCompile(`^(unknown field|want (text|true or false|a whole number|a number|a mapping|a list|a duration|a date|an amount)\b)`)

// TestSchemaAgreesWithTheDecoder changes the full file at every place and asks both.
func TestSchemaAgreesWithTheDecoder(t *testing.T) {
	schema, full := compiled(t), fullDocument(t)
	if err := schema.Validate(full); err != nil {
		t.Fatalf("the full file: %v", err)
	}
	values := []any{missing{}, nil, true, json.Number("7"), json.Number("1.5"), "text", "7", "true", "30d", "2026-03-01", "${NUMBER}",
		[]any{}, []any{"text"}, []any{nil}, object{}, object{"nobody": "text"}}
	asked := 0
	places(full, nil, func(path []any) {
		for _, value := range values {
			if _, ok := value.(missing); ok && len(path) == 0 {
				continue
			}
			doc := edit(full, path, value)
			text, err := json.Marshal(doc)
			if err != nil {
				t.Fatal(err)
			}
			invalid := schema.Validate(doc)
			ps := problemsOf(t, string(text))
			asked++
			if _, ok := value.(missing); ok && slices.Contains(requiredAt(full, path), path[len(path)-1]) && (len(ps) == 0 || invalid == nil) {
				t.Errorf("without %v: the schema says %v, the decoder %v", path, invalid, ps)
			}
			if len(ps) == 0 && invalid != nil {
				t.Errorf("%v = %v is read, and the schema says %v", path, value, invalid)
			}
			for _, p := range ps {
				if invalid == nil && aboutForm.MatchString(p.Message) && value != nil && value != "${NUMBER}" {
					t.Errorf("%v = %v is allowed by the schema, and the decoder says %v", path, value, p)
				}
			}
		}
	})
	if asked < 1000 {
		t.Errorf("asked %d times only", asked)
	}
}

// requiredAt returns the keys that the mapping that holds a path cannot do without.
func requiredAt(doc any, path []any) (keys []any) {
	var of string
	for _, step := range path[:len(path)-1] {
		if list, ok := doc.([]any); ok {
			doc = list[step.(int)]
		} else {
			doc = doc.(object)[step.(string)]
		}
		if name, ok := step.(string); ok {
			of = strings.TrimPrefix(of+"."+name, ".")
		} else {
			of += "[]"
		}
	}
	for _, k := range required[of] {
		keys = append(keys, k)
	}
	for _, group := range oneOf[of] {
		if m, _ := doc.(object); m[group[0]] != nil {
			keys = append(keys, words(group)...)
		}
	}
	return keys
}

// TestSchemaAndDecoderKnowTheSameKeys gives every mapping a key that nobody knows, on which the decoder
// tells those that it does.
func TestSchemaAndDecoderKnowTheSameKeys(t *testing.T) {
	var schema object
	if err := json.Unmarshal(config.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	walkSchema(schema, nil, func(path []string, keys []string) {
		text := `{"qqqqqqqqqqqqqqqqqqqq": 1}`
		for _, step := range slices.Backward(path) {
			if step == "[]" {
				text = "[" + text + "]"
			} else {
				text = fmt.Sprintf("{%q: %s}", step, text)
			}
		}
		told := "unknown field \"qqqqqqqqqqqqqqqqqqqq\" (known: " + strings.Join(keys, ", ") + ")"
		if !slices.ContainsFunc(problemsOf(t, text), func(p config.Problem) bool { return p.Message == told }) {
			t.Errorf("%s: the schema knows %v, and the decoder says %v", text, keys, problemsOf(t, text))
		}
	})
}

func walkSchema(s object, path []string, fn func(path, keys []string)) {
	if all, ok := s["anyOf"].([]any); ok {
		for _, one := range all {
			walkSchema(one.(object), path, fn)
		}
	}
	if items, ok := s["items"].(object); ok {
		walkSchema(items, append(slices.Clone(path), "[]"), fn)
	}
	if properties, ok := s["properties"].(object); ok {
		fn(path, slices.Sorted(maps.Keys(properties)))
		for name, p := range properties {
			walkSchema(p.(object), append(slices.Clone(path), name), fn)
		}
	}
}

// TestNoVariableIsShown puts a variable in the place of every value.
func TestNoVariableIsShown(t *testing.T) {
	full := fullDocument(t)
	places(full, nil, func(path []any) {
		for _, value := range []any{"${WORD}", "${WORD} ${WORD}", []any{"${WORD}", "${WORD}"}, object{"name": "${WORD}", "http": "${WORD}"}} {
			text, err := json.Marshal(edit(full, path, value))
			if err != nil {
				t.Fatal(err)
			}
			if got := problemsOf(t, string(text)).Error(); strings.Contains(got, secretWord) {
				t.Errorf("%v: the variable is shown: %s", path, got)
			}
		}
	})
}

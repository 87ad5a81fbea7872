package config

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
)

var (
	docsFile    = filepath.Join("..", "..", "docs", "configuration.md")
	exampleFile = filepath.Join("..", "..", "deploy", "asgood.example.yaml")
)

// keysOf lists the keys that the decoder takes for a value of t, as the documentation writes them:
// features[].monitors[].metric.
func keysOf(t reflect.Type, path string) (keys []string) {
	switch t.Kind() {
	case reflect.Pointer:
		return keysOf(t.Elem(), path)
	case reflect.Slice:
		return keysOf(t.Elem(), path+"[]")
	case reflect.Struct:
		for name, i := range fieldsOf(t) {
			p := join(path, name)
			keys = append(keys, p)
			keys = append(keys, keysOf(t.Field(i).Type, p)...)
		}
	}
	slices.Sort(keys)
	return keys
}

// TestTheFullFileHasEveryKey walks the keys of testdata/full.yaml, from which the tests of the schema go on.
func TestTheFullFileHasEveryKey(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "full.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var doc any
	if err := yaml.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	has := map[string]bool{
		"storage.library":      true, // has no effect beside a server, which cluster needs
		"false_alarms.samples": true, // the other form; a monitor has it
	}
	keysIn(doc, "", has)
	for _, key := range keysOf(reflect.TypeFor[Config](), "") {
		if !has[key] {
			t.Errorf("testdata/full.yaml lacks %s", key)
		}
	}
}

// keysIn adds the keys of a document to those that were found, in the form of keysOf.
func keysIn(v any, path string, found map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			p := join(path, name)
			found[p] = true
			keysIn(value, p, found)
		}
	case []any:
		for _, item := range v {
			keysIn(item, path+"[]", found)
		}
	}
}

func readDocs(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(docsFile)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// row is a row of a table of keys; the first cell holds the key.
var row = regexp.MustCompile("(?m)^\\| `([a-z_.\\[\\]]+)` \\|")

func TestEveryKeyIsDocumented(t *testing.T) {
	known := keysOf(reflect.TypeFor[Config](), "")
	if len(known) < 50 || !slices.Contains(known, "features[].monitors[].baseline.window.from") {
		t.Fatalf("the walk found %d keys, want all of them", len(known))
	}
	var documented []string
	for _, m := range row.FindAllStringSubmatch(readDocs(t), -1) {
		if slices.Contains(documented, m[1]) {
			t.Errorf("%s: %s has two rows", docsFile, m[1])
		}
		documented = append(documented, m[1])
	}
	for _, key := range known {
		if !slices.Contains(documented, key) {
			t.Errorf("%s: no row for the key %s (want a line that begins with | `%s` |)", docsFile, key, key)
		}
	}
	for _, key := range documented {
		if !slices.Contains(known, key) {
			t.Errorf("%s: there is no key %s", docsFile, key)
		}
	}
}

var yamlBlock = regexp.MustCompile("(?s)\n```yaml\n(.*?)```")

// The examples of the documentation are read as if they lay beside the example configuration.
func TestDocumentedExamplesAreGood(t *testing.T) {
	blocks := yamlBlock.FindAllStringSubmatch(readDocs(t), -1)
	if len(blocks) < 5 {
		t.Fatalf("%s: found %d examples", docsFile, len(blocks))
	}
	for _, b := range blocks {
		if _, err := Parse(exampleFile, []byte(b[1]), LookupVariable); err != nil {
			t.Errorf("%s: example is not good: %v\n%s", docsFile, err, b[1])
		}
	}
}

// Whoever copies the example must not have to set a variable first.
func TestExampleIsGood(t *testing.T) {
	data, err := os.ReadFile(exampleFile)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Parse(exampleFile, data, func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Features) == 0 || len(c.Features[0].Monitors) == 0 || c.FalseAlarms.Period < 24*time.Hour {
		t.Errorf("the example shows too little: %+v", c)
	}
}

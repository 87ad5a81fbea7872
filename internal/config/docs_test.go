package config

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"testing"
	"time"
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
	env := func(name string) (string, bool) {
		v, ok := map[string]string{
			"CLICKHOUSE_PASSWORD": "secret", "ON_CALL_SECRET": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
		}[name]
		return v, ok
	}
	blocks := yamlBlock.FindAllStringSubmatch(readDocs(t), -1)
	if len(blocks) < 5 {
		t.Fatalf("%s: found %d examples", docsFile, len(blocks))
	}
	for _, b := range blocks {
		if _, err := Parse(exampleFile, []byte(b[1]), env); err != nil {
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

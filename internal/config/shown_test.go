package config_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/asgood-dev/asgood/internal/config"
)

func TestLinesShowNoSecret(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "full.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	env := func(name string) (string, bool) {
		return "https://user:hush@" + strings.ToLower(strings.ReplaceAll(name, "_", "-")) + ".example/hush?x=hush", true
	}
	cfg, err := config.Parse(filepath.Join("testdata", "full.yaml"), data, env)
	if err != nil {
		t.Skipf("the full configuration wants other variables: %v", err)
	}
	if lines := cfg.Lines(); len(lines) < 50 {
		t.Errorf("%d lines of a full configuration", len(lines))
	}
	for _, l := range cfg.Lines() {
		if strings.Contains(l.Value, "hush") || strings.Contains(l.Value, "whsec_") {
			t.Errorf("%s: shows %q", l.Key, l.Value)
		}
	}
}

// TestEverySecretIsKnown looks for fields whose comments say that they are secret: each must be hidden by its key.
func TestEverySecretIsKnown(t *testing.T) {
	said := regexp.MustCompile(`(?i)never (logged|shown)|may be secret`)
	files, err := filepath.Glob(filepath.Join("..", "quality", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	own, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, file := range append(files, own...) {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			f, ok := n.(*ast.Field)
			if !ok || f.Tag == nil || f.Comment == nil || !said.MatchString(f.Comment.Text()) {
				return true
			}
			name := reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Get("yaml")
			if name == "" || name == "-" {
				return true
			}
			if found++; !config.HidesKey(name) {
				t.Errorf("%s: the field %q says that it is secret, and is shown", file, name)
			}
			return true
		})
	}
	if found < 5 {
		t.Errorf("found %d secret fields, want those there are", found)
	}
}

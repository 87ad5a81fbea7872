package app_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/asgood-dev/asgood"

// rules says which of our packages a package tree may import. The longest matching prefix rules.
var rules = map[string][]string{
	"internal/quality":     {},
	"internal/web":         {"internal/quality"},
	"internal/auth":        {"internal/quality", "internal/web", "internal/auth"},
	"internal/wire":        {"internal/quality"},
	"internal/clickhouse":  {"internal/quality", "internal/clickhouse"},
	"internal/bus":         {"internal/quality"},
	"internal/expression":  {"internal/quality"},
	"internal/wasm":        {},
	"internal/markdown":    {},
	"internal/wording":     {"internal/quality"},
	"internal/config":      {"internal/quality", "internal/expression", "internal/wasm", "internal/wording"},
	"collector":            {"internal/quality", "internal/web", "internal/wire", "collector"},
	"collector/probe":      {"internal/quality", "internal/web"},
	"collector/ledger":     {"internal/quality", "internal/web", "collector/ledger"},
	"collector/spans":      {"internal/quality"},
	"collector/canary":     {"internal/quality", "internal/web"},
	"collector/files":      {"internal/quality", "collector/files"},
	"evaluator/detect":     {},
	"evaluator":            {"internal/quality", "internal/web", "internal/wire", "internal/expression", "internal/wasm", "evaluator"},
	"alerts":               {"internal/quality", "internal/web", "internal/markdown", "internal/wording", "internal/webhook", "internal/retry", "alerts"},
	"statuspage":           {"internal/quality", "internal/web", "internal/markdown", "statuspage"},
	"statuspage/feed":      {},
	"statuspage/badge":     {"internal/quality"},
	"statuspage/card":      {},
	"internal/demo":        {"internal/quality", "internal/config", "internal/app"},
	"internal/app":         {"*"},
	"cmd":                  {"internal/app", "internal/config", "internal/demo", "internal/quality"},
	"internal/webhook":     {"internal/quality"},
	"internal/retry":       {},
	"internal/mail":        {"internal/quality"},
	"internal/chromium":    {},
	"statuspage/subscribe": {"internal/quality", "internal/web", "internal/webhook", "internal/retry", "internal/mail", "internal/markdown", "statuspage/speech"},
}

// owners pins a library to the packages that may know it.
var owners = map[string][]string{
	"github.com/ClickHouse/clickhouse-go": {"internal/clickhouse"},
	"github.com/ebitengine/purego":        {"internal/clickhouse/embedded"},
	"github.com/nats-io/":                 {"internal/bus"},
	"github.com/gin-gonic/gin":            {"internal/web", "internal/auth", "internal/app", "collector", "evaluator", "alerts", "statuspage"},
	"github.com/gorilla/websocket":        {"statuspage", "alerts"},
	"github.com/montanaflynn/stats":       {"evaluator"},
	"github.com/cockroachdb/pebble":       {"collector"},
	"github.com/miekg/dns":                {"collector/probe"},
	"github.com/prometheus-community/":    {"collector/probe"},
	"google.golang.org/grpc":              {"collector", "internal/auth", "internal/app"},
	"google.golang.org/genproto":          {"collector", "internal/auth"},
	"github.com/parquet-go/":              {"collector/files/parquet"},
	"github.com/chromedp/":                {"internal/chromium"}, // tests only, as is that package
	"go.opentelemetry.io/otel":            {},                    // tests only: senders
	"github.com/tidwall/gjson":            {"collector/spans"},
	"github.com/theory/jsonpath":          {"collector/canary", "internal/config"},
	"github.com/openai/openai-go":         {"evaluator/remote", "evaluator/judge", "evaluator/ask"},
	"github.com/go-json-experiment/":      {"internal/wire", "collector/files"},
	"github.com/expr-lang/":               {"internal/expression"},
	"github.com/tetratelabs/wazero":       {"internal/wasm"},
	"github.com/coreos/go-oidc/":          {"internal/auth/oidc"},
	"github.com/go-webauthn/":             {"internal/auth/passkey"},
	"golang.org/x/oauth2":                 {"internal/auth/oidc"},
	"github.com/nicksnyder/go-i18n":       {"statuspage/speech"},
	"github.com/abadojack/whatlanggo":     {"evaluator/score"},
	"golang.org/x/term":                   {"cmd/asgood"},
	"github.com/yuin/goldmark":            {"internal/markdown"},
	"github.com/microcosm-cc/":            {"internal/markdown"},
	"github.com/arran4/golang-ical":       {"statuspage/feed"},
	"github.com/hashicorp/golang-lru/":    {"statuspage"},
	"golang.org/x/image":                  {"statuspage/card"},
	"github.com/mmcdole/gofeed":           {}, // tests only
	"github.com/pb33f/":                   {}, // tests only
	"github.com/wneessen/go-mail":         {"internal/mail"},
	"github.com/standard-webhooks/":       {"internal/webhook", "collector/ledger/hooks", "internal/demo"},
}

type source struct {
	dir, file string
	ast       *ast.File
}

func sources(t *testing.T) []source {
	t.Helper()
	var out []source
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == "testdata" || d.Name() == ".git" || d.Name() == "bin") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(p, ".go") || strings.HasSuffix(p, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		out = append(out, source{dir: path.Dir(filepath.ToSlash(rel)), file: rel, ast: f})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func under(dir, tree string) bool { return dir == tree || strings.HasPrefix(dir, tree+"/") }

// ruleFor returns what dir may import, by the longest rule that covers it.
func ruleFor(dir string) ([]string, bool) {
	best := ""
	for tree := range rules {
		if under(dir, tree) && len(tree) > len(best) {
			best = tree
		}
	}
	return rules[best], best != ""
}

func TestImportRules(t *testing.T) {
	files := sources(t)
	if len(files) < 20 {
		t.Fatalf("parsed %d files, want the whole module", len(files))
	}
	for _, f := range files {
		allowed, ok := ruleFor(f.dir)
		if !ok {
			t.Errorf("%s: folder %q has no import rule", f.file, f.dir)
		}
		for _, imp := range f.ast.Imports {
			target, err := strconv.Unquote(imp.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			checkImport(t, f, target, allowed)
		}
	}
}

func checkImport(t *testing.T, f source, target string, allowed []string) {
	t.Helper()
	if ours, ok := strings.CutPrefix(target, module+"/"); ok {
		permits := func(tree string) bool { return tree == "*" || under(ours, tree) }
		if !slices.ContainsFunc(allowed, permits) {
			t.Errorf("%s: may not import %q (allowed: %q)", f.file, ours, allowed)
		}
	}
	for library, trees := range owners {
		if strings.HasPrefix(target, library) && !slices.ContainsFunc(trees, func(tree string) bool { return under(f.dir, tree) }) {
			t.Errorf("%s: may not import %q, which only %q know", f.file, target, trees)
		}
	}
}

func TestPackageComments(t *testing.T) {
	comments := map[string]int{}
	for _, f := range sources(t) {
		comments[f.dir] += 0
		if f.ast.Doc != nil {
			comments[f.dir]++
		}
	}
	for dir, n := range comments {
		if n != 1 {
			t.Errorf("package %q has %d package comments, want 1", dir, n)
		}
	}
}

package statuspage_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
)

var clients = filepath.Join("testdata", "clients")

// needClients skips without the packages.
func needClients(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node is not installed")
	}
	if _, err := os.Stat(filepath.Join(clients, "node_modules", ".package-lock.json")); err != nil {
		t.Skip("the packages from npm are not installed: run `make clients`")
	}
	if _, err := os.ReadDir(clients); err != nil { // a cached result must not outlive the scripts
		t.Fatal(err)
	}
}

// TestClientFromNPM reads the page by a client that others wrote. It asks for the upcoming maintenances whichever
// are wanted, which is the client's mistake.
func TestClientFromNPM(t *testing.T) {
	needClients(t)
	url := eventful(t).serve(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", "read.js", url)
	cmd.Dir = clients
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	got := map[string]v2Summary{}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if s := got["summary"]; s.Status.Indicator != "major" || len(s.Components) != 5 || len(s.Incidents) != 1 || len(s.Scheduled) != 3 {
		t.Errorf("summary: got %+v", s)
	}
	if got["status"].Status.Description != "Minor Service Outage" || len(got["components"].Components) != 5 {
		t.Errorf("got %+v", got["status"])
	}
	if a, b := len(got["incidents"].Incidents), len(got["unresolved"].Incidents); a != 2 || b != 1 {
		t.Errorf("got %d incidents, %d unresolved", a, b)
	}
	if a, b := len(got["maintenances"].Scheduled), len(got["upcoming"].Scheduled); a != 1 || b != 1 || len(got["active"].Scheduled) != 1 {
		t.Errorf("got %d maintenances, %d upcoming", a, b)
	}
}

// foreign is a page of somebody else, on an origin of its own, with a strict policy that lets in what its head says.
func foreign(t *testing.T, policy string, pages map[string]string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page, ok := pages[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		if strings.HasSuffix(r.URL.Path, ".js") {
			w.Header().Set("Content-Type", "text/javascript")
		} else {
			w.Header().Set("Content-Security-Policy", policy)
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
		}
		_, _ = w.Write([]byte(page))
	}))
	t.Cleanup(s.Close)
	return s.URL
}

const shell = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Shop</title><link rel="icon" href="data:,"></head><body><h1>Shop</h1><p>Somebody else's page.</p>`

// The document is OpenAPI 3.1, and real answers are as it says.
func TestOpenAPI(t *testing.T) {
	f := eventful(t)
	doc, err := libopenapi.NewDocument(f.do(http.MethodGet, "/api/v2/openapi.json").Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if doc.GetVersion() != "3.1.0" {
		t.Errorf("version %q", doc.GetVersion())
	}
	v, errs := validator.NewValidator(doc)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if ok, problems := v.ValidateDocument(); !ok {
		for _, p := range problems {
			t.Errorf("%s: %s %v", p.Message, p.Reason, p.SchemaValidationErrors)
		}
	}
	paths := []string{"components/support/uptime.json"}
	for p := range v2Paths {
		paths = append(paths, p)
	}
	for _, p := range paths {
		r := httptest.NewRequest(http.MethodGet, "/api/v2/"+p, nil)
		if ok, problems := v.ValidateHttpResponse(r, f.do(http.MethodGet, "/api/v2/"+p).Result()); !ok {
			for _, problem := range problems {
				t.Errorf("%s: %s: %s %v", p, problem.Message, problem.Reason, problem.SchemaValidationErrors)
			}
		}
	}
}

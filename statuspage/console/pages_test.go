package console_test

import (
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/asgood-dev/asgood/internal/quality"
)

var update = flag.Bool("update", false, "rewrite the golden pages")

// pages are all pages of the world, with the name of the golden one where there is one.
var pages = []struct{ golden, path string }{
	{"overview", "/console"}, {"feature", "/console/features/support"}, {"", "/console/features/search"}, {"monitors", "/console/monitors"},
	{"monitor", "/console/monitors/support/correct"}, {"", "/console/monitors/search/relevant"}, {"regressions", "/console/regressions"}, {"regression", "/console/regressions/reg_1"},
	{"samples", "/console/samples?feature=support&metric=correct&order=lowest&most=0.5"}, {"sample", "/console/samples/support/s-1"}, {"", "/console/samples/support/a%2Fb"},
	{"changes", "/console/changes"}, {"", "/console/changes?undeclared=1&feature=support"}, {"change", "/console/changes/chg2"}, {"", "/console/changes/chg3"}, {"", "/console/changes/chg1"},
	{"incidents", "/console/incidents"}, {"incident", "/console/incidents/inc_1"}, {"", "/console/incidents/inc_2"}, {"", "/console/maintenances/mnt_1"},
	{"baselines", "/console/baselines"}, {"baseline", "/console/baselines/support/correct"}, {"judges", "/console/judges"}, {"judge", "/console/judges/support/faithful"},
	{"label", "/console/labels/support/faithful"}, {"", "/console/labels/support/faithful?skip=s-1,a/b"}, {"switches", "/console/switches"}, {"customers", "/console/customers"}, {"customer", "/console/customers/acme"}, {"", "/console/customers/nobody%2Fyet"}, {"subscribers", "/console/subscribers"}, {"keys", "/console/keys"},
	{"audit", "/console/audit"}, {"settings", "/console/settings"}, {"search", "/console/search?q=support"}, {"", "/console/search?q="}, {"", "/console/search?q=s-1"},
}

func TestPages(t *testing.T) {
	h := newWorld().serve(t)
	for _, p := range pages {
		r := get(t, h, p.path)
		if r.Code != http.StatusOK {
			t.Errorf("%s: status %d: %.300s", p.path, r.Code, r.Body)
			continue
		}
		check(t, p.path, r.Body.String())
		if p.golden != "" {
			golden(t, p.golden, r.Body.Bytes())
		}
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name+".html")
	if *update {
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s is not as in %s: look at it, then run the test with -update", name, file)
	}
}

// check parses a page and looks for what no page may have, and what each must.
func check(t *testing.T, path, page string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	ids, headings, posts := map[string]int{}, 0, 0
	for n := range doc.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "textarea" { // what is edited stays as it is
			for _, r := range "\u202e\u2066\x00\x1b" {
				if strings.ContainsRune(n.Data, r) {
					t.Errorf("%s: text with %U: %q", path, r, n.Data)
				}
			}
		}
		if n.Type != html.ElementNode {
			continue
		}
		switch n.Data {
		case "h1":
			headings++
		case "form":
			if attr(n, "method") == "post" {
				posts++
			}
		case "img", "iframe", "style":
			t.Errorf("%s: has <%s>", path, n.Data)
		case "script":
			if n.FirstChild != nil || !strings.HasPrefix(attr(n, "src"), "/console/assets/") {
				t.Errorf("%s: has a script of its own", path)
			}
		case "input", "textarea", "select":
			if attr(n, "type") != "hidden" && !labelled(doc, attr(n, "id")) {
				t.Errorf("%s: field %q has no label", path, attr(n, "name"))
			}
		}
		for _, a := range n.Attr {
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
				t.Errorf("%s: <%s %s=%q>", path, n.Data, a.Key, a.Val)
			}
			if a.Key == "id" {
				if ids[a.Val]++; ids[a.Val] > 1 {
					t.Errorf("%s: id %q stands twice", path, a.Val)
				}
			}
		}
	}
	if headings != 1 {
		t.Errorf("%s: %d main headings", path, headings)
	}
	if n := strings.Count(page, `name="csrf" value="token-of-the-session"`); n != posts {
		t.Errorf("%s: %d tokens in %d forms", path, n, posts)
	}
	for _, bad := range []string{"0.7875000", "0.79000000", "-0.0909", "NaN", "%!", "ZgotmplZ", "<nil>"} {
		if strings.Contains(page, bad) {
			t.Errorf("%s: shows %q", path, bad)
		}
	}
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func labelled(doc *html.Node, id string) bool {
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode && n.Data == "label" && id != "" && attr(n, "for") == id {
			return true
		}
	}
	return false
}

// What comes from the bus is shown while ClickHouse is away, and the page says what is missing.
func TestStoreAway(t *testing.T) {
	w := newWorld()
	w.storeErr = away
	h := w.serve(t)
	for path, want := range map[string]string{
		"/console": "Support assistant", "/console/features/support": "Regressions", "/console/monitors/support/correct": "A lasting drop of 3.1 points",
		"/console/regressions/reg_1": "support prompt v13", "/console/samples?feature=support": "ClickHouse does not answer", "/console/baselines": "ClickHouse does not answer",
		"/console/judges/support/faithful": "fixed samples", "/console/labels/support/faithful": "ClickHouse does not answer", "/console/search?q=support": "Support assistant",
	} {
		r := get(t, h, path)
		if r.Code != http.StatusOK || !strings.Contains(r.Body.String(), want) {
			t.Errorf("%s: status %d, want 200 and %q", path, r.Code, want)
		}
		check(t, path, r.Body.String())
	}
	if body := get(t, h, "/console/monitors/support/correct").Body.String(); !strings.Contains(body, "Not read: week and objective; the store is away. The state of the monitor is that of now.") || !strings.Contains(body, "regressed") {
		t.Error("the monitor does not say what is missing beside what is known")
	}
	if r := get(t, h, "/console/samples/support/s-1"); r.Code != http.StatusServiceUnavailable || !strings.Contains(r.Body.String(), "Not available now") {
		t.Errorf("a sample: status %d", r.Code)
	}
}

// Every page of an empty house says the next step.
func TestEmpty(t *testing.T) {
	w := &world{role: quality.RoleViewer, noDesk: true}
	h := w.serve(t)
	for _, path := range []string{"/console", "/console/monitors", "/console/regressions", "/console/samples", "/console/changes", "/console/incidents", "/console/subscribers", "/console/keys", "/console/audit",
		"/console/features/support", "/console/monitors/support/correct"} {
		r := get(t, h, path)
		if r.Code != http.StatusOK {
			t.Errorf("%s: status %d", path, r.Code)
		}
		check(t, path, r.Body.String())
	}
}

func TestNotThere(t *testing.T) {
	h := newWorld().serve(t)
	for _, path := range []string{"/console/features/none", "/console/monitors/support/none", "/console/monitors/none/x", "/console/regressions/none", "/console/samples/support/none",
		"/console/samples/none/x", "/console/changes/none", "/console/incidents/none", "/console/maintenances/none", "/console/baselines/none/x", "/console/judges/none/x", "/console/labels/none/x", "/console/samples?feature=%3Cscript%3E"} {
		r := get(t, h, path)
		if r.Code != http.StatusNotFound || !strings.Contains(r.Header().Get("Content-Type"), "text/html") {
			t.Errorf("%s: status %d, %s", path, r.Code, r.Header().Get("Content-Type"))
		}
		check(t, path, r.Body.String())
	}
}

func TestHeaders(t *testing.T) {
	h := newWorld().serve(t)
	r := get(t, h, "/console")
	if p := r.Header().Get("Content-Security-Policy"); !strings.Contains(p, "default-src 'none'") || strings.Contains(p, "unsafe") {
		t.Errorf("policy %q", p)
	}
	if c := r.Header().Get("Cache-Control"); c != "no-store" {
		t.Errorf("a page is cached: %q", c)
	}
	if r := get(t, h, "/"); r.Code != http.StatusFound || r.Header().Get("Location") != "/console" {
		t.Errorf("the root answers %d to %q", r.Code, r.Header().Get("Location"))
	}
}

// A viewer sees no form.
func TestViewerHasNoForms(t *testing.T) {
	w := newWorld()
	w.role = quality.RoleViewer
	h := w.serve(t)
	for _, p := range pages {
		if body := get(t, h, p.path).Body.String(); strings.Contains(body, `method="post"`) && !strings.Contains(p.path, "/labels/") && p.golden != "keys" {
			t.Errorf("%s: a viewer can send a form", p.path)
		}
	}
}

// A line of 10 MB makes no page of 10 MB.
func TestHugeLine(t *testing.T) {
	w := newWorld()
	x := w.samples["support/s-1"]
	x.Output = quality.Text(strings.Repeat("<b>\u202e", 2<<20))
	w.samples["support/s-1"] = x
	r := get(t, w.serve(t), "/console/samples/support/s-1")
	if r.Code != http.StatusOK || r.Body.Len() > 1<<20 {
		t.Errorf("status %d, %d bytes", r.Code, r.Body.Len())
	}
	check(t, "a huge line", r.Body.String())
	if !strings.Contains(r.Body.String(), "more bytes are stored and not shown") {
		t.Error("the page does not say that it is cut")
	}
}

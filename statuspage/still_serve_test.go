package statuspage_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// links of a page, and what it loads.
var links = regexp.MustCompile(`(?:href|src)="([^"]+)"`)

// What was exported, behind a plain file server, is a whole page: each link of each page leads to something, in each language.
func TestExportedFolderIsServed(t *testing.T) {
	f := everything(t).show(t)
	dir := filepath.Join(t.TempDir(), "public")
	if err := f.page.Export(dir); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.FileServer(http.Dir(dir)))
	defer server.Close()
	asked := map[string]string{}
	queue := []string{"/"}
	for len(queue) > 0 && len(asked) < 5000 {
		path := queue[0]
		queue = queue[1:]
		if _, ok := asked[path]; ok {
			continue
		}
		body, kind := plain(t, server.URL, path)
		asked[path] = body
		if !strings.HasPrefix(kind, "text/html") {
			continue
		}
		for _, m := range links.FindAllStringSubmatch(body, -1) {
			if to := within(t, path, m[1], "https://status.northlight.example"); to != "" {
				queue = append(queue, to)
			}
		}
	}
	for path, want := range map[string]string{
		"/": `<html lang="en"`, "/de/": `<html lang="de"`, "/features/support/": `<html lang="en"`, "/de/features/support/": `<html lang="de"`,
		"/history/": "", "/de/history/2026-03/": "", "/incidents/inc-support/": "", "/de/incidents/inc-support/": `<html lang="de"`, "/about/": "",
		"/history.atom": "<feed", "/history.rss": "<rss", "/feed.json": "{", "/api/v2/summary.json": "{",
	} {
		if body, ok := asked[path]; !ok || !strings.Contains(body, want) {
			t.Errorf("no link led to %s, or it does not hold %q", path, want)
		}
	}
	for _, path := range []string{"/badges/status.svg", "/badges/support/quality.svg", "/maintenance.ics", "/og.png", "/robots.txt", "/api/v2/components.json", "/widget.js"} {
		plain(t, server.URL, path)
	}
	for path, body := range asked {
		if strings.HasPrefix(path, "/de/") && !strings.Contains(body, `lang="de"`) {
			t.Errorf("%s is not German", path)
		}
	}
}

func plain(t *testing.T, server, path string) (body, kind string) {
	t.Helper()
	res, err := http.Get(server + path)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Errorf("%s: got status %d, %v", path, res.StatusCode, err)
	}
	return string(data), res.Header.Get("Content-Type")
}

// within is the path that a link leads to, or "" when it leads elsewhere.
func within(t *testing.T, from, link, own string) string {
	t.Helper()
	link = strings.TrimPrefix(strings.ReplaceAll(link, "&amp;", "&"), strings.TrimSuffix(own, "/"))
	if link == "" {
		return "/"
	}
	if !strings.HasPrefix(link, "/") {
		return ""
	}
	u, err := url.Parse(link)
	if err != nil || u.RawQuery != "" {
		t.Errorf("%s links to %s, which no file server understands", from, link)
		return ""
	}
	return u.Path
}

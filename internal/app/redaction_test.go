package app_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/asgood-dev/asgood/internal/config"
)

// Nothing that is to be redacted is in any file of the data directory, however it came in. A word that is
// not redacted, sent the same way, is there: so what is searched is what was written.
func TestNothingUnredactedIsOnDisk(t *testing.T) {
	needEngine(t)
	dir := t.TempDir()
	text := strings.Replace(fmt.Sprintf(configuration, dir, "http://127.0.0.1:1", "http://127.0.0.1:1", secret),
		"    title: Answer bot", "    title: Answer bot\n    match: {service.name: bot}\n    spans: {wait: 100ms}", 1)
	cfg, err := config.Parse("test.yaml", []byte(text), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	a, stop := start(t, cfg)
	secrets := []string{"jane.roe@example.org", "4111111111111111", "DE89370400440532013000", "203.0.113.77", "ghp_abcdefghijklmnopqrstuvwxyz0123456789", "+49 170 1234567"}
	const control = "unmistakable-control-word"
	words := control + " " + strings.Join(secrets, " ; ")
	for _, p := range []struct{ path, media, body string }{
		{"/v1/samples", "application/json", fmt.Sprintf(`{"id":"s","feature":"bot","customer":"acme","input":%q,"output":%q,"error":%q,"reference":"x",
			"context":[{"id":"d","text":%q}],"tools":[{"name":"t","arguments":{"a":%q},"result":%q}],"attributes":{"note":%q},"params":{"p":%q}}`,
			words, words, words, words, words, words, words, words)},
		{"/v1/scores", "application/json", fmt.Sprintf(`{"feature":"bot","sample":"s","edit":%q}`, words)},
		{"/v1/scores", "application/json", fmt.Sprintf(`{"feature":"bot","sample":"never","edit":%q}`, words)},
		{"/v1/traces", "application/json", fmt.Sprintf(`{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"bot"}}]},
			"scopeSpans":[{"spans":[{"traceId":"01020304050607080102030405060708","spanId":"0102030405060708","startTimeUnixNano":"1772366400000000000","endTimeUnixNano":"1772366401000000000",
			"attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.prompt","value":{"stringValue":%q}},{"key":"gen_ai.completion","value":{"stringValue":%q}}]}]}]}]}`,
			words, words)},
	} {
		res, err := http.Post("http://"+a.Addr("ingest")+p.path, p.media, strings.NewReader(p.body))
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Fatalf("%s: got status %d", p.path, res.StatusCode)
		}
	}
	eventually(t, "both samples in the store", func() (string, bool) {
		n := metricValue(a.Addr("internal"), `asgood_writer_rows_total{of="SAMPLES"}`)
		return fmt.Sprint(n), n >= 4 // two samples and their counts
	})
	stop()
	found, controls := searchFiles(t, dir, secrets, control)
	if controls == 0 {
		t.Errorf("the control word is in no file, so the search proves nothing")
	}
	for _, f := range found {
		t.Error(f)
	}
}

func searchFiles(t *testing.T, dir string, secrets []string, control string) (found []string, controls int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		controls += bytes.Count(data, []byte(control))
		for _, s := range secrets {
			if bytes.Contains(data, []byte(s)) {
				found = append(found, fmt.Sprintf("%q is in %s", s, path))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found, controls
}

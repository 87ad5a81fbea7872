package app_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/asgood-dev/asgood/internal/app"
	"github.com/asgood-dev/asgood/internal/clickhouse"
	"github.com/asgood-dev/asgood/internal/clickhouse/embedded"
	"github.com/asgood-dev/asgood/internal/config"
	"github.com/asgood-dev/asgood/internal/quality"
)

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

const configuration = `
name: Test
storage: {dir: %q}
listen: {public: "127.0.0.1:0", ingest: "127.0.0.1:0", grpc: "127.0.0.1:0", internal: "127.0.0.1:0"}
false_alarms: {samples: 10000}
retention: {samples: 3650d, scores: 3650d}
statuspage: {publish: {after: 0s}}
features:
  - name: bot
    title: Answer bot
    scorers: [{name: good, type: regex, pattern: '^good'}]
    monitors: [{metric: good, baseline: {first: 200}}]
    probes: [{http: %q, every: 1s}]
alerts:
  receivers: [{name: on-call, webhook: {url: %q, secret: %q}}]
`

func needEngine(t testing.TB) {
	t.Helper()
	if _, err := embedded.Find(""); err != nil {
		t.Skipf("the embedded engine is not installed: run `make engine` (%v)", err)
	}
}

func parse(t testing.TB, dir, url string) *config.Config {
	t.Helper()
	text := fmt.Sprintf(configuration, dir, url, url+"/hook", secret)
	cfg, err := config.Parse("test.yaml", []byte(text), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func start(t testing.TB, cfg *config.Config) (a *app.App, stop func()) {
	t.Helper()
	a, err := app.New(t.Context(), app.Options{Config: cfg})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := a.Stop(ctx); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(stop)
	return a, stop
}

// outside is the watched product and the receiver of pages.
func outside(t *testing.T) (url string, pages <-chan string) {
	t.Helper()
	got := make(chan string, 100)
	verifier, err := standardwebhooks.NewWebhook(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/hook" {
			return // healthy
		}
		body, err := io.ReadAll(r.Body)
		if err != nil || verifier.Verify(body, r.Header) != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		var m struct {
			Type string `json:"type"`
		}
		if json.Unmarshal(body, &m) == nil {
			got <- m.Type
		}
	}))
	t.Cleanup(s.Close)
	return s.URL, got
}

// post sends outputs with ids from first on and returns the answer.
func post(addr string, first, n int, output string, at time.Time) (status int, reply string, err error) {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, `{"id":"s%d","time":%q,"feature":"bot","output":%q}`+"\n", first+i, at.Add(time.Duration(i)*time.Second).Format(time.RFC3339), output)
	}
	res, err := http.Post("http://"+addr+"/v1/samples", "application/x-ndjson", &b)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	return res.StatusCode, string(data), err
}

func mustPost(t testing.TB, addr string, first, n int, output string, at time.Time) {
	t.Helper()
	if status, reply, err := post(addr, first, n, output, at); err != nil || status != http.StatusOK {
		t.Fatalf("got %d %s (%v)", status, reply, err)
	}
}

// eventually asks until what is awaited is there.
func eventually(t testing.TB, what string, ask func() (string, bool)) {
	t.Helper()
	within(t, time.Minute, what, ask)
}

func within(t testing.TB, long time.Duration, what string, ask func() (string, bool)) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	deadline := time.NewTimer(long)
	defer deadline.Stop()
	for {
		last, ok := ask()
		if ok {
			return
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("%s did not come: %s", what, last)
		}
	}
}

func get(url string) string {
	res, err := http.Get(url)
	if err != nil {
		return err.Error()
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		return err.Error()
	}
	return string(data)
}

func component(addr string) (word, status string) {
	var s struct {
		Components []struct {
			Status  string `json:"status"`
			Quality struct {
				Word string `json:"word"`
			} `json:"quality"`
		} `json:"components"`
	}
	if json.Unmarshal([]byte(get("http://"+addr+"/api/v2/summary.json")), &s) != nil || len(s.Components) != 1 {
		return "", ""
	}
	return s.Components[0].Quality.Word, s.Components[0].Status
}

func TestARegressionFromSampleToPage(t *testing.T) {
	needEngine(t)
	url, pages := outside(t)
	dir := t.TempDir()
	a, stop := start(t, parse(t, dir, url))
	at := time.Now().Add(-10 * time.Minute)
	mustPost(t, a.Addr("ingest"), 0, 600, "good", at)
	eventually(t, "the quality that is usual", func() (string, bool) {
		word, _ := component(a.Addr("public"))
		return word, word == "As good as usual"
	})
	mustPost(t, a.Addr("ingest"), 600, 100, "bad", at.Add(600*time.Second))
	select {
	case got := <-pages:
		if got != "incident.opened" {
			t.Errorf("got %q first, want incident.opened", got)
		}
	case <-time.After(60 * time.Second):
		t.Fatal("nobody was paged")
	}
	eventually(t, "the regression on the page", func() (string, bool) {
		word, status := component(a.Addr("public"))
		return word + ", " + status, word == "Much worse" && status == "degraded_performance"
	})
	page := get("http://" + a.Addr("public") + "/")
	for _, want := range []string{"Answer bot gives worse answers than usual", "Much worse", "Uptime", ">Up<"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	// A restart changes nothing and pages nobody again.
	stop()
	a, _ = start(t, parse(t, dir, url))
	mustPost(t, a.Addr("ingest"), 700, 1, "bad", at.Add(700*time.Second))
	eventually(t, "the regression after a restart", func() (string, bool) {
		word, _ := component(a.Addr("public"))
		return word, word == "Much worse"
	})
	mustPost(t, a.Addr("ingest"), 1000, 2000, "good", at.Add(700*time.Second))
	for got := range pages {
		if got == "incident.opened" {
			t.Error("paged again after a restart")
		}
		if got == "incident.resolved" {
			break
		}
	}
	eventually(t, "the recovery on the page", func() (string, bool) {
		word, status := component(a.Addr("public"))
		return word + ", " + status, word == "As good as usual" && status == "operational"
	})
	if ready := get("http://" + a.Addr("internal") + "/readyz"); !strings.Contains(ready, "clickhouse") {
		t.Errorf("got readiness %s", ready)
	}
}

func TestWhatIsValidIsKeptBesideWhatIsNot(t *testing.T) {
	needEngine(t)
	url, _ := outside(t)
	a, _ := start(t, parse(t, t.TempDir(), url))
	good := `{"feature":"bot","output":"good"}` + "\n"
	body := good + good + "{\"feature\":\n" + good + `{"feature":"bot","output":"x","scoer":1}` + "\n" + good
	res, err := http.Post("http://"+a.Addr("ingest")+"/v1/samples", "application/x-ndjson", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"accepted":4`, `"line":3`, "broken JSON", `"line":5`, `unknown field \"scoer\"`} {
		if !strings.Contains(string(data), want) {
			t.Errorf("the answer lacks %s: %s", want, data)
		}
	}
	if res.StatusCode != http.StatusBadRequest {
		t.Errorf("got status %d, want 400", res.StatusCode)
	}
}

func TestDirectoryInUse(t *testing.T) {
	needEngine(t)
	url, _ := outside(t)
	dir := t.TempDir()
	start(t, parse(t, dir, url))
	_, err := app.New(t.Context(), app.Options{Config: parse(t, dir, url)})
	if quality.KindOf(err) != quality.KindConflict || !strings.Contains(err.Error(), dir) {
		t.Errorf("got %v, want a conflict that names the directory", err)
	}
}

func TestMissingLibrary(t *testing.T) {
	t.Setenv(embedded.Variable, "/nowhere/libchdb.so")
	_, err := app.New(t.Context(), app.Options{Config: parse(t, t.TempDir(), "http://127.0.0.1:1")})
	if quality.KindOf(err) != quality.KindInvalid || !strings.Contains(err.Error(), "/nowhere/libchdb.so") {
		t.Errorf("got %v, want an error that names the library", err)
	}
}

const childDir = "ASGOOD_TEST_APP_DIR"

// TestServer is the process that TestKilledDuringIngest kills.
func TestServer(t *testing.T) {
	dir := os.Getenv(childDir)
	if dir == "" {
		t.Skip("runs only as the child of TestKilledDuringIngest")
	}
	a, _ := start(t, parse(t, dir, "http://127.0.0.1:1"))
	fmt.Println("ingest", a.Addr("ingest"))
	<-t.Context().Done()
}

func TestKilledDuringIngest(t *testing.T) {
	needEngine(t)
	dir := filepath.Join(t.TempDir(), "data")
	acked := map[string]bool{}
	next := 0
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for kill := range 10 {
		next = ingestUntilKilled(t, dir, next, kill, at, acked)
	}
	if len(acked) < 100 {
		t.Fatalf("only %d samples were acknowledged in ten runs", len(acked))
	}
	// Started once more, it brings everything into the store.
	a, stop := start(t, parse(t, dir, "http://127.0.0.1:1"))
	mustPost(t, a.Addr("ingest"), next, 1, "good", at)
	acked[fmt.Sprintf("s%d", next)] = true
	eventually(t, "the end of the writing", func() (string, bool) {
		m := get("http://" + a.Addr("internal") + "/metrics")
		return "", strings.Contains(m, `asgood_bus_lag_messages{reader="writer",stream="SAMPLES"} 0`) &&
			strings.Contains(m, `asgood_bus_lag_messages{reader="evaluator",stream="SAMPLES"} 0`) &&
			strings.Contains(m, `asgood_bus_lag_messages{reader="writer",stream="SCORES"} 0`)
	})
	stop()
	checkStored(t, dir, at, acked)
}

func checkStored(t *testing.T, dir string, at time.Time, acked map[string]bool) {
	t.Helper()
	store, err := clickhouse.Open(t.Context(), clickhouse.Options{Dir: filepath.Join(dir, "clickhouse")})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	samples, err := store.Samples(t.Context(), "bot", at.AddDate(0, 0, -1), at.AddDate(0, 0, 2), 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	times := map[string]int{}
	for _, s := range samples {
		times[s.ID]++
	}
	scores, err := store.Scores(t.Context(), "bot", "good", at.AddDate(0, 0, -1), at.AddDate(0, 0, 2), 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	scored := map[string]int{}
	for _, s := range scores {
		scored[s.SampleID]++
	}
	for id := range acked {
		if times[id] != 1 || scored[id] != 1 {
			t.Errorf("sample %s was acknowledged: stored %d times and scored %d times, want once", id, times[id], scored[id])
		}
	}
	for id, n := range times {
		if n != 1 || scored[id] != 1 {
			t.Errorf("sample %s is stored %d times and scored %d times", id, n, scored[id])
		}
	}
	t.Logf("%d samples acknowledged, %d stored", len(acked), len(times))
}

// ingestUntilKilled runs a server, sends it small requests, and kills it in the middle of them. A request
// without an answer is sent again by the next run, as a sender would.
func ingestUntilKilled(t *testing.T, dir string, next, kill int, at time.Time, acked map[string]bool) int {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestServer$", "-test.v")
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // killed
	}()
	addr := ""
	for lines := bufio.NewScanner(out); addr == "" && lines.Scan(); {
		addr, _ = strings.CutPrefix(lines.Text(), "ingest ")
		if !strings.Contains(addr, ":") || strings.Contains(addr, " ") {
			addr = ""
		}
	}
	if addr == "" {
		t.Fatalf("run %d: the server did not start", kill)
	}
	go func() {
		timer := time.NewTimer(time.Duration(50+70*kill) * time.Millisecond)
		defer timer.Stop()
		<-timer.C
		_ = cmd.Process.Kill()
	}()
	for {
		status, _, err := post(addr, next, 5, "good", at)
		if err != nil || status != http.StatusOK {
			return next
		}
		for i := range 5 {
			acked[fmt.Sprintf("s%d", next+i)] = true
		}
		next += 5
	}
}

func TestBacktest(t *testing.T) {
	cfg := parse(t, t.TempDir(), "http://127.0.0.1:1")
	var b strings.Builder
	for i := range 700 {
		output := "good"
		if i >= 600 {
			output = "bad"
		}
		fmt.Fprintf(&b, `{"id":"%d","feature":"bot","output":%q}`+"\n", i, output)
	}
	result, err := app.Backtest(t.Context(), cfg, strings.NewReader(b.String()), nil)
	if err != nil {
		t.Fatal(err)
	}
	if result.Samples != 700 || len(result.Regressions) != 1 || result.Regressions[0].StartedSample < 590 || result.Regressions[0].StartedSample > 610 {
		t.Errorf("got %+v", result)
	}
	_, err = app.Backtest(t.Context(), cfg, strings.NewReader("{\"feature\":\"bot\",\"output\":\"x\"}\n{broken\n"), nil)
	if quality.KindOf(err) != quality.KindInvalid || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("got %v, want an error that names line 2", err)
	}
}

func TestPinnedBaseline(t *testing.T) {
	dir := t.TempDir()
	text := strings.Replace(fmt.Sprintf(configuration, dir, "http://127.0.0.1:1", "http://127.0.0.1:1", secret), "first: 200", "pinned: june", 1)
	cfg, err := config.Parse(filepath.Join(dir, "asgood.yaml"), []byte(text), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	lines := func(n int, output string) string {
		return strings.Repeat(fmt.Sprintf(`{"feature":"bot","output":%q}`+"\n", output), n)
	}
	_, err = app.Backtest(t.Context(), cfg, strings.NewReader(lines(300, "bad")), nil)
	if quality.KindOf(err) != quality.KindInvalid || !strings.Contains(err.Error(), filepath.Join(dir, "baselines", "june.ndjson")) {
		t.Errorf("got %v, want an error that names the file", err)
	}
	if err := os.Mkdir(filepath.Join(dir, "baselines"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cfg.BaselineFile("june"), []byte(lines(200, "good")), 0o644); err != nil {
		t.Fatal(err)
	}
	result, err := app.Backtest(t.Context(), cfg, strings.NewReader(lines(300, "bad")), nil)
	if err != nil || len(result.Regressions) != 1 || result.Regressions[0].Baseline.N != 200 {
		t.Errorf("got %+v (%v), want one regression against the pinned 200", result, err)
	}
}

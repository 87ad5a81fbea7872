package senders_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

var update = flag.Bool("update", false, "write the golden files")

// instrumentation is a script of testdata/javascript with the exporter that it sends by.
type instrumentation struct {
	name     string
	script   []string
	customer string   // attribute that names it
	env      []string // of the exporter; its endpoint is added
	listener string
	samples  int // that come of its three requests
}

var instrumentations = []instrumentation{
	{
		name: "openllmetry", script: []string{"openai.js", "openllmetry"}, customer: "app.account", listener: "ingest", samples: 2,
		env: []string{"OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf", "OTEL_EXPORTER_OTLP_COMPRESSION=gzip"},
	},
	{
		name: "openinference", script: []string{"openai.js", "openinference"}, customer: "metadata.account", listener: "grpc", samples: 3,
		env: []string{"OTEL_EXPORTER_OTLP_PROTOCOL=grpc"},
	},
	{
		name: "ai-sdk", script: []string{"vercel.js"}, customer: "ai.telemetry.metadata.account", listener: "ingest", samples: 3,
		env: []string{"OTEL_EXPORTER_OTLP_PROTOCOL=http/json"},
	},
}

// needNode skips without the packages.
func needNode(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node is not installed")
	}
	if _, err := os.Stat("testdata/javascript/node_modules/.package-lock.json"); err != nil {
		t.Skip("the packages from npm are not installed: run `make senders`")
	}
	if _, err := os.ReadDir("testdata/javascript"); err != nil { // a cached result must not outlive the scripts
		t.Fatal(err)
	}
}

// run runs the script to its end, with telemetry to the endpoint.
func (i *instrumentation) run(t *testing.T, model, endpoint string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", i.script...)
	cmd.Dir = filepath.Join("testdata", "javascript")
	cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(),
		"OPENAI_BASE_URL=" + model, "OPENAI_API_KEY=" + modelKey,
		"OTEL_SERVICE_NAME=" + i.name, "OTEL_EXPORTER_OTLP_ENDPOINT=" + endpoint,
		"OTEL_TRACES_EXPORTER=otlp", "OTEL_LOGS_EXPORTER=otlp", "OTEL_METRICS_EXPORTER=none", "OTEL_LOG_LEVEL=warn",
	}, i.env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", i.name, err, out)
	}
	if got := strings.TrimSpace(string(out)); !strings.HasPrefix(got, "/fail failed: ") || strings.Contains(got, "\n") {
		t.Errorf("%s said: %s", i.name, got)
	}
}

// TestJavaScript runs each instrumentation against the stub model: a request in which the model calls a tool,
// a streamed one, and one that the model fails. What is stored of them is compared with the golden files.
//
// Neither OpenLLMetry nor OpenInference ends its span when the model fails. OpenInference's span of the agent
// tells the failure; of OpenLLMetry's nothing comes that could.
func TestJavaScript(t *testing.T) {
	needNode(t)
	customer := map[string]string{}
	for _, i := range instrumentations {
		customer[i.name] = i.customer
	}
	p := newProgram(t, customer)
	model := startModel(t)
	for _, i := range instrumentations {
		i.run(t, model, "http://"+p.addr(i.listener))
	}
	for _, i := range instrumentations {
		t.Run(i.name, func(t *testing.T) {
			list := p.samples(t, i.name, i.samples)
			checkScore(t, p, list[0])
			compare(t, i.name, list)
		})
	}
}

// compare compares samples with their golden file, without what differs from run to run.
func compare(t *testing.T, name string, list []quality.Sample) {
	t.Helper()
	for i := range list {
		s := &list[i]
		if s.ID == "" || s.Trace == "" || s.Time.IsZero() || s.LatencyMS <= 0 {
			t.Errorf("got id %q, trace %q, time %v and latency %v ms", s.ID, s.Trace, s.Time, s.LatencyMS)
		}
		s.ID, s.Trace, s.Time, s.LatencyMS = "", "", time.Time{}, 0
		s.Scores = nil // those that came within the wait; all are among the scores
	}
	var got bytes.Buffer
	enc := json.NewEncoder(&got)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(list); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", name+".golden.json")
	if *update {
		if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (go test -update writes it)", err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("got\n%s\nwant (go test -update writes it)\n%s", got.Bytes(), want)
	}
}

package spans_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/asgood-dev/asgood/collector/spans"
	"github.com/asgood-dev/asgood/internal/quality"
)

var update = flag.Bool("update", false, "write the golden files")

// fixture is OTLP as an instrumentation sends it, and the features that watch it.
type fixture struct {
	Features []struct {
		Name  string
		Match map[string]string
		Map   map[string][]string
	}
	Traces, Logs []json.RawMessage
}

// golden is what a fixture comes to.
type golden struct {
	Samples  []spans.Joined     `json:"samples"`
	Feedback []quality.Feedback `json:"feedback"`
	Refused  []string           `json:"refused"`
	Stats    spans.Stats        `json:"stats"`
}

func fixtures(t testing.TB) map[string]fixture {
	t.Helper()
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	out := map[string]fixture{}
	for _, file := range files {
		if strings.HasSuffix(file, ".golden.json") {
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var f fixture
		if err := json.Unmarshal(data, &f); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		out[strings.TrimSuffix(filepath.Base(file), ".json")] = f
	}
	return out
}

func (f *fixture) features() []quality.Feature {
	var out []quality.Feature
	for _, x := range f.Features {
		out = append(out, quality.Feature{Name: x.Name, Match: x.Match, Map: x.Map})
	}
	return out
}

// records are those of a fixture, after the way through the stream.
func (f *fixture) records(t testing.TB) (records []spans.Record, refused []string) {
	t.Helper()
	x := spans.New(f.features())
	take := func(found spans.Found) {
		if found.Err != nil {
			refused = append(refused, found.Err.Error())
		} else if found.Record != nil {
			records = append(records, throughJSON(t, *found.Record))
		}
	}
	for _, data := range f.Traces {
		req := ptraceotlp.NewExportRequest()
		if err := req.UnmarshalJSON(data); err != nil {
			t.Fatal(err)
		}
		for found := range x.Spans(req.Traces()) {
			take(found)
		}
	}
	for _, data := range f.Logs {
		req := plogotlp.NewExportRequest()
		if err := req.UnmarshalJSON(data); err != nil {
			t.Fatal(err)
		}
		for found := range x.Logs(req.Logs()) {
			take(found)
		}
	}
	return records, refused
}

func throughJSON(t testing.TB, r spans.Record) spans.Record {
	t.Helper()
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var out spans.Record
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// joined adds records one after the other and returns what they came to, in an order of its own.
func joined(features []quality.Feature, records []spans.Record) golden {
	j := spans.NewJoiner(spans.JoinerOptions{Features: features})
	for i, r := range records {
		j.Add(start, uint64(i+1), r)
	}
	b := j.Due(start.Add(time.Hour))
	return sorted(b, j.Stats())
}

func sorted(b spans.Batch, stats spans.Stats) golden {
	slices.SortFunc(b.Samples, func(a, b spans.Joined) int { return strings.Compare(a.Sample.ID, b.Sample.ID) })
	slices.SortFunc(b.Feedback, func(a, b quality.Feedback) int { return strings.Compare(a.Metric, b.Metric) })
	return golden{Samples: b.Samples, Feedback: b.Feedback, Stats: stats}
}

func encode(t testing.TB, v any) []byte {
	t.Helper()
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// TestFixtures joins what instrumentations send and compares with the golden files.
func TestFixtures(t *testing.T) {
	for name, f := range fixtures(t) {
		t.Run(name, func(t *testing.T) {
			records, refused := f.records(t)
			got := joined(f.features(), records)
			got.Refused = refused
			file := filepath.Join("testdata", name+".golden.json")
			if *update {
				if err := os.WriteFile(file, encode(t, got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatalf("%v (go test -update writes it)", err)
			}
			if data := encode(t, got); !bytes.Equal(data, want) {
				t.Errorf("got\n%s\nwant (go test -update writes it)\n%s", data, want)
			}
		})
	}
}

package config_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/config"
	"github.com/asgood-dev/asgood/internal/quality"
)

const day = 24 * time.Hour

func mustParse(t testing.TB, text string) *config.Config {
	t.Helper()
	c, err := config.Parse(filepath.Join("testdata", "f.yaml"), []byte(text), env)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// want compares what was read with what the file says.
func want[T any](t testing.TB, what string, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %+v, want %+v", what, got, want)
	}
}

func ptr[T any](v T) *T { return &v }

func TestTheFullFileSaysWhatItSays(t *testing.T) {
	for name, value := range config.Variables() {
		t.Setenv(name, value)
	}
	c, err := config.Load(filepath.Join("testdata", "full.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	want(t, "name", c.Name, "Acme AI")
	want(t, "storage", c.Storage, config.Storage{ClickHouse: "clickhouse://asgood:" + secretWord + "@db-1:9000,db-2:9000/asgood",
		NATS: "embedded", Dir: filepath.Join("testdata", "data"), Cluster: "main", MinFree: 2 << 30})
	want(t, "false alarms", c.FalseAlarms, quality.FalseAlarms{Period: 30 * day})
	want(t, "retention", c.Retention, config.Retention{Samples: 30 * day, Scores: 400 * day})
	want(t, "zone", c.Location().String(), "Europe/Berlin")
	want(t, "customers", c.Customers, []quality.Customer{{Name: "acme", Title: "Acme Corp", Examples: ptr(false), Aliases: []string{"acme-eu", "4711"}}, {Name: "globex", Title: "globex"}})
	want(t, "listen", c.Listen, config.Listen{Public: ":8080", Ingest: "127.0.0.1:4318", GRPC: "[::1]:4317", Internal: "[::1]:8081", TrustedProxies: []string{"10.0.0.0/8", "::1"}})
	want(t, "ingest", c.Ingest, config.Ingest{RequireKey: true, MaxBody: 16 << 20, PerCustomer: 2000})
	page := c.StatusPage
	want(t, "logo and style", [2]bool{len(page.Brand.LogoData) > 0, len(page.Brand.CSSData) > 0}, [2]bool{true, true})
	page.Brand.LogoData, page.Brand.CSSData = nil, nil
	want(t, "status page", page, config.StatusPage{
		Title: "Acme AI status", URL: "https://status.acme.example", Description: "How good our assistants are, and whether they answer",
		Groups:    []quality.FeatureGroup{{Name: "support", Title: "Support", Description: "What answers customers", Features: []string{"support-assistant"}}},
		Languages: []string{"de", "en"}, Export: filepath.Join("testdata", "public"),
		Uptime: quality.UptimeSpec{By: "incidents", Major: ptr(1.0), Partial: ptr(0.3), Degraded: ptr(0.0), Maintenance: ptr(0.0)},
		Brand: quality.Brand{Logo: "logo.svg", CSS: "page.css", Colours: map[string]string{"accent": "#0a4f7d"}, Dark: map[string]string{"accent": "#9fd0f2"},
			Footer: []quality.PageLink{{Title: "Imprint", URL: "https://acme.example/imprint"}}},
		Publish: []quality.PublishRule{{After: quality.PublishAfter{Never: true}, Kinds: []quality.IncidentKind{"quality"}, Severities: []quality.Severity{"minor"}},
			{After: quality.PublishAfter{Wait: 10 * time.Minute}}},
		Private:       config.Private{Least: 500},
		Subscriptions: config.Subscriptions{Email: true, Webhook: true},
		UpdateEvery:   time.Hour, Templates: map[string]string{"resolved": "{{.Feature}} is as good as usual again. {{.Fixed}}"},
	})
	want(t, "receivers", c.Alerts.Receivers, []quality.Receiver{{Name: "on-call", Webhook: &quality.WebhookReceiver{
		URL: "https://hooks.acme.example/asgood", Secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}}})
	if len(c.Features) != 2 {
		t.Fatalf("got %d features, want 2", len(c.Features))
	}
	f := c.Features[0]
	if a := f.Scorers[20].Anchors; f.Scorers[20].Type != "judge" || a == nil || a.Every != 12*time.Hour || a.Calls() != 10 || a.Budget.N != 1000 ||
		a.Anchors[1].Sample.Output.Text != "Lisbon." || *a.Anchors[1].Human != 1 || a.Anchors[4].Human != nil {
		t.Errorf("anchors: got %+v", f.Scorers[20])
	}
	want(t, "feature", []string{f.Name, f.Title, f.Owner, f.Match["service.name"], c.Features[1].Title},
		[]string{"support-assistant", "Support assistant", "team-support", "support-bot", "search"})
	schema, err := os.ReadFile(filepath.Join("testdata", "schemas", "answer.json"))
	if err != nil {
		t.Fatal(err)
	}
	yesNo := `\[(Yes|No)\]`
	want(t, "scorers that ask nobody", f.Scorers[:20], []quality.ScorerSpec{
		{Name: "answered", Type: "regex", Pattern: yesNo, IgnoreCase: true, On: "all"},
		{Name: "correct", Type: "reference", Extract: yesNo, Match: "last", IgnoreCase: true, On: "last"},
		{Name: "contract", Type: "json_schema", Schema: "schemas/answer.json", SchemaText: schema, On: "last"},
		{Name: "polite", Type: "contains", Any: []string{"please", "thank you"}, On: "last"},
		{Name: "complete", Type: "contains", All: []string{"greeting", "answer"}, On: "last"},
		{Name: "length", Type: "length", On: "last"},
		{Name: "feedback", Type: "external", Metrics: []string{"thumbs", "stars"}, On: "last"},
		{Name: "tools", Type: "tool_calls", On: "last", Others: "forbid", Order: []string{"search", "refund"}, MaxCalls: 10, Tools: []quality.ToolSpec{
			{Name: "search", Use: "required", Max: 3, Schema: "schemas/answer.json", SchemaText: schema},
			{Name: "refund", Use: "optional", Check: "args.amount <= 100"}, {Name: "delete_account", Use: "forbidden"}}},
		{Name: "refused", Type: "refusal", On: "last", Phrases: []string{"no puedo ayudar"}, Languages: []string{"en", "de"}},
		{Name: "german", Type: "language", On: "last", Languages: []string{"de"}},
		{Name: "same_language", Type: "language", On: "last", Attribute: "language"},
		{Name: "overlap", Type: "rouge_l", On: "last", IgnoreCase: true},
		{Name: "close", Type: "edit_similarity", On: "last"},
		{Name: "grounded", Type: "grounded", On: "last", Claims: []string{"numbers", "quotes", "dates", "urls"}, Sources: []string{"context", "tools"}},
		{Name: "easy", Type: "readability", On: "last", Formula: "flesch"},
		{Name: "latency", Type: "latency", On: "last"},
		{Name: "cost", Type: "cost", On: "last", Prices: map[string]quality.Price{"gpt-4o*": {Input: 2.5, Output: 10}}},
		{Name: "tokens", Type: "tokens", On: "last", Count: "output"},
		{Name: "brief", Type: "expr", On: "last", Expr: "len(output) < 2000"},
		{Name: "rated", Type: "external", Metrics: []string{"rated"}, On: "last", Human: "rated_by_hand"},
	})
	want(t, "one probe of each kind", len(f.Probes), len(quality.ProbeKinds()))
	want(t, "probe", f.Probes[0], quality.ProbeSpec{Name: "API", HTTP: "https://api.acme.example/health", Method: "POST",
		Headers: map[string]string{"Authorization": "Bearer " + secretWord}, Status: []string{"200", "204", "300-399"}, Contains: `"ok":true`,
		Redirects: new(0), Verify: new(true), Every: 15 * time.Second, Timeout: 2 * time.Second, Retries: new(2),
		RetryPause: 500 * time.Millisecond, Confirm: 3, Recover: 2})
	want(t, "sampling", f.Sampling, &quality.SamplingSpec{Rate: 0.2,
		Min:    map[string]quality.Quota{"customer": {N: 50, Per: time.Hour}, "language": {N: 20, Per: day}},
		Always: []string{"error", "low_feedback", "slow"}, Budget: quality.Quota{N: 20_000, Per: time.Hour}, Hold: 15 * time.Minute,
		LowFeedback: quality.LowFeedbackSpec{Metric: "stars", Below: ptr(3.0)}, SlowerThan: 10 * time.Second})
	want(t, "redaction", f.Redact, append(quality.DefaultRedact(),
		quality.RedactRule{Pattern: `TCK-(\d+)`, Name: "ticket"}, quality.RedactRule{Field: "ssn"}))
	want(t, "redaction that is switched off", c.Features[1].Redact, []quality.RedactRule{})
	want(t, "map", f.Map, map[string][]string{"customer": {"asgood.customer", "traceloop.association.properties.account"},
		"prompt": {"metadata.prompt_version"}, "attributes.language": {"app.language"}, "tier": {"app.tier"}})
	want(t, "spans", f.Spans, quality.SpanSpec{Join: "request", Wait: 5 * time.Second})
	want(t, "spans of a feature that says nothing", c.Features[1].Spans, quality.SpanSpec{Join: "request", Wait: quality.DefaultSpanWait})
	want(t, "changes", c.Changes.Map[0], quality.ChangeMap{Repository: "acme/support-bot", Environment: "production", Features: []string{"support-assistant"},
		Layer: quality.LayerServing, Carries: []quality.Layer{quality.LayerPrompt, quality.LayerTools}, Owner: "team-support"})
	want(t, "monitors", f.Monitors, []quality.MonitorSpec{
		{Metric: "correct", Worse: "lower", Range: &[2]float64{0, 1}, Material: ptr(0.03), Slices: []string{"customer", "model"}, MaxSlices: 20,
			Adjust: []string{"language"}, Season: "hour", Baseline: quality.BaselineSpec{First: 500, LastGood: &quality.LastGoodSpec{Quiet: 14 * day, N: 3000}},
			FalseAlarms: &quality.FalseAlarms{Samples: 100000}, Tile: ptr(true),
			Objective: &quality.ObjectiveSpec{Percent: 95, Over: 28 * day}},
		{Metric: "length", Worse: "higher", Material: ptr(40.0), Unbounded: true, MaxSlices: 50, Tile: ptr(false),
			Baseline: quality.BaselineSpec{Window: &quality.BaselineWindow{Last: 7 * day}}},
		{Metric: "stars", Worse: "lower", Range: &[2]float64{1, 5}, MaxSlices: 50, Baseline: quality.BaselineSpec{Window: &quality.BaselineWindow{
			From: time.Date(2026, 3, 1, 0, 0, 0, 0, berlin), To: time.Date(2026, 3, 29, 12, 0, 0, 0, time.UTC)}}},
		{Metric: "thumbs", Worse: "lower", Unbounded: true, MaxSlices: 50, Baseline: quality.BaselineSpec{Pinned: "spring"},
			FalseAlarms: &quality.FalseAlarms{Period: 14 * day}},
	})
	want(t, "file of a pinned baseline", c.BaselineFile("spring"), filepath.Join("testdata", "baselines", "spring.ndjson"))
}

func TestAFileThatSaysNothingGivesTheDefaults(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "blank": " \n\n", "comment": "# nothing\n", "document": "---\n", "null": "~\n", "byte order mark": "\ufeff",
		"empty values": "name:\nfeatures:\nstorage:\n  dir:\nretention: ~\nfalse_alarms:\nlisten: null\n",
	} {
		t.Run(name, func(t *testing.T) {
			c := mustParse(t, text)
			d := config.Defaults()
			want(t, "features", len(c.Features), 0)
			want(t, "storage", c.Storage, config.Storage{ClickHouse: "embedded", NATS: "embedded", Dir: filepath.Join("testdata", "data"), MinFree: 512 << 20})
			want(t, "retention", c.Retention, d.Retention)
			want(t, "listen", c.Listen, d.Listen)
			want(t, "false alarms", c.FalseAlarms, d.FalseAlarms)
			want(t, "page", c.StatusPage, config.StatusPage{Title: "Asgood status", URL: "http://localhost:8080",
				Private: d.StatusPage.Private, Subscriptions: d.StatusPage.Subscriptions, Publish: []quality.PublishRule{{After: quality.PublishAfter{Wait: 10 * time.Minute}, Kinds: quality.IncidentKinds()}}})
			want(t, "zone", c.Location(), time.UTC)
		})
	}
}

func TestDurations(t *testing.T) {
	for text, d := range map[string]time.Duration{
		"30d": 30 * day, "7d": 7 * day, "2w": 14 * day, "1h30m": 90 * time.Minute, "1d12h": 36 * time.Hour, "90m": 90 * time.Minute,
		"1.5h": 90 * time.Minute, `"60s"`: time.Minute, "60000ms": time.Minute, "1440m": day,
	} {
		c := mustParse(t, "false_alarms: "+text+"\n")
		want(t, text, c.FalseAlarms, quality.FalseAlarms{Period: d})
	}
	for _, text := range []string{"30", "d", "1y", "-1d", "1 d", "1d ", "1h30", "30D", "1e3s", "9999999w", ".5h", "1..5h", "inf", "٣d"} {
		if ps := problemsOf(t, fmt.Sprintf("false_alarms: %q\n", text)); len(ps) != 1 || ps[0].Text != text {
			t.Errorf("%q: got %v, want one problem that shows it", text, ps)
		}
	}
}

func TestVariables(t *testing.T) {
	c := mustParse(t, `
name: "${WORD}"
customers: [{name: "a-${NUMBER}-${NUMBER}"}, {name: "$${WORD}"}, {name: '$WORD'}, {name: "${EMPTY}x"}, {name: "$$ ${NUMBER}"}]
features:
  - name: a
    scorers: [{name: x, type: length}]
    monitors: [{metric: x, max_slices: "${NUMBER}", material: "${NUMBER}", baseline: {window: "${NUMBER}d"}}]
`)
	var names []string
	for _, c := range c.Customers {
		names = append(names, c.Name)
	}
	want(t, "names", names, []string{"a-7-7", "${WORD}", "$WORD", "x", "$$ 7"})
	want(t, "name", c.Name, secretWord)
	m := c.Features[0].Monitors[0]
	want(t, "numbers", []any{m.MaxSlices, *m.Material, m.Baseline.Window.Last}, []any{7, 7.0, 7 * day})
	// What a variable holds is a value and never more of the file.
	c2, err := config.Parse("f.yaml", []byte(`features: [{name: a, owner: "${X}"}]`), func(string) (string, bool) { return "${Y}\nlisten: {public: x}", true })
	if err != nil || c2.Features[0].Owner != "${Y}\nlisten: {public: x}" {
		t.Errorf("got %v (%v)", c2, err)
	}
}

func TestAnchorsAndMerges(t *testing.T) {
	c := mustParse(t, `
name: &name Acme
customers: [{name: *name}]
features:
  - &base
    name: a
    owner: team
    scorers: &scorers [{name: x, type: length}]
    monitors: [{metric: x, baseline: &first {first: 500}}]
  - {<<: *base, name: b}
  - {name: c, <<: [{owner: other}, *base], monitors: []}
  - {name: d, scorers: *scorers, monitors: [{metric: x, baseline: *first}]}
`)
	want(t, "customers", c.Customers[0].Name, "Acme")
	var got []string
	for _, f := range c.Features {
		got = append(got, fmt.Sprintf("%s %s %d %d", f.Name, f.Owner, len(f.Scorers), len(f.Monitors)))
	}
	want(t, "features", got, []string{"a team 1 1", "b team 1 1", "c other 1 0", "d  1 1"})
	c.Features[0].Scorers[0].Name = "changed"
	want(t, "scorer of another feature", c.Features[3].Scorers[0].Name, "x")
}

func TestFormsOfTheFile(t *testing.T) {
	for name, text := range map[string]string{
		"byte order mark": "\ufefffalse_alarms: 3d\nname: b\n", "carriage returns": "false_alarms: 3d\r\nname: b\r\n",
		"tab after a colon": "false_alarms:\t3d\nname:\tb\n", "flow": `{"false_alarms": "3d", "name": "b"}`, "underscores": "name: b\nfalse_alarms: 3d",
	} {
		t.Run(name, func(t *testing.T) {
			c := mustParse(t, text)
			want(t, "read", []any{c.Name, c.FalseAlarms.Period}, []any{"b", 3 * day})
		})
	}
	for name, c := range map[string]struct{ text, want string }{
		"not UTF-8":         {"name: x\nname: caf\xe9\n", "f.yaml:2:10: the file is not UTF-8"},
		"UTF-16":            {"\xff\xfen\x00a\x00", "f.yaml:1:1: the file is not UTF-8"},
		"control character": {"name: a\nstorage: {dir: \x00}\n", "f.yaml:2:16: holds the control character 0x00"},
		"too large":         {"#" + strings.Repeat("x", 1<<20), "f.yaml:1:1: the file is larger than 1048576 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := problemsOf(t, c.text).Error(); got != filepath.Join("testdata", c.want) {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestOtherEngines(t *testing.T) {
	c := mustParse(t, "storage: {clickhouse: \"https://u:p@a:8443/asgood\", nats: \"nats://a:4222, tls://b:4222\"}\nlisten: {public: \"192.0.2.1:0\", ingest: \"localhost:1\", internal: \"localhost:0\"}\n")
	want(t, "embedded", []bool{c.Storage.EmbeddedClickHouse(), c.Storage.EmbeddedNATS()}, []bool{false, false})
	want(t, "URL of a page whose port is chosen at start", c.StatusPage.URL, "")
	c = mustParse(t, "listen: {public: \"192.0.2.1:80\"}\n")
	want(t, "URL of the page", c.StatusPage.URL, "http://192.0.2.1:80")
	want(t, "zone of no configuration", (&config.Config{}).Location(), time.UTC)
}

func TestLoadOfWhatIsNoFile(t *testing.T) {
	for _, path := range []string{filepath.Join(t.TempDir(), "none.yaml"), t.TempDir()} {
		c, err := config.Load(path)
		if c != nil || quality.KindOf(err) != quality.KindInvalid || !strings.Contains(err.Error(), path) {
			t.Errorf("got %v (%v), want an invalid error that names %s", c, err, path)
		}
	}
	if _, err := os.Stat("/dev/zero"); err == nil {
		_, err := config.Load("/dev/zero")
		if ps := (config.Problems{}); !errors.As(err, &ps) || !strings.Contains(err.Error(), "larger than") {
			t.Errorf("got %v, want that it is too large", err)
		}
	}
}

// pile repeats a text until the file is nearly as large as may be.
func pile(head, item, tail string) string {
	return head + strings.Repeat(item, (1<<20-len(head)-len(tail))/len(item)) + tail
}

func numbered(head, format, tail string, size int) string {
	var b strings.Builder
	b.WriteString(head)
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, format, i)
	}
	return b.String() + tail
}

// TestHugeFiles holds files that would take the memory or the time of the machine. Without bounds each
// ends the test by its time limit or worse.
func TestHugeFiles(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds: run without -short")
	}
	long := func(string) (string, bool) { return strings.Repeat("y", 10_000), true }
	for name, c := range map[string]struct{ text, want string }{
		"brackets":       {pile("", "[", ""), "nested more than"},
		"braces":         {pile("", "{a: ", ""), "nested more than"},
		"dashes":         {pile("", "- ", ""), "nested more than"},
		"question marks": {pile("", "? ", ""), "not YAML"},
		"empty features": {pile("features: [", "{},", "]"), "more problems are not listed"},
		"aliases":        {pile("name: &a x\ncustomers: [", "*a,", "]"), "more problems are not listed"},
		"merges":         {numbered("storage: &a\n", " k%d: 1\n", "listen: {<<: ["+strings.Repeat("*a,", 100_000)+"]}\n", 1<<18), "unknown field"},
		"variables":      {pile("name: \"", "${A}", "\""), "grows beyond"},
		"attributes": {numbered("features: [{name: a, scorers: [{name: m, type: length}], monitors: [{metric: m, baseline: {first: 50}, slices: [",
			"k%d,", "]}]}]", 1<<20-1000), ""},
		"features":      {numbered("features:\n", "- {name: a%[1]d, match: {a: b%[1]d}}\n", "", 1<<19), ""},
		"key":           {pile("", "x", ": 1"), "unknown field"},
		"text":          {pile("name: ", "x", ""), "at most 200"},
		"bad text":      {pile("time_zone: ", "x", ""), "not a time zone"},
		"alias doubled": {"name: &a x\ncustomers: [{name: *a}]\nfeatures: &f0 [{name: a}]\n" + numbered("", "x%[1]d: &f%[1]d [*f, *f]\n", "", 1000), "unknown field"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := config.Parse("f.yaml", []byte(c.text), long)
			if got := fmt.Sprint(err); !strings.Contains(got, c.want) || len(got) > 100_000 || (c.want == "") != (err == nil) {
				t.Errorf("got %d bytes, %.300s, want %q", len(got), got, c.want)
			}
		})
	}
}

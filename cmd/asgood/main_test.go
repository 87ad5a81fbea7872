package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// asMain makes this test program be asgood, so that exit codes and streams are those of a real process.
const asMain = "ASGOOD_TEST_AS_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asMain) != "" {
		main()
	}
	os.Exit(m.Run())
}

// outcome is what a run left behind.
type outcome struct {
	code     int
	out, err string
}

// run runs the commands in this process.
func run(t *testing.T, stdin string, args ...string) outcome {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := root()
	cmd.SetArgs(args)
	cmd.SetIn(strings.NewReader(stdin))
	cmd.SetOut(&out)
	cmd.SetErr(&errs)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	code := exitCode(&errs, cmd.ExecuteContext(ctx))
	return outcome{code, out.String(), errs.String()}
}

// process runs the commands in a process of their own.
func process(t *testing.T, stdin string, args ...string) outcome {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(t.Context(), exe, args...)
	cmd.Env = append(os.Environ(), asMain+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return outcome{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const good = `
name: Test
false_alarms: {samples: 10000}
features:
  - name: bot
    scorers: [{name: good, type: regex, pattern: '^good'}]
    monitors: [{metric: good, slices: [language], baseline: {first: 200}}]
    probes: [{http: "http://127.0.0.1:1/health"}]
`

const bad = `name: ""
features:
  - name: bot
    scorer: []
    probes: [{http: "x://secretsecret"}]
`

// TestExitCodes says what scripts can rely on: 0, 1 something failed, 2 the input is wrong, 3 a regression.
func TestExitCodes(t *testing.T) {
	goodFile, badFile := write(t, "good.yaml", good), write(t, "bad.yaml", bad)
	none := filepath.Join(t.TempDir(), "none")
	worse := write(t, "worse.ndjson", samples(400, "good", "")+samples(200, "bad", ""))
	for _, c := range []struct {
		name   string
		args   []string
		code   int
		says   []string // on standard output when the code is 0, else on standard error
		silent bool     // on standard error
	}{
		{"nothing", nil, 0, []string{"Usage:", "backtest", "baseline", "canary", "change", "check", "customer", "demo", "export", "import", "judge", "key", "migrate", "person", "score", "serve", "version"}, true},
		{"help", []string{"--help"}, 0, []string{"Usage:"}, true},
		{"version", []string{"version"}, 0, []string{"asgood dev\n"}, true},
		{"version as JSON", []string{"version", "--json"}, 0, []string{`{"version":"dev"}` + "\n"}, true},
		{"version flag", []string{"--version"}, 0, []string{"dev"}, true},
		{"unknown command", []string{"backtset"}, 2, []string{`unknown command "backtset" (did you mean backtest?)`}, false},
		{"unknown command without a likeness", []string{"qqq"}, 2, []string{`unknown command "qqq" (see asgood --help)`}, false},
		{"change", []string{"change"}, 0, []string{"Usage:", "add", "list"}, true},
		{"judge", []string{"judge"}, 0, []string{"Usage:", "list", "show"}, true},
		{"judge show of nothing", []string{"judge", "show", "x"}, 2, []string{"want a feature and a metric"}, false},
		{"canary", []string{"canary"}, 0, []string{"Usage:", "run", "list"}, true},
		{"unknown command of canary", []string{"canary", "lst"}, 2, []string{`unknown command "lst" (did you mean list?)`}, false},
		{"canary run of none", []string{"canary", "run"}, 2, []string{"want the name of one canary"}, false},
		{"argument too many of canary", []string{"canary", "list", "x"}, 2, []string{`unexpected "x": see asgood canary list --help`}, false},
		{"unknown command of change", []string{"change", "ad"}, 2, []string{`unknown command "ad" (did you mean add?)`}, false},
		{"unknown command of change without a likeness", []string{"change", "qqq"}, 2, []string{`unknown command "qqq" (see asgood change --help)`}, false},
		{"unknown flag", []string{"check", "--confg", "x"}, 2, []string{"unknown flag: --confg"}, false},
		{"bad value of a flag", []string{"demo", "--week", "soon"}, 2, []string{"--week", "soon"}, false},
		{"argument too many", []string{"check", "x.yaml"}, 2, []string{`unexpected "x.yaml": see asgood check --help`}, false},
		{"check", []string{"check", "-c", goodFile}, 0, []string{"is good: 1 feature, 1 scorer, 1 monitor, 1 probe, 0 canaries"}, true},
		{"check of a bad file", []string{"check", "-c", badFile}, 2, []string{
			badFile + ":1:7: name: must not be empty", badFile + `:4:5: features[0]: unknown field "scorer" (did you mean "scorers"?)`,
			badFile + ":5:21: features[0].probes[0].http: want a URL"}, false},
		{"check of no file", []string{"check", "-c", none}, 2, []string{none, "--config", "asgood demo"}, false},
		{"serve of a bad file", []string{"serve", "-c", badFile}, 2, []string{":4:5:"}, false},
		{"migrate of a bad file", []string{"migrate", "-c", badFile}, 2, []string{":4:5:"}, false},
		{"argument too many of change", []string{"change", "list", "x"}, 2, []string{`unexpected "x": see asgood change list --help`}, false},
		{"backtest without input", []string{"backtest", "-c", goodFile}, 2, []string{"required and missing: --input; see asgood backtest --help"}, false},
		{"backtest of no file", []string{"backtest", "-c", goodFile, "-i", none}, 2, []string{none}, false},
		{"backtest with a bad file", []string{"backtest", "-c", badFile, "-i", worse}, 2, []string{":4:5:"}, false},
		{"backtest that finds one", []string{"backtest", "-c", goodFile, "-i", worse}, 0, []string{"600 samples, ", ", 1 regression\n", "bot", "detected (sample)"}, true},
		{"backtest that must find none", []string{"backtest", "-c", goodFile, "-i", worse, "--fail-on-regression"}, 3, nil, true},
		{"import without flags", []string{"import", "-c", goodFile}, 2, []string{"nothing to import: name a file, or - for standard input; see asgood import --help"}, false},
		{"import without a map", []string{"import", "--csv", "-", "-o", "-"}, 2, []string{"standard input: csv needs a mapping", "--map field=column"}, false},
		{"import of no file", []string{"import", "--csv", none, "--map", "output=a", "-o", "-"}, 2, []string{none}, false},
		{"import with a bad map", []string{"import", "--csv", "-", "--map", "outptu=a", "-o", "-"}, 2, []string{"outptu"}, false},
		{"import with a bad file", []string{"import", "--csv", "-", "--map", "output=a", "-c", badFile}, 2, []string{":4:5:"}, false},
		{"import into a place that is not there", []string{"import", "--csv", "-", "--map", "output=a", "-o", filepath.Join(none, "x")}, 1, []string{"writing samples"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := run(t, "", c.args...)
			text := got.out
			if c.code != 0 && c.code != 3 {
				text = got.err
				if !strings.HasPrefix(text, "asgood: ") {
					t.Errorf("got %q, want the name of the program first", text)
				}
			}
			if got.code != c.code || c.silent != (got.err == "") {
				t.Errorf("got %+v, want code %d", got, c.code)
			}
			for _, want := range c.says {
				if !strings.Contains(text, want) {
					t.Errorf("got %q, want %q in it", text, want)
				}
			}
			if strings.Contains(got.out+got.err, "secretsecret") {
				t.Errorf("a secret is shown: %+v", got)
			}
		})
	}
}

// TestARealProcess asks a process for the codes that the tests above saw as numbers.
func TestARealProcess(t *testing.T) {
	goodFile, badFile := write(t, "good.yaml", good), write(t, "bad.yaml", bad)
	worse := samples(400, "good", "") + samples(200, "bad", "")
	for _, c := range []struct {
		code int
		args []string
	}{
		{0, []string{"version"}},
		{0, []string{"check", "--config", goodFile}},
		{2, []string{"check", "--config", badFile}},
		{1, []string{"import", "--csv", "-", "--map", "output=a", "-o", "/proc/none/x"}},
		{0, []string{"backtest", "--config", goodFile, "--input", "-"}},
		{3, []string{"backtest", "--config", goodFile, "--input", "-", "--fail-on-regression", "--json"}},
	} {
		got := process(t, worse, c.args...)
		if got.code != c.code || (got.err == "") != (c.code == 0 || c.code == 3) || (got.out == "") != (c.code == 1 || c.code == 2) {
			t.Errorf("%v: got %+v, want code %d", c.args, got, c.code)
		}
	}
}

// TestEveryCommandSaysWhatItDoes walks the commands.
func TestEveryCommandSaysWhatItDoes(t *testing.T) {
	var names []string
	for _, cmd := range root().Commands() {
		names = append(names, cmd.Name())
		got := run(t, "", cmd.Name(), "--help")
		for _, want := range []string{cmd.Short, "Usage:\n  asgood " + cmd.Name(), "--help"} {
			// A long text takes the place of the short one.
			if want == cmd.Short && cmd.Long != "" {
				want = cmd.Long
			}
			if got.code != 0 || !strings.Contains(got.out, want) {
				t.Errorf("%s --help: got %+v, want %q", cmd.Name(), got, want)
			}
		}
		if cmd.Name() == "import" || cmd.Name() == "score" {
			continue // they take any number of files
		}
		if got := run(t, "", cmd.Name(), "surplus"); got.code != 2 || !strings.Contains(got.err, `"surplus"`) {
			t.Errorf("%s surplus: got %+v", cmd.Name(), got)
		}
	}
	slices.Sort(names)
	if want := []string{"backtest", "baseline", "canary", "change", "check", "customer", "demo", "export", "import", "judge", "key", "migrate", "person", "score", "serve", "version"}; !slices.Equal(names, want) {
		t.Errorf("got commands %v, want %v: test the new one and list it here", names, want)
	}
}

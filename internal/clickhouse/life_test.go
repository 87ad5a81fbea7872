package clickhouse_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/clickhouse"
	"github.com/asgood-dev/asgood/internal/clickhouse/embedded"
	"github.com/asgood-dev/asgood/internal/quality"
)

func TestMissingLibrary(t *testing.T) {
	for name, o := range map[string]clickhouse.Options{
		"named":          {Dir: t.TempDir(), Library: filepath.Join(t.TempDir(), "libchdb.so")},
		"not an engine":  {Dir: t.TempDir(), Library: os.Args[0]},
		"by environment": {Dir: t.TempDir()},
	} {
		t.Setenv(embedded.Variable, "")
		if name == "by environment" {
			t.Setenv(embedded.Variable, "/nowhere/libchdb.so")
		}
		_, err := clickhouse.Open(t.Context(), o)
		if quality.KindOf(err) != quality.KindInvalid || err == nil {
			t.Errorf("%s: got %v, want invalid", name, err)
		}
	}
	t.Setenv(embedded.Variable, "")
	t.Chdir(t.TempDir())
	if _, err := embedded.Find(""); err == nil || !strings.Contains(err.Error(), "make engine") || !strings.Contains(err.Error(), embedded.Variable) {
		t.Errorf("got %v, want what to do", err)
	}
}

func TestBadAddressHidesThePassword(t *testing.T) {
	_, err := clickhouse.Open(t.Context(), clickhouse.Options{DSN: "clickhouse://user:secret@host:port/db"})
	if quality.KindOf(err) != quality.KindInvalid || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
}

func TestClusterSchema(t *testing.T) {
	statements, err := clickhouse.Statements("prod")
	if err != nil {
		t.Fatal(err)
	}
	distributed := 0
	for _, x := range statements {
		if !strings.Contains(x, "ON CLUSTER 'prod'") {
			t.Errorf("not on the cluster: %.80s", x)
		}
		if strings.Contains(x, "ENGINE = MergeTree") || strings.Contains(x, "ENGINE = AggregatingMergeTree") {
			t.Errorf("not replicated: %.80s", x)
		}
		if strings.Contains(x, "Distributed('prod'") {
			distributed++
		}
	}
	if distributed != 6 {
		t.Errorf("got %d distributed tables, want 6", distributed)
	}
}

const childDir = "ASGOOD_TEST_CLICKHOUSE_DIR"

// TestWriter is the process that others kill, or that has the directory.
func TestWriter(t *testing.T) {
	dir := os.Getenv(childDir)
	if dir == "" {
		t.Skip("runs only as the child of other tests")
	}
	s := open(t, clickhouse.Options{Dir: dir})
	for i := 0; ; i++ {
		id := fmt.Sprintf("%d-%d", os.Getpid(), i)
		if err := s.InsertSamples(t.Context(), id, []quality.Sample{full(id, day0)}); err != nil {
			t.Fatal(err)
		}
		fmt.Println("stored", id)
	}
}

// child runs TestWriter until it stored n samples, and returns their ids.
func child(t *testing.T, dir string, n int) (stored []string, kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestWriter$", "-test.v")
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for len(stored) < n && lines.Scan() {
		if id, ok := strings.CutPrefix(lines.Text(), "stored "); ok {
			stored = append(stored, id)
		}
	}
	return stored, func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()
	}
}

func TestKilled(t *testing.T) {
	needEngine(t)
	dir := t.TempDir()
	var stored []string
	for range 2 {
		ids, kill := child(t, dir, 10)
		kill()
		stored = append(stored, ids...)
	}
	if len(stored) != 20 {
		t.Fatalf("got %d stored samples from the children, want 20", len(stored))
	}
	s := open(t, clickhouse.Options{Dir: dir})
	for _, id := range stored {
		if _, err := s.Sample(t.Context(), "bot", id); err != nil {
			t.Errorf("stored before the kill: %v", err)
		}
	}
}

func TestDirectoryInUse(t *testing.T) {
	needEngine(t)
	dir := t.TempDir()
	_, kill := child(t, dir, 1)
	defer kill()
	_, err := clickhouse.Open(t.Context(), clickhouse.Options{Dir: dir})
	if quality.KindOf(err) != quality.KindConflict || !strings.Contains(err.Error(), dir) {
		t.Errorf("got %v, want a conflict that names the directory", err)
	}
}

func BenchmarkInsertSamples(b *testing.B) {
	s := open(b, clickhouse.Options{})
	rows := make([]quality.Sample, 10_000)
	for i := range rows {
		rows[i] = full(fmt.Sprint(i), day0.Add(time.Duration(i)*time.Second))
	}
	n := 0
	for b.Loop() {
		n++
		if err := s.InsertSamples(b.Context(), fmt.Sprint(n), rows); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n*len(rows))/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkScoreDays(b *testing.B) {
	s := open(b, clickhouse.Options{})
	rows := make([]quality.Score, 90*96)
	for i := range rows {
		rows[i] = score(i, day0.Add(time.Duration(i)*15*time.Minute), 1, 1)
	}
	if err := s.InsertScores(b.Context(), "SCORES:1-1", rows); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if days, err := s.ScoreDays(b.Context(), time.UTC, day0, day0.AddDate(0, 0, 90)); err != nil || len(days) != 90 {
			b.Fatal(len(days), err)
		}
	}
}

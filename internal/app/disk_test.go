package app_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/config"
)

// smallDisk mounts a disk of its own, which only root may.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("a small disk cannot be mounted here (it takes root): %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// A disk that fills up refuses senders before the engines notice, and takes in again when there is room.
func TestDiskFull(t *testing.T) {
	needEngine(t)
	dir := smallDisk(t, "300m")
	text := strings.Replace(fmt.Sprintf(configuration, filepath.Join(dir, "data"), "http://127.0.0.1:1", "http://127.0.0.1:1", secret),
		"storage: {", "storage: {min_free: 100MiB, ", 1)
	cfg, err := config.Parse("test.yaml", []byte(text), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	a, _ := start(t, cfg)
	at := time.Now().Add(-time.Hour)
	mustPost(t, a.Addr("ingest"), 0, 10, "good", at)
	filler := filepath.Join(dir, "filler")
	if err := os.WriteFile(filler, make([]byte, 230<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the refusal", func() (string, bool) {
		status, reply, err := post(a.Addr("ingest"), 10, 1, "good", at)
		return fmt.Sprint(status, reply, err), status == http.StatusInsufficientStorage && strings.Contains(reply, "storage.min_free")
	})
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	eventually(t, "room", func() (string, bool) {
		status, reply, err := post(a.Addr("ingest"), 20, 10, "good", at)
		return fmt.Sprint(status, reply, err), status == http.StatusOK
	})
	eventually(t, "all in the store", func() (string, bool) {
		n := metricValue(a.Addr("internal"), `asgood_collector_samples_accepted_total{feature="bot"}`)
		rows := metricValue(a.Addr("internal"), `asgood_writer_rows_total{of="SAMPLES"}`)
		return fmt.Sprint(n, rows), n >= 20 && rows >= n
	})
}

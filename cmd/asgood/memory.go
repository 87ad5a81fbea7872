package main

import (
	"os"
	"runtime/debug"

	"github.com/asgood-dev/asgood/internal/config"
)

// What the garbage collector is asked for beside the embedded engine, which takes some 400 MB of its own: a
// flood of samples leaves much behind, and without this the process would grow to twice what it needs.
const (
	gcPercent   = 40
	memoryLimit = 450 << 20 // of Go alone, and soft: more live data is kept all the same, at the price of time
)

// limitMemory leaves it to a person who says otherwise in GOGC or GOMEMLIMIT, and to servers that have their
// ClickHouse elsewhere, which are larger.
func limitMemory(cfg *config.Config) {
	if !cfg.Storage.EmbeddedClickHouse() {
		return
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
}

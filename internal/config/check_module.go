package config

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/wasm"
)

const maxWasmMemoryMB = 1024

// checkWasm loads the module of a scorer from beside the configuration and checks that it can run.
func (d *decoder) checkWasm(s *quality.ScorerSpec, path string) {
	d.within(path+".memory_mb", s.MemoryMB, minMemoryMB, maxWasmMemoryMB)
	p := path + ".module"
	if d.failed(p) || d.failed(path+".memory_mb") {
		return
	}
	if s.Module == "" {
		d.bad(p, "required: a file with a WebAssembly module")
		return
	}
	code, err := readModule(beside(filepath.Dir(d.file), s.Module))
	if err != nil {
		// The library's words repeat the path, and a variable may have given it.
		if pathErr := (*fs.PathError)(nil); errors.As(err, &pathErr) {
			err = pathErr.Err
		}
		d.bad(p, "reading the module beside the configuration: %v", err)
		return
	}
	if err := wasm.Check(context.Background(), code, s.AskingDefaults().MemoryMB); err != nil {
		d.bad(p, "%v", err)
		return
	}
	s.ModuleCode = code
}

func readModule(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > wasm.MaxModule {
		return nil, fmt.Errorf("want a regular file of at most %d bytes", wasm.MaxModule)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // read only: nothing is lost
	return io.ReadAll(io.LimitReader(f, wasm.MaxModule))
}

package wasm_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/wasm"
)

// Sections of hand-made modules with functions of the types () and (i32).
const (
	magic  = "\x00asm\x01\x00\x00\x00"
	types  = "\x01\x08\x02\x60\x00\x00\x60\x01\x7f\x00"
	one    = "\x03\x02\x01\x00" // a function ()
	start  = "\x07\x0a\x01\x06_start\x00\x00"
	start1 = "\x07\x0a\x01\x06_start\x00\x01" // behind an imported function
	empty  = "\x0a\x04\x01\x02\x00\x0b"
	exit   = "\x02\x24\x01\x16wasi_snapshot_preview1\x09proc_exit\x00\x01"
)

func TestCheck(t *testing.T) {
	for _, x := range []struct{ name, code, err string }{
		{"a command", magic + types + one + start + empty, ""},
		{"with WASI", magic + types + exit + one + start1 + empty, ""},
		{"64 MiB", magic + types + one + "\x05\x04\x01\x00\x80\x08" + start + empty, ""},
		{"1 MiB that may grow to 4 GiB", magic + types + one + "\x05\x06\x01\x01\x10\x80\x80\x04" + start + empty, ""},
		{"nothing", "", "not a WebAssembly module"},
		{"text", "#!/bin/sh\n", "not a WebAssembly module"},
		{"cut", (magic + types + one + start + empty)[:38], "not a WebAssembly module"},
		{"a body of the wrong type", magic + types + one + start + "\x0a\x06\x01\x04\x00\x41\x00\x0b", "not a WebAssembly module"},
		{"a library", magic + types + one + empty, "exports no function _start"},
		{"a start that wants an argument", magic + types + "\x03\x02\x01\x01" + start + empty, "exports no function _start"},
		{"another host's function", magic + types + "\x02\x0b\x01\x03env\x03run\x00\x01" + one + start1 + empty, `imports "run" of "env"`},
		{"a function that WASI has not", magic + types + strings.Replace(exit, "proc_exit", "proc_fork", 1) + one + start1 + empty, `imports "proc_fork"`},
		{"another's memory", magic + types + "\x02\x0a\x01\x03env\x01m\x02\x00\x01" + one + start + empty, "imports a memory"},
		{"65 MiB", magic + types + one + "\x05\x04\x01\x00\x90\x08" + start + empty, "not a WebAssembly module that can be used"},
		{"a hundred million imports", magic + "\x02\x04\xf9\xf9\xf9\x30", "do not fit"},
		{"a section that is cut", magic + "\x01\x08\x02", "do not fit"},
		{"too large", magic + strings.Repeat("\x00", wasm.MaxModule), "at most"},
	} {
		t.Run(x.name, func(t *testing.T) {
			err := wasm.Check(t.Context(), []byte(x.code), 64)
			if x.err == "" && err != nil || x.err != "" && (err == nil || !strings.Contains(err.Error(), x.err)) {
				t.Errorf("got %v, want %q", err, x.err)
			}
		})
	}
}

func run(t *testing.T, code string, timeout time.Duration) error {
	t.Helper()
	m, err := wasm.New(t.Context(), []byte(code), 64)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = m.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	out, err := m.Run(ctx, nil)
	if len(out) > 0 {
		t.Errorf("got %q", out)
	}
	return err
}

func TestRunOfHandMadeModules(t *testing.T) {
	for _, x := range []struct{ name, body, err string }{
		{"nothing", "\x0a\x04\x01\x02\x00\x0b", ""},
		{"a trap", "\x0a\x05\x01\x03\x00\x00\x0b", "unreachable"},
		{"recursion", "\x0a\x06\x01\x04\x00\x10\x00\x0b", "stack overflow"},
	} {
		t.Run(x.name, func(t *testing.T) {
			err := run(t, magic+types+one+start+x.body, time.Minute)
			if x.err == "" && err != nil || x.err != "" && (err == nil || !strings.Contains(err.Error(), x.err) || strings.Contains(err.Error(), "\n")) {
				t.Errorf("got %v, want %q", err, x.err)
			}
		})
	}
	loop := "\x0a\x09\x01\x07\x00\x03\x40\x0c\x00\x0b\x0b"
	if err := run(t, magic+types+one+start+loop, 200*time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("an endless loop ended with %v", err)
	}
	// The function that a module starts with runs before _start, and within the same time.
	if err := run(t, magic+types+one+start+"\x08\x01\x00"+loop, 200*time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("an endless beginning ended with %v", err)
	}
}

// FuzzCheck: no bytes make Check panic, and what it takes can be compiled.
func FuzzCheck(f *testing.F) {
	f.Add([]byte(magic + types + one + start + empty))
	f.Add([]byte(magic + types + exit + one + start1 + empty))
	f.Add([]byte(magic + types + one + "\x05\x04\x01\x00\x80\x08" + start + empty))
	f.Fuzz(func(t *testing.T, code []byte) {
		if wasm.Check(t.Context(), code, 16) != nil {
			return
		}
		m, err := wasm.New(t.Context(), code, 16)
		if err != nil {
			t.Fatalf("checked, and then: %v", err)
		}
		_ = m.Close()
	})
}

func BenchmarkCheck(b *testing.B) {
	code := []byte(magic + types + one + start + empty)
	for b.Loop() {
		if err := wasm.Check(b.Context(), code, 64); err != nil {
			b.Fatal(err)
		}
	}
}

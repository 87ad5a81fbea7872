// Package wasm runs WebAssembly modules that are WASI commands (preview 1): one run is one input on the standard
// input and what was written to the standard output.
//
// The package owns the walls: a module has no files, no network, no environment and no arguments, its clock counts
// how often it is read and its random bytes are always the same, its memory, its output and its time are bounded, and every run has
// an instance of its own, so that nothing of one input is left for the next. It leaves out what the bytes mean.
package wasm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"
)

// Bounds of a module.
const (
	MaxModule = 32 << 20 // bytes of its file
	MaxOutput = 1 << 20  // bytes of the output of one run

	maxStderr   = 1 << 10  // kept for the text of an error
	maxTrap     = 256      // bytes of what the runtime says of a trap
	pagesInAMiB = 16       // of a memory
	start       = "_start" // what a command exports
)

// Module is a compiled module. It is safe for concurrent use.
type Module struct {
	runtime wazero.Runtime
	code    wazero.CompiledModule
}

// New compiles a module whose memory may have memoryMB MiB (1 to 4096) in each run. It ends when ctx does only
// between its steps: compiling takes about a second for each few MiB.
func New(ctx context.Context, code []byte, memoryMB int) (*Module, error) {
	return compile(ctx, wazero.NewRuntimeConfig(), code, memoryMB)
}

// Check reports whether New would take the module. It is faster, and makes no machine code.
func Check(ctx context.Context, code []byte, memoryMB int) error {
	m, err := compile(ctx, wazero.NewRuntimeConfigInterpreter(), code, memoryMB)
	if err != nil {
		return err
	}
	return m.Close()
}

func compile(ctx context.Context, c wazero.RuntimeConfig, code []byte, memoryMB int) (*Module, error) {
	if len(code) > MaxModule {
		return nil, fmt.Errorf("the module has %d bytes, at most %d", len(code), MaxModule)
	}
	code, err := plain(code)
	if err != nil {
		return nil, err
	}
	c = c.WithCloseOnContextDone(true).WithDebugInfoEnabled(false).WithMemoryLimitPages(uint32(memoryMB) * pagesInAMiB)
	m := &Module{runtime: wazero.NewRuntimeWithConfig(ctx, c)}
	if err := m.load(ctx, code); err != nil {
		_ = m.Close() // it holds nothing yet
		return nil, err
	}
	return m, nil
}

func (m *Module) load(ctx context.Context, code []byte) error {
	wasi, err := wasi_snapshot_preview1.NewBuilder(m.runtime).Compile(ctx)
	if err != nil {
		return fmt.Errorf("preparing WASI: %w", err)
	}
	if _, err := m.runtime.InstantiateModule(ctx, wasi, wazero.NewModuleConfig()); err != nil {
		return fmt.Errorf("preparing WASI: %w", err)
	}
	if m.code, err = m.runtime.CompileModule(ctx, code); err != nil {
		return fmt.Errorf("not a WebAssembly module that can be used: %s", firstLine(err.Error()))
	}
	return fits(m.code, wasi.ExportedFunctions())
}

// fits reports what keeps a module from running as a command with the functions of WASI alone.
func fits(code wazero.CompiledModule, wasi map[string]api.FunctionDefinition) error {
	for _, f := range code.ImportedFunctions() {
		if module, name, _ := f.Import(); module != wasi_snapshot_preview1.ModuleName || wasi[name] == nil {
			return fmt.Errorf("the module imports %q of %q: only functions of %s are there", name, module, wasi_snapshot_preview1.ModuleName)
		}
	}
	if len(code.ImportedMemories()) > 0 {
		return errors.New("the module imports a memory, and must have its own")
	}
	f := code.ExportedFunctions()[start]
	if f == nil || len(f.ParamTypes())+len(f.ResultTypes()) > 0 {
		return fmt.Errorf("the module exports no function %s without parameters: want a WASI command (such as GOOS=wasip1 or wasm32-wasip1 makes)", start)
	}
	return nil
}

// Run runs the module once. It returns what the module wrote, or an error that says in one line why there is
// nothing: it failed, wrote too much, or ctx ended.
func (m *Module) Run(ctx context.Context, input []byte) ([]byte, error) {
	ctx, end := context.WithCancel(ctx)
	defer end()
	out := &capped{most: MaxOutput, full: end}
	said := &capped{most: maxStderr}
	// Without a name, any number of instances may run at a time.
	c := wazero.NewModuleConfig().WithName("").WithStdin(bytes.NewReader(input)).WithStdout(out).WithStderr(said)
	instance, err := m.runtime.InstantiateModule(ctx, m.code, c)
	if instance != nil {
		_ = instance.Close(context.WithoutCancel(ctx)) // what it wrote is here
	}
	switch {
	case out.over:
		return nil, fmt.Errorf("the answer has more than %d KiB", MaxOutput>>10)
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil && !ended(err):
		return nil, failure(err, said.buf.String())
	}
	return out.buf.Bytes(), nil
}

// ended reports whether the module went away by itself and content.
func ended(err error) bool {
	var exit *sys.ExitError
	return errors.As(err, &exit) && exit.ExitCode() == 0
}

// failure says how a run failed, and what the module said of it.
func failure(err error, said string) error {
	text := firstLine(err.Error())
	if exit := (*sys.ExitError)(nil); errors.As(err, &exit) {
		text = fmt.Sprintf("exit status %d", exit.ExitCode())
	}
	if said = strings.Join(strings.Fields(strings.ToValidUTF8(said, "\uFFFD")), " "); said != "" {
		text += ": " + said
	}
	return fmt.Errorf("the module failed: %s", text)
}

// firstLine leaves out the stack, which names functions of the module.
func firstLine(text string) string {
	text, _, _ = strings.Cut(text, "\n")
	return strings.ToValidUTF8(text[:min(len(text), maxTrap)], "")
}

// Close frees the compiled code. No run may be under way.
func (m *Module) Close() error { return m.runtime.Close(context.Background()) }

// capped keeps the beginning of what is written. With full, more is an error and full is called; without, the rest
// is dropped.
type capped struct {
	buf  bytes.Buffer
	most int
	full func()
	over bool
}

// Write implements io.Writer.
func (c *capped) Write(p []byte) (int, error) {
	keep := p[:min(len(p), max(0, c.most-c.buf.Len()))]
	_, _ = c.buf.Write(keep) // never fails
	if len(keep) == len(p) {
		return len(p), nil
	}
	if c.over = true; c.full == nil {
		return len(p), nil
	}
	c.full()
	return len(keep), io.ErrShortWrite
}

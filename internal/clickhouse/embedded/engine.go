// Package embedded runs ClickHouse's own engine in this process, from a shared library opened without
// cgo, and speaks ClickHouse's HTTP protocol with the driver through an http.RoundTripper.
//
// It owns the library, the lock on the data directory and the translation of requests into calls. It
// knows no table. Facts about the library that shaped it are in docs/decisions/0004.
package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"unsafe"

	"github.com/asgood-dev/asgood/internal/quality"
)

// connections is how many statements may run at once.
const connections = 4

// Options configures an Engine.
type Options struct {
	Dir     string // data directory, made when absent
	Library string // path of libchdb.so; empty means that Find looks for it
}

// Engine is an open engine. It is safe for concurrent use.
type Engine struct {
	lib     *library
	lock    *os.File
	version string
	zone    string
	pool    chan unsafe.Pointer
	all     []unsafe.Pointer
	closing sync.Once
	bodies  sync.Pool // of *bytes.Buffer
}

// Open starts the engine on a directory. A directory in use by another process is a conflict.
func Open(o Options) (_ *Engine, err error) {
	path, err := Find(o.Library)
	if err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("finding the data directory %q: %w", o.Dir, err)
	}
	e := &Engine{pool: make(chan unsafe.Pointer, connections)}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.Close())
		}
	}()
	if e.lock, err = lockDir(dir); err != nil {
		return e, err
	}
	restore := keepSignals()
	defer restore()
	if e.lib, err = loadLibrary(path); err != nil {
		return e, err
	}
	if err := e.connect(filepath.Join(dir, "store")); err != nil {
		return e, err
	}
	return e, e.introduce()
}

// lockDir keeps a second process out before the engine, which would say less, does.
func lockDir(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("making the data directory %q: %w", dir, err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("locking the data directory %q: %w", dir, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close() // the lock is the error to tell
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, quality.Errorf(quality.KindConflict, "data directory %q is in use: stop the process that has it, or configure another storage.dir", dir)
		}
		return nil, fmt.Errorf("locking the data directory %q: %w", dir, err)
	}
	return f, nil
}

// engineArgs keep the engine small beside us: caches that a server would want, and the threads of its
// background work, are bounded.
func engineArgs(store string) []string {
	return []string{
		"asgood", "--path=" + store,
		"--mark_cache_size=67108864", "--uncompressed_cache_size=0", "--background_pool_size=2",
		"--background_schedule_pool_size=4", "--background_fetches_pool_size=1", "--background_common_pool_size=2",
	}
}

func (e *Engine) connect(store string) error {
	e.lib.handleSignals(0) // signals are Go's
	for range connections {
		argv := cStrings(engineArgs(store))
		conn := e.lib.connect(int32(len(argv)-1), unsafe.Pointer(&argv[0]))
		runtime.KeepAlive(argv)
		if conn == nil {
			return quality.Errorf(quality.KindConflict, "the engine does not open data directory %q: it is in use or damaged, "+
				"or this process has another directory open", store)
		}
		e.all = append(e.all, conn)
		e.pool <- conn
	}
	return nil
}

// introduce asks the engine what it is, for the driver's first question.
func (e *Engine) introduce() error {
	for query, to := range map[string]*string{"SELECT version()": &e.version, "SELECT timezone()": &e.zone} {
		out, err := e.run(context.Background(), statement{sql: query, format: "TSVRaw"})
		if err != nil {
			return fmt.Errorf("asking the engine %q: %w", query, err)
		}
		*to = string(out[:max(0, len(out)-1)])
	}
	return nil
}

// Close waits for running statements and frees the directory.
func (e *Engine) Close() error {
	var err error
	e.closing.Do(func() {
		for range e.all {
			e.lib.closeConn(<-e.pool)
		}
		if e.lock != nil {
			err = e.lock.Close()
		}
	})
	if err != nil {
		return fmt.Errorf("unlocking the data directory: %w", err)
	}
	return nil
}

// statement is one call of the engine.
type statement struct {
	sql    string
	format string
	params map[string]string
	finish bool // the caller waits for the end whatever becomes of its context
}

// engineError is an error of the engine, such as "Code: 60. DB::Exception: ...".
type engineError struct{ text string }

// Error returns the engine's text.
func (e *engineError) Error() string { return e.text }

// run executes a statement. A call cannot be stopped from outside: when ctx ends the caller is let go
// and the call's result is thrown away when it comes, bounded by the pool and by max_execution_time.
func (e *Engine) run(ctx context.Context, s statement) ([]byte, error) {
	var conn unsafe.Pointer
	select {
	case conn = <-e.pool:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	type outcome struct {
		data []byte
		err  error
	}
	done := make(chan outcome, 1)
	go func() {
		data, err := e.call(conn, s)
		e.pool <- conn
		done <- outcome{data, err}
	}()
	if s.finish {
		o := <-done
		return o.data, o.err
	}
	select {
	case o := <-done:
		return o.data, o.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (e *Engine) call(conn unsafe.Pointer, s statement) ([]byte, error) {
	sql, format := []byte(s.sql), []byte(s.format)
	handle := *(*unsafe.Pointer)(conn)
	var result unsafe.Pointer
	if len(s.params) == 0 {
		result = e.lib.query(handle, pointer(sql), uintptr(len(sql)), pointer(format), uintptr(len(format)))
	} else {
		p := newParams(s.params)
		result = e.lib.queryWithParams(handle, pointer(sql), uintptr(len(sql)), pointer(format), uintptr(len(format)),
			unsafe.Pointer(&p.names[0]), unsafe.Pointer(&p.nameLens[0]), unsafe.Pointer(&p.values[0]), unsafe.Pointer(&p.valueLens[0]), uintptr(len(p.names)))
		runtime.KeepAlive(p)
	}
	runtime.KeepAlive(sql)
	runtime.KeepAlive(format)
	if result == nil {
		return nil, errors.New("the engine gave no result")
	}
	defer e.lib.destroyResult(result)
	if text := e.lib.resultError(result); text != "" {
		return nil, &engineError{text}
	}
	n := e.lib.resultLength(result)
	if n == 0 {
		return nil, nil
	}
	out := make([]byte, n)
	copy(out, unsafe.Slice((*byte)(e.lib.resultBuffer(result)), n))
	return out, nil
}

// params are the parameters of a statement as the engine takes them.
type params struct {
	names, values       []*byte
	nameLens, valueLens []uintptr
}

func newParams(m map[string]string) *params {
	p := &params{}
	for name, value := range m {
		n, v := append([]byte(name), 0), append([]byte(value), 0)
		p.names, p.nameLens = append(p.names, &n[0]), append(p.nameLens, uintptr(len(name)))
		p.values, p.valueLens = append(p.values, &v[0]), append(p.valueLens, uintptr(len(value)))
	}
	return p
}

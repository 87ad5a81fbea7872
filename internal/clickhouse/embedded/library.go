package embedded

import (
	"os"
	"path/filepath"
	"strings"
	"unsafe"

	"github.com/ebitengine/purego"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Variable names the environment variable that names the library.
const Variable = "ASGOOD_LIBCHDB"

const fileName = "libchdb.so"

// inTree is where `make engine` puts the library.
var inTree = filepath.Join("deploy", "engine", "node_modules", "@chdb", "lib-linux-x64-gnu", fileName)

// library is the engine's C interface.
type library struct {
	connect         func(argc int32, argv unsafe.Pointer) unsafe.Pointer
	closeConn       func(conn unsafe.Pointer)
	handleSignals   func(enabled int32)
	query           func(conn, query unsafe.Pointer, queryLen uintptr, format unsafe.Pointer, formatLen uintptr) unsafe.Pointer
	queryWithParams func(conn, query unsafe.Pointer, queryLen uintptr, format unsafe.Pointer, formatLen uintptr, names, nameLens, values, valueLens unsafe.Pointer, n uintptr) unsafe.Pointer
	resultBuffer    func(result unsafe.Pointer) unsafe.Pointer
	resultLength    func(result unsafe.Pointer) uintptr
	resultError     func(result unsafe.Pointer) string
	destroyResult   func(result unsafe.Pointer)
}

// Find returns the path of the library: the given one, the one of the environment variable, the one
// beside the executable, or the one that `make engine` installed above the working directory or the
// executable. The error names the places looked at.
func Find(given string) (string, error) {
	if given == "" {
		given = os.Getenv(Variable)
	}
	if given != "" {
		if _, err := os.Stat(given); err != nil {
			return "", quality.Errorf(quality.KindInvalid, "the engine's library %q, named by storage.library or %s, cannot be opened: %w", given, Variable, err)
		}
		return given, nil
	}
	places := candidates()
	for _, p := range places {
		if _, err := os.Stat(p); err == nil {
			return p, nil
		}
	}
	return "", quality.Errorf(quality.KindInvalid, "the embedded ClickHouse engine, %s, is not installed: run `make engine`, "+
		"or name a copy with %s, or set storage.clickhouse to the address of a server (looked at %s)", fileName, Variable, strings.Join(places, ", "))
}

func candidates() []string {
	var places []string
	if exe, err := os.Executable(); err == nil {
		places = append(places, filepath.Join(filepath.Dir(exe), fileName))
		places = append(places, above(filepath.Dir(exe))...)
	}
	if wd, err := os.Getwd(); err == nil {
		places = append(places, above(wd)...)
	}
	return places
}

// above lists the place of `make engine` in a folder and those it lies in, nearest first.
func above(dir string) []string {
	var places []string
	for range 6 { // deep enough for a package of the source tree, and no walk to the root
		places = append(places, filepath.Join(dir, inTree))
		parent := filepath.Dir(dir)
		if parent == dir {
			break
		}
		dir = parent
	}
	return places
}

func loadLibrary(path string) (lib *library, err error) {
	handle, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return nil, quality.Errorf(quality.KindInvalid, "loading the engine's library %q: %w", path, err)
	}
	defer func() { // a missing symbol is a panic of purego
		if v := recover(); v != nil {
			lib, err = nil, quality.Errorf(quality.KindInvalid, "the library %q is not the engine, or of another version: %v", path, v)
		}
	}()
	lib = &library{}
	for name, fn := range map[string]any{
		"chdb_connect": &lib.connect, "chdb_close_conn": &lib.closeConn, "chdb_set_signal_handlers_enabled": &lib.handleSignals,
		"chdb_query_n": &lib.query, "chdb_query_with_params_n": &lib.queryWithParams,
		"chdb_result_buffer": &lib.resultBuffer, "chdb_result_length": &lib.resultLength,
		"chdb_result_error": &lib.resultError, "chdb_destroy_query_result": &lib.destroyResult,
	} {
		purego.RegisterLibFunc(fn, handle, name)
	}
	return lib, nil
}

// cStrings is an argv. The returned slice keeps its memory alive.
func cStrings(args []string) (argv []*byte) {
	for _, a := range args {
		argv = append(argv, &append([]byte(a), 0)[0])
	}
	return append(argv, nil)
}

func pointer(b []byte) unsafe.Pointer {
	if len(b) == 0 {
		return nil
	}
	return unsafe.Pointer(&b[0])
}

package config_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/asgood-dev/asgood/internal/config"
)

func TestModules(t *testing.T) {
	dir := t.TempDir()
	good, err := os.ReadFile(filepath.Join("testdata", "scorers", "tone.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"good.wasm": good, "text.wasm": []byte("(module)"), "library.wasm": good[:8], "large.wasm": make([]byte, 32<<20+1)} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	parse := func(keys string) (*config.Config, error) {
		text := "features:\n- name: a\n  scorers:\n  - {name: tone, type: wasm" + keys + "}\n"
		return config.Parse(filepath.Join(dir, "f.yaml"), []byte(text), func(string) (string, bool) { return "hush.wasm", true })
	}
	c, err := parse(", module: good.wasm")
	if err != nil {
		t.Fatal(err)
	}
	if s := c.Features[0].Scorers[0]; !bytes.Equal(s.ModuleCode, good) || s.MemoryMB != 64 || s.Endpoint() != "good.wasm" {
		t.Errorf("got %+v", s)
	}
	for _, x := range []struct{ keys, want string }{
		{"", "f.yaml:4:5: features[0].scorers[0].module: required"},
		{", module: no.wasm", `f.yaml:4:38: features[0].scorers[0].module "no.wasm": reading the module beside the configuration: no such file`},
		{", module: '${X}'", "reading the module beside the configuration: no such file"},
		{", module: .", "want a regular file of at most 33554432 bytes"},
		{", module: large.wasm", "want a regular file of at most 33554432 bytes"},
		{", module: text.wasm", "f.yaml:4:38: features[0].scorers[0].module \"text.wasm\": not a WebAssembly module"},
		{", module: library.wasm", "exports no function _start"},
		{", module: good.wasm, memory_mb: 2048", `memory_mb "2048": want 16 to 1024`},
		{", module: good.wasm, memory_mb: 8", "memory_mb"},
		{", module: good.wasm, env: {A: b}", "has no effect on a scorer of type wasm (it takes module, memory_mb, price"},
	} {
		_, err := parse(x.keys)
		if err == nil || !strings.Contains(err.Error(), x.want) || strings.Contains(err.Error(), "hush") || strings.Count(err.Error(), "\n") > 0 {
			t.Errorf("%s: got %v, want %q", x.keys, err, x.want)
		}
	}
}

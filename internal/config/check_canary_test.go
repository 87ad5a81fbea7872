package config_test

import (
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/config"
	"github.com/asgood-dev/asgood/internal/quality"
)

func parseCanary(file string, lines ...string) (*config.Config, error) {
	text := "features:\n  - name: bot\n    canaries:\n"
	for _, l := range lines {
		text += "      - " + l + "\n"
	}
	return config.Parse(file, []byte(text), func(name string) (string, bool) {
		v, ok := map[string]string{"KEY": "sk-secret-1", "URL": "https://api.example/v1", "EMPTY": "", "SHORT": "abc"}[name]
		return v, ok
	})
}

const (
	ask  = "prompts: [{id: a, input: why?}]"
	chat = "chat: {base_url: https://api.example/v1, model: m}"
)

func TestCanaries(t *testing.T) {
	for _, line := range []string{
		`{name: x, ` + ask + `, ` + chat + `}`,
		`{name: x.y-z, every: 10s, timeout: 9s, repeat: 100, concurrency: 32, ` + ask + `, ` + chat + `}`,
		`{name: x, every: 30d, budget: 1/m, ` + ask + `, ` + chat + `}`,
		`{name: x, every: 1h, repeat: 5, budget: 120/d, ` + ask + `, ` + chat + `}`,
		`{name: x, ` + ask + `, http: {url: "http://127.0.0.1:8080/?k=${KEY}", method: GET, answer: "$..a"}}`,
		`{name: x, ` + ask + `, http: {url: http://x, body: "{{json .}}", answer: "$[?@.a == 1].b"}}`,
		`{name: x, prompts: [{id: a, input: why?, reference: "", expect: {reference: true}}], ` + chat + `}`,
	} {
		if _, err := parseCanary("c.yaml", line); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
}

func TestBadCanaries(t *testing.T) {
	for line, want := range map[string]string{
		`{}`: "features[0].canaries[0].name: required",
		`{name: "a b", ` + ask + `, ` + chat + `}`:                                                            `c.yaml:4:16: features[0].canaries[0].name "a b": want 1 to 80 letters`,
		`{name: x, ` + chat + `}`:                                                                             "prompts: required",
		`{name: x, prompts: [], ` + chat + `}`:                                                                "prompts: 0 prompts, want 1 to 500",
		`{name: x, prompts: {a: b}, ` + chat + `}`:                                                            "want a list of prompts, or the name of a file of them",
		`{name: x, prompts: none.yaml, ` + chat + `}`:                                                         `prompts "none.yaml": reading the prompts beside the configuration: no such file`,
		`{name: x, prompts: [{input: why?}], ` + chat + `}`:                                                   "prompts[0].id: want 1 to 80",
		`{name: x, prompts: [{id: a/b, input: why?}], ` + chat + `}`:                                          `prompts[0].id "a/b": want 1 to 80`,
		`{name: x, prompts: [{id: a}], ` + chat + `}`:                                                         "prompts[0].input: required",
		`{name: x, prompts: [{id: a, input: " "}], ` + chat + `}`:                                             "prompts[0].input: required",
		`{name: x, prompts: [{id: a, input: [{content: why?}]}], ` + chat + `}`:                               "prompts[0].input[0].role: required",
		`{name: x, prompts: [{id: a, input: [{rol: user}]}], ` + chat + `}`:                                   `unknown field "rol" (did you mean "role"?)`,
		`{name: x, prompts: [{id: a, input: b}, {id: a, input: c}], ` + chat + `}`:                            "prompt 1 of the list has this id already",
		`{name: x, prompts: [{id: a, input: "${KEY}"}], ` + chat + `}`:                                        `prompts[0].input "${KEY}": a prompt is stored with its answers: no variables here`,
		`{name: x, prompts: [{id: a, input: b, attributes: {canary: c}}], ` + chat + `}`:                      "attributes.canary",
		`{name: x, prompts: [{id: a, input: b, expect: {}}], ` + chat + `}`:                                   "expect: want exactly one of contains",
		`{name: x, prompts: [{id: a, input: b, expect: {contains: c, regex: d}}], ` + chat + `}`:              "expect: want exactly one of contains",
		`{name: x, prompts: [{id: a, input: b, expect: {regex: "("}}], ` + chat + `}`:                         `expect.regex "(": not a regular expression`,
		`{name: x, prompts: [{id: a, input: b, expect: {reference: true}}], ` + chat + `}`:                    "no reference to compare with",
		`{name: x, prompts: [{id: a, input: b, expect: {reference: false}}], ` + chat + `}`:                   "want true, or leave it out",
		`{name: x, every: 9s, ` + ask + `, ` + chat + `}`:                                                     "want 10s to 30d",
		`{name: x, every: 31d, ` + ask + `, ` + chat + `}`:                                                    "want 10s to 30d",
		`{name: x, every: 10500ms, ` + ask + `, ` + chat + `}`:                                                "want whole seconds",
		`{name: x, every: 10s, ` + ask + `, ` + chat + `}`:                                                    "timeout: want less than every (10s)",
		`{name: x, repeat: 0, ` + ask + `, ` + chat + `}`:                                                     "want 1 to 100",
		`{name: x, concurrency: 33, ` + ask + `, ` + chat + `}`:                                               "want 1 to 32",
		`{name: x, repeat: 5, budget: 119/d, ` + ask + `, ` + chat + `}`:                                      `budget "119/d": 5 calls in a run and 24 runs in the period make 120 calls`,
		`{name: x, repeat: 5, budget: 4/m, ` + ask + `, ` + chat + `}`:                                        "5 calls in a run and 1 runs in the period",
		`{name: x, budget: often, ` + ask + `, ` + chat + `}`:                                                 "want a number for each period",
		`{name: x, ` + ask + `}`:                                                                              "says nowhere to ask",
		`{name: x, ` + ask + `, chat: , http: }`:                                                              "want exactly one",
		`{name: x, ` + ask + `, ` + chat + `, http: {url: http://x}}`:                                         "has chat and http: want exactly one",
		`{name: x, ` + ask + `, chat: {base_url: "ftp://x?t=sk-secret-1", model: m}}`:                         "chat.base_url: want a URL",
		`{name: x, ` + ask + `, chat: {base_url: http://x}}`:                                                  "chat.model: required",
		`{name: x, ` + ask + `, chat: {base_url: http://x, model: m, key: "${EMPTY}"}}`:                       "chat.key: want 1 to 8192 characters without spaces",
		`{name: x, ` + ask + `, chat: {base_url: http://x, model: m, key: "${KEY} x"}}`:                       "chat.key: want 1 to 8192 characters without spaces",
		`{name: x, ` + ask + `, chat: {base_url: http://x, model: m, params: {stream: true}}}`:                "is not a parameter",
		`{name: x, ` + ask + `, chat: {base_url: http://x, model: m, params: {user: {id: "${KEY}"}}}}`:        "parameters are stored with the answers",
		`{name: x, ` + ask + `, http: {url: x}}`:                                                              "http.url: want a URL",
		`{name: x, ` + ask + `, http: {url: http://x, method: post}}`:                                         "want one of GET",
		`{name: x, ` + ask + `, http: {url: http://x, method: GET, body: x}}`:                                 "a request of method GET has no body",
		`{name: x, ` + ask + `, http: {url: http://x, headers: {"a b": "sk-secret-1"}}}`:                      "not the name of a header",
		`{name: x, ` + ask + `, http: {url: http://x, answer: data.answer}}`:                                  `answer "data.answer": not a JSONPath of RFC 9535, such as $.data.answer: unexpected identifier`,
		`{name: x, ` + ask + `, http: {url: http://x, answer: "$..a..b"}}`:                                    `holds ".." more than once`,
		`{name: x, ` + ask + `, http: {url: http://x, usage: {input_tokens: "$["}}}`:                          "usage.input_tokens",
		`{name: x, ` + ask + `, http: {url: http://x, body: "{{.Input"}}`:                                     "body: not a template of Go's text/template",
		`{name: x, ` + ask + `, http: {url: http://x, body: "{{.Inptu}}"}}`:                                   `cannot be filled for prompt "a"`,
		`{name: x, prompts: [{id: a, input: 'say "x"'}], http: {url: http://x, body: '{"q": "{{.Input}}"}'}}`: `makes no JSON for prompt "a": write texts as {{json .Input}}, without quotes`,
	} {
		_, err := parseCanary("c.yaml", line)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n got %v\nwant %s", line, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "sk-secret-1") {
			t.Errorf("%s: the secret is told: %v", line, err)
		}
	}
	_, err := parseCanary("c.yaml", `{name: x, `+ask+`, `+chat+`}`, `{name: x, `+ask+`, `+chat+`}`)
	if err == nil || !strings.Contains(err.Error(), `canaries[1].name "x": features[0].canaries[0] has this name already`) {
		t.Errorf("got %v", err)
	}
}

func TestPromptFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("good.json", `[{"id": "a", "input": "costs ${9} or ${KEY}", "reference": "${x}", "attributes": {"n": "1"}}]`)
	write("bad.yaml", "- id: a\n  input: x\n- id: a\n  inptu: y\n")
	write("map.yaml", "id: a\n")
	write("empty.yaml", "")
	write("broken.yaml", "- [\n")
	file := filepath.Join(dir, "c.yaml")
	c, err := parseCanary(file, `{name: x, prompts: good.json, `+chat+`}`)
	if err != nil {
		t.Fatal(err)
	}
	if p := c.Features[0].Canaries[0].Prompts[0]; p.Input.Text != "costs ${9} or ${KEY}" || *p.Reference != "${x}" || p.Attributes["n"] != "1" {
		t.Errorf("got %+v", p)
	}
	for name, wants := range map[string][]string{
		"bad.yaml":    {filepath.Join(dir, "bad.yaml") + `:4:3: [1]: unknown field "inptu" (did you mean "input"?)`, `c.yaml:4:28: features[0].canaries[0].prompts "bad.yaml": the file is not good`},
		"map.yaml":    {"map.yaml:1:1: want a list of prompts, got a mapping"},
		"empty.yaml":  {"empty.yaml:1:1: 0 prompts, want 1 to 500"},
		"broken.yaml": {"broken.yaml:", "not YAML"},
		".":           {"want a regular file"},
	} {
		_, err := parseCanary(file, `{name: x, prompts: `+name+`, `+chat+`}`)
		for _, want := range wants {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v, want %s", name, err, want)
			}
		}
	}
}

func TestCanarySecrets(t *testing.T) {
	c, err := parseCanary("c.yaml",
		`{name: x, `+ask+`, chat: {base_url: "${URL}", model: "${SHORT}", key: "${KEY}"}}`,
		`{name: y, `+ask+`, http: {url: "${URL}/${KEY}", body: '{"k": "${KEY}", "s": "${SHORT}"}'}}`)
	if err != nil {
		t.Fatal(err)
	}
	cs := c.Features[0].Canaries
	if !slices.Equal(cs[0].Secrets, []string{"sk-secret-1"}) || !slices.Equal(cs[1].Secrets, []string{"https://api.example/v1", "sk-secret-1"}) {
		t.Errorf("got %q and %q", cs[0].Secrets, cs[1].Secrets)
	}
	if cs[0].Every != time.Hour || cs[0].Timeout != 30*time.Second || cs[0].Repeat != 1 || cs[0].Concurrency != 4 || cs[1].HTTP.Method != http.MethodPost {
		t.Errorf("got %+v", cs)
	}
}

// Every key of a canary stands in the full example, so that it is decoded and checked.
func TestEveryCanaryKeyIsInTheFullExample(t *testing.T) {
	path := filepath.Join("testdata", "full.yaml")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Parse(path, data, func(string) (string, bool) { return "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz", true })
	if err != nil {
		t.Fatal(err)
	}
	cs := c.Features[0].Canaries
	if len(cs) != 2 || cs[0].Calls() != 10 || len(cs[0].Prompts[1].Input.Messages) != 3 {
		t.Fatalf("got %+v", cs)
	}
	want := map[string]any{"temperature": int64(0), "stop": []any{"\n\n"}, "response_format": map[string]any{"type": "text"}, "seed": int64(7), "logprobs": false}
	if !reflect.DeepEqual(cs[0].Chat.Params, want) {
		t.Errorf("got %#v, want %#v", cs[0].Chat.Params, want)
	}
	for _, v := range []any{quality.CanarySpec{}, quality.CanaryPrompt{}, quality.CanaryExpect{}, quality.CanaryChat{}, quality.CanaryHTTP{}, quality.CanaryUsage{}} {
		typ := reflect.TypeOf(v)
		for i := range typ.NumField() {
			if key := typ.Field(i).Tag.Get("yaml"); key != "-" && !strings.Contains(string(data), key+":") {
				t.Errorf("the full example lacks %q", key)
			}
		}
	}
}

package redact_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/asgood-dev/asgood/collector/redact"
	"github.com/asgood-dev/asgood/internal/quality"
)

const full = `{"id":"jane@example.com","feature":"chat","customer":"billing@acme.example","conversation":"203.0.113.7",
"input":[{"role":"user","content":"I am jane@example.com"},{"role":"assistant","content":"Hello"}],"output":"call +49 30 1234567",
"reference":"write to jane@example.com","context":[{"id":"doc@example.com","text":"see 203.0.113.7"},{"text":"nothing"}],
"model":"gpt@example.com","prompt":"p@example.com",
"params":{"temperature":0.2,"ssn":123456789,"user":"jane@example.com","nested":{"SSN":"1","list":["a","jane@example.com",7]},"api_key":"abc123def456"},
"tools":[{"name":"mail@example.com","arguments":{"to":"jane@example.com","ssn":{"a":1},"n":4111111111111111,"jane@example.com":1},"result":"sent to jane@example.com"},{"name":"t","arguments":{}}],
"error":"cannot reach 203.0.113.7","attributes":{"language":"de","user":"jane@example.com","ssn":"123-45-6789","password":"swordfish"},"scores":{"thumbs":1}}`

const fullRedacted = `{"id":"jane@example.com","feature":"chat","customer":"billing@acme.example","conversation":"203.0.113.7",
"input":[{"role":"user","content":"I am <email>"},{"role":"assistant","content":"Hello"}],"output":"call <phone>",
"reference":"write to <email>","context":[{"id":"doc@example.com","text":"see <ip>"},{"text":"nothing"}],
"model":"gpt@example.com","prompt":"p@example.com",
"params":{"temperature":0.2,"ssn":"<field>","user":"<email>","nested":{"SSN":"<field>","list":["a","<email>",7]},"api_key":"<secret>"},
"tools":[{"name":"mail@example.com","arguments":{"to":"<email>","ssn":"<field>","n":4111111111111111,"jane@example.com":1},"result":"sent to <email>"},{"name":"t","arguments":{}}],
"error":"cannot reach <ip>","attributes":{"language":"de","user":"<email>","ssn":"<field>","password":"<secret>"},"scores":{"thumbs":1}}`

func decodeSample(t *testing.T, text string) quality.Sample {
	t.Helper()
	var s quality.Sample
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func encode(t *testing.T, s quality.Sample) string {
	t.Helper()
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer(`\u003c`, "<", `\u003e`, ">").Replace(string(data))
}

func TestSample(t *testing.T) {
	r := newRedactor(t, everyRule()...)
	s, before := decodeSample(t, full), decodeSample(t, full)
	shared := s
	n := r.Sample(&s)
	if got, want := shape(encode(t, s)), encode(t, decodeSample(t, fullRedacted)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	want := redact.Counts{redact.Email: 7, redact.Phone: 1, redact.IP: 2, redact.Field: 4, redact.Secret: 2}
	if n != want || n.Total() != 16 {
		t.Errorf("got %v, want %v", n, want)
	}
	if !reflect.DeepEqual(shared, before) {
		t.Errorf("the maps and lists it came with were written: %+v", shared)
	}
	again := s
	if n := r.Sample(&again); n.Total() != 0 || !reflect.DeepEqual(again, s) {
		t.Errorf("got %v the second time", n)
	}
}

func TestSampleWithoutRules(t *testing.T) {
	r, err := redact.New(redact.Options{Key: key, Rules: []quality.RedactRule{}})
	if err != nil {
		t.Fatal(err)
	}
	s := decodeSample(t, full)
	if n := r.Sample(&s); n.Total() != 0 || !reflect.DeepEqual(s, decodeSample(t, full)) {
		t.Errorf("got %v and %+v", n, s)
	}
}

// TestSameEverywhere shows that an address has one pseudonym wherever it stands.
func TestSameEverywhere(t *testing.T) {
	r := newRedactor(t, quality.DefaultRedact()...)
	s := decodeSample(t, full)
	r.Sample(&s)
	name := r.Text(s.Customer, "jane@example.com")
	if got := strings.Count(encode(t, s), name); got != 7 {
		t.Errorf("got %s %d times in %+v, want 7", name, got, s)
	}
}

// TestLongAttribute shows that an attribute stays within the bound it was let in by.
func TestLongAttribute(t *testing.T) {
	r := newRedactor(t, quality.DefaultRedact()...)
	s := quality.Sample{Attributes: map[string]string{"a": strings.Repeat("a@b.co ", 36)}}
	r.Sample(&s)
	if got := shape(s.Attributes["a"]); got != "<field>" {
		t.Errorf("got %q", got)
	}
}

func TestJSON(t *testing.T) {
	r := newRedactor(t, everyRule()...)
	for _, tt := range []struct{ name, in, want string }{
		{"nothing", ` { "a" : [ 1, "b" ] } `, ` { "a" : [ 1, "b" ] } `},
		{"string", `"jane@example.com"`, `"<email>"`},
		{"list", `["jane@example.com",1,null,"203.0.113.7"]`, `["<email>",1,null,"<ip>"]`},
		{"white space", "{ \"a\" :\n\t\"jane@example.com\" }", "{ \"a\" :\n\t\"<email>\" }"},
		{"keys stay", `{"jane@example.com":"x"}`, `{"jane@example.com":"x"}`},
		{"numbers stay", `{"a":4111111111111111,"b":-1.5e7}`, `{"a":4111111111111111,"b":-1.5e7}`},
		{"escapes", `"a\n\u0041 \"jane\u0040example.com\" \ud83d\ude00\t"`, `"a\nA \"<email>\" 😀\t"`},
		{"escapes stay", `"a\n\u0041"`, `"a\n\u0041"`},
		{"lone surrogate", `"\ud83d jane@example.com"`, `"` + "\ufffd" + ` <email>"`},
		{"control", `"\u0001\\ jane@example.com"`, `"\u0001\\ <email>"`},
		{"JSON in a string", `{"a":"{\"ssn\": 7, \"b\":\"jane@example.com\"}"}`, `{"a":"{\"ssn\": \"<field>\", \"b\":\"<email>\"}"}`},
		{"field", `{"ssn":"x","Ssn":1.5,"sSn":true}`, `{"ssn":"<field>","Ssn":"<field>","sSn":"<field>"}`},
		{"field with white space", `{"ssn" : [ 1 ] , "a":1}`, `{"ssn" : "<field>" , "a":1}`},
		{"field of objects", `{"a":[{"ssn":{"b":"}","c":[{}]}},{"ssn":["]"]}]}`, `{"a":[{"ssn":"<field>"},{"ssn":"<field>"}]}`},
		{"field without value", `{"ssn":null,"SSN":""}`, `{"ssn":null,"SSN":""}`},
		{"escaped field", `{"\u0073sn":"x","stra\u00dfe":"y"}`, `{"\u0073sn":"<field>","stra\u00dfe":"<field>"}`},
		{"value like a field", `["ssn","x"]`, `["ssn","x"]`},
		{"redacted field", `{"ssn":"[email:1f3a9c2e]"}`, `{"ssn":"<email>"}`},
		{"secrets", `{"password":"x y","apiKey":"abc123def456","token":"next","token_type":"bearer1234"}`,
			`{"password":"<secret>","apiKey":"<secret>","token":"next","token_type":"bearer1234"}`},
		{"number behind a secret's name", `{"password":5,"a":"b"}`, `{"password":5,"a":"b"}`},
		{"list behind a secret's name", `{"password":["swordfish"]}`, `{"password":["swordfish"]}`},
		{"not JSON", `{"a":"jane@example.com"`, `{"a":"<email>"`},
		{"empty", ``, ``},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := shape(string(r.JSON("acme", []byte(tt.in)))); got != tt.want {
				t.Errorf("%s: got %s, want %s", tt.in, got, tt.want)
			}
		})
	}
}

// TestTextThatIsJSON shows that an answer in JSON stays one that its scorers can read.
func TestTextThatIsJSON(t *testing.T) {
	r := newRedactor(t, everyRule()...)
	for in, want := range map[string]string{
		`{"card": 4111111111111111}`:                   `{"card": "<credit_card>"}`,
		` [4111111111111111, 4111111111111112, -1]`:    ` ["<credit_card>", 4111111111111112, -1]`,
		`{"jane@example.com": {"ssn": 1}}`:             `{"<email>": {"ssn": "<field>"}}`,
		`{"a": "b"}`:                                   `{"a": "b"}`,
		"```json\n{\"to\": \"jane@example.com\"}\n```": "```json\n{\"to\": \"<email>\"}\n```",
	} {
		if got := shape(r.Text("acme", in)); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}

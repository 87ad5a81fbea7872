package redact_test

import (
	"testing"

	"github.com/asgood-dev/asgood/internal/quality"
)

// FuzzText redacts any text: it stays valid, and the second time nothing changes.
func FuzzText(f *testing.F) {
	for _, cases := range detections {
		for _, c := range cases {
			f.Add(c.in)
		}
	}
	for _, s := range pieces() {
		f.Add(s)
	}
	own, builtIn := newRedactor(f, everyRule()...), newRedactor(f, quality.DefaultRedact()...)
	f.Fuzz(func(t *testing.T, s string) {
		checkText(t, own, s)
		checkText(t, builtIn, s)
	})
}

// FuzzJSON redacts any bytes as the JSON of a tool.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{
		`{"email":"jane@example.com","SSN":123,"n":[1,"4111 1111 1111 1111"]}`, `"jane@example.com"`, `{"a":"{\"ssn\":\"x\"}"}`,
		`{"ssn":{"a":[1,2,{"b":"}"}]},"c":"\ud83d\ude00 \u0040 \ud83d"}`, `{"password":"swordfish","api_key":"abc123def456"}`, `[`, `{"a":`, "\xff", `{"stra\u00dfe":"x"}`,
	} {
		f.Add([]byte(s))
	}
	r := newRedactor(f, everyRule()...)
	f.Fuzz(func(t *testing.T, raw []byte) { checkJSON(t, r, raw) })
}

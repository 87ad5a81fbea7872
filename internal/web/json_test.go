package web

import (
	"encoding/json"
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestRounded(t *testing.T) {
	for text, want := range map[string]string{
		`{"mean":0.7875000002980317,"n":123456789012345}`: `{"mean":0.7875,"n":123456789012345}`,
		`[-0.050000000074505806,1e-9,1.5e+300,null,true]`: `[-0.05,1e-9,1.5e+300,null,true]`,
		`"0.12345678901 \" 0.12345678901"`:                `"0.12345678901 \" 0.12345678901"`,
		`{"a\\":1.23456789}`:                              `{"a\\":1.234568}`,
		`0.30000000000000004`:                             `0.3`,
		`1234567.891`:                                     `1234568`,
		`"x\`:                                             `"x\`,
		``:                                                ``,
	} {
		if got := string(rounded([]byte(text))); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

// A fraction moves by half a unit of its seventh digit at most, and everything else stays.
func TestRoundedStaysNear(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := map[string]any{"x": rapid.Float64().Draw(t, "x"), rapid.String().Draw(t, "key"): rapid.String().Draw(t, "text"), "n": float64(rapid.Int32().Draw(t, "n"))}
		data, err := json.Marshal(v)
		if err != nil {
			t.Skip("no JSON")
		}
		var got map[string]any
		if err := json.Unmarshal(rounded(data), &got); err != nil {
			t.Fatalf("%s: %v", rounded(data), err)
		}
		for k, was := range v {
			x, ok := was.(float64)
			if y, _ := got[k].(float64); ok && math.Abs(x-y) > 0.5e-6*math.Abs(x) {
				t.Errorf("%v became %v", x, y)
			} else if !ok && got[k] != was {
				t.Errorf("%v became %v", was, got[k])
			}
		}
	})
}
